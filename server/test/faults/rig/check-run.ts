import { isDeepStrictEqual } from 'node:util';
import type { EventInput, History, SentEvent } from './history.ts';
import { amountOf, MoneySums } from './money-sums.ts';
import type { KeptContent, LoggedEntry, StoredEvent, ToldContent } from './read-stored.ts';

/** What one reader of the live feed saw. */
export interface Trail {
  readonly name: string;
  readonly seen: readonly { readonly id: string; readonly position: string }[];
  /** Indexes of `seen` at which the reader came back. */
  readonly resumes: readonly number[];
}

/** Everything that is known of a run when it is over. */
export interface Evidence {
  readonly history: History;
  /** Over the API. */
  readonly told: ToldContent;
  /** In the engines. */
  readonly kept: KeptContent;
  readonly trails: readonly Trail[];
}

/** As in Jepsen's set-full: what was acknowledged must be there once, what was refused must not, the rest may. */
export interface Verdict {
  /** Sentences, each a broken promise; none in a sound run. */
  readonly faults: readonly string[];
  /** Acknowledged and not stored. */
  readonly lost: number;
  /** Stored more than once. */
  readonly duplicated: number;
  /** Stored, and refused or never sent. */
  readonly unexpected: number;
  readonly acknowledged: number;
  readonly unknown: number;
  readonly unknownStored: number;
  readonly stored: number;
  /** Events that a feed repeated after it was resumed. */
  readonly repeats: number;
}

export function checkRun(evidence: Evidence): Verdict {
  const { history, told, kept, trails } = evidence;
  const faults = [...history.faults];
  const tally = countAll(history, told.events, faults);
  checkStore(told.events, kept, faults);
  if (kept.log !== undefined) checkLog(told.events, kept.log, faults);
  checkSums(told, kept, faults);
  const repeats = trails.map((trail) => checkTrail(told.events, trail, faults));
  return {
    faults,
    ...tally,
    stored: told.events.length,
    repeats: repeats.reduce((sum, each) => sum + each, 0),
  };
}

export type Tally = Pick<
  { -readonly [Name in keyof Verdict]: Verdict[Name] },
  'lost' | 'duplicated' | 'unexpected' | 'acknowledged' | 'unknown' | 'unknownStored'
>;

function count(
  sent: SentEvent,
  stored: readonly StoredEvent[],
  tally: Tally,
  faults: string[],
  { hasLagWindow, isAside }: { readonly hasLagWindow: boolean; readonly isAside: boolean },
): void {
  const [first] = stored;
  const name = `${sent.id ?? '(no id)'} of ${sent.input.user_id}`;
  if (stored.length > 1) {
    tally.duplicated += 1;
    faults.push(`${name} is stored ${stored.length} times`);
  }
  if (sent.outcome === 'stored') tally.acknowledged += 1;
  if (sent.outcome === 'unknown' && !sent.mustBeRefused) {
    tally.unknown += 1;
    if (first !== undefined) tally.unknownStored += 1;
  }
  if (first === undefined) {
    if (sent.outcome !== 'stored' || isAside) return;
    tally.lost += 1;
    faults.push(`${name} was acknowledged at ${sent.position} and is lost`);
    return;
  }
  const mustNotBe = sent.mustBeRefused && !hasLagWindow;
  if (mustNotBe || sent.outcome === 'refused' || sent.outcome === 'unsent') {
    tally.unexpected += 1;
    faults.push(`${name} is stored and should not be: ${sent.outcome}`);
  }
  if (sent.id !== undefined && first.id !== sent.id)
    faults.push(`${name} is stored as ${first.id}`);
  // Of several entries with one id the archive keeps the first, whichever was answered.
  const isElsewhere = sent.position !== undefined && first.position !== sent.position;
  if (isElsewhere && !(hasLagWindow && sent.sends > 1)) {
    faults.push(`${name} was acknowledged at ${sent.position} and is at ${first.position}`);
  }
  if (!isSame(sent.input, first)) faults.push(`${name} is stored with other content`);
}

/** Each event that was sent, by its user: in a run every event has one of its own. */
export function countAll(
  history: History,
  events: readonly StoredEvent[],
  faults: string[],
  aside: ReadonlySet<string> = new Set(),
): Tally {
  const { hasLagWindow } = history;
  const byUser = Map.groupBy(events, ({ user_id }) => user_id);
  const tally = {
    lost: 0,
    duplicated: 0,
    unexpected: 0,
    acknowledged: 0,
    unknown: 0,
    unknownStored: 0,
  };
  for (const sent of history.events) {
    const stored = byUser.get(sent.input.user_id) ?? [];
    byUser.delete(sent.input.user_id);
    count(sent, stored, tally, faults, { hasLagWindow, isAside: aside.has(sent.input.user_id) });
  }
  for (const [user, stored] of byUser) {
    tally.unexpected += stored.length;
    faults.push(`${stored[0]?.id} of ${user} is stored, and nobody sent it`);
  }
  return tally;
}

