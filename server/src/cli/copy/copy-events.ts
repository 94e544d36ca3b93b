import type { Clock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { eventBytes } from '../../event/event-bytes.ts';
import { type Appended, assertKnown, type EventLog, type LogEntry } from '../../log/event-log.ts';
import type { Conflict, EventStore } from '../../store/event-store.ts';
import type { Source, SourceBatch } from './source.ts';

/** Of one append: large enough to pay the disk's sync once for many, small enough to be quick. */
const appendEvents = 2_000;
const appendBytes = 4 * 1024 * 1024;

/** How long an engine that does not answer is waited for, and how often it is asked. */
const patienceMs = 30_000;
const pauseMs = 500;

export interface CopyTally {
  /** Events that the target did not have. */
  added: number;
  /** Events that it had already. */
  known: number;
  /** Events whose id the target has with other content: kept beside its events. */
  conflicts: number;
  unreadable: number;
}

export interface CopyOptions {
  /** Where to begin; undefined is from the source's beginning. */
  readonly after: string | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly tally: CopyTally;
  /** May stop it by rejecting. */
  readonly beforeEach: () => Promise<void>;
}

export interface CopyTarget {
  readonly log: EventLog;
  readonly store: EventStore;
}

/**
 * Appends what the source has after a place, in its order, as it is: ids and
 * both times stay. The answer is where to go on. Ids that the target knows
 * change nothing, so doing it again is safe.
 */
export async function copyEvents(
  source: Source,
  target: CopyTarget,
  options: CopyOptions,
): Promise<string | undefined> {
  let place = options.after;
  for await (const batch of oneAhead(gathered(source.read(options.after, options.signal)))) {
    await options.beforeEach();
    await copyBatch(batch, target, options);
    place = batch.place;
    if (options.signal.aborted) break;
  }
  return place;
}

async function copyBatch(
  { entries, unreadable }: SourceBatch,
  target: CopyTarget,
  options: CopyOptions,
): Promise<void> {
  const { tally } = options;
  const events = entries.map(({ event }) => ({ ...event, idMadeByHub: false }));
  const append = async () => {
    const [outcomes = []] = await target.log.append([{ events, atomic: false }]);
    return assertKnown(outcomes);
  };
  const outcomes = events.length === 0 ? [] : await patiently(options, append);
  const conflicts = conflictsOf(entries, outcomes);
  if (conflicts.length + unreadable.length > 0) {
    await patiently(options, () => target.store.keepAside({ conflicts, unreadable }));
  }
  const added = outcomes.filter(({ status }) => status === 'accepted').length;
  tally.added += added;
  tally.conflicts += conflicts.length;
  tally.known += entries.length - added - conflicts.length;
  tally.unreadable += unreadable.length;
}

function conflictsOf(
  entries: readonly LogEntry[],
  outcomes: readonly Appended[],
): readonly Conflict[] {
  return entries.filter((_, index) => outcomes[index]?.status === 'conflict');
}

/** Again and again, while the engine says that it may yet answer. */
async function patiently<T>({ clock }: CopyOptions, work: () => Promise<T>): Promise<T> {
  const endMs = clock.monotonicMs() + patienceMs;
  for (;;) {
    try {
      return await work();
    } catch (reason) {
      const { code } = HubError.from(reason);
      const mayPass = code === 'unavailable' || code === 'overloaded';
      if (!mayPass || clock.monotonicMs() >= endMs) throw reason;
      await clock.sleep(pauseMs);
    }
  }
}

/** Small batches as larger ones. */
async function* gathered(batches: AsyncIterable<SourceBatch>): AsyncGenerator<SourceBatch> {
  let held: SourceBatch | undefined;
  let bytes = 0;
  for await (const batch of batches) {
    held = {
      entries: held === undefined ? batch.entries : [...held.entries, ...batch.entries],
      unreadable: [...(held?.unreadable ?? []), ...batch.unreadable],
      place: batch.place,
    };
    for (const { event } of batch.entries) bytes += eventBytes(event);
    if (held.entries.length < appendEvents && bytes < appendBytes) continue;
    yield held;
    held = undefined;
    bytes = 0;
  }
  if (held !== undefined) yield held;
}

/** Reads the next one while the last one is worked on. */
async function* oneAhead<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    let next = iterator.next();
    for (let item = await next; !item.done; item = await next) {
      next = iterator.next();
      // A failure is rethrown where the item is awaited; until then it is nobody's.
      next.catch(() => undefined);
      yield item.value;
    }
  } finally {
    await iterator.return?.();
  }
}
