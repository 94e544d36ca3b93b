import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { FeedReader } from '../drivers/feed-reader.ts';
import { openDrivers } from '../drivers/open-drivers.ts';
import {
  type EventSeen,
  type FeedRequest,
  failureOf,
  type ProtocolDriver,
  Refused,
} from '../drivers/protocol-driver.ts';
import { validEvent } from './arbitrary-event.ts';
import {
  aSend,
  aUser,
  type CreateHarness,
  inTurn,
  sendAndSee,
  sendInTurn,
  someSends,
  useHub,
} from './hub-under-test.ts';

/** The live feed over every transport that it has. Order is promised for one user's events. */
export function feedSuite(createHarness: CreateHarness): void {
  describe('the live feed', () => {
    const hub = useHub(createHarness);
    const open: FeedReader[] = [];
    afterEach(async () => {
      await Promise.all(open.splice(0).map((reader) => reader.leave()));
    });
    const follow = (driver: ProtocolDriver, request: Omit<FeedRequest, 'signal'>) => {
      const reader = new FeedReader(driver, request);
      open.push(reader);
      return reader;
    };
    const ids = (events: readonly { readonly id: string }[]) => events.map(({ id }) => id);

    it('gives history, then what comes, in order and as it can be read', async () => {
      for (const driver of hub().feeds) {
        const user = aUser();
        const past = await sendInTurn(hub().all, someSends(5, { user_id: user }));
        const reader = follow(driver, { after: 'start', filter: { user_id: [user] } });
        expectFed(await reader.events(5), past, driver.name);
        const live = await sendInTurn(hub().all, someSends(5, { user_id: user }));
        expectFed(await reader.events(5), live, driver.name);
      }
    });

    it('has no gap and no repeat between history and live while events pour in', async () => {
      const user_id = aUser();
      const first = await sendAndSee(hub().rest, aSend({ user_id }));
      const sent: string[] = [];
      const pour = async () => {
        for (let batch = 0; batch < 30; batch += 1) {
          const events = someSends(20, { user_id });
          await inTurn(hub().all, batch).sendBatch(events);
          sent.push(...ids(events));
        }
      };
      const pouring = pour();
      const found = await Promise.all(
        hub().feeds.map(async (driver, index) => {
          // Each begins at another moment of the flood.
          while (sent.length < index * 100) await inTurn(hub().all, index).get(first.id);
          return follow(driver, { after: first.position, filter: { user_id: [user_id] } }).events(
            600,
          );
        }),
      );
      await pouring;
      for (const events of found) expect(ids(events)).toEqual(sent);
    });

    it('gives the newest first, then all that comes, each once, while events pour in', async () => {
      for (const driver of hub().feeds.filter(({ givesLatest }) => givesLatest)) {
        const users = Array.from({ length: 8 }, aUser);
        const filter = { user_id: users };
        const idAt = (user_id: string, round: number) => `${user_id}-${100 + round}`;
        let rounds = 0;
        const sendRound = async () => {
          const events = users.map((user_id) => aSend({ user_id, id: idAt(user_id, rounds) }));
          await inTurn(hub().all, rounds).sendBatch(events);
          rounds += 1;
        };
        while (rounds < 5) await sendRound();
        const pour = async () => {
          while (rounds < 30) await sendRound();
        };
        const begin = async (at: number) => {
          // Each begins at another moment of the flood.
          while (rounds < at) await hub().rest.list({ limit: 1 });
          const reader = follow(driver, { latest: 7, filter });
          return { reader, seen: [await reader.event()] };
        };
        const pouring = pour();
        const readers = await Promise.all([5, 6, 10, 15, 25, 30].map(begin));
        await pouring;
        await sendRound();
        const readOn = async ({ reader, seen }: (typeof readers)[number]) => {
          const left = new Set(users.map((user_id) => idAt(user_id, rounds - 1)));
          while (left.size > 0) {
            const event = await reader.event();
            seen.push(event);
            left.delete(event.id);
          }
          return seen;
        };
        const all = await Promise.all(readers.map(readOn));
        for (const seen of all) {
          expect(seen.length).toBeGreaterThanOrEqual(7);
          for (const user_id of users) {
            const own = ids(seen.filter((event) => event.user_id === user_id));
            const newest = Array.from(own, (_, at) => idAt(user_id, rounds - own.length + at));
            expect(own, driver.name).toEqual(newest);
          }
        }
      }
    });

    it('resumes over any transport from a position of any other', async () => {
      const user_id = aUser();
      const filter = { user_id: [user_id] };
      const [start, ...sent] = await sendInTurn(hub().all, someSends(7, { user_id }));
      for (const source of hub().feeds) {
        const reader = follow(source, { after: start?.position ?? '', filter });
        await reader.events(2);
        const item = await reader.next();
        expect(item).toMatchObject({ kind: 'event', event: { id: sent[2]?.id } });
        for (const target of hub().feeds) {
          const resumed = follow(target, { after: item?.position ?? '', filter });
          const rest = await resumed.events(3);
          expect(ids(rest), `${source.name}, ${target.name}`).toEqual(ids(sent.slice(3)));
        }
      }
    });

    it('resumes after the position that a send answered, over any protocol', async () => {
      const user_id = aUser();
      for (const sender of hub().all) {
        const { position } = await sender.send(aSend({ user_id }));
        const next = await sendAndSee(sender, aSend({ user_id }));
        for (const driver of hub().feeds) {
          const reader = follow(driver, { after: position, filter: { user_id: [user_id] } });
          expectFed([await reader.event()], [next], `${sender.name}, ${driver.name}`);
        }
      }
    });

    it('gives only what the filter takes, of history and of what comes', async () => {
      for (const driver of hub().feeds) {
        const [mine, other] = [aUser(), aUser()];
        const events = () => [
          aSend({ user_id: mine, currency: 'EUR' }),
          aSend({ user_id: other, currency: 'EUR', event_type: 'refund' }),
          aSend({ user_id: mine, currency: 'USD', event_type: 'refund' }),
          aSend({ user_id: mine, currency: 'EUR', event_type: 'return' }),
        ];
        const [before] = await sendInTurn(hub().all, someSends(1, { user_id: mine }));
        const from = { after: before?.position ?? '' };
        const users = [mine, other];
        const readers = [
          follow(driver, { ...from, filter: { user_id: users } }),
          follow(driver, { ...from, filter: { user_id: [mine], currency: 'EUR' } }),
          follow(driver, { ...from, filter: { user_id: users, event_type: ['refund', 'return'] } }),
          follow(driver, { ...from, filter: { user_id: [other] } }),
        ];
        const sent = await sendInTurn(hub().all, events());
        const rounds = [sent, await sendInTurn(hub().all, events())];
        const wanted = [[0, 1, 2, 3], [0, 3], [1, 2, 3], [1]];
        for (const [index, reader] of readers.entries()) {
          const expected = rounds.flatMap((round) => wanted[index]?.map((at) => round[at]) ?? []);
          const fed = await reader.events(expected.length);
          for (const user_id of users) {
            const ofUser = (event: EventSeen | undefined) => event?.user_id === user_id;
            expectFed(fed.filter(ofUser), expected.filter(ofUser), driver.name);
          }
        }
      }
    });

    it('starts at the end where no place is named', async () => {
      for (const driver of hub().feeds) {
        const user_id = aUser();
        await sendInTurn(hub().all, someSends(3, { user_id }));
        const reader = follow(driver, { filter: { user_id: [user_id] } });
        let arrived = false;
        const arriving = reader.event().finally(() => {
          arrived = true;
        });
        const sent: string[] = [];
        while (!arrived) {
          const event = aSend({ user_id });
          await sendAndSee(hub().rest, event);
          sent.push(event.id);
        }
        const { id } = await arriving;
        const later = sent.slice(sent.indexOf(id) + 1);
        expect(sent, driver.name).toContain(id);
        expect(ids(await reader.events(later.length))).toEqual(later);
      }
    });

    it('says where history ends, with a position to resume from', async () => {
      for (const driver of hub().feeds.filter(({ saysCaughtUp }) => saysCaughtUp)) {
        const user_id = aUser();
        const [past] = await sendInTurn(hub().all, someSends(1, { user_id }));
        const reader = follow(driver, { after: 'start', filter: { user_id: [user_id] } });
        expect(await reader.next()).toMatchObject({ kind: 'event', event: { id: past?.id } });
        const mark = await reader.next();
        expect(mark).toMatchObject({ kind: 'caught-up', position: expect.any(String) });
        const [next] = await sendInTurn(hub().all, someSends(1, { user_id }));
        for (const target of hub().feeds) {
          const resumed = follow(target, {
            after: mark?.position ?? '',
            filter: { user_id: [user_id] },
          });
          expectFed([await resumed.event()], [next], target.name);
        }
      }
    });

    it('ends after its history where nobody wants to follow', async () => {
      for (const driver of hub().feeds.filter(({ pulls }) => pulls)) {
        const user_id = aUser();
        const sent = await sendInTurn(hub().all, someSends(4, { user_id }));
        const request = { after: 'start', follow: false, filter: { user_id: [user_id] } };
        const items = await follow(driver, request).rest();
        const events = items.filter((item) => item.kind === 'event');
        expect(ids(events.map(({ event }) => event)), driver.name).toEqual(ids(sent));
        const none = await follow(driver, { ...request, after: sent[3]?.position ?? '' }).rest();
        expect(none.filter(({ kind }) => kind === 'event')).toEqual([]);
      }
    });

    it('refuses a place and a filter that there are not, before it begins', async () => {
      for (const driver of hub().feeds) {
        const refusal = (request: Omit<FeedRequest, 'signal'>) =>
          failureOf(new FeedReader(driver, request).next());
        expect(await refusal({ after: 'nonsense' }), driver.name).toMatchObject({
          code: 'invalid',
          errors: [{ pointer: '/after', code: 'position_format' }],
        });
        expect(await refusal({ filter: { event_type: ['gift'] } }), driver.name).toMatchObject({
          code: 'invalid',
          errors: [{ pointer: '/event_type', code: 'event_type_unknown' }],
        });
        expect(await refusal({ filter: { currency: 'eur' } }), driver.name).toMatchObject({
          code: 'invalid',
          errors: [{ pointer: '/currency', code: 'currency_unknown' }],
        });
      }
    });

    it('refuses a position of another log, and names one to go on from', async () => {
      const other = await createHarness();
      const others = openDrivers(other);
      const { position: foreign } = await others.rest.send(aSend());
      await others.close();
      await other.remove();
      await sendAndSee(hub().rest, aSend());
      for (const driver of hub().feeds) {
        const reason = await new FeedReader(driver, { after: foreign }).next().catch((e) => e);
        expect(reason, driver.name).toBeInstanceOf(Refused);
        expect(reason.failure.code, driver.name).toBe('position_gone');
        expect(await follow(driver, { after: reason.position }).next()).toBeDefined();
      }
    });

    it('gives any event as it can be read, whatever is in it', async () => {
      const { position } = await sendAndSee(hub().rest, aSend());
      const events = fc.sample(validEvent, { numRuns: 30, seed: 7 }).map(({ fields }) => fields);
      const sent = await sendInTurn(
        hub().all,
        events.map((fields) => aSend(fields)),
      );
      for (const driver of hub().feeds) {
        const reader = follow(driver, { after: position });
        const left = new Map(sent.map((event) => [event.id, event]));
        while (left.size > 0) {
          const event = await reader.event();
          if (left.has(event.id)) expectFed([event], [left.get(event.id)], driver.name);
          left.delete(event.id);
        }
      }
    });

    it('is over when its reader leaves', async () => {
      for (const driver of hub().feeds) {
        const user_id = aUser();
        const [sent] = await sendInTurn(hub().all, someSends(1, { user_id }));
        const reader = new FeedReader(driver, { after: 'start', filter: { user_id: [user_id] } });
        expectFed([await reader.event()], [sent], driver.name);
        await reader.leave();
      }
    });
  });
}

/** Begins the positions that stand for a reader in several shards. */
const ofReader = 'v-';

/**
 * As they can be read, except that a feed's position is that of the whole feed:
 * where the log has several shards, it is no entry's own.
 */
function expectFed(
  fed: readonly (EventSeen | undefined)[],
  expected: readonly (EventSeen | undefined)[],
  name: string,
): void {
  const asFed = expected.map((event, index) => {
    const position = fed[index]?.position;
    return position?.startsWith(ofReader) === true ? { ...event, position } : event;
  });
  expect(fed, name).toEqual(asFed);
}
