import {
  MongoClientClosedError,
  MongoError,
  MongoExpiredSessionError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoServerError,
  MongoSystemError,
  MongoTopologyClosedError,
} from 'mongodb';
import { HubError } from '../../base/errors.ts';

/** By MongoDB's error_codes.yml: what passes without anybody changing the hub. */
const passingCodes = new Set([
  6, // HostUnreachable: of a router, from a shard
  7, // HostNotFound
  24, // LockTimeout
  50, // MaxTimeMSExpired
  64, // WriteConcernFailed: a majority did not have it in time
  79, // UnknownReplWriteConcern
  89, // NetworkTimeout
  91, // ShutdownInProgress
  100, // UnsatisfiableWriteConcern
  112, // WriteConflict
  133, // FailedToSatisfyReadPreference
  189, // PrimarySteppedDown
  202, // NetworkInterfaceExceededTimeLimit
  239, // SnapshotTooOld
  246, // SnapshotUnavailable
  249, // StaleDbVersion
  250, // StaleChunkHistory
  251, // NoSuchTransaction
  262, // ExceededTimeLimit
  272, // MigrationConflict
  290, // TransactionExceededLifetimeLimitSeconds
  10058, // LegacyNotPrimary
  10107, // NotWritablePrimary
  11600, // InterruptedAtShutdown
  11601, // Interrupted
  11602, // InterruptedDueToReplStateChange
  13388, // StaleConfig: a router that knows an older layout of the shards
  13435, // NotPrimaryNoSecondaryOk
  13436, // NotPrimaryOrSecondary
  14031, // OutOfDiskSpace
]);

const passingLabels = [
  'TransientTransactionError',
  'UnknownTransactionCommitResult',
  'RetryableWriteError',
  'ResetPool',
] as const;

const authenticationFailed = 18;
const unauthorized = 13;
const duplicateKey = 11000;

/** A fault of MongoDB as `unavailable`, with the reason; anything else is thrown on as it is. */
export function fromMongo(reason: unknown, place: string): unknown {
  if (reason instanceof HubError || !(reason instanceof MongoError)) return reason;
  if (codeOf(reason) === authenticationFailed) return passwordRefused(place, reason);
  if (isRefusedUser(reason)) {
    return unavailable(
      `MongoDB at ${place} does not let this user do that: give it the role "readWrite" on the database, or name another in EVENT_HUB_STORE`,
      reason,
    );
  }
  if (isPassing(reason))
    return unavailable(
      `MongoDB at ${place} does not answer as it should: the hub goes on by itself when it does`,
      reason,
    );
  return reason;
}

/** Of who was let in before: a password that is changed under a running hub may be changed back. */
export function passwordRefused(place: string, cause: unknown): HubError {
  return unavailable(
    `MongoDB at ${place} refuses the user or the password: give them back, or start the hub again with others in EVENT_HUB_STORE`,
    cause,
  );
}

export function unavailable(message: string, cause?: unknown): HubError {
  return new HubError('unavailable', message, { retryAfterS: 2, cause });
}

/** The user or its password is wrong, or may not do what the hub needs. */
export function isRefusedUser(reason: unknown): boolean {
  const code = codeOf(reason);
  return code === authenticationFailed || code === unauthorized;
}

export function isDuplicateKey(reason: unknown): boolean {
  return codeOf(reason) === duplicateKey;
}

export function codeOf(reason: unknown): number | undefined {
  return reason instanceof MongoServerError && typeof reason.code === 'number'
    ? reason.code
    : undefined;
}

function isPassing(reason: MongoError): boolean {
  const code = codeOf(reason);
  if (code !== undefined && passingCodes.has(code)) return true;
  if (passingLabels.some((label) => reason.hasErrorLabel(label))) return true;
  return (
    reason instanceof MongoClientClosedError ||
    reason instanceof MongoExpiredSessionError ||
    reason instanceof MongoNotConnectedError ||
    reason instanceof MongoTopologyClosedError ||
    reason instanceof MongoNetworkError ||
    reason instanceof MongoSystemError ||
    reason.name === 'MongoWaitQueueTimeoutError'
  );
}
