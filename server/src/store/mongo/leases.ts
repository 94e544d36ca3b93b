import type { Binary, ClientSession } from 'mongodb';
import { HubError } from '../../base/errors.ts';
import { type Lease, leasePrefixes } from '../event-store.ts';
import type { Collections, LeaseDocument } from './collections.ts';
import { migrations } from './migrations.ts';
import type { MongoConnection } from './mongo-connection.ts';
import { isDuplicateKey } from './mongo-fault.ts';
import { endSession, type Transactions } from './transactions.ts';

/** Leases on MongoDB's own clock. */
export class Leases {
  readonly #connection: MongoConnection;
  readonly #transactions: Transactions;

  constructor(connection: MongoConnection, transactions: Transactions) {
    this.#connection = connection;
    this.#transactions = transactions;
  }

  acquire(name: string, holder: string, ttlMs: number): Promise<Lease | undefined> {
    return this.#connection.use(async ({ leases }) => {
      await this.#transactions.endLeftOpen();
      const ended = await this.#endLeftOpen(name, holder);
      const take = () =>
        leases.findOneAndUpdate({ _id: name }, this.#taking(holder, ttlMs, ended), {
          upsert: true,
          returnDocument: 'after',
        });
      const lease = await take().catch((reason) => {
        // Two made the first one at once: now it is there for both.
        if (isDuplicateKey(reason)) return take();
        throw reason;
      });
      if (lease === null || lease.holder !== holder) return undefined;
      return { name, holder, epoch: lease.epoch };
    });
  }

  async release({ name, holder, epoch }: Lease): Promise<void> {
    await this.#connection.use(({ leases }) =>
      // Given back, it leaves nothing open: whoever takes it has no session to end.
      leases.updateOne({ _id: name, holder, epoch }, [
        { $set: { expires_at: '$$NOW' } },
        { $unset: 'session' },
      ]),
    );
  }

  /** Of those that have not run out. */
  async names(prefix: string): Promise<readonly string[]> {
    return await this.#connection.use(async ({ leases }) => {
      const found = await leases
        .find({ _id: startingWith(prefix), $expr: { $gt: ['$expires_at', '$$NOW'] } })
        .toArray();
      return found.map(({ _id }) => _id);
    });
  }

  /** For a lease that nobody will ask for again. */
  async remove({ name, holder, epoch }: Lease): Promise<void> {
    await this.#connection.use(({ leases }) => leases.deleteOne({ _id: name, holder, epoch }));
  }

  /**
   * In one step: free or ours, then ours; else as it was. A free one gets a new epoch. One that
   * ran out since it was looked at is not free yet: to write it would wait for what is left open.
   */
  #taking(holder: string, ttlMs: number, ended: Binary | undefined) {
    const { sessionId } = this.#transactions;
    const closed = [sessionId, ...(ended === undefined ? [] : [ended])];
    const isFree = {
      $and: [
        { $lte: [{ $ifNull: ['$expires_at', '$$NOW'] }, '$$NOW'] },
        { $in: [{ $ifNull: ['$session', { $literal: sessionId }] }, { $literal: closed }] },
      ],
    };
    const epoch = { $ifNull: ['$epoch', 0] };
    const ours = {
      _id: '$_id',
      holder: { $literal: holder },
      epoch: { $cond: [isFree, { $add: [epoch, 1] }, epoch] },
      expires_at: { $add: ['$$NOW', ttlMs] },
      schema_version: { $literal: migrations.length },
      session: { $literal: sessionId },
    };
    const isOurs = { $or: [isFree, { $eq: ['$holder', { $literal: holder }] }] };
    return [{ $replaceWith: { $cond: [isOurs, ours, '$$ROOT'] } }];
  }

  /**
   * A holder that was frozen or killed in the middle of a transaction keeps
   * what that touched locked for up to a minute. Whoever is about to take its
   * lease ends that transaction first: it was not committed, and never will be.
   * The answer is the session that it was in.
   */
  async #endLeftOpen(name: string, holder: string): Promise<Binary | undefined> {
    const { sessionId } = this.#transactions;
    const left = await this.#connection.collections.leases.findOne(
      {
        _id: name,
        session: { $exists: true, $ne: sessionId },
        $expr: {
          $or: [{ $lte: ['$expires_at', '$$NOW'] }, { $eq: ['$holder', { $literal: holder }] }],
        },
      },
      { projection: { session: 1 } },
    );
    if (left?.session === undefined) return undefined;
    await endSession(this.#connection, left.session);
    return left.session;
  }
}

/**
 * Rejects with `conflict` unless the lease is still held. Writes to it, so that
 * this transaction and one who takes it over cannot both succeed.
 */
export async function assertLease(
  { leases }: Collections,
  { name, holder, epoch }: Lease,
  session: ClientSession,
): Promise<void> {
  const held = await leases.updateOne(
    { _id: name, holder, epoch, $expr: { $gt: ['$expires_at', '$$NOW'] } },
    { $inc: { transactions: 1 } },
    { session },
  );
  if (held.matchedCount === 0) {
    throw new HubError('conflict', `the lease ${name} is not held any more`);
  }
}

/** Of names, which hold no character above `~`. */
export function startingWith(prefix: string) {
  return { $gte: prefix, $lt: `${prefix}~` };
}

/** Those that have not run out. */
export async function liveLeases({ leases }: Collections): Promise<readonly LeaseDocument[]> {
  return await leases.find({ $expr: { $gt: ['$expires_at', '$$NOW'] } }).toArray();
}

export function isProcessLease({ _id }: LeaseDocument): boolean {
  return _id.startsWith(leasePrefixes.process);
}

/**
 * Whether somebody works on the database as long as it is held: a hub, or a
 * command that reads the log in its place. Other leases outlive a hub that was
 * killed by far more than it takes to be sure of that.
 */
export function isLeaseOfWork(lease: LeaseDocument): boolean {
  return isProcessLease(lease) || lease._id.startsWith(leasePrefixes.archive);
}