function isSame(input: EventInput, stored: StoredEvent): boolean {
  return (
    input.event_type === stored.event_type &&
    amountOf(input.amount) === amountOf(stored.amount) &&
    (input.currency ?? 'XXX') === stored.currency &&
    Date.parse(input.timestamp ?? stored.received_at) === Date.parse(stored.timestamp) &&
    isDeepStrictEqual(input.metadata, stored.metadata)
  );
}

/** The API and the store hold the same events, in the same order, each id once. */
function checkStore(
  told: readonly StoredEvent[],
  { rows, integrity }: KeptContent,
  faults: string[],
): void {
  if (integrity !== 'ok') faults.push(`integrity: ${integrity}`);
  if (rows.length !== told.length) {
    faults.push(`the store holds ${rows.length} events, the API gives ${told.length}`);
  }
  const ids = new Set(rows.map(({ id }) => id));
  if (ids.size !== rows.length) faults.push(`${rows.length - ids.size} ids are stored twice`);
  for (const [index, row] of rows.entries()) {
    const event = told[index];
    const isSame =
      event !== undefined &&
      row.id === event.id &&
      row.user_id === event.user_id &&
      row.event_type === event.event_type &&
      row.amount === amountOf(event.amount) &&
      row.currency === event.currency &&
      row.timestamp === Date.parse(event.timestamp) &&
      (typeof row.position === 'number' || row.position === event.position);
    if (!isSame) faults.push(`row ${row.position} is ${row.id}, the API gives ${event?.id}`);
    const before = told[index - 1];
    if (event !== undefined && before !== undefined && before.position >= event.position) {
      faults.push(`${event.position} comes after ${before.position}`);
    }
  }
}

/** The API and the log hold the same events, in the same order, each id once. */
function checkLog(
  told: readonly StoredEvent[],
  log: readonly LoggedEntry[],
  faults: string[],
): void {
  if (log.length !== told.length) {
    faults.push(`the log holds ${log.length} entries, the API gives ${told.length} events`);
  }
  const ids = new Set(log.map(({ fields }) => fields.event_id));
  if (ids.size !== log.length) faults.push(`${log.length - ids.size} ids are in the log twice`);
  for (const [index, { place, fields }] of log.entries()) {
    const event = told[index];
    const isSame =
      event !== undefined &&
      fields.event_id === event.id &&
      fields.user_id === event.user_id &&
      fields.event_type === event.event_type &&
      fields.amount === event.amount &&
      fields.currency === event.currency &&
      fields.timestamp === event.timestamp &&
      fields.received_at === event.received_at;
    if (!isSame) faults.push(`entry ${place} is ${fields.event_id}, the API gives ${event?.id}`);
  }
}

/** The totals that were told, and the counts that were kept, are those of the events. */
export function checkSums(
  { events, sums }: ToldContent,
  { rows, counts }: KeptContent,
  faults: string[],
) {
  const recomputed = new MoneySums();
  for (const { event_type, currency, amount } of events) {
    recomputed.add(`${event_type} ${currency}`, 1, amountOf(amount));
  }
  const told = new MoneySums();
  for (const { event_type, currency, event_count, total_amount } of sums) {
    told.add(`${event_type} ${currency}`, event_count, amountOf(total_amount));
  }
  faults.push(...told.differences(recomputed).map((text) => `totals: ${text}`));
  const byMinute = new MoneySums();
  for (const { timestamp, event_type, currency, amount } of rows) {
    byMinute.add(`${Math.floor(timestamp / 60_000) * 60_000} ${event_type} ${currency}`, 1, amount);
  }
  const keptCounts = new MoneySums();
  for (const { minute, event_type, currency, event_count, total } of counts) {
    keptCounts.add(`${minute} ${event_type} ${currency}`, event_count, total);
  }
  faults.push(...keptCounts.differences(byMinute).map((text) => `minute counts: ${text}`));
}

/**
 * A reader from the start saw every stored event in log order. Where it came
 * back it may see again what it knew; how many such repeats is the answer.
 */
function checkTrail(stored: readonly StoredEvent[], trail: Trail, faults: string[]): number {
  const fault = (text: string) => faults.push(`${trail.name}: ${text}`);
  const resumes = new Set(trail.resumes);
  const indexes = new Map(stored.map(({ position }, index) => [position, index]));
  let next = 0;
  let repeats = 0;
  for (const [at, { id, position }] of trail.seen.entries()) {
    const index = indexes.get(position);
    if (index === undefined || stored[index]?.id !== id) {
      fault(`${id} at ${position} was seen and is not stored`);
      continue;
    }
    if (index < next) {
      repeats += 1;
      if (resumes.has(at)) next = index;
      else fault(`${id} at ${position} came again`);
    }
    if (index > next) fault(`${index - next} events before ${position} were left out`);
    next = Math.max(next, index + 1);
  }
  if (next < stored.length) fault(`the last ${stored.length - next} events were not seen`);
  return repeats;
}
