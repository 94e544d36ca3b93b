import { afterEach, beforeEach, expect, it } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
import type { NewEvent } from '../../../src/event/event.ts';
import type { EventLog, Position } from '../../../src/log/event-log.ts';
import { logShard } from '../../../src/log/one-shard.ts';
import { anEvent, someEvents } from '../../support/build-event.ts';
import { freshName, sharedRedis } from '../../support/engines/shared-engines.ts';
import { type ManualClock, manualClock } from '../../support/manual-clock.ts';
import { describeWithEngines } from '../../support/needed-program.ts';
import { command, openLog } from '../../support/redis-harness.ts';
import { positionOf, readAll } from '../event-log.suite.ts';

const minute = 60_000;
const hour = 60 * minute;
const margin = limits.redisTrimMargin;

describeWithEngines('trimming a log in Redis', ['redis'], () => {
  let server: string;
  let stream: string;
  let log: EventLog;
  let clock: ManualClock;

  const reopen = async (keepMs?: number) => {
    await log?.close();
    const options = { clock, ...(keepMs === undefined ? {} : { keepMs }) };
    log = await openLog(`${server}/0?stream=${stream}`, options);
  };
  beforeEach(async () => {
    server = await sharedRedis();
    stream = freshName('events');
    const [seconds = ''] = (await command(server, 'TIME')) as readonly string[];
    // The entries' ages are told by Redis's clock.
    clock = manualClock(Number(seconds) * 1_000 + 5_000);
    log = await openLog(`${server}/0?stream=${stream}`, { clock });
  });
  afterEach(async () => {
    await log.close();
    await command(server, 'DEL', stream, `${stream}:hub`, `${stream}:ids`);
  });

  const append = async (events: readonly NewEvent[]): Promise<readonly Position[]> =>
    (await log.append([{ events, atomic: false }])).flat().map(positionOf);
  const at = (positions: readonly Position[], index: number): Position => {
    const position = positions.at(index);
    if (position === undefined) throw new Error(`there is no position ${index}`);
    return position;
  };
  const counts = async () => [
    await command(server, 'XLEN', stream),
    await command(server, 'HLEN', `${stream}:ids`),
  ];
  const ids = async (from: Position | 'start' = 'start') =>
    (await readAll(log, from)).map(({ event }) => event.id);

  it('waits for an hour after the archiving, however old the entries are', async () => {
    const positions = await append(someEvents(margin + 50));
    const end = at(positions, -1);
    await clock.advance(100 * hour);
    await log.trim(end);
    await clock.advance(hour - 1);
    await log.trim(end);
    expect(await log.trimmedTo(logShard)).toBeUndefined();
    expect(await counts()).toEqual([margin + 50, margin + 50]);
    await clock.advance(minute);
    await log.trim(end);
    expect(await log.trimmedTo(logShard)).toBe(at(positions, 49));
    expect(await counts()).toEqual([margin, margin]);
  });

  it('waits for the configured age', async () => {
    await reopen(5 * hour);
    const positions = await append(someEvents(margin + 50));
    const end = at(positions, -1);
    await log.trim(end);
    await clock.advance(5 * hour - minute);
    await log.trim(end);
    expect(await counts()).toEqual([margin + 50, margin + 50]);
    await clock.advance(2 * minute);
    await log.trim(end);
    expect(await counts()).toEqual([margin, margin]);
  });

  it('removes nothing that was archived later, and remembers that over a restart', async () => {
    const first = await append(someEvents(margin + 20));
    await log.trim(at(first, -1));
    await clock.advance(40 * minute);
    const second = await append(someEvents(400));
    await log.trim(at(second, -1));
    await clock.advance(21 * minute);
    await reopen();
    await log.trim(at(second, -1));
    expect(await log.trimmedTo(logShard)).toBe(at(first, 19));
    await clock.advance(40 * minute);
    await log.trim(at(second, -1));
    expect(await log.trimmedTo(logShard)).toBe(at(second, -1 - margin));
    expect(await counts()).toEqual([margin, margin]);
  });

  it('knows ids for as long as their entries, and not longer', async () => {
    const [old = anEvent(), ...others] = someEvents(margin + 50);
    const recent = others.at(-1) ?? anEvent();
    const positions = await append([old, ...others]);
    await log.trim(at(positions, -1));
    await clock.advance(hour - minute);
    await log.trim(at(positions, -1));
    const retry = async (event: NewEvent) =>
      (await log.append([{ events: [event], atomic: false }])).flat()[0];
    expect(await retry(old)).toEqual({ status: 'duplicate', position: at(positions, 0) });
    expect(await retry({ ...old, amount: 1n })).toEqual({ status: 'conflict' });
    await clock.advance(2 * minute);
    await log.trim(at(positions, -1));
    expect(await retry(recent)).toEqual({ status: 'duplicate', position: at(positions, -1) });
    // The store knows it from here on.
    expect(await retry(old)).toMatchObject({ status: 'accepted' });
  });

  it('refuses to read after what it removed, as something would be missing', async () => {
    const events = someEvents(margin + 50);
    const positions = await append(events);
    await log.trim(at(positions, -1));
    await clock.advance(hour + minute);
    await log.trim(at(positions, -1));
    const left = events.slice(50).map(({ id }) => id);
    for (const index of [0, 20, 48]) {
      await expect(ids(at(positions, index))).rejects.toMatchObject({ code: 'position_gone' });
    }
    // Nothing is missing after the newest that was removed.
    expect(await ids(at(positions, 49))).toEqual(left);
    expect(await ids(at(positions, 50))).toEqual(left.slice(1));
    expect(await ids()).toEqual(left);
  });

  it('stops a reader that it overtakes', async () => {
    const positions = await append(someEvents(margin + 50));
    const { signal } = new AbortController();
    const read = log.read({ from: at(positions, 0), follow: false, limit: 5, signal });
    const iterator = read[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toHaveLength(5);
    await log.trim(at(positions, -1));
    await clock.advance(hour + minute);
    await log.trim(at(positions, -1));
    await expect(iterator.next()).rejects.toMatchObject({ code: 'position_gone' });
  });

  it('goes through many slices, beside entries that somebody wrote by hand', async () => {
    await append(someEvents(10));
    await command(server, 'XADD', stream, '*', 'note', 'hello', 'event_id', 'x');
    const positions = await append(someEvents(2_000));
    await log.trim(at(positions, -1));
    await clock.advance(hour + minute);
    await log.trim(at(positions, -1));
    expect(await counts()).toEqual([margin, margin]);
    expect(await log.end()).toBe(at(positions, -1));
  });

  it('remembers few times of archiving', async () => {
    const positions = await append(someEvents(300));
    for (let step = 0; step < 300; step += 1) {
      await log.trim(at(positions, step));
      await clock.advance(30_000);
    }
    const marks = String(await command(server, 'HGET', `${stream}:hub`, 'archived'));
    expect(marks.split(',').length).toBeLessThanOrEqual(limits.redisArchivedMarks);
  });

  it('is refused with a position of another log', async () => {
    const [position] = await append([anEvent()]);
    const other = `${String(position).slice(0, 42)}00000000-00000000` as Position;
    await expect(log.trim(other)).rejects.toMatchObject({ code: 'unavailable' });
  });
});
