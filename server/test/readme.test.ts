import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparable, readmeSteps } from './support/document-steps.ts';
import { ReaderTerminals, type Started } from './support/reader-terminals.ts';

const section = 'The first five minutes';
const steps = readmeSteps(section);
const keySteps = readmeSteps('Keys');
const isLive = (command: string) => command.startsWith('curl -sN');

/** A reader's second and third terminal, against the hub that `npm start` started in the first. */
describe('the README', () => {
  let terminals: ReaderTerminals;
  let stream: Started | undefined;

  beforeAll(async () => {
    terminals = await ReaderTerminals.open();
  });

  afterAll(async () => {
    await stream?.stop();
    await terminals?.close();
  });

  it('starts with two commands', () => {
    expect(readmeSteps('Start').map(({ command }) => command.trim())).toEqual([
      'npm ci && npm start',
    ]);
  });

  it('shows enough to try', () => {
    expect(steps.length).toBeGreaterThanOrEqual(10);
    expect(steps.filter(({ expected }) => expected !== undefined).length).toBeGreaterThanOrEqual(8);
  });

  it.each(steps)('$command', async (step) => {
    if (isLive(step.command)) {
      stream = terminals.start(step.command);
      await stream.saw((output) => output.includes('\nevent: caught-up\n'));
      return;
    }
    const [printed, expected] = await terminals.follow(step);
    if (step.expected !== undefined) expect(printed).toBe(expected);
  });

  it('shows the traffic live', async () => {
    const sent = steps.find(({ command }) => command.includes('event-hub generate'));
    const count = Number(sent?.command.match(/--count (\d+)/)?.[1]);
    const times = (output: string) => output.match(/^data: .*"user_id":"demo-/gm)?.length ?? 0;
    expect(await stream?.saw((output) => times(output) >= count)).toBe(true);
  });

  it('shows keys in three lines', () => {
    const [make, use, , revoke] = keySteps.map(({ command }) => command);
    expect(make).toContain('event-hub keys create');
    expect(use).toContain('Bearer $KEY');
    expect(revoke).toContain('event-hub keys revoke');
  });

  it.each(keySteps)('$command', async ({ command, expected }) => {
    const run = async () => {
      const { stdout } = await terminals.run(`${command}\nprintf '\\n%s' "$KEY"`);
      const [said = '', key = ''] = stdout.split(/\n(?=.*$)/);
      terminals.env.KEY = key;
      return comparable(said);
    };
    if (expected === undefined) await run();
    // A key counts within seconds.
    else await expect.poll(run).toBe(comparable(expected));
  });

  it('is let in nowhere without a key from then on', async () => {
    const { stdout } = await terminals.run('curl -s http://127.0.0.1:8000/events');
    expect(stdout).toContain('"code":"unauthenticated"');
  });
});
