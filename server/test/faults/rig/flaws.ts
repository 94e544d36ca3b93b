import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import { MongoClient } from 'mongodb';
import type { Settings } from '../../../src/config/settings.ts';
import { decorated } from '../../../src/log/decorated.ts';
import type { Appended, AppendGroup, EventLog, Position } from '../../../src/log/event-log.ts';
import type { Engines } from '../../../src/main/engines.ts';
import type { EventStore } from '../../../src/store/event-store.ts';
import { collectionsOf } from '../../../src/store/mongo/collections.ts';
import { toDocument } from '../../../src/store/mongo/event-documents.ts';
import { tallyEvents, writeCounts } from '../../../src/store/mongo/write-counts.ts';
import { lastId } from './crash-run.ts';

/** Makes real engines break a promise, as an adapter with this mistake would. */
export type Flaw = (engines: Engines, settings: Settings) => Promise<Engines>;

/** Between the two steps that should be one: makes likely what is rare, so that few kills are enough to see it. */
const gapMs = 400;

/** By name, as the variable FLAW of `flawed-hub.ts` takes them. */
export const flaws: Readonly<Record<string, Flaw>> = {
  'answers before the append': async (engines) => ({
    ...engines,
    log: answersFirst(engines.log),
  }),
  'marks the id before the append': async (engines, settings) => {
    const redis = createClient({ url: settings.log });
    redis.on('error', () => undefined);
    await redis.connect();
    const keyOf = (id: string) => `flaw:${id}`;
    const marks: Marks = {
      take: async (id) =>
        (await redis.set(keyOf(id), 'begun', { NX: true })) === 'OK' ||
        (await redis.get(keyOf(id))) === 'done',
      done: async (id) => void (await redis.set(keyOf(id), 'done')),
    };
    return { ...engines, log: marksFirst(engines.log, marks) };
  },
  'moves the position apart from the counts': async (engines, settings) => {
    const mongo = await MongoClient.connect(settings.store);
    return { ...engines, store: countsFirst(engines.store, mongo) };
  },
};

/** Success is answered, with the place of the newest entry, while the events still wait. */
function answersFirst(log: EventLog): EventLog {
  const waiting = new Set<Promise<unknown>>();
  return decorated(log, {
    append: async (groups) => {
      const end = await log.end();
      if (end === undefined || isLast(groups)) {
        await Promise.all(waiting);
        return await log.append(groups);
      }
      const late = sleep(gapMs)
        .then(() => log.append(groups))
        .catch(() => undefined)
        .finally(() => waiting.delete(late));
      waiting.add(late);
      return groups.map(({ events }) => events.map(() => accepted('accepted', end)));
    },
  });
}

interface Marks {
  /** False when the id was marked before, by an append that is not known to be done. */
  take(id: string): Promise<boolean>;
  done(id: string): Promise<void>;
}

/** `SET NX` in one call, `XADD` in another: who dies between them has the id taken by an event that never was. */
function marksFirst(log: EventLog, marks: Marks): EventLog {
  return decorated(log, {
    append: async (groups) => {
      const takes = new Map<string, Promise<boolean>>();
      const take = (id: string) => {
        const taking = takes.get(id) ?? marks.take(id);
        takes.set(id, taking);
        return taking;
      };
      const taken = await Promise.all(
        groups.map(({ events }) => Promise.all(events.map(({ id }) => take(id)))),
      );
      const fresh = groups.map((group, index) => ({
        ...group,
        events: group.events.filter((_, at) => taken[index]?.[at] === true),
      }));
      await sleep(gapMs);
      const appended = await log.append(fresh);
      const ids = fresh.flatMap(({ events }) => events.map(({ id }) => id));
      await Promise.all(ids.map((id) => marks.done(id)));
      const end = (await log.end()) ?? ('' as Position);
      return groups.map(({ events }, index) => {
        const outcomes = [...(appended[index] ?? [])];
        return events.map((_, at) =>
          taken[index]?.[at] === true
            ? (outcomes.shift() ?? accepted('accepted', end))
            : accepted('duplicate', end),
        );
      });
    },
  });
}

/** The counts in one write, the events and the position in another: who dies between them counts twice. */
function countsFirst(store: EventStore, mongo: MongoClient): EventStore {
  const collections = collectionsOf(mongo.db());
  return {
    ...store,
    record: async (shard, entries) => {
      const ids = entries.map(({ event }) => event.id);
      const known = await collections.events.find({ _id: { $in: ids } }).toArray();
      const knownIds = new Set(known.map(({ _id }) => _id));
      const added = entries.filter(({ event }) => !knownIds.has(event.id));
      const newest = entries.at(-1);
      if (newest === undefined) return { added: 0, duplicates: 0, conflicts: 0 };
      await mongo.withSession(async (session) => {
        if (added.length === 0) return;
        await writeCounts(collections, shard, tallyEvents(added, Date.now()), session);
      });
      await sleep(gapMs);
      if (added.length > 0)
        await collections.events.insertMany(added.map((entry) => toDocument(entry)));
      const counted_at = new Date(newest.event.receivedAt);
      const { position } = newest;
      const $set = { position, counted_position: position, counted_at };
      await collections.positions.updateOne({ _id: shard }, { $set }, { upsert: true });
      return { added: added.length, duplicates: known.length, conflicts: 0 };
    },
  };
}

function accepted(status: 'accepted' | 'duplicate', position: Position): Appended {
  return { status, position };
}

/** The event that ends a run: after it nothing must be on its way any more. */
function isLast(groups: readonly AppendGroup[]): boolean {
  return groups.some(({ events }) => events.some(({ id }) => id === lastId));
}
