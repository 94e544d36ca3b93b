import { formatPosition, parsePosition } from '../../engines/sqlite/position.ts';
import type { RemovablePart } from '../../engines/sqlite/preview-removal.ts';
import type { SequenceCut } from '../../engines/sqlite/remove-oldest.ts';
import {
  type SqliteEngine,
  sqliteShard,
  stretchEvents,
} from '../../engines/sqlite/sqlite-engine.ts';
import type { Lease, Removal, RemovalCut, Retained } from '../event-store.ts';

/** See `EventStore`. In stretches, so that other reads get their turn; what comes meanwhile is not looked at again. */
export async function previewRemoval(
  engine: SqliteEngine,
  shard: string,
  cut: RemovalCut,
): Promise<Removal | undefined> {
  if (shard !== sqliteShard) return undefined;
  const found = await removable(engine, sequenceCut(engine, cut));
  if (found === undefined) return undefined;
  const { sequence, ...removal } = found;
  const row = await engine.reader.call('findBySequence', sequence);
  // Removed meanwhile: what is left to remove is another prefix.
  if (row === undefined) return await previewRemoval(engine, shard, cut);
  const minutes = await minutesLosing(engine, sequence);
  return { ...removal, shard, floor: engine.entryOf(row).position, minutes };
}

async function removable(
  engine: SqliteEngine,
  cut: SequenceCut,
): Promise<RemovablePart | undefined> {
  let found: RemovablePart | undefined;
  for (let after = 0; ; ) {
    const part = await engine.reader.call('removablePart', cut, after, stretchEvents);
    if (part === undefined) break;
    const { oldest, events } = found ?? { oldest: part.oldest, events: 0 };
    found = { ...part, oldest, events: events + part.events };
    if (part.events < stretchEvents) break;
    after = part.sequence;
  }
  return found;
}

async function minutesLosing({ reader }: SqliteEngine, sequence: number): Promise<number> {
  let minutes = 0;
  for (const { from, to } of await reader.call('minuteStretches', stretchEvents)) {
    minutes += await reader.call('minutesLosing', from, to, sequence);
  }
  return minutes;
}

export async function removeOldest(
  engine: SqliteEngine,
  shard: string,
  cut: RemovalCut,
  { limit, lease }: { readonly limit: number; readonly lease: Lease | undefined },
): Promise<Removal | undefined> {
  if (lease !== undefined) engine.leases.assertHeld(lease);
  if (shard !== sqliteShard) return undefined;
  const prefix = await engine.removeOldest(sequenceCut(engine, cut), limit);
  if (prefix === undefined) return undefined;
  const { sequence, fingerprint, ...removal } = prefix;
  return { ...removal, shard, floor: formatPosition(sequence, engine.logId, fingerprint) };
}

export async function retained(engine: SqliteEngine): Promise<Retained> {
  const [floor, frozenMinutes] = await Promise.all([
    engine.floor(),
    engine.reader.call('countFrozen'),
  ]);
  if (floor === undefined) return { floors: new Map(), removedEvents: 0, frozenMinutes };
  const { position, removedEvents } = floor;
  return { floors: new Map([[sqliteShard, position]]), removedEvents, frozenMinutes };
}

function sequenceCut(engine: SqliteEngine, { receivedBefore, upTo }: RemovalCut): SequenceCut {
  if (upTo === undefined) return { receivedBefore, upTo: Number.POSITIVE_INFINITY };
  return { receivedBefore, upTo: parsePosition(upTo, engine.logId).sequence };
}
