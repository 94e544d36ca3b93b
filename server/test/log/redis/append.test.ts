import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Event, hasSameContent, type NewEvent } from '../../../src/event/event.ts';
import type { AppendGroup, EventLog } from '../../../src/log/event-log.ts';
import { anEvent, someEvents } from '../../support/build-event.ts';
import { freshName, sharedRedis } from '../../support/engines/shared-engines.ts';
import { describeWithEngines } from '../../support/needed-program.ts';
import { command, openLog } from '../../support/redis-harness.ts';
import { readAll } from '../event-log.suite.ts';

describeWithEngines('a log in Redis', ['redis'], () => {
  let server: string;
  let stream: string;
  let url: string;
  let log: EventLog;

  beforeEach(async () => {
    server = await sharedRedis();
    stream = freshName('events');
    url = `${server}/0?stream=${stream}`;
    log = await openLog(url);
  });

  afterEach(async () => {
    await log.close();
    await command(server, 'DEL', stream, `${stream}:hub`, `${stream}:ids`);
  });

  const append = async (...events: readonly NewEvent[]) =>
    (await log.append([{ events, atomic: false }])).flat();
  const statuses = async (groups: readonly AppendGroup[]) =>
    (await log.append(groups)).map((group) => group.map(({ status }) => status));

  it('shows its events to XRANGE in plain text', async () => {
    await append(
      anEvent({ id: 'order-1', userId: 'ünï', metadata: '{"sku":"A 1"}' }),
      anEvent({ id: 'order-2', amount: 5n }),
    );
    const entries = (await command(server, 'XRANGE', stream, '-', '+')) as [string, string[]][];
    const time = '2026-06-30T10:00:00.000Z';
    const received = '2026-06-30T10:00:01.000Z';
    const fields = (id: string, user: string, amount: string, metadata: string) => [
      ...['event_id', id, 'user_id', user, 'event_type', 'purchase', 'amount', amount],
      ...['timestamp', time, 'currency', 'EUR', 'received_at', received, 'metadata', metadata],
    ];
    expect(entries.map(([, values]) => values)).toEqual([
      fields('order-1', 'ünï', '150.75', '{"sku":"A 1"}'),
      fields('order-2', 'u1', '0.000005', ''),
    ]);
  });

  it('tells duplicates from conflicts exactly as `hasSameContent` does', async () => {
    const times = [0, 1, 2].map((step) => Date.UTC(2026, 5, 30) + step);
    const content: fc.Arbitrary<Event> = fc.record({
      id: fc.constant('same'),
      userId: fc.constantFrom('u1', 'u2', 'u"1', 'ü'),
      eventType: fc.constantFrom('purchase', 'refund'),
      amount: fc.constantFrom(0n, 1n, 10n, 999_999_999_999_000_000n),
      currency: fc.constantFrom('EUR', 'USD'),
      timestamp: fc.constantFrom(...times),
      receivedAt: fc.constantFrom(...times),
      metadata: fc.constantFrom(undefined, '{}', '{"a":"1"}', '{"a":1}'),
    });
    // Often only one field differs.
    const pair = content.chain((first) =>
      fc.record({
        first: fc.constant(first),
        second: content.chain((other) =>
          fc.subarray(Object.keys(first) as (keyof Event)[], { maxLength: 2 }).map((changed) => ({
            ...first,
            ...Object.fromEntries(changed.map((name) => [name, other[name]])),
          })),
        ),
        atomic: fc.boolean(),
        apart: fc.boolean(),
      }),
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(pair, async ({ first, second, atomic, apart }) => {
        run += 1;
        const own = { id: `pair-${run}`, idMadeByHub: false };
        const [a, b] = [
          { ...first, ...own },
          { ...second, ...own },
        ];
        const same = hasSameContent(a, b);
        if (apart) {
          await append(a);
          const expected = same ? 'duplicate' : 'conflict';
          expect(await statuses([{ events: [b], atomic }])).toEqual([[expected]]);
        } else if (atomic) {
          const expected = same ? ['accepted', 'duplicate'] : ['not_stored', 'conflict'];
          expect(await statuses([{ events: [a, b], atomic }])).toEqual([expected]);
        } else {
          const expected = ['accepted', same ? 'duplicate' : 'conflict'];
          expect(await statuses([{ events: [a, b], atomic }])).toEqual([expected]);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('takes thousands of events in one call, in order, atomic or not', async () => {
    const known = anEvent();
    await append(known);
    const events = someEvents(1_500);
    const atomic = someEvents(700);
    const refused = [...someEvents(700), { ...known, amount: 1n }];
    const outcomes = await statuses([
      { events, atomic: false },
      { events: atomic, atomic: true },
      { events: [known], atomic: false },
      { events: refused, atomic: true },
    ]);
    expect(outcomes[0]).toEqual(events.map(() => 'accepted'));
    expect(outcomes[1]).toEqual(atomic.map(() => 'accepted'));
    expect(outcomes[2]).toEqual(['duplicate']);
    expect(outcomes[3]?.slice(0, 700).every((status) => status === 'not_stored')).toBe(true);
    expect(outcomes[3]?.at(-1)).toBe('conflict');
    const ids = (await readAll(log)).map(({ event }) => event.id);
    expect(ids).toEqual([known, ...events, ...atomic].map(({ id }) => id));
  });

  it('goes on when Redis has forgotten its scripts', async () => {
    await append(anEvent());
    await command(server, 'SCRIPT', 'FLUSH');
    expect(await append(anEvent())).toMatchObject([{ status: 'accepted' }]);
  });

  it('gives two processes one log, whoever of them writes first', async () => {
    const other = await openLog(url);
    const [mine] = await append(anEvent({ id: 'mine' }));
    const [theirs] = (await other.append([{ events: [anEvent()], atomic: false }])).flat();
    const positions = (await readAll(log)).map(({ position }) => position);
    expect([mine, theirs]).toEqual(positions.map((position) => ({ status: 'accepted', position })));
    await other.close();
  });

  it('refuses to append to a log that was removed under it, naming the way out', async () => {
    await append(anEvent());
    await command(server, 'DEL', stream, `${stream}:hub`, `${stream}:ids`);
    const refusal = { code: 'unavailable', message: expect.stringContaining('log adopt') };
    await expect(append(anEvent())).rejects.toMatchObject(refusal);
    await expect(log.check()).rejects.toMatchObject(refusal);
    expect(await command(server, 'EXISTS', stream)).toBe(0);
  });

  it('refuses to append when only the stream was removed', async () => {
    await append(anEvent());
    await command(server, 'DEL', stream);
    await expect(append(anEvent())).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('refuses a stream that came while it was open and empty', async () => {
    await command(server, 'XADD', stream, '*', 'a', 'b');
    await expect(append(anEvent())).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('?stream=NAME'),
    });
    expect(await command(server, 'XLEN', stream)).toBe(1);
  });

  it.each([
    ['a stream', '', ['XADD', '*', 'a', 'b']],
    ['a list', '', ['RPUSH', 'a']],
    ['a string in place of its mark', ':hub', ['SET', 'a']],
    ['a hash in place of its mark', ':hub', ['HSET', 'a', 'b']],
    ['a hash of ids without its mark', ':ids', ['HSET', 'a', 'b']],
  ])('never adopts %s that no hub made', async (_, suffix, [verb = '', ...values]) => {
    const key = `${stream}${suffix}`;
    await command(server, verb, key, ...values);
    await expect(openLog(url)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(new RegExp(`"${key}".*\\?stream=NAME`)),
    });
  });

  it('refuses a log of a newer hub', async () => {
    await append(anEvent());
    await command(server, 'HSET', `${stream}:hub`, 'format', '2');
    await expect(openLog(url)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('newer'),
    });
  });

  it('passes over what somebody wrote by hand, and tells who asks', async () => {
    const [before, after] = [anEvent(), anEvent()];
    await append(before);
    await command(server, 'XADD', stream, '*', 'note', 'hello');
    await command(
      ...([
        server,
        'XADD',
        stream,
        '*',
        'event_id',
        'x',
        'user_id',
        'u',
        'event_type',
        'a"b',
      ] as const),
      ...(['amount', '1', 'timestamp', '2026-01-01T00:00:00Z', 'currency', 'EUR'] as const),
      ...(['received_at', '2026-01-01T00:00:00Z'] as const),
    );
    await append(after);
    expect((await readAll(log)).map(({ event }) => event.id)).toEqual([before.id, after.id]);

    const told: string[] = [];
    const { signal } = new AbortController();
    const read = log.read({
      ...{ from: 'start', follow: false, limit: 1, signal },
      unreadable: ({ reason, raw }) => told.push(`${reason} ${raw}`),
    });
    const sizes: number[] = [];
    for await (const batch of read) sizes.push(batch.length);
    expect(sizes).toEqual([1, 0, 0, 1]);
    expect(told).toEqual([
      expect.stringMatching(/lacks event_id, .*"note":"hello"/),
      expect.stringMatching(/event_type/),
    ]);
  });

  it('reads on after an entry that somebody wrote by hand', async () => {
    await append(anEvent());
    await command(server, 'XADD', stream, '*', 'note', 'hello');
    const end = await log.end();
    const last = anEvent();
    await append(last);
    expect((await readAll(log, end)).map(({ event }) => event.id)).toEqual([last.id]);
  });
});
