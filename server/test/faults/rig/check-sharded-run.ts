import { checkSums, countAll, type Evidence, type Trail, type Verdict } from './check-run.ts';
import { amountOf } from './money-sums.ts';
import type { KeptContent, LoggedEntry, StoredEvent } from './read-stored.ts';

/**
 * The same for a log with shards: each of them has an order, the API lists by
 * the time of receipt, and an event that was sent again while nobody knew may be
 * in the log more than once, but not in the store.
 */
export function checkShardedRun(evidence: Evidence): Verdict {
  const { history, told, kept, trails } = evidence;
  const faults = [...history.faults];
  const tally = countAll(history, told.events, faults, kept.asideUsers);
  checkListOrder(told.events, faults);
  checkRows(told.events, kept, faults);
  checkLog(told.events, kept.log ?? [], faults);
  checkSums(told, kept, faults);
  const entries = new Map<string, number>();
  for (const { fields } of kept.log ?? []) {
    const id = fields.event_id ?? '';
    entries.set(id, (entries.get(id) ?? 0) + 1);
  }
  const repeats = trails.map((trail) => checkTrail(told.events, entries, trail, faults));
  return {
    faults,
    ...tally,
    stored: told.events.length,
    repeats: repeats.reduce((sum, each) => sum + each, 0),
  };
}

function checkListOrder(told: readonly StoredEvent[], faults: string[]): void {
  for (const [index, event] of told.entries()) {
    const before = told[index - 1];
    if (before === undefined || placeInList(before) < placeInList(event)) continue;
    faults.push(`${event.id} is listed behind ${before.id}`);
  }
}

function placeInList({ received_at, id }: StoredEvent): string {
  return `${received_at} ${id}`;
}

function checkRows(told: readonly StoredEvent[], { rows }: KeptContent, faults: string[]): void {
  const ids = new Set(rows.map(({ id }) => id));
  if (ids.size !== rows.length) faults.push(`${rows.length - ids.size} ids are stored twice`);
  if (rows.length !== told.length) {
    faults.push(`the store holds ${rows.length} events, the API gives ${told.length}`);
  }
  const byId = new Map(told.map((event) => [event.id, event]));
  for (const row of rows) {
    const event = byId.get(row.id);
    const isSame =
      event !== undefined &&
      row.position === event.position &&
      row.user_id === event.user_id &&
      row.amount === amountOf(event.amount);
    if (!isSame) faults.push(`the API does not give ${row.id} as it is stored`);
  }
}

/** Everything that is stored is in the log, where it says; the rest of the log are repeats of it. */
function checkLog(
  told: readonly StoredEvent[],
  log: readonly LoggedEntry[],
  faults: string[],
): void {
  const byPlace = new Map(log.map(({ place, fields }) => [place, fields]));
  const ids = new Set(told.map(({ id }) => id));
  for (const { id, position, amount, received_at } of told) {
    const fields = byPlace.get(placeOf(position));
    const isSame =
      fields?.event_id === id && fields.amount === amount && fields.received_at === received_at;
    if (!isSame) faults.push(`the log does not hold ${id} at ${position}`);
  }
  for (const { place, fields } of log) {
    if (!ids.has(fields.event_id ?? ''))
      faults.push(`${fields.event_id} at ${place} is not stored`);
  }
}

/** `PARTITION/OFFSET` */
function placeOf(position: string): string {
  const [partition, offset] = position.split('-');
  return `${Number(partition)}/${Number(offset)}`;
}

/**
 * A reader from the start saw every stored event, those of one shard first in
 * the order of their positions. What it saw again it may see for each time that
 * the event is in the log, and after each time that it came back.
 */
function checkTrail(
  stored: readonly StoredEvent[],
  entries: ReadonlyMap<string, number>,
  trail: Trail,
  faults: string[],
): number {
  const fault = (text: string) => faults.push(`${trail.name}: ${text}`);
  const positions = new Map(stored.map(({ id, position }) => [id, position]));
  const seen = new Map<string, number>();
  const newest = new Map<string, string>();
  let repeats = 0;
  for (const { id } of trail.seen) {
    const position = positions.get(id);
    if (position === undefined) {
      fault(`${id} was seen and is not stored`);
      continue;
    }
    const times = (seen.get(id) ?? 0) + 1;
    seen.set(id, times);
    if (times > 1) {
      repeats += 1;
      const allowed = (entries.get(id) ?? 1) * trail.resumes.length;
      if (times > allowed) fault(`${id} came ${times} times`);
      continue;
    }
    // Which of several entries of one id this was, a feed does not tell.
    if ((entries.get(id) ?? 1) > 1) continue;
    const shard = position.slice(0, 4);
    const before = newest.get(shard) ?? '';
    if (before > position) fault(`${id} at ${position} came behind ${before}`);
    else newest.set(shard, position);
  }
  const missing = stored.filter(({ id }) => !seen.has(id));
  if (missing.length > 0) fault(`${missing.length} events were not seen, as ${missing[0]?.id}`);
  return repeats;
}
