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

/** Of a snapshot: taken while a collection was made, or too old. Another one is as good. */
const snapshotCodes: ReadonlySet<number | undefined> = new Set([239, 246]);
const snapshotTries = 5;
const pauseMs = 10;
const pauseMaxMs = 200;

/**
 * Transactions of one store, one at a time, all in one session: the server
 * then ends by itself what an earlier one left open when its connection was
 * lost, and another process can end it by the session's id.
 */
export class Transactions {
  readonly #connection: MongoConnection;
  readonly #clock: Clock;
  #session: ClientSession | undefined;
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

  async #tryUntilDone<T>(work: (session: ClientSession) => Promise<T>): Promise<T> {
    const session = this.#openSession();
    for (let tries = 1; ; tries += 1) {
      try {
        session.startTransaction(options);
        const result = await work(session);
        await commit(session);
        return result;
      } catch (reason) {
        if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
        const isLast = tries >= limits.mongoTransactionTries || !this.#connection.isUp;
        if (isLast || !(hasLabel(reason, 'TransientTransactionError') || isDuplicateKey(reason))) {
          throw reason;
        }
      }
      await this.#clock.sleep(randomInt(1, Math.min(tries * pauseMs, pauseMaxMs) + 1));
    }
  }

  #openSession(): ClientSession {
    this.#session ??= this.#connection.client.startSession({ causalConsistency: false });
    return this.#session;
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
