import { beforeAll, describe, expect, it } from 'vitest';
import { FeedReader } from '../drivers/feed-reader.ts';
import {
  type EventSeen,
  failureOf,
  type ListQuery,
  type ProtocolDriver,
} from '../drivers/protocol-driver.ts';
import {
  aSend,
  aUser,
  type CreateHarness,
  inTurn,
  sendInTurn,
  someSends,
  useHub,
} from './hub-under-test.ts';

/** Events by their id and in listings. */
export function readingSuite(createHarness: CreateHarness): void {
  describe('reading events', () => {
    const hub = useHub(createHarness);
    const user = aUser();
    const other = aUser();
    let seen: readonly EventSeen[];
    let othersSeen: readonly EventSeen[];

    beforeAll(async () => {
      const events = Array.from({ length: 25 }, (_, index) =>
        aSend({
          user_id: user,
          amount: index,
          event_type: inTurn(['purchase', 'return', 'refund'], index),
          currency: index < 10 ? 'EUR' : 'USD',
          timestamp: `2026-05-01T10:00:${String(59 - index).padStart(2, '0')}.500Z`,
        }),
      );
      seen = await sendInTurn(hub().all, events);
      othersSeen = await sendInTurn(hub().all, someSends(5, { user_id: other }));
    });

    it('gives one event alike over every protocol', async () => {
      for (const event of [...seen, ...othersSeen]) {
        for (const driver of hub().all) expect(await driver.get(event.id)).toEqual(event);
      }
    });

    it('says not_found for an id that nobody sent', async () => {
      for (const driver of hub().all) {
        expect((await failureOf(driver.get('nobody-sent-this'))).code).toBe('not_found');
      }
    });

    it.each(['desc', 'asc'] as const)(
      'pages through a listing without loss or repeat: %s',
      async (order) => {
        const expected = order === 'asc' ? seen : seen.toReversed();
        const query = { user_id: [user], order, limit: 7 };
        for (const driver of hub().all) {
          expect(await allPages([driver], query), driver.name).toEqual(expected);
        }
      },
    );

    it.each(['desc', 'asc'] as const)(
      'goes on with a page over any other protocol: %s',
      async (order) => {
        const expected = order === 'asc' ? seen : seen.toReversed();
        const query = { user_id: [user], order, limit: 3 };
        expect(await allPages(hub().all, query)).toEqual(expected);
        expect(await allPages(hub().all.toReversed(), query)).toEqual(expected);
      },
    );

    it('loses and repeats nothing when events come while somebody pages', async () => {
      const newcomer = aUser();
      const before = await sendInTurn(hub().all, someSends(9, { user_id: newcomer }));
      const found: EventSeen[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < 3; page += 1) {
        const driver = inTurn(hub().all, page);
        const { events, next } = await driver.list({
          user_id: [newcomer],
          limit: 3,
          ...(cursor === undefined ? {} : { cursor }),
        });
        found.push(...events);
        cursor = next;
        await sendInTurn([driver], someSends(2, { user_id: newcomer }));
      }
      expect(found).toEqual(before.toReversed());
    });

    it('filters alike over every protocol', async () => {
      const of = (matches: (event: EventSeen, index: number) => boolean) =>
        seen.filter(matches).toReversed();
      const mine = { user_id: [user] };
      const cases: readonly (readonly [ListQuery, readonly EventSeen[]])[] = [
        [mine, of(() => true)],
        [{ user_id: [user, other] }, [...othersSeen.toReversed(), ...of(() => true)]],
        [{ ...mine, event_type: ['refund'] }, of(({ event_type }) => event_type === 'refund')],
        [
          { ...mine, event_type: ['refund', 'return'] },
          of(({ event_type }) => event_type !== 'purchase'),
        ],
        [{ ...mine, currency: 'EUR' }, of((_, index) => index < 10)],
        [{ ...mine, currency: 'JPY' }, []],
        [{ ...mine, from: '2026-05-01T10:00:50.500Z' }, of((_, index) => index <= 9)],
        [{ ...mine, to: '2026-05-01T12:00:50.500+02:00' }, of((_, index) => index > 9)],
        [
          { ...mine, from: '2026-05-01T10:00:40Z', to: '2026-05-01T10:00:45.501Z' },
          of((_, index) => index >= 14 && index <= 19),
        ],
        [{ ...mine, limit: 4 }, of((_, index) => index > 20)],
        [{ user_id: ['nobody'] }, []],
      ];
      for (const driver of hub().all) {
        for (const [query, expected] of cases) {
          const name = `${driver.name} ${JSON.stringify(query)}`;
          expect((await driver.list(query)).events, name).toEqual(expected);
        }
      }
    });

    it('finds users by any name that they may have', async () => {
      const names = [
        'a&b=c d+e%20',
        'é',
        'e\u0301',
        ' ',
        '\u{1f600}',
        '\u202eabc\u2028',
        '"\\\'',
        '~1/.$',
      ];
      const users = names.map((name) => `${name}${aUser()}${name}`);
      const sent = await sendInTurn(
        hub().all,
        users.map((user_id) => aSend({ user_id })),
      );
      for (const driver of hub().all) {
        for (const [index, user_id] of users.entries()) {
          expect((await driver.list({ user_id: [user_id] })).events).toEqual([sent[index]]);
          expect((await driver.aggregate({ user_id, minutes: 5 })).event_count).toBe(1);
          expect(await driver.latest({ user_id: [user_id] })).toEqual([sent[index]]);
        }
      }
    });

    it('gives the latest, newest first', async () => {
      for (const driver of hub().all) {
        const mine = { user_id: [user] };
        expect(await driver.latest({ ...mine, limit: 3 })).toEqual(seen.toReversed().slice(0, 3));
        expect(await driver.latest(mine)).toEqual(seen.toReversed().slice(0, 10));
        expect(await driver.latest({ ...mine, event_type: ['return'], limit: 1 })).toEqual([
          seen.findLast(({ event_type }) => event_type === 'return'),
        ]);
      }
    });

    it('refuses the same with the same faults over every protocol', async () => {
      const position = seen[0]?.position ?? '';
      const { next = '' } = await hub().rest.list({ limit: 1 });
      const cases: readonly (readonly [ListQuery, string])[] = [
        [{ limit: 0 }, 'expected_integer'],
        [{ limit: 1001 }, 'expected_integer'],
        [{ limit: -1 }, 'expected_integer'],
        [{ cursor: position }, 'invalid_cursor'],
        [{ cursor: 'nonsense' }, 'invalid_cursor'],
        [{ cursor: `${next}x` }, 'invalid_cursor'],
        [{ event_type: ['gift'] }, 'event_type_unknown'],
        [{ currency: 'eur' }, 'currency_unknown'],
        [{ from: '2026-05-01' }, 'timestamp_format'],
        [{ from: '2026-05-01T10:00:00' }, 'offset_required'],
        [{ from: '2026-05-01T10:00:00Z', to: '2026-05-01T10:00:00Z' }, 'window_order'],
        [{ at_least: 'nonsense' }, 'position_format'],
      ];
      for (const driver of hub().all) {
        for (const [query, code] of cases) {
          const failure = await failureOf(driver.list(query));
          const name = `${driver.name} ${JSON.stringify(query)}`;
          expect(failure, name).toMatchObject({ code: 'invalid', errors: [{ code }] });
        }
        const message = (await failureOf(driver.list({ cursor: position }))).message;
        expect(message).toContain('positions go to /events/stream');
        expect(await failureOf(driver.get('a', 'nonsense'))).toMatchObject({ code: 'invalid' });
      }
    });
  });

  describe('reading with at_least', () => {
    const hub = useHub(createHarness);

    it('shows what was just sent, over any protocol and in every read', async () => {
      for (const sender of hub().all) {
        for (const reader of hub().all) {
          const user_id = aUser();
          const { id, position: at_least } = await sender.send(aSend({ user_id }));
          const [event, page, totals] = await Promise.all([
            reader.get(id, at_least),
            reader.list({ user_id: [user_id], at_least }),
            reader.aggregate({ user_id, at_least }),
          ]);
          expect([event.id, page.events.length, totals.event_count]).toEqual([id, 1, 1]);
        }
      }
    });

    it('shows all that a feed has given up to its position, in whatever parts of the log', async () => {
      for (const feed of hub().feeds) {
        for (const reader of hub().all) {
          const { position: after } = await hub().rest.send(aSend());
          const users = Array.from({ length: 8 }, aUser);
          const following = new FeedReader(feed, { after, filter: { user_id: users } });
          await inTurn(hub().all, users.length).sendBatch(
            users.flatMap((user_id) => someSends(5, { user_id })),
          );
          const fed = await following.events(40);
          const at_least = fed.at(-1)?.position ?? '';
          const query = { user_id: users, limit: 100, at_least };
          const [page, first, last] = await Promise.all([
            reader.list(query),
            reader.aggregate({ user_id: users[0] ?? '', at_least }),
            reader.get(fed.at(-1)?.id ?? '', at_least),
          ]);
          const name = `${feed.name}, ${reader.name}`;
          const idsOf = (events: readonly EventSeen[]) => events.map(({ id }) => id).toSorted();
          expect(idsOf(page.events), name).toEqual(idsOf(fed));
          expect([first.event_count, last.id], name).toEqual([5, fed.at(-1)?.id]);
          await following.leave();
        }
      }
    });
  });
}

/** Every page of a listing, each over the next of the drivers. */
async function allPages(
  drivers: readonly ProtocolDriver[],
  query: ListQuery & { readonly limit: number },
): Promise<readonly EventSeen[]> {
  const found: EventSeen[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < 100; page += 1) {
    const asked = cursor === undefined ? query : { ...query, cursor };
    const { events, next } = await inTurn(drivers, page).list(asked);
    expect(events.length).toBeLessThanOrEqual(query.limit);
    found.push(...events);
    if (next === undefined) return found;
    cursor = next;
  }
  throw new Error('the listing has no end');
}
