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
  return unavailable(`Kafka at ${shown} cannot be reached: ${deepestMessage(error)}`, reason);
}

/**
 * To a start: who is not let in, or not to what it needs, has a `conflict`, since
 * waiting mends nothing. Under a running hub it may be changed, and change back.
 */
export function refusedEntry(reason: unknown): unknown {
  if (!(reason instanceof HubError) || reason.code !== 'unavailable') return reason;
  const code = protocolCodeOf(reason);
  if (code === undefined || !entryRefusals.has(code)) return reason;
  return new HubError('conflict', reason.message, { cause: reason.cause });
}

/** Kafka's own name of it, such as `NOT_ENOUGH_REPLICAS`. */
export function protocolCodeOf(reason: unknown): string | undefined {
  const found = new Set<unknown>();
  for (const error of errorsIn(reason)) if ('apiId' in error) found.add(error.apiId);
  return knownCodes.find((code) => found.has(code));
}

/** Itself, those that it gathers, and their causes. */
export function* errorsIn(reason: unknown): Generator<Error> {
  if (!(reason instanceof Error)) return;
  yield reason;
  if (reason instanceof AggregateError) for (const error of reason.errors) yield* errorsIn(error);
  yield* errorsIn(reason.cause);
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

/** A user's later events would not follow the earlier ones. */
export function grown(shown: string, before: number, now: number): HubError {
  return unavailable(
    `${shown} has ${now} partitions now, and had ${before}: run \`event-hub log adopt\`, then start every hub process again`,
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
  COORDINATOR_LOAD_IN_PROGRESS: 'is not ready to take producers yet',
  TOPIC_AUTHORIZATION_FAILED: 'does not allow this user what the hub needs on the topic',
  CLUSTER_AUTHORIZATION_FAILED:
    'does not allow this user to make the topic, or to see the settings of its brokers',
  GROUP_AUTHORIZATION_FAILED: 'does not allow this user the group of the hub',
  MESSAGE_TOO_LARGE: 'takes no batches of this size: raise max.message.bytes of the topic',
  RECORD_LIST_TOO_LARGE: 'takes no batches of this size: raise max.message.bytes of the topic',
  KAFKA_STORAGE_ERROR: 'cannot write to its disk',
  REQUEST_TIMED_OUT: 'did not answer in time',
  INVALID_TOPIC_EXCEPTION: 'has no topic of this name',
  POLICY_VIOLATION: 'does not allow such a topic',
  SASL_AUTHENTICATION_FAILED: 'refuses the user or the password of the URL',
  ILLEGAL_SASL_STATE:
    'takes no user here, and the URL has one: leave it out, or name the port for SASL',
  UNSUPPORTED_SASL_MECHANISM: 'does not take the mechanism of ?sasl=',
};

/** Answers to what the URL says of the hub, and to what its user lacks. */
const entryRefusals: ReadonlySet<string> = new Set([
  'SASL_AUTHENTICATION_FAILED',
  'ILLEGAL_SASL_STATE',
  'UNSUPPORTED_SASL_MECHANISM',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
]);

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
