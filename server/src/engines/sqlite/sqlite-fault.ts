import { HubError } from '../../base/errors.ts';

/** Primary result codes of SQLite, from its documentation (rescode.html). */
const resultCodes: Readonly<Record<number, string>> = {
  5: 'the database is locked by another program',
  8: 'the database cannot be written',
  10: 'the disk failed to read or write',
  11: 'the database file is damaged',
  13: 'the disk is full',
  14: 'the database file cannot be opened',
  26: 'the file is not a database',
};

/** Faults after which the connection's view of the file cannot be trusted. */
const brokenCodes = new Set([10, 11, 14, 26]);

/** A fault of the engine as `unavailable`, with the reason; anything else is thrown on as it is. */
export function fromSqlite(reason: unknown): unknown {
  const code = primaryCode(reason);
  if (code === undefined) return reason;
  const text = resultCodes[code];
  if (text === undefined) return reason;
  return new HubError('unavailable', `${text}: the hub goes on by itself when that is mended`, {
    retryAfterS: 2,
    cause: reason,
  });
}

/** Another connection holds what this one needs. */
export function isBusy(reason: unknown): boolean {
  return primaryCode(reason) === 5;
}

export function breaksConnection(reason: unknown): boolean {
  const code = primaryCode(reason);
  return code !== undefined && brokenCodes.has(code);
}

function primaryCode(reason: unknown): number | undefined {
  if (!(reason instanceof Error) || !('errcode' in reason)) return undefined;
  return typeof reason.errcode === 'number' ? reason.errcode & 0xff : undefined;
}
