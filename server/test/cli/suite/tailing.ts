import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type NewPlace, settle } from '../../support/hub-places.ts';
import { jsonLines, runCli, startCli } from '../../support/run-cli.ts';
import { Hubs, type PlacedHub } from './hubs.ts';

interface Received {
  readonly id: string;
  readonly user_id: string;
  readonly position: string;
}

/** `event-hub tail`. */
export function tailingSuite(newPlace: NewPlace): void {
  describe('event-hub tail', () => {
    const hubs = new Hubs(newPlace);
    let hub: PlacedHub;
    beforeEach(async () => {
      hub = await hubs.start();
    });
    afterEach(() => hubs.end());
    const tail = (...flags: readonly string[]) => runCli(['tail', `--url=${hub.url}`, ...flags]);
    const send = (...ids: readonly string[]) => sendTo(hub, ...ids);

    it('gives everything there is with --no-follow, and says where to go on', async () => {
      await send('a', 'b', 'c');
      const { code, stdout, stderr } = await tail('--after=start', '--no-follow');
      expect(code).toBe(0);
      const events = jsonLines<Received>({ stdout });
      expect(events.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
      expect(stderr).toBe(`go on with --after ${events.at(-1)?.position}\n`);
      await send('d');
      const later = await tail(`--after=${events.at(-1)?.position}`, '--no-follow');
      expect(jsonLines<Received>(later).map(({ id }) => id)).toEqual(['d']);
    });

    it('writes the same as the hub: its NDJSON and its CSV', async () => {
      await send('a', 'b');
      await settle(hub.place);
      const listed = (type: string) =>
        fetch(`${hub.url}/events?order=asc`, { headers: { accept: type } }).then((r) => r.text());
      const ndjson = await tail('--after=start', '--no-follow');
      expect(ndjson.stdout).toBe(await listed('application/x-ndjson'));
      const csv = await tail('--after=start', '--no-follow', '--output=csv');
      expect(unquoted(csv.stdout)).toBe(unquoted(await listed('text/csv')));
    });

    it('ends after --limit events, and goes on after the last one', async () => {
      await send('a', 'b', 'c');
      const first = await tail('--after=start', '--limit=2');
      expect(jsonLines<Received>(first).map(({ id }) => id)).toEqual(['a', 'b']);
      const after = first.stderr.match(/--after (\S+)/)?.[1];
      const rest = await tail(`--after=${after}`, '--no-follow');
      expect(jsonLines<Received>(rest).map(({ id }) => id)).toEqual(['c']);
    });

    it('follows with a filter what comes', async () => {
      await send('x');
      const running = startCli([
        'tail',
        '--after=start',
        '--user-id=user-x',
        '--user-id=user-z',
        `--url=${hub.url}`,
      ]);
      await running.until(/"id":"x"/);
      await send('y', 'z');
      await running.until(/"id":"z"/);
      running.process.kill('SIGINT');
      const { code, stdout } = await running.result;
      expect(code).toBe(0);
      expect(jsonLines<Received>({ stdout }).map(({ id }) => id)).toEqual(['x', 'z']);
    });

    it('goes on by itself after the hub was away, without a gap or a repetition', async () => {
      await send('a', 'b');
      const running = startCli(['tail', '--after=start', `--url=${hub.url}`]);
      await running.until(/"id":"b"/);
      await hub.stop();
      await hubs.restart(hub);
      await send('c', 'd');
      await running.until(/"id":"d"/);
      running.process.kill('SIGINT');
      const { code, stdout } = await running.result;
      expect(code).toBe(0);
      expect(jsonLines<Received>({ stdout }).map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd']);
    });

    it('misses nothing that comes first to an empty hub while the connection is lost', async () => {
      const running = startCli(['tail', `--url=${hub.url}`]);
      await running.until(/^following /m, 'stderr');
      await hub.stop();
      await running.until(/going on in/, 'stderr');
      const elsewhere = await hubs.startAt(hub.place);
      await sendTo(elsewhere, 'first');
      await elsewhere.stop();
      await hubs.restart(hub);
      await running.until(/"id":"first"/);
      running.process.kill('SIGINT');
      expect((await running.result).code).toBe(0);
    });

    it('ends with 3 where no hub is, and with 2 for what is no position', async () => {
      const wrong = await tail('--after=nonsense');
      expect(wrong).toMatchObject({ code: 2, stdout: '' });
      expect(wrong.stderr).toContain('this is no position');
      await hub.stop();
      expect((await tail()).code).toBe(3);
    });

    it('stops quietly when nobody reads on', async () => {
      await runCli(['generate', '--count=5000', '--protocol=batch', `--url=${hub.url}`]);
      const running = startCli(['tail', '--after=start', `--url=${hub.url}`]);
      await running.until(/\n/);
      const exited = once(running.process, 'exit');
      running.result.catch(() => undefined);
      running.process.stdout.destroy();
      await runCli(['generate', '--count=1000', '--protocol=batch', `--url=${hub.url}`]);
      expect(await exited).toEqual([0, null]);
    });
  });
}

async function sendTo({ url }: PlacedHub, ...ids: readonly string[]) {
  for (const id of ids) {
    const body = JSON.stringify({ id, user_id: `user-${id}`, event_type: 'purchase', amount: 1 });
    const headers = { 'content-type': 'application/json' };
    expect((await fetch(`${url}/events`, { method: 'POST', headers, body })).status).toBe(201);
  }
}

/** Both writers quote what must be quoted; one quotes more. */
function unquoted(csv: string): string {
  return csv.replaceAll('"', '');
}
