import { fingerprintOfText } from '../../event/fingerprint.ts';
import { positionGone } from '../../event/position-faults.ts';
import type { Position, ReadOptions } from '../event-log.ts';
import type { LogContext, Place } from './entry-reader.ts';
import { parseEntry, type RawEntry } from './redis-entry.ts';
import { replaced } from './redis-faults.ts';
import type { RedisLink } from './redis-link.ts';
import { formatPosition, parsePosition } from './redis-position.ts';

type Send = Pick<RedisLink, 'send'>['send'];

/** Where a read begins; undefined is the very start. A position is trusted only when its entry still is what it was. */
export async function placeOf(
  from: ReadOptions['from'],
  context: LogContext,
  send: Send,
): Promise<Place | undefined> {
  if (from === 'start') return undefined;
  if (from === 'end') return (await endPlace(context, send))?.place;
  const { entryId, logId, fingerprint } = parsePosition(from);
  const place = { entryId, fingerprint };
  await checkPlace(place, logId, context, send);
  return place;
}

/** Rejects with `position_gone` unless the log has this identity and still holds the place's entry. */
export async function checkPlace(
  place: Place,
  logId: string,
  { target, state }: LogContext,
  send: Send,
): Promise<void> {
  const { stream, hub } = target.keys;
  const { entryId, fingerprint } = place;
  const [entries, marks] = await Promise.all([
    send(['XRANGE', stream, entryId, entryId]) as Promise<readonly RawEntry[]>,
    readMarks(hub, send),
  ]);
  if (marks.logId === undefined || marks.logId !== logId) {
    throw positionGone('the position belongs to another log');
  }
  if (state.logId !== undefined && state.logId !== logId) throw replaced(target.shown);
  state.see(marks.logId);
  const [entry] = entries;
  // Nothing is missed after the newest entry that was removed.
  const found =
    entry === undefined
      ? marks.trimmed?.entryId === entryId
        ? marks.trimmed.fingerprint
        : undefined
      : parseEntry(entry).fingerprint;
  if (found !== fingerprint) {
    throw positionGone('the log does not hold the entry of this position');
  }
}

/** The place after the newest entry, and its position; undefined while the log is empty. */
export async function endPlace(
  { target, state }: LogContext,
  send: Send,
): Promise<{ readonly place: Place; readonly position: Position } | undefined> {
  const { stream, hub } = target.keys;
  const [newest, { logId, trimmed }] = await Promise.all([
    send(['XREVRANGE', stream, '+', '-', 'COUNT', '1']) as Promise<readonly RawEntry[]>,
    readMarks(hub, send),
  ]);
  state.see(logId);
  const [entry] = newest;
  const place =
    entry === undefined
      ? trimmed
      : { entryId: entry[0], fingerprint: parseEntry(entry).fingerprint };
  if (place === undefined || logId === undefined) return undefined;
  return { place, position: formatPosition(place.entryId, logId, place.fingerprint) };
}

/** The place of the newest entry that was removed. */
export async function trimmedPosition(
  { target, state }: LogContext,
  send: Send,
): Promise<Position | undefined> {
  const { logId, trimmed } = await readMarks(target.keys.hub, send);
  state.see(logId);
  if (trimmed === undefined || logId === undefined) return undefined;
  return formatPosition(trimmed.entryId, logId, trimmed.fingerprint);
}

interface LogMarks {
  readonly logId: string | undefined;
  readonly trimmed: Place | undefined;
}

async function readMarks(hub: string, send: Send): Promise<LogMarks> {
  const answer = await send(['HMGET', hub, 'id', 'trimmed_to', 'trimmed_entry']);
  const [logId, trimmedTo, trimmedEntry] = answer as readonly (string | null | undefined)[];
  return {
    logId: logId ?? undefined,
    trimmed: trimmedTo
      ? { entryId: trimmedTo, ...trimmedFingerprint(trimmedTo, trimmedEntry) }
      : undefined,
  };
}

/** The removed entry's fields are kept for it: the script that removes cannot make fingerprints. */
function trimmedFingerprint(
  entryId: string,
  text: string | null | undefined,
): { readonly fingerprint: string } {
  const fields: unknown = JSON.parse(text ?? '[]');
  if (!Array.isArray(fields)) return { fingerprint: fingerprintOfText('') };
  return { fingerprint: parseEntry([entryId, fields.map(String)]).fingerprint };
}
