import type { EventStore } from '../../store/event-store.ts';
import type { Source } from './source.ts';

/**
 * Where an earlier copy stopped: the newest event of the target, where the
 * source knows it, and where the target begins with the source's first event.
 * A guess that saves time: what it skips is known to be there only after the
 * totals were compared.
 */
export async function resumePlace(
  source: Source,
  target: EventStore,
  signal: AbortSignal,
): Promise<string | undefined> {
  const newest = await endOf(target, 'desc');
  if (newest === undefined) return undefined;
  const place = await source.placeOf(newest);
  if (place === undefined) return undefined;
  const first = await firstOf(source, signal);
  return first !== undefined && first === (await endOf(target, 'asc')) ? place : undefined;
}

async function endOf(store: EventStore, order: 'asc' | 'desc'): Promise<string | undefined> {
  const { events } = await store.find({ filter: {}, order, limit: 1 });
  return events[0]?.event.id;
}

async function firstOf(source: Source, signal: AbortSignal): Promise<string | undefined> {
  for await (const { entries } of source.read(undefined, signal)) {
    const [first] = entries;
    if (first !== undefined) return first.event.id;
  }
  return undefined;
}
