import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonLines, runCli } from '../support/run-cli.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';

interface Listed {
  readonly id: string;
  readonly user_id: string;
  readonly event_type: string;
}

const wholeWindow = ['--from=2020-01-01T00:00:00Z', '--to=2099-01-01T00:00:00Z'];
let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub();
  const { code } = await runCli([
    'generate',
    '--count=2500',
    '--protocol=batch',
    '--seed=listing',
    `--url=${hub.url}`,
  ]);
  expect(code).toBe(0);
});
afterAll(() => hub.remove());

describe('event-hub events', () => {
  it('writes the same as the hub, in NDJSON and CSV', async () => {
    const [ndjson, csv] = await Promise.all([
      run('events', '--limit=1000', '--output=ndjson'),
      run('events', '--limit=1000', '--output=csv', '--order=asc'),
    ]);
    expect(ndjson.stdout).toBe(await listed('limit=1000', 'application/x-ndjson'));
    const fromHub = await listed('limit=1000&order=asc', 'text/csv');
    // Both quote what must be quoted; one quotes more.
    expect(csv.stdout.replaceAll('"', '')).toBe(fromHub.replaceAll('"', ''));
  });

  it('pages through everything in log order, each event once', async () => {
    const all = jsonLines<Listed>(await run('events', '--all', '--order=asc'));
    expect(new Set(all.map(({ id }) => id)).size).toBe(2500);
    const newest = jsonLines<Listed>(await run('events', '--limit=1500'));
    expect(newest).toEqual(all.toReversed().slice(0, 1500));
  });

  it('filters as the hub does', async () => {
    const flags = ['--user-id=demo-00001', '--user-id=demo-00002', '--event-type=purchase'];
    const found = jsonLines<Listed>(await run('events', '--all', ...flags));
    const query = 'user_id=demo-00001&user_id=demo-00002&event_type=purchase&limit=1000';
    const { events } = JSON.parse(await listed(query, 'application/json')) as { events: unknown };
    expect(found).toEqual(events);
    expect(found.length).toBeGreaterThan(0);
  });

  it('finds one by its id, and ends with 1 where there is none', async () => {
    const [newest] = jsonLines<Listed>(await run('events', '--limit=1'));
    const found = await run('events', `--id=${newest?.id}`, '--output=json');
    expect(JSON.parse(found.stdout)).toEqual([newest]);
    const missing = await run('events', '--id=nobody');
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    expect(missing.stderr).toBe('event-hub: no event has this id\n');
  });

  it('refuses what the hub refuses, with the same words', async () => {
    const { code, stderr } = await run('events', '--event-type=sale', '--from=yesterday');
    expect(code).toBe(2);
    expect(stderr).toMatch(/event_type/);
  });

  it('lists conflicts and unreadable entries, of which a single file has none', async () => {
    expect((await run('events', '--conflicts', '--output=json')).stdout).toBe('[]\n');
    expect((await run('events', '--unreadable', '--output=csv')).stdout).toBe(
      'position,reason,raw\r\n',
    );
  });

  it('ends with 2 where there is no hub, and makes none', async () => {
    const { code, stderr } = await runCli(['events', '--log=sqlite:./nowhere.db'], {
      folder: hub.folder,
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^event-hub: there is no hub at \S+nowhere\.db: start one with/);
  });
});

describe('event-hub metrics', () => {
  it('shows the numbers of GET /aggregates', async () => {
    const { code, stdout } = await run('metrics', 'show', ...wholeWindow, '--output=json');
    expect(code).toBe(0);
    const window = 'from=2020-01-01T00:00:00Z&to=2099-01-01T00:00:00Z';
    const response = await fetch(`${hub.url}/aggregates?${window}`);
    expect(JSON.parse(stdout)).toEqual(await response.json());
  });

  it('shows them as a table and as CSV', async () => {
    const [table, csv] = await Promise.all([
      run('metrics', 'show', ...wholeWindow, '--currency=EUR'),
      run('metrics', 'show', ...wholeWindow, '--currency=EUR', '--output=csv'),
    ]);
    expect(table.stdout).toMatch(/ events; newest counted .*\nEUR {2}total [\d.]+ {2}net [\d.]+\n/);
    expect(csv.stdout).toMatch(
      /^event_type,sign,currency,event_count,total_amount\r\npurchase,\+,EUR,/,
    );
  });

  it('verifies the counts, and rebuilds those that are wrong', async () => {
    const right = await run('metrics', 'verify');
    expect(right).toEqual({
      code: 0,
      stdout: '',
      stderr: 'the counts equal a recomputation from the events\n',
    });
    const before = await run('metrics', 'show', ...wholeWindow, '--output=csv');
    const database = new DatabaseSync(hub.settings.store.slice('sqlite:'.length));
    database.exec("UPDATE minute_counts SET event_count = event_count + 1 WHERE currency = 'JPY'");
    database.close();
    const wrong = await run('metrics', 'verify', '--output=ndjson');
    expect(wrong.code).toBe(1);
    for (const difference of jsonLines<Record<string, string>>(wrong)) {
      expect(difference.currency).toBe('JPY');
      expect(Number(difference.counted_events)).toBe(Number(difference.events) + 1);
      expect(difference.counted_total).toBe(difference.total);
    }
    const rebuilt = await run('metrics', 'rebuild');
    expect(rebuilt.code).toBe(0);
    expect(rebuilt.stderr).toMatch(/^\d+ counts were replaced\n$/);
    expect((await run('metrics', 'verify')).code).toBe(0);
    const after = await run('metrics', 'show', ...wholeWindow, '--output=csv');
    expect(after.stdout).toBe(before.stdout);
  });
});

function run(command: string, ...flags: readonly string[]) {
  return runCli([command, ...flags, `--log=${hub.settings.log}`]);
}

async function listed(query: string, type: string): Promise<string> {
  const response = await fetch(`${hub.url}/events?${query}`, { headers: { accept: type } });
  return await response.text();
}
