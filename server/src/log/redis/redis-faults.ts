import { ErrorReply } from '@redis/client';
import { HubError } from '../../base/errors.ts';
import type { LogKeys, RedisTarget } from './redis-target.ts';

/** When a client may try again, in seconds. */
const retryAfterS = 2;

/**
 * What an answer of Redis, or its absence, means to a caller. Only `overloaded`
 * says that surely nothing was written: Redis refuses a script that may write
 * before it starts when memory is short. Who is not let in, or not to what it
 * needs, has a `conflict`: waiting mends nothing.
 */
export function redisFault(
  reason: unknown,
  { shown, keys }: Pick<RedisTarget, 'shown' | 'keys'>,
): HubError {
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
  if (word === 'NOPERM') return missingRights(rightsNamedIn(message, keys), shown, reason);
  const entry = meaningIn(entryRefusals, message);
  if (entry !== undefined) {
    return new HubError('conflict', `Redis at ${shown} ${entry} (${message})`, { cause: reason });
  }
  const meaning = meaningIn(refusals, message);
  if (meaning !== undefined)
    return unavailable(`Redis at ${shown} ${meaning} (${message})`, reason);
  return HubError.from(reason);
}

/**
 * The same for who was let in before: a password may be changed under a running
 * hub, or a right be taken away, and come back. Then only the code is another.
 */
export function passing(reason: unknown): unknown {
  if (!(reason instanceof HubError) || reason.code !== 'conflict') return reason;
  return unavailable(reason.message, reason.cause);
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
    'conflict',
    `the user of Redis at ${shown} lacks rights that the hub needs: grant ${rights.join(' ')}`,
    { cause },
  );
}

/** What an answer says by how it begins. */
function meaningIn(meanings: Readonly<Record<string, string>>, message: string) {
  const begins = (begin: string) => message === begin || message.startsWith(`${begin} `);
  return Object.entries(meanings).find(([begin]) => begins(begin))?.[1];
}

/** Answers to what the URL says of the hub, and of where it wants to go. */
const entryRefusals: Readonly<Record<string, string>> = {
  NOAUTH: 'asks for a password: put user and password into the URL',
  WRONGPASS: 'refuses the user or the password of the URL',
  'ERR AUTH': 'has no password, and the URL has one: leave it out, or set requirepass',
  'ERR DB index': 'has no database of the number in the URL',
  // Newer ones name the right, after NOPERM.
  'ERR The user executing the script':
    'lets the user of the URL do less than the hub needs: `event-hub doctor` names the rights',
  DENIED: 'takes nobody from another machine before it has a password: set requirepass',
};

/** Answers that say that nothing was done. */
const refusals: Readonly<Record<string, string>> = {
  LOADING: 'is loading its data',
  MASTERDOWN: 'is a replica without its master',
  READONLY: 'is a replica and takes no writes',
  BUSY: 'is busy with a script',
  MISCONF: 'cannot write to its disk',
  CLUSTERDOWN: 'belongs to a cluster that is down',
  MOVED: 'does not hold this log in its cluster',
  CROSSSLOT:
    'would spread this log over its cluster: give the name a hash tag, as in ?stream={events}',
  'ERR max number of clients reached': 'takes no more clients: raise maxclients',
  NOREPLICAS: 'has too few replicas',
  WRONGTYPE: 'has another type of value under one of the keys of the log',
};

/** As ACL rules: `+config|get` of "no permissions to run the 'config|get' command". Which key it was is never said. */
function rightsNamedIn(message: string, keys: LogKeys): readonly string[] {
  const command = /'([^']+)' command/.exec(message)?.[1];
  if (command !== undefined) return [`+${command}`];
  return /\bkeys?\b/.test(message) ? keyRules(keys) : [`what it refuses: ${message}`];
}

export function keyRules({ stream, hub, ids }: LogKeys): readonly string[] {
  return [`~${stream}`, `~${hub}`, `~${ids}`];
}
