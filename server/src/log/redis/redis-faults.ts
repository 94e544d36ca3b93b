import { ErrorReply } from '@redis/client';
import { HubError } from '../../base/errors.ts';

/** When a client may try again, in seconds. */
const retryAfterS = 2;

/**
 * What an answer of Redis, or its absence, means to a caller. Only `overloaded`
 * says that surely nothing was written: Redis refuses a script that may write
 * before it starts when memory is short.
 */
export function redisFault(reason: unknown, shown: string): HubError {
  if (reason instanceof HubError) return reason;
  const message = reason instanceof Error ? reason.message : String(reason);
  if (!(reason instanceof ErrorReply)) {
    return unavailable(`Redis at ${shown} cannot be reached: ${message}`, reason);
  }
  const [word = ''] = message.split(' ', 1);
  if (word === 'OOM') {
    const advice = 'raise maxmemory, or let the archive catch up so that the log can be trimmed';
    return new HubError('overloaded', `Redis at ${shown} is out of memory: ${advice}`, {
      retryAfterS,
      cause: reason,
    });
  }
  if (word === 'NOPERM') return missingRights([rightNamedIn(message)], shown, reason);
  const meaning = refusals[word];
  if (meaning !== undefined)
    return unavailable(`Redis at ${shown} ${meaning} (${message})`, reason);
  return HubError.from(reason);
}

export function unavailable(message: string, cause?: unknown): HubError {
  return new HubError('unavailable', message, { retryAfterS, cause });
}

/** The log is not the one that this process has read or written. */
export function replaced(shown: string): HubError {
  return unavailable(
    `the log at ${shown} is not the one that it was: it was flushed, restored or replaced. Run \`event-hub log adopt\`, then start the hub again`,
  );
}

/** What stands under the log's name is not the hub's. */
export function foreign(found: string, shown: string): HubError {
  return new HubError(
    'conflict',
    `${shown} has ${found}, which no hub made: choose another name with ?stream=NAME in EVENT_HUB_LOG, or remove it`,
  );
}

export function missingRights(rights: readonly string[], shown: string, cause?: unknown): HubError {
  return new HubError(
    'unavailable',
    `the user of Redis at ${shown} lacks rights that the hub needs: grant ${rights.join(' ')}`,
    { retryAfterS, cause },
  );
}

/** Answers that say that nothing was done, by their first word. */
const refusals: Readonly<Record<string, string>> = {
  LOADING: 'is loading its data',
  MASTERDOWN: 'is a replica without its master',
  READONLY: 'is a replica and takes no writes',
  NOAUTH: 'asks for a password: put user and password into the URL',
  WRONGPASS: 'refuses the user or the password of the URL',
  BUSY: 'is busy with a script',
  MISCONF: 'cannot write to its disk',
  CLUSTERDOWN: 'belongs to a cluster that is down',
  MOVED: 'does not hold this log in its cluster',
  CROSSSLOT:
    'would spread this log over its cluster: give the name a hash tag, as in ?stream={events}',
  NOREPLICAS: 'has too few replicas',
  WRONGTYPE: 'has another type of value under one of the keys of the log',
};

/** As an ACL rule: `+config|get` of "no permissions to run the 'config|get' command". */
function rightNamedIn(message: string): string {
  const command = /'([^']+)' command/.exec(message)?.[1];
  return command === undefined ? `what it refuses: ${message}` : `+${command}`;
}
