import type { Instant } from '../../base/clock.ts';
import { minuteOf } from '../../event/minute.ts';
import { isRepeatOf } from '../../event/removed-event.ts';
import type { EventStore, FrozenMinute } from '../../store/event-store.ts';
import { TotalsTally } from './totals.ts';

/** Of one transaction. */
const recordsAtOnce = 500;
const minutesAtOnce = 100;

type From = Pick<EventStore, 'removedEvents' | 'frozenMinutes'>;
type Into = Pick<EventStore, 'keepRemoved' | 'keepFrozen'>;

/**
 * What the source's retention left, into the target: the records, so that repeats are told
 * apart there too, and what the counts of frozen minutes have beyond the events that are
 * left. To be called when the target has all of the source's events. Doing it again changes
 * nothing, and brings along what was removed meanwhile. The answer is how many minutes were
 * left as they are, because both have removed events of theirs and nobody can tell whose
 * counts have which.
 */
export async function copyRemoved(source: From, target: Into): Promise<number> {
  const held = await copyRecords(source, target);
  let unsure = 0;
  for (let after: Instant | undefined; ; ) {
    const page = await source.frozenMinutes(after, minutesAtOnce);
    after = page.at(-1)?.minute;
    if (after === undefined) return unsure;
    const sure = page.filter(({ minute }) => !held.unsure.has(minute));
    unsure += page.length - sure.length;
    await target.keepFrozen(sure.map((each) => without(each, held.events.get(each.minute))));
  }
}

/** Of the events that the source removed, what the target has by itself. */
interface Held {
  /** By minute: copied before the source removed them, and counted there as events. */
  readonly events: ReadonlyMap<Instant, TotalsTally>;
  /** Minutes of which the target has removed some of these too. */
  readonly unsure: ReadonlySet<Instant>;
}

async function copyRecords(source: From, target: Into): Promise<Held> {
  const events = new Map<Instant, TotalsTally>();
  const unsure = new Set<Instant>();
  for (let after: string | undefined; ; ) {
    const page = await source.removedEvents(after, recordsAtOnce);
    after = page.at(-1)?.id;
    if (after === undefined) return { events, unsure };
    const known = await target.keepRemoved(page);
    for (const record of page) {
      const found = known.get(record.id)?.event;
      const minute = minuteOf(record.timestamp);
      if (found === undefined) continue;
      if ('contentHash' in found) {
        unsure.add(minute);
      } else if (isRepeatOf(record, found)) {
        const tally = events.get(minute) ?? new TotalsTally();
        events.set(minute, tally);
        tally.add(found, { eventCount: 1, total: found.amount });
      }
    }
  }
}

/** What of the removed events the target does not count by itself. */
function without({ minute, removed }: FrozenMinute, held: TotalsTally | undefined): FrozenMinute {
  if (held === undefined) return { minute, removed };
  const rest = removed.map((count) => {
    const own = held.totalOf(count);
    return {
      ...count,
      eventCount: count.eventCount - own.eventCount,
      total: count.total - own.total,
    };
  });
  return { minute, removed: rest.filter(({ eventCount }) => eventCount !== 0) };
}
