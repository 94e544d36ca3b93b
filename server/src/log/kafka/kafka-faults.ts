import { findErrorBy } from '@platformatic/kafka';
import { HubError } from '../../base/errors.ts';

/** When a client may try again, in seconds. */
const retryAfterS = 2;

/** What a failure of Kafka, or its silence, means to a caller: what was sent may be stored. */
export function kafkaFault(reason: unknown, shown: string): HubError {
  if (reason instanceof HubError) return reason;
  const error = reason instanceof Error ? reason : new Error(String(reason));
  const code = protocolCodeOf(error);
  const meaning = code === undefined ? undefined : meanings[code];
  if (meaning !== undefined) return unavailable(`Kafka at ${shown} ${meaning} (${code})`, reason);
  if (findErrorBy(error, 'code', 'PLT_KFK_AUTHENTICATION') !== null) {
    return unavailable(`Kafka at ${shown} refuses the user or the password of the URL`, reason);
  }
  return unavailable(`Kafka at ${shown} cannot be reached: ${deepestMessage(error)}`, reason);
}

/** Kafka's own name of it, such as `NOT_ENOUGH_REPLICAS`. */
export function protocolCodeOf(reason: unknown): string | undefined {
  if (!(reason instanceof Error)) return undefined;
  for (const code of knownCodes) {
    if (findErrorBy(reason, 'apiId', code) !== null) return code;
  }
  return undefined;
}

export function unavailable(message: string, cause?: unknown): HubError {
  return new HubError('unavailable', message, { retryAfterS, cause });
}

/** The log is not the one that this process has read or written. */
export function replaced(shown: string): HubError {
  return unavailable(
    `the topic at ${shown} is not the one that it was: it was deleted and made again. Run \`event-hub log adopt\`, then start the hub again`,
  );
}

/** What the topic holds is not the hub's. */
export function foreign(found: string, shown: string): HubError {
  return new HubError(
    'conflict',
    `${shown} has ${found}, which no hub wrote: choose another topic in EVENT_HUB_LOG (kafka://HOST:9092/TOPIC), or remove it`,
  );
}

const meanings: Readonly<Record<string, string>> = {
  NOT_ENOUGH_REPLICAS: 'has too few replicas in sync for a durable answer',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 'lost replicas while it wrote',
  LEADER_NOT_AVAILABLE: 'has no leader for a partition',
  NOT_LEADER_OR_FOLLOWER: 'moves a partition to another broker',
  TOPIC_AUTHORIZATION_FAILED: 'does not allow this user what the hub needs on the topic',
  CLUSTER_AUTHORIZATION_FAILED: 'does not allow this user idempotent writes',
  GROUP_AUTHORIZATION_FAILED: 'does not allow this user the group of the hub',
  MESSAGE_TOO_LARGE: 'takes no batches of this size: raise max.message.bytes of the topic',
  RECORD_LIST_TOO_LARGE: 'takes no batches of this size: raise max.message.bytes of the topic',
  KAFKA_STORAGE_ERROR: 'cannot write to its disk',
  REQUEST_TIMED_OUT: 'did not answer in time',
  INVALID_TOPIC_EXCEPTION: 'has no topic of this name',
  POLICY_VIOLATION: 'does not allow such a topic',
};

/** What is acted upon besides. */
const knownCodes: readonly string[] = [
  ...Object.keys(meanings),
  'UNKNOWN_TOPIC_ID',
  'INCONSISTENT_TOPIC_ID',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'OFFSET_OUT_OF_RANGE',
  'TOPIC_ALREADY_EXISTS',
  'UNKNOWN_MEMBER_ID',
];

function deepestMessage(error: Error): string {
  const within =
    error instanceof AggregateError && error.errors.length > 0 ? error.errors.at(-1) : error.cause;
  return within instanceof Error ? deepestMessage(within) : error.message;
}
