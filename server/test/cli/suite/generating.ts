import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type NewPlace, settle } from '../../support/hub-places.ts';
import { get } from '../../support/rest-calls.ts';
import { runCli, startCli } from '../../support/run-cli.ts';
import { Hubs, type PlacedHub } from './hubs.ts';

interface Summary {
  readonly sent: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly refused: number;
  readonly unanswered: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
}

/** `event-hub generate`. */
export function generatingSuite(newPlace: NewPlace): void {
  describe('event-hub generate', () => {
    const hubs = new Hubs(newPlace);
    let hub: PlacedHub;
    beforeEach(async () => {
      hub = await hubs.start();
    });
    afterEach(() => hubs.end());
    const address = () => [`--url=${hub.url}`, `--grpc-url=${hub.grpcAddress}`];
    const generate = (...flags: readonly string[]) =>
      runCli(['generate', '--output=json', ...address(), ...flags]);
    const counted = async () => {
      const window = 'from=2020-01-01T00:00:00Z&to=2099-01-01T00:00:00Z';
      return (await get(hub.url, `/aggregates?${window}`)).json.event_count;
    };

    it.each(['rest', 'batch', 'grpc', 'graphql'])('stores over %s what it counts', async (name) => {
      const { code, stdout, stderr } = await generate('--count=600', `--protocol=${name}`);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const summary = JSON.parse(stdout) as Summary;
      expect(summary).toMatchObject({ sent: 600, stored: 600, duplicates: 0, refused: 0 });
      expect(summary.unanswered).toBe(0);
      expect(summary.p50_ms).toBeGreaterThan(0);
      expect(summary.p99_ms).toBeGreaterThanOrEqual(summary.p50_ms);
      expect(summary.max_ms).toBeGreaterThanOrEqual(summary.p99_ms);
      await settle(hub.place);
      expect(await counted()).toBe(600);
    });

    it('sends the same traffic for a seed, under new ids each time', async () => {
      const run = () => generate('--count=200', '--seed=a', '--concurrency=1');
      await run();
      await run();
      await settle(hub.place);
      const { events } = (await (await fetch(`${hub.url}/events?limit=400&order=asc`)).json()) as {
        events: readonly { id: string; user_id: string; amount: string }[];
      };
      expect(new Set(events.map(({ id }) => id)).size).toBe(400);
      const saying = ({ user_id, amount }: { user_id: string; amount: string }) =>
        `${user_id} ${amount}`;
      expect(events.slice(200).map(saying)).toEqual(events.slice(0, 200).map(saying));
      expect(events.every(({ user_id }) => user_id.startsWith('demo-'))).toBe(true);
    });

    it('is all duplicates the second time with seeded ids', async () => {
      const flags = ['--count=300', '--ids=seeded', '--protocol=batch'];
      expect(JSON.parse((await generate(...flags)).stdout)).toMatchObject({ stored: 300 });
      const again = await generate(...flags);
      expect(again.code).toBe(0);
      expect(JSON.parse(again.stdout)).toMatchObject({ stored: 0, duplicates: 300, refused: 0 });
    });

    it('keeps to its rate and duration', async () => {
      const { stdout } = await generate('--rate=200', '--duration=1s');
      const { sent, stored } = JSON.parse(stdout) as Summary;
      expect(stored).toBe(sent);
      expect(sent).toBeLessThanOrEqual(200);
      expect(sent).toBeGreaterThan(0);
    });

    it('ends with the summary when it is interrupted', async () => {
      const running = startCli([
        'generate',
        '--rate=50',
        '--duration=1h',
        '--output=json',
        ...address(),
      ]);
      await expect.poll(counted).toBeGreaterThan(0);
      running.process.kill('SIGINT');
      const { code, stdout } = await running.result;
      expect(code).toBe(0);
      const { sent, stored } = JSON.parse(stdout) as Summary;
      expect(stored).toBe(sent);
      await settle(hub.place);
      expect(await counted()).toBe(stored);
    });

    it('counts and shows what is refused, and ends with 1', async () => {
      const other = await hubs.start({ eventTypes: new Map([['purchase', '+']]) });
      const { code, stdout, stderr } = await runCli([
        'generate',
        '--count=200',
        '--output=json',
        `--url=${other.url}`,
      ]);
      expect(code).toBe(1);
      const { sent, stored, refused } = JSON.parse(stdout) as Summary;
      expect(refused).toBeGreaterThan(0);
      expect(stored + refused).toBe(sent);
      expect(stderr).toMatch(/^refused demo-\S+: invalid: event_type/);
    });

    it('ends with 3 where no hub is', async () => {
      await hub.stop();
      for (const name of ['rest', 'grpc']) {
        expect((await generate(`--protocol=${name}`)).code).toBe(3);
      }
    });

    it('writes its summary as a table and as CSV', async () => {
      const [table, csv] = await Promise.all([
        runCli(['generate', '--count=10', ...address()]),
        runCli(['generate', '--count=10', '--output=csv', ...address()]),
      ]);
      expect(table.stdout).toMatch(/^ +sent +stored .*\n +10 +10 /);
      expect(csv.stdout).toMatch(/^sent,stored,duplicates,refused,.*\r\n10,10,0,0,/);
    });
  });
}
