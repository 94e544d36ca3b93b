import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { HubError } from '../../src/base/errors.ts';
import { limits } from '../../src/base/limits.ts';
import type { NewEvent } from '../../src/event/event.ts';
import { decorated } from '../../src/log/decorated.ts';
import type { EventLog, LogEntry, Position } from '../../src/log/event-log.ts';
import { logShard } from '../../src/log/one-shard.ts';
import { Archive, archiveLease } from '../../src/readers/archive.ts';
import { ProjectionRunner } from '../../src/readers/projection.ts';
import { anEvent, someEvents } from '../support/build-event.ts';
import { openSqlitePair, type SqlitePair } from '../support/sqlite-pair.ts';

const lease = archiveLease(logShard);
/** Well above what a slow machine takes. */
const patience = { timeout: 20_000, interval: 20 };

describe('the archive reader', () => {
  let pair: SqlitePair;
  let runners: ProjectionRunner[];
  let lines: { readonly level: number; readonly msg: string }[];

  beforeEach(async () => {
    pair = await openSqlitePair();
    runners = [];
    lines = [];
  });
  afterEach(async () => {
    await Promise.all(runners.map((runner) => runner.stop()));
    await pair.remove();
  });

  const append = async (events: readonly NewEvent[]) => {
    const [outcomes = []] = await pair.log.append([{ events, atomic: false }]);
    return outcomes.map((outcome) => ('position' in outcome ? outcome.position : undefined));
  };
  const archived = async () => {
    const { events } = await pair.store.find({ filter: {}, order: 'asc', limit: 10_000 });
    return events.map(({ event }) => event.id);
  };
  const start = (holder: string, log: EventLog = pair.log) => {
    const logger = pino({ level: 'debug' }, { write: (line) => lines.push(JSON.parse(line)) });
    const clock = systemClock;
    const archive = new Archive({ log, store: pair.store, shard: logShard, clock, logger });
    const { store } = pair;
    const runner = new ProjectionRunner({ projection: archive, log, store, clock, logger, holder });
    runners.push(runner);
    runner.start();
    return { archive, runner };
  };
  const idsOf = (events: readonly NewEvent[]) => events.map(({ id }) => id);
  const untilArchived = (events: readonly NewEvent[]) =>
    vi.waitFor(async () => expect(await archived()).toEqual(idsOf(events)), patience);

  it('records what the log holds and what comes, each once, and counts it', async () => {
    const history = someEvents(1_200);
    await append(history);
    const { archive, runner } = start('a');
    await untilArchived(history);
    const later = someEvents(30);
    for (const event of later) await append([event]);
    await untilArchived([...history, ...later]);
    const counts = { recorded: 1_230, duplicates: 0, conflicts: 0, unreadable: 0 };
    await expect.poll(() => archive.counts).toEqual(counts);
    expect(runner.isActive).toBe(true);
    expect(runner.oldestWaiting).toBeUndefined();
    expect(await pair.store.verify()).toEqual([]);
  });

  it('records more at once the more waits', async () => {
    const sizes: number[] = [];
    const { promise: isAhead, resolve: reportAhead } = Promise.withResolvers<void>();
    const { record } = pair.store;
    pair = {
      ...pair,
      store: {
        ...pair.store,
        record: async (...args) => {
          sizes.push(args[1].length);
          await isAhead;
          return await record(...args);
        },
      },
    };
    const events = someEvents(limits.archiveEntries * 2);
    const last = (await append(events)).at(-1) as Position;
    // The first record takes as long as three reads.
    const log = decorated(pair.log, {
      read: (options) => reporting(pair.log.read(options), 3, reportAhead),
    });
    start('a', log);
    await vi.waitFor(
      async () => expect((await pair.store.positions()).get(logShard)).toBe(last),
      patience,
    );
    expect(await archived()).toEqual(idsOf(events));
    expect(Math.max(...sizes)).toBeGreaterThan(limits.archiveReadEntries);
    expect(Math.max(...sizes)).toBeLessThan(limits.archiveEntries + limits.archiveReadEntries);
  });

  it('reads on after a restart where the store stands', async () => {
    const events = someEvents(50);
    await append(events.slice(0, 20));
    const first = start('a');
    await untilArchived(events.slice(0, 20));
    await first.runner.stop();
    await append(events.slice(20));
    const second = start('b');
    await untilArchived(events);
    await expect.poll(() => second.archive.counts.recorded).toBe(30);
  });

  it('leaves the log to one of several, and to the next at once when that one stops', async () => {
    const first = start('a');
    await vi.waitFor(() => expect(first.runner.isActive).toBe(true), patience);
    const second = start('b');
    const events = someEvents(10);
    await append(events);
    await untilArchived(events);
    expect(second.runner.isActive).toBe(false);
    await first.runner.stop();
    await vi.waitFor(() => expect(second.runner.isActive).toBe(true), patience);
  });

  it('writes nothing any more once another has its lease', async () => {
    const { runner } = start('a');
    await vi.waitFor(() => expect(runner.isActive).toBe(true), patience);
    // What a freeze of longer than the lease comes to.
    const held = await pair.store.acquireLease(lease, 'a', 1);
    await systemClock.sleep(5);
    const taken = await pair.store.acquireLease(lease, 'b', 60_000);
    expect(taken?.epoch).toBeGreaterThan(held?.epoch ?? 0);
    await append(someEvents(5));
    await vi.waitFor(() => expect(runner.isActive).toBe(false), patience);
    expect(await archived()).toEqual([]);
    if (taken !== undefined) await pair.store.releaseLease(taken);
    await vi.waitFor(async () => expect(await archived()).toHaveLength(5), patience);
  });

  it('puts aside an entry that cannot be stored, with the reason, and stores all the others', async () => {
    pair.damageStore(
      "CREATE TRIGGER poison BEFORE INSERT ON events WHEN NEW.user_id = 'poison' BEGIN SELECT RAISE(ABORT, 'it is poison'); END",
    );
    const poison = anEvent({ userId: 'poison' });
    const [before, after] = [someEvents(40), someEvents(25)];
    const positions = await append([...before, poison, ...after]);
    const { archive } = start('a');
    await untilArchived([...before, ...after]);
    await vi.waitFor(() => expect(archive.counts.unreadable).toBe(1), patience);
    const [aside] = await pair.store.unreadableEntries(10);
    expect(aside).toMatchObject({ shard: logShard, position: positions[40] });
    expect(aside?.reason).toContain('it is poison');
    expect(JSON.parse(aside?.raw ?? '')).toMatchObject({ id: poison.id, user_id: 'poison' });
    expect((await pair.store.positions()).get(logShard)).toBe(positions.at(-1));
    expect(await pair.store.verify()).toEqual([]);
  });

  it('goes on for ever while an engine is away, and says so once', async () => {
    const events = someEvents(5);
    await append(events);
    let isAway = true;
    const log = decorated(pair.log, {
      read: (options) => {
        if (isAway) throw unavailable();
        return pair.log.read(options);
      },
    });
    const { runner } = start('a', log);
    await expect.poll(() => lines.filter(({ level }) => level === 40)).toHaveLength(1);
    await systemClock.sleep(limits.retryFirstMs * 4);
    isAway = false;
    await untilArchived(events);
    expect(runner.fault).toBeUndefined();
  });

  it('stops at a log that went backwards, names what to do, and goes on once it is adopted', async () => {
    const events = someEvents(8);
    const positions = await append(events);
    await pair.store.resetPosition(logShard, foreign(positions[3] as Position));
    const { runner } = start('a');
    await vi.waitFor(
      () => expect(runner.fault?.message).toContain('event-hub log adopt'),
      patience,
    );
    expect(runner.isActive).toBe(false);
    expect(await archived()).toEqual([]);
    expect(lines.filter(({ level }) => level === 50)).toHaveLength(1);
    await pair.store.resetPosition(logShard, undefined);
    await untilArchived(events);
    expect(runner.fault).toBeUndefined();
  });
});

function unavailable(): HubError {
  return new HubError('unavailable', 'away');
}

/** The same place in a log with another content. */
function foreign(position: Position): Position {
  return position.replace(/.{8}$/, '00000000') as Position;
}

/** The same reads; says when so many of them were taken. */
async function* reporting(
  reads: AsyncIterable<readonly LogEntry[]>,
  count: number,
  report: () => void,
): AsyncGenerator<readonly LogEntry[]> {
  let taken = 0;
  for await (const batch of reads) {
    yield batch;
    taken += 1;
    if (taken === count) report();
  }
}
