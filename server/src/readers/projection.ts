import { Backoff } from '../base/backoff.ts';
import type { Clock, Instant } from '../base/clock.ts';
import { HubError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/logger.ts';
import { repeatUntilAborted } from '../base/repeat-until-aborted.ts';
import { within } from '../base/within.ts';
import type { EventLog, Position, UnreadableEntry } from '../log/event-log.ts';
import type { EventStore, Lease } from '../store/event-store.ts';
import { BatchQueue, type LogBatch } from './batch-queue.ts';
import { giveBackLease } from './give-back-lease.ts';

/** What follows the log and keeps its position beside its effect. */
export interface Projection {
  /** Also the name of the lease: of all processes one applies at a time. */
  readonly name: string;
  /** What it reads of the log. */
  readonly shard: string;
  /** Where to read on. Rejects with `position_gone`, naming what to do, when the log does not go on there. */
  position(): Promise<Position | undefined>;
  /**
   * Effect and position in one transaction, fenced by the lease: rejects with
   * `conflict` once that is lost. After any rejection the log is read anew from
   * `position`.
   */
  apply(batch: LogBatch, lease: Lease): Promise<void>;
  /** Called now and then while the lease is held; never rejects. */
  tend(): Promise<void>;
}

/** Whether a process may do this beside what else it does. */
export interface Turn {
  mayBegin(): boolean;
  /** Answers false when it may not after all. */
  begin(): boolean;
  /** It is to be left to another process. */
  mustEnd(): boolean;
  end(): void;
}

export interface ProjectionDeps {
  readonly projection: Projection;
  readonly log: Pick<EventLog, 'read'>;
  readonly store: Pick<EventStore, 'acquireLease' | 'releaseLease'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Random, one per process. */
  readonly holder: string;
  /** Where a process may do only so much; always when absent. */
  readonly turn?: Turn;
}

const always: Turn = {
  mayBegin: () => true,
  begin: () => true,
  mustEnd: () => false,
  end: () => undefined,
};

/**
 * Runs a projection wherever it is this process's turn: takes the lease, reads
 * on, applies; begins again after every failure, for ever. The next part of the
 * log is read while one is applied.
 */
export class ProjectionRunner {
  readonly #deps: ProjectionDeps;
  readonly #turn: Turn;
  readonly #stopping = new AbortController();
  readonly #backoff = new Backoff(limits.retryFirstMs, limits.retryMaxMs);
  #done: Promise<void> = Promise.resolve();
  #isActive = false;
  #fault: HubError | undefined;
  #queue: BatchQueue | undefined;
  #applying: Instant | undefined;
  #applyingEntries = 0;

  constructor(deps: ProjectionDeps) {
    this.#deps = deps;
    this.#turn = deps.turn ?? always;
  }

  /** This process holds the lease. */
  get isActive(): boolean {
    return this.#isActive;
  }

  /** Why it does not go on by itself. */
  get fault(): HubError | undefined {
    return this.#fault;
  }

  /** When the hub took the oldest entry that was read and is not applied. */
  get oldestWaiting(): Instant | undefined {
    return this.#applying ?? this.#queue?.oldest?.event.receivedAt;
  }

  /** Entries that were read and are not applied. */
  get waitingEntries(): number {
    return this.#applyingEntries + (this.#queue?.size ?? 0);
  }

  start(): void {
    const { signal } = this.#stopping;
    this.#done = repeatUntilAborted(signal, this.#deps.clock, () => this.#takeTurn());
  }

  /** What is being applied is finished first, and the lease given back. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  /** Reads for as long as it may; milliseconds to wait before it asks again. */
  async #takeTurn(): Promise<number> {
    try {
      if (this.#turn.mayBegin()) await this.#tryHold();
      return limits.leaseRetryMs;
    } catch (reason) {
      return this.#waitAfter(HubError.from(reason));
    }
  }

  async #tryHold(): Promise<void> {
    const { projection, store, holder } = this.#deps;
    const lease = await store.acquireLease(projection.name, holder, limits.leaseTtlMs);
    if (lease === undefined) {
      // Another process gets on with it, or says why it does not.
      this.#fault = undefined;
      return;
    }
    try {
      if (this.#turn.begin()) await this.#hold(lease);
    } finally {
      this.#turn.end();
      await giveBackLease(this.#deps, lease);
    }
  }

  async #hold(lease: Lease): Promise<void> {
    const { logger } = this.#deps;
    const ended = new AbortController();
    const signal = AbortSignal.any([this.#stopping.signal, ended.signal]);
    const renewing = this.#renew(lease, signal, ended);
    try {
      await this.#follow(lease, signal);
    } finally {
      if (this.#isActive) logger.info({ lease: lease.name, epoch: lease.epoch }, 'ended reading');
      this.#isActive = false;
      ended.abort();
      await renewing;
    }
  }

  async #renew(lease: Lease, signal: AbortSignal, ended: AbortController): Promise<void> {
    const { projection, store, clock, logger, holder } = this.#deps;
    let tending: Promise<void> | undefined;
    for (;;) {
      await clock.sleep(limits.leaseRenewMs, signal).catch(() => undefined);
      if (signal.aborted) return await this.#awaitTending(tending);
      if (this.#turn.mustEnd()) {
        // At once, so that not every shard of this process is left when one is enough.
        this.#turn.end();
        ended.abort();
        return;
      }
      try {
        const kept = await store.acquireLease(lease.name, holder, limits.leaseTtlMs);
        if (kept?.epoch !== lease.epoch) {
          ended.abort();
          return;
        }
        // However long that takes, the lease is renewed meanwhile.
        tending ??= projection.tend().finally(() => {
          tending = undefined;
        });
      } catch (reason) {
        // Until it runs out the lease holds; then what is applied under it is refused.
        logger.debug({ err: reason, lease: lease.name }, 'a lease could not be renewed now');
      }
    }
  }

  async #awaitTending(tending: Promise<void> | undefined): Promise<void> {
    if (tending === undefined) return;
    const late = within(this.#deps.clock, limits.retryMaxMs, tending, 'still tending');
    await late.catch(() => undefined);
  }

  async #follow(lease: Lease, signal: AbortSignal): Promise<void> {
    const { projection, logger } = this.#deps;
    const from = (await projection.position()) ?? 'start';
    this.#fault = undefined;
    this.#isActive = true;
    logger.info({ lease: lease.name, epoch: lease.epoch, from }, 'reads the log');
    const queue = new BatchQueue(limits.archiveEntries, limits.archiveBytes);
    this.#queue = queue;
    const reading = new AbortController();
    const filled = this.#fill(queue, from, AbortSignal.any([signal, reading.signal]));
    try {
      for (;;) {
        const batch = await queue.take();
        if (batch === undefined || signal.aborted) return;
        this.#applying = batch.entries[0]?.event.receivedAt;
        this.#applyingEntries = batch.entries.length + batch.unreadable.length;
        await projection.apply(batch, lease);
        this.#applying = undefined;
        this.#applyingEntries = 0;
        this.#backoff.reset();
      }
    } finally {
      queue.end();
      reading.abort();
      await filled;
      this.#applying = undefined;
      this.#applyingEntries = 0;
      this.#queue = undefined;
    }
  }

  /** Reads ahead until the signal aborts or the log fails, which ends the queue. */
  async #fill(queue: BatchQueue, from: Position | 'start', signal: AbortSignal): Promise<void> {
    let unreadable: UnreadableEntry[] = [];
    try {
      const read = this.#deps.log.read({
        from,
        shard: this.#deps.projection.shard,
        follow: true,
        limit: limits.archiveReadEntries,
        signal,
        unreadable: (entry) => unreadable.push(entry),
      });
      for await (const entries of read) {
        const batch = { entries, unreadable };
        unreadable = [];
        await queue.put(batch);
        if (signal.aborted) break;
      }
      queue.end();
    } catch (reason) {
      queue.end(reason);
    }
  }

  /** Milliseconds. Said once for each way in which it fails. */
  #waitAfter(fault: HubError): number {
    const { logger, projection } = this.#deps;
    const isStopped = fault.code === 'position_gone';
    if (isStopped) {
      if (this.#fault === undefined) logger.error({ lease: projection.name }, fault.message);
      this.#fault = fault;
      return limits.continuityEveryMs;
    }
    const waitMs = this.#backoff.next();
    if (fault.code === 'conflict') {
      logger.warn({ lease: projection.name }, fault.message);
    } else if (waitMs === limits.retryFirstMs) {
      logger.warn({ err: fault, cause: fault.cause }, `${projection.name} fails and tries again`);
    }
    return waitMs;
  }
}
