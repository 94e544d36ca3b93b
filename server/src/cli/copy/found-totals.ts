import { isRepeatOf } from '../../event/removed-event.ts';
import type { LogEntry } from '../../log/event-log.ts';
import type { EventStore, KnownEvent } from '../../store/event-store.ts';
import type { Source } from './source.ts';
import { type Totals, TotalsTally } from './totals.ts';

/**
 * The totals of a log without its store: of each of its entries that the target
 * has, as that entry. One that repeats an id is not counted again, because the
 * time of receipt is the first one's. What is missing counts too.
 */
export async function foundTotals(
  source: Source,
  target: EventStore,
  signal: AbortSignal,
): Promise<Totals> {
  const tally = new TotalsTally();
  for await (const { entries } of source.read(undefined, signal)) {
    const stored = await target.getMany(entries.map(({ event }) => event.id));
    for (const entry of entries) if (counts(entry, stored)) tally.addEvent(entry);
  }
  return tally.values;
}

function counts({ event }: LogEntry, known: ReadonlyMap<string, KnownEvent>): boolean {
  const stored = known.get(event.id)?.event;
  if (stored === undefined) return true;
  return stored.receivedAt === event.receivedAt && isRepeatOf(stored, event);
}
