import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../src/base/limits.ts';
import type { TraceContext } from '../../src/base/tracing.ts';
import type { Event, NewEvent } from '../../src/event/event.ts';
import { eventCharacters } from '../../src/event/event-bytes.ts';
import type { Appended, EventLog, LogEntry, Position } from '../../src/log/event-log.ts';
import { anEvent, someEvents } from '../support/build-event.ts';

/** What a log adapter gives to the suite. */
export interface LogHarness {
  /** Opens this test's log; a second call after a close sees what the first one wrote. */
  open(): Promise<EventLog>;
  /** Replaces the log by an empty one, as a restored or recreated engine would be. */
  replace(): Promise<void>;
  destroy(): Promise<void>;
}

/** The promises of the port `EventLog`, for every adapter and every decorator. */
export function eventLogSuite(name: string, createHarness: () => Promise<LogHarness>): void {
  describe(`event log ${name}`, () => {
    let harness: LogHarness;
    let log: EventLog;

    beforeEach(async () => {
      harness = await createHarness();
      log = await harness.open();
    });

    afterEach(async () => {
      await log.close();
      await harness.destroy();
    });

    const appendAll = async (events: readonly NewEvent[]) => {
      const [outcomes = []] = await log.append([{ events, atomic: false }]);
      return outcomes;
    };
    const ids = (entries: readonly LogEntry[]) => entries.map(({ event }) => event.id);

    describe('append', () => {
      it('answers one outcome per event, in order, for every group', async () => {
        const groups = [3, 1, 2].map((size) => ({ events: someEvents(size), atomic: false }));
        const outcomes = await log.append(groups);
        expect(outcomes.map((group) => group.map(({ status }) => status))).toEqual([
          ['accepted', 'accepted', 'accepted'],
          ['accepted'],
          ['accepted', 'accepted'],
        ]);
        expect(ids(await readAll(log))).toEqual(
          groups.flatMap(({ events }) => events.map((e) => e.id)),
        );
      });

      it('gives back every field as it came, to the last digit', async () => {
        const events = [
          anEvent({ amount: 999_999_999_999_999_999n, metadata: '{"a":[1,{"b":"ü\\u0001"}]}' }),
          anEvent({ amount: 0n, userId: '\u{1F600} x', timestamp: Date.UTC(2000, 0, 1) }),
        ];
        await appendAll(events);
        const expected = events.map(({ idMadeByHub: _, ...event }) => event);
        const read = async () => inOrderOf(expected, await readAll(log));
        expect(await read()).toMatchObject(expected);
        await log.close();
        log = await harness.open();
        expect(await read()).toEqual(expected);
      });

      it('answers a repeated event as a duplicate with the first position', async () => {
        const event = anEvent();
        const [first] = await appendAll([event]);
        await appendAll(someEvents(3));
        const [second] = await appendAll([{ ...event, receivedAt: event.receivedAt + 5_000 }]);
        expect(second).toEqual({ status: 'duplicate', position: positionOf(first) });
        expect(await readAll(log)).toHaveLength(4);
      });

      it('takes a retry without a timestamp for its first try', async () => {
        const event = anEvent({ timestamp: 1_782_813_600_000, receivedAt: 1_782_813_600_000 });
        const [first] = await appendAll([event]);
        const later = {
          ...event,
          timestamp: event.timestamp + 9_000,
          receivedAt: event.receivedAt + 9_000,
        };
        const [second] = await appendAll([later]);
        expect(second).toEqual({ status: 'duplicate', position: positionOf(first) });
      });

      it('refuses other content under a known id and keeps the first', async () => {
        const event = anEvent();
        await appendAll([event]);
        const others: readonly Partial<NewEvent>[] = [
          { amount: event.amount + 1n },
          { userId: 'u2' },
          { eventType: 'refund' },
          { currency: 'USD' },
          { metadata: '{"a":1}' },
          { timestamp: event.timestamp + 1 },
        ];
        for (const other of others) {
          expect(await appendAll([{ ...event, ...other }])).toEqual([{ status: 'conflict' }]);
        }
        expect((await readAll(log)).map((entry) => entry.event.amount)).toEqual([event.amount]);
      });

      it('knows an id again within one group', async () => {
        const event = anEvent();
        const outcomes = await appendAll([event, event, { ...event, amount: 1n }]);
        expect(outcomes.map(({ status }) => status)).toEqual(['accepted', 'duplicate', 'conflict']);
      });

      it('writes nothing of an atomic group with one conflict, and the other groups all the same', async () => {
        const known = anEvent();
        await appendAll([known]);
        const [before, after] = [anEvent(), anEvent()];
        const repeated = anEvent();
        const outcomes = await log.append([
          { events: [before], atomic: false },
          { events: [repeated, repeated, { ...known, amount: 1n }, anEvent()], atomic: true },
          { events: [after], atomic: true },
        ]);
        expect(outcomes.map((group) => group.map(({ status }) => status))).toEqual([
          ['accepted'],
          ['not_stored', 'not_stored', 'conflict', 'not_stored'],
          ['accepted'],
        ]);
        expect(ids(await readAll(log))).toEqual([known.id, before.id, after.id]);
      });

      it('stores an id once when fifty callers send it at the same time', async () => {
        const event = anEvent();
        const outcomes = (
          await Promise.all(Array.from({ length: 50 }, () => appendAll([event])))
        ).flat();
        expect(outcomes.filter(({ status }) => status === 'accepted')).toHaveLength(1);
        expect(outcomes.filter(({ status }) => status === 'duplicate')).toHaveLength(49);
        expect(new Set(outcomes.map(positionOf)).size).toBe(1);
      });

      it('keeps the order of one appender', async () => {
        const events = someEvents(300);
        for (let start = 0; start < events.length; start += 100) {
          await Promise.all(events.slice(start, start + 100).map((event) => appendAll([event])));
        }
        expect(ids(await readAll(log))).toEqual(events.map(({ id }) => id));
      });

      it('keeps ids apart that differ in case, in form or in length', async () => {
        const events = ['a', 'A', 'a.', 'a:', 'a~', 'a-', '1', '01'].map((id) => anEvent({ id }));
        expect((await appendAll(events)).every(({ status }) => status === 'accepted')).toBe(true);
      });

      it('is durable across reopen', async () => {
        const events = someEvents(20);
        const outcomes = await appendAll(events);
        await log.close();
        log = await harness.open();
        const entries = await readAll(log);
        expect(ids(entries)).toEqual(events.map(({ id }) => id));
        expect(entries.map(({ position }) => position)).toEqual(outcomes.map(positionOf));
        expect(await appendAll(events)).toEqual(
          outcomes.map((outcome) => ({ status: 'duplicate', position: positionOf(outcome) })),
        );
      });
    });

    describe('read', () => {
      it('is empty in an empty log, which has no end', async () => {
        expect(await readAll(log)).toEqual([]);
        expect(await log.end()).toBeUndefined();
      });

      it('gives batches within the limit, none of them empty', async () => {
        await appendAll(someEvents(25));
        const sizes: number[] = [];
        const { signal } = new AbortController();
        for await (const batch of log.read({ from: 'start', follow: false, limit: 10, signal })) {
          sizes.push(batch.length);
        }
        expect(Math.max(...sizes)).toBeLessThanOrEqual(10);
        expect(Math.min(...sizes)).toBeGreaterThan(0);
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(25);
      });

      it('gives no more at once than a reader may hold, whatever came before', async () => {
        const large = JSON.stringify({ note: 'x'.repeat(15_000) });
        const events = [...someEvents(600), ...someEvents(200, { metadata: large })];
        await appendAll(events);
        const read: string[] = [];
        const { signal } = new AbortController();
        for await (const batch of log.read({ from: 'start', follow: false, limit: 500, signal })) {
          const held = batch.reduce((sum, { event }) => sum + eventCharacters(event), 0);
          expect(held).toBeLessThan(limits.readCharacters + 16_000);
          read.push(...ids(batch));
        }
        expect(read).toEqual(events.map(({ id }) => id));
      });

      it('resumes after a position, without loss or repeat', async () => {
        const events = someEvents(12);
        const outcomes = await appendAll(events);
        for (const [index, outcome] of outcomes.entries()) {
          const rest = await readAll(log, positionOf(outcome));
          expect(ids(rest)).toEqual(events.slice(index + 1).map(({ id }) => id));
        }
      });

      it('gives positions that sort bytewise and survive JSON', async () => {
        const outcomes = await appendAll(someEvents(1_100));
        const positions = outcomes.map(positionOf);
        expect(positions.toSorted()).toEqual(positions);
        expect(positions.every((position) => log.isPosition(position))).toBe(true);
        const copied = JSON.parse(JSON.stringify(positions[1_000])) as Position;
        expect(await readAll(log, copied)).toHaveLength(99);
      });

      it('follows: what is appended later comes without asking again', async () => {
        const abort = new AbortController();
        const [known, ...later] = someEvents(6) as [NewEvent, ...NewEvent[]];
        const [first] = await appendAll([known]);
        const read = log.read({
          from: positionOf(first),
          follow: true,
          limit: 2,
          signal: abort.signal,
        });
        const seen: string[] = [];
        const reading = (async () => {
          for await (const batch of read) {
            seen.push(...ids(batch));
            if (seen.length === later.length) abort.abort();
          }
        })();
        for (const event of later) await appendAll([event]);
        await reading;
        expect(seen).toEqual(later.map(({ id }) => id));
      });

      it('from the end gives only what comes after', async () => {
        await appendAll(someEvents(3));
        const abort = new AbortController();
        const read = log.read({ from: 'end', follow: true, limit: 10, signal: abort.signal });
        const iterator = read[Symbol.asyncIterator]();
        const next = iterator.next();
        const event = anEvent();
        // The read fixes its start when it is first asked, which a second read here proves is done.
        await readAll(log);
        await appendAll([event]);
        expect(ids((await next).value ?? [])).toEqual([event.id]);
        abort.abort();
        expect((await iterator.next()).done).toBe(true);
      });

      it('gives with an entry where it came to be, to who follows, and nothing with others', async () => {
        const abort = new AbortController();
        const read = log.read({ from: 'end', follow: true, limit: 10, signal: abort.signal });
        const iterator = read[Symbol.asyncIterator]();
        const first = iterator.next();
        await readAll(log);
        const atomic = false;
        const sent = [
          undefined,
          aTrace('a'),
          aTrace('b', 'vendor=1,other=2'),
          aTrace('b'),
          undefined,
        ];
        const groups = sent.map((trace) => ({ events: someEvents(2), atomic, trace }));
        await log.append(groups);
        const entries: LogEntry[] = [...((await first).value ?? [])];
        while (entries.length < 10) entries.push(...((await iterator.next()).value ?? []));
        abort.abort();
        await iterator.next();
        const expected = groups.flatMap(({ events, trace }) => events.map(({ id }) => [id, trace]));
        expect(entries.map(({ event, trace }) => [event.id, trace])).toEqual(expected);
      });

      it('takes a repeat for one, wherever its trace is, and keeps the first', async () => {
        const event = anEvent();
        const append = async (trace: TraceContext | undefined, sent: NewEvent) => {
          const [[outcome] = []] = await log.append([{ events: [sent], atomic: true, trace }]);
          return outcome;
        };
        const first = await append(aTrace('a'), event);
        const position = positionOf(first);
        expect(await append(aTrace('b', 'x=1'), event)).toEqual({ status: 'duplicate', position });
        expect(await append(undefined, event)).toEqual({ status: 'duplicate', position });
        expect(await append(aTrace('a'), { ...event, amount: 1n })).toEqual({ status: 'conflict' });
        const { idMadeByHub: _, ...content } = event;
        expect((await readAll(log)).map((entry) => entry.event)).toEqual([content]);
        expect((await log.resumeAt(position)).size).toBeGreaterThan(0);
      });

      it('does not disturb a second reader', async () => {
        const events = someEvents(40);
        await appendAll(events);
        const both = await Promise.all([readAll(log), readAll(log)]);
        for (const entries of both) expect(ids(entries)).toEqual(events.map(({ id }) => id));
      });

      it('ends when its signal aborts', async () => {
        const abort = new AbortController();
        const read = log.read({ from: 'start', follow: true, limit: 10, signal: abort.signal });
        const next = read[Symbol.asyncIterator]().next();
        abort.abort();
        expect((await next).done).toBe(true);
      });

      it('knows where the log ends', async () => {
        const outcomes = await appendAll(someEvents(5));
        const last = positionOf(outcomes.at(-1));
        expect(log.placesIn((await log.end()) as Position)).toEqual(log.placesIn(last));
      });

      it('counts the entries of its shards, or says that it does not', async () => {
        const count = async () => {
          const end = await log.end();
          const places = end === undefined ? [] : [...log.placesIn(end).values()];
          const counts = places.map((place) => log.countAt(place));
          if (counts.length > 0 && counts.every((each) => each === undefined)) return undefined;
          return counts.reduce<number>((sum, each) => sum + (each ?? 0), 0);
        };
        await appendAll(someEvents(5));
        const before = await count();
        await appendAll(someEvents(7));
        expect(await count()).toBe(before === undefined ? undefined : before + 7);
      });

      it('refuses what is no position, by its form', async () => {
        for (const text of ['', 'x', '0', '-1', '1e3', '{}', 'stream']) {
          expect(log.isPosition(text)).toBe(false);
        }
        await expect(readAll(log, 'nonsense' as Position)).rejects.toMatchObject({
          code: 'invalid',
        });
      });

      it('refuses a position of a log that was replaced', async () => {
        const [, second] = await appendAll(someEvents(2));
        await log.close();
        await harness.replace();
        log = await harness.open();
        await appendAll(someEvents(5));
        await expect(readAll(log, positionOf(second))).rejects.toMatchObject({
          code: 'position_gone',
        });
      });
    });

    it('keeps what is younger than an hour, whatever is archived', async () => {
      const outcomes = await appendAll(someEvents(3));
      await log.trim(positionOf(outcomes[2]));
      for (const shard of await log.shards()) {
        expect(await log.trimmedTo(shard)).toBeUndefined();
      }
      expect(await readAll(log)).toHaveLength(3);
    });

    it('says how durable an answer is, once it has tried', async () => {
      expect((await log.check()).durability).not.toBe('');
    });

    it('may be closed twice', async () => {
      await log.close();
      await log.close();
    });
  });
}

/** Events of several users may lie in several shards, which have no common order. */
function inOrderOf(
  expected: readonly Pick<Event, 'id'>[],
  entries: readonly LogEntry[],
): readonly (Event | undefined)[] {
  return expected.map(({ id }) => entries.find(({ event }) => event.id === id)?.event);
}

export async function readAll(
  log: EventLog,
  from: Position | 'start' = 'start',
): Promise<readonly LogEntry[]> {
  const entries: LogEntry[] = [];
  const { signal } = new AbortController();
  for await (const batch of log.read({ from, follow: false, limit: 500, signal }))
    entries.push(...batch);
  return entries;
}

export function positionOf(outcome: Appended | undefined): Position {
  if (outcome?.status !== 'accepted' && outcome?.status !== 'duplicate') {
    throw new Error(`expected a position, got ${outcome?.status}`);
  }
  return outcome.position;
}

/** A place in the trace of that digit. */
function aTrace(digit: string, tracestate?: string): TraceContext {
  return { traceparent: `00-${digit.repeat(32)}-${digit.repeat(16)}-01`, tracestate };
}
