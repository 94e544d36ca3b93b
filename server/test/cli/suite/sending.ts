import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LineResult } from '../../../src/cli/send/result-shape.ts';
import { type NewPlace, settle } from '../../support/hub-places.ts';
import { get } from '../../support/rest-calls.ts';
import { jsonLines, runCli } from '../../support/run-cli.ts';
import { Hubs, type PlacedHub } from './hubs.ts';

export const protocols = ['rest', 'graphql', 'grpc'] as const;

/** `event-hub send`: what goes in, and what is said of it. */
export function sendingSuite(newPlace: NewPlace): void {
  describe('event-hub send', () => {
    const hubs = new Hubs(newPlace);
    let hub: PlacedHub;
    beforeEach(async () => {
      hub = await hubs.start();
    });
    afterEach(() => hubs.end());
    const send = (flags: readonly string[], input?: string) => sendTo(hub, flags, input);
    const stored = async (id: string) => (await get(hub.url, `/events/${id}`)).json;

    it.each(protocols)(
      'sends one event from flags over %s, and again as a duplicate',
      async (name) => {
        const flags = [
          '--user-id=u1',
          '--event-type=purchase',
          '--amount=150.75',
          '--currency=EUR',
        ];
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
        await settle(hub.place);
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
      await settle(hub.place);
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
      await settle(hub.place);
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
  });
}

/** The command, told where the hub is by its variables. */
export function sendTo(hub: PlacedHub, flags: readonly string[], input?: string) {
  const env = { EVENT_HUB_URL: hub.url, EVENT_HUB_GRPC_URL: hub.grpcAddress };
  return runCli(['send', ...flags], input === undefined ? { env } : { env, input });
}
