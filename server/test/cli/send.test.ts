import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LineResult } from '../../src/cli/send/result-shape.ts';
import { jsonLines, runCli, startCli } from '../support/run-cli.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';

const protocols = ['rest', 'graphql', 'grpc'] as const;
let hub: TestHub;

beforeEach(async () => {
  hub = await startTestHub();
});
afterEach(() => hub.remove());

describe('event-hub send', () => {
  it.each(protocols)(
    'sends one event from flags over %s, and again as a duplicate',
    async (name) => {
      const flags = ['--user-id=u1', '--event-type=purchase', '--amount=150.75', '--currency=EUR'];
      const more = [
        '--id=e1',
        '--metadata={"order":{"n":1}}',
        '--timestamp=2026-06-30T10:00:00+02:00',
      ];
      const first = await send([...flags, ...more, `--protocol=${name}`]);
      expect(first.code).toBe(0);
      expect(jsonLines(first)).toEqual([
        { line: 1, status: 'success', id: 'e1', position: expect.any(String) },
      ]);
      const second = await send([...flags, ...more, `--protocol=${name}`]);
      expect(second.code).toBe(0);
      expect(jsonLines<LineResult>(second)[0]?.status).toBe('duplicate');
      expect(await stored('e1')).toMatchObject({
        user_id: 'u1',
        event_type: 'purchase',
        amount: '150.75',
        currency: 'EUR',
        timestamp: '2026-06-30T08:00:00.000Z',
        metadata: { order: { n: 1 } },
      });
    },
  );

  it.each(protocols)(
    'says over %s what is refused, line by line, and stores the rest',
    async (name) => {
      const input = [
        '{"id":"a","user_id":"u1","event_type":"purchase","amount":1.50}',
        '',
        '{"id":"b","user_id":"u1","event_type":"purchase","amount":-1}',
        '{broken',
        '{"id":"c","user_id":"u1","event_type":"purchase","amount":1,"amout":2}',
        '{"id":"a","user_id":"u1","event_type":"purchase","amount":2}',
        '{"id":"d","user_id":5,"event_type":"purchase","amount":2}',
        '[]',
        '{"id":"e","user_id":"u1","event_type":"purchase","amount":"2"}',
      ];
      const { code, stdout, stderr } = await send([`--protocol=${name}`], input.join('\n'));
      expect(code).toBe(1);
      const results = jsonLines<LineResult>({ stdout });
      expect(results.map(({ line, status, code }) => [line, status, code])).toEqual([
        [1, 'success', undefined],
        [3, 'rejected', 'invalid'],
        [4, 'rejected', 'unreadable'],
        [5, 'rejected', 'invalid'],
        [6, 'rejected', 'conflict'],
        [7, 'rejected', 'invalid'],
        [8, 'rejected', 'invalid'],
        [9, 'success', undefined],
      ]);
      for (const { status, detail } of results) {
        if (status === 'rejected') expect(detail).toBeTruthy();
      }
      expect(stderr).toBe('8 events: 2 stored, 0 duplicates, 6 refused\n');
    },
  );

  it.each(protocols)('forwards amounts over %s as they were written', async (name) => {
    const written = [
      '"999999999999"',
      '"123456789012.123456"',
      '"0.1"',
      '1.50',
      '123456789.123456',
      '0',
      '1e2',
    ];
    const input = written.map((amount, index) => {
      return `{"id":"m${index}","user_id":"u1","event_type":"purchase","amount":${amount}}`;
    });
    input.push('{"id":"m9","user_id":"u1","event_type":"purchase","amount":12345678901.123456}');
    const { stdout } = await send([`--protocol=${name}`], input.join('\n'));
    expect(jsonLines<LineResult>({ stdout }).map(({ status }) => status)).toEqual([
      ...written.map(() => 'success'),
      'rejected',
    ]);
    const amounts = await Promise.all(
      written.map(async (_, index) => (await stored(`m${index}`)).amount),
    );
    expect(amounts).toEqual([
      '999999999999',
      '123456789012.123456',
      '0.1',
      '1.5',
      '123456789.123456',
      '0',
      '100',
    ]);
  });

  it('reads CSV with any columns in any order, quotes, line breaks and a byte order mark', async () => {
    const file = join(hub.folder, 'events.csv');
    const rows = [
      '\u{FEFF}amount,id,user_id,event_type,metadata,currency,received_at',
      '12.5,c1,"Smith, ""J""",purchase,"{""note"":\n""a""}",EUR,2026-01-01T00:00:00Z',
      '3,,u2,return,,,',
      '4,c3,u2,return,nonsense,,',
    ];
    writeFileSync(file, rows.join('\r\n'));
    const { code, stdout } = await send([`--file=${file}`]);
    expect(code).toBe(1);
    expect(jsonLines<LineResult>({ stdout }).map(({ status }) => status)).toEqual([
      'success',
      'success',
      'rejected',
    ]);
    expect(await stored('c1')).toMatchObject({
      user_id: 'Smith, "J"',
      amount: '12.5',
      metadata: { note: 'a' },
    });
  });

  it('refuses CSV with an unknown column or a broken quote before it sends anything else', async () => {
    const unknown = await send(['--format=csv'], 'user_id,amout\nu1,5\n');
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    expect(unknown.stderr).toContain('unknown column amout');
    const broken = await send(['--format=csv'], 'user_id,amount\n"u1,5\n');
    expect(broken.code).toBe(2);
    expect(broken.stderr).toContain('the CSV cannot be read');
  });

  it.each(protocols)(
    'answers duplicate over %s for every event that is sent again',
    async (name) => {
      const generated = ['--count=1200', `--url=${hub.url}`, '--protocol=batch'];
      expect((await runCli(['generate', ...generated])).code).toBe(0);
      for (const format of ['ndjson', 'csv']) {
        const exported = await runCli([
          'events',
          '--all',
          `--output=${format}`,
          `--log=${hub.settings.log}`,
        ]);
        const again = await send([`--protocol=${name}`, `--format=${format}`], exported.stdout);
        expect(again.code).toBe(0);
        const statuses = jsonLines<LineResult>(again).map(({ status }) => status);
        expect(statuses).toEqual(Array.from({ length: 1200 }, () => 'duplicate'));
      }
    },
  );

  it('loses and repeats nothing while the hub restarts', async () => {
    const sender = startCli(['send', `--url=${hub.url}`, '--output=ndjson']);
    const line = (n: number) =>
      `{"id":"r${n}","user_id":"u1","event_type":"purchase","amount":1}\n`;
    sender.process.stdin.write(line(1));
    await sender.until(/"line":1,/);
    await hub.stop();
    sender.process.stdin.write(line(2));
    await nextText(sender.process.stderr, /trying again/);
    const port = Number(new URL(hub.url).port);
    const { log, store } = hub.settings;
    const restarted = await startTestHub({ http: { host: '127.0.0.1', port }, log, store });
    sender.process.stdin.end(line(3));
    const { code, stdout } = await sender.result;
    await restarted.remove();
    expect(code).toBe(0);
    expect(jsonLines<LineResult>({ stdout }).map(({ id, status }) => [id, status])).toEqual([
      ['r1', 'success'],
      ['r2', 'success'],
      ['r3', 'success'],
    ]);
  });

  it('ends with 3 where no hub is, and names the ids that were tried', async () => {
    await hub.stop();
    for (const name of protocols) {
      const { code, stdout, stderr } = await send([
        `--protocol=${name}`,
        '--user-id=u1',
        '--event-type=purchase',
        '--amount=1',
      ]);
      expect(code).toBe(3);
      expect(jsonLines<LineResult>({ stdout })).toMatchObject([
        { status: 'unknown', id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      ]);
      expect(stderr).toContain('is a hub running at');
    }
  });

  it('writes every output form', async () => {
    const event = '{"id":"o","user_id":"u1","event_type":"purchase","amount":1}';
    const outputs = await Promise.all(
      ['json', 'csv', 'table'].map(
        async (form) => (await send([`--output=${form}`], event)).stdout,
      ),
    );
    expect(JSON.parse(outputs[0] ?? '')).toMatchObject([{ line: 1, id: 'o' }]);
    expect(outputs[1]).toMatch(/^line,status,id,position,code,detail\r\n1,\w+,o,[^\r]+,,\r\n$/);
    expect(outputs[2]).toMatch(/^ +line +status +id.*\n +1 +\w+ +o /);
  });

  it('refuses flags that do not go together, and addresses that are none', async () => {
    const [both, url, grpcUrl] = await Promise.all([
      runCli(['send', '--user-id=u1', '--file=x']),
      runCli(['send', '--url=localhost:8000']),
      runCli(['send', '--grpc-url=somewhere']),
    ]);
    for (const { code } of [both, url, grpcUrl]) expect(code).toBe(2);
  });
});

function send(flags: readonly string[], input?: string) {
  const env = { EVENT_HUB_URL: hub.url, EVENT_HUB_GRPC_URL: hub.grpcAddress };
  return runCli(['send', ...flags], input === undefined ? { env } : { env, input });
}

async function stored(id: string): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(`${hub.url}/events/${id}`);
  return (await response.json()) as Readonly<Record<string, unknown>>;
}

/** Resolves when the stream has said something that matches. */
async function nextText(stream: NodeJS.ReadableStream, pattern: RegExp): Promise<void> {
  let said = '';
  await new Promise<void>((resolve) => {
    stream.on('data', (chunk) => {
      said += chunk;
      if (pattern.test(said)) resolve();
    });
  });
}
