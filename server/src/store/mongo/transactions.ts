import { randomInt } from 'node:crypto';
import {
  type Binary,
  type ClientSession,
  MongoError,
  ReadConcern,
  type TransactionOptions,
} from 'mongodb';
import type { Clock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import { writeConcern } from './mongo-address.ts';
import type { MongoConnection } from './mongo-connection.ts';
import { codeOf, isDuplicateKey } from './mongo-fault.ts';

const options: TransactionOptions = {
  readConcern: new ReadConcern('snapshot'),
  writeConcern,
  readPreference: 'primary',
};

/** Of a snapshot: too old, or taken while a collection was made or a part of it moved to another shard. Another one is as good. */
const snapshotCodes: ReadonlySet<number | undefined> = new Set([
  239, // SnapshotTooOld
  246, // SnapshotUnavailable
  250, // StaleChunkHistory
  272, // MigrationConflict
]);
const snapshotTries = 5;
const pauseMs = 10;
const pauseMaxMs = 200;

/**
 * Transactions of one store, one at a time, all in one session as long as its
 * connections hold, so that another process can end by the session's id what
 * this one left open.
 */
export class Transactions {
  readonly #connection: MongoConnection;
  readonly #clock: Clock;
  #session: ClientSession | undefined;
  /** Sessions whose last transaction may still be open on the server: its end was lost with a connection. */
  readonly #leftOpen = new Set<Binary>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(connection: MongoConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  get sessionId(): Binary {
    const id = this.#openSession().id?.id;
    if (id === undefined) throw new Error('a session of its own has an id');
    return id;
  }

  /**
   * The work in a transaction that is durable when this resolves. It may run
   * several times: again when it met another transaction or a key that became
   * known since its snapshot.
   */
  run<T>(work: (session: ClientSession) => Promise<T>): Promise<T> {
    const done = this.#last.then(() => this.#tryUntilDone(work));
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** What is left open keeps all that it touched locked for up to a minute, the lease of its process as well. */
  async endLeftOpen(): Promise<void> {
    for (const id of this.#leftOpen) {
      await endSession(this.#connection, id);
      this.#leftOpen.delete(id);
    }
  }

  async #tryUntilDone<T>(work: (session: ClientSession) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      await this.endLeftOpen();
      const session = this.#openSession();
      try {
        session.startTransaction(options);
        const result = await work(session);
        await commit(session);
        return result;
      } catch (reason) {
        await this.#abort(session, reason);
        const isLast = tries >= limits.mongoTransactionTries || !this.#connection.isUp;
        if (isLast || !(hasLabel(reason, 'TransientTransactionError') || isDuplicateKey(reason))) {
          throw reason;
        }
      }
      await this.#clock.sleep(randomInt(1, Math.min(tries * pauseMs, pauseMaxMs) + 1));
    }
  }

  /** The driver does not tell when an abort is lost: any loss on the way is taken for one. */
  async #abort(session: ClientSession, reason: unknown): Promise<void> {
    if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
    const id = session.id?.id;
    if (id === undefined || codeOf(reason) !== undefined) return;
    this.#leftOpen.add(id);
    this.#session = undefined;
    await session.endSession().catch(() => undefined);
  }

  #openSession(): ClientSession {
    this.#session ??= this.#connection.client.startSession({ causalConsistency: false });
    return this.#session;
  }
}

/** With the transaction that is open in it, if any. Rejects when MongoDB cannot be reached. */
export async function endSession({ database }: MongoConnection, id: Binary): Promise<void> {
  try {
    await database.command({ killSessions: [{ id }] });
  } catch (reason) {
    // Not allowed to this user: the server itself ends the transaction after a minute.
    if (codeOf(reason) === undefined) throw reason;
  }
}

/** The reads of one moment. They need `inSnapshot` as their option `readConcern`. */
export async function readSnapshot<T>(
  { client }: MongoConnection,
  read: (session: ClientSession) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const session = client.startSession({ snapshot: true });
    try {
      return await read(session);
    } catch (reason) {
      if (tries >= snapshotTries || !snapshotCodes.has(codeOf(reason))) throw reason;
    } finally {
      await session.endSession();
    }
  }
}

/** In place of the client's own read concern, which a snapshot does not allow. */
export const inSnapshot = { level: 'snapshot' } as const;

/** Only the commit is asked for again: what it did is unknown, and it is done once. */
async function commit(session: ClientSession): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await session.commitTransaction();
      return;
    } catch (reason) {
      if (tries >= limits.mongoCommitTries || !hasLabel(reason, 'UnknownTransactionCommitResult')) {
        throw reason;
      }
    }
  }
}

function hasLabel(reason: unknown, label: string): boolean {
  return reason instanceof MongoError && reason.hasErrorLabel(label);
}
