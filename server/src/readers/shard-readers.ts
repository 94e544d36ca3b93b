import { Backoff } from '../base/backoff.ts';
import type { Clock, Instant } from '../base/clock.ts';
import type { HubError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/logger.ts';
import type { Tracing } from '../base/tracing.ts';
import type { EventLog, Position } from '../log/event-log.ts';
import type { EventStore } from '../store/event-store.ts';
import { Archive, type ArchiveCounts } from './archive.ts';
import { ProjectionRunner } from './projection.ts';
import { ShardShare } from './shard-share.ts';

export interface ShardReadersDeps {
  /** The bare one: what the archive reads, the log itself must hold. */
  readonly log: EventLog;
  readonly store: EventStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Undefined where nothing is traced. */
  readonly tracing?: Tracing | undefined;
  /** Random, one per process. */
  readonly holder: string;
}

/** How far one shard is, that this process reads now. */
export interface ShardProgress {
  readonly shard: string;
  readonly archived: Position | undefined;
  /** Entries that were read and are not archived. */
  readonly waitingEntries: number;
}

interface ShardReader {
  readonly archive: Archive;
  readonly runner: ProjectionRunner;
}

/** The archive readers of this process, one for each shard of the log that it has its turn for. */
export class ShardReaders {
  readonly #deps: ShardReadersDeps;
  readonly #stopping = new AbortController();
  #readers: readonly ShardReader[] = [];
  #share: ShardShare | undefined;
  #starting: Promise<void> = Promise.resolve();

  constructor(deps: ShardReadersDeps) {
    this.#deps = deps;
  }

  /** Once the log can say which shards it has. */
  start(): void {
    this.#starting = this.#start();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#starting;
    await Promise.all(this.#readers.map(({ runner }) => runner.stop()));
    await this.#share?.stop();
  }

  /** Shards that this process reads now. */
  get active(): number {
    return this.#readers.filter(({ runner }) => runner.isActive).length;
  }

  /** Shards of the log; 0 before it was reached. */
  get shards(): number {
    return this.#readers.length;
  }

  /** Of those that this process reads now. */
  get progress(): readonly ShardProgress[] {
    return this.#readers
      .filter(({ runner }) => runner.isActive)
      .map(({ archive: { shard, archived }, runner: { waitingEntries } }) => ({
        shard,
        archived,
        waitingEntries,
      }));
  }

  /** Why one of them does not go on by itself. */
  get fault(): HubError | undefined {
    return this.#readers.find(({ runner }) => runner.fault !== undefined)?.runner.fault;
  }

  /** When the hub took the oldest entry that was read and is not archived. */
  get oldestWaiting(): Instant | undefined {
    return firstOf(this.#readers.map(({ runner }) => runner.oldestWaiting));
  }

  get counts(): ArchiveCounts {
    const sum = { recorded: 0, duplicates: 0, conflicts: 0, unreadable: 0 };
    for (const { archive } of this.#readers) {
      for (const name of Object.keys(sum) as (keyof ArchiveCounts)[]) {
        sum[name] += archive.counts[name];
      }
    }
    return sum;
  }

  /** By the archive's name: when something was archived last by this process. */
  get appliedAt(): ReadonlyMap<string, Instant> {
    const times = new Map<string, Instant>();
    for (const { archive } of this.#readers) {
      if (archive.appliedAt !== undefined) times.set(archive.name, archive.appliedAt);
    }
    return times;
  }

  async #start(): Promise<void> {
    const shards = await this.#shards();
    if (this.#stopping.signal.aborted) return;
    if (shards.length > 1) {
      this.#share = new ShardShare({ ...this.#deps, shards: shards.length });
      this.#share.start();
    }
    this.#readers = shards.map((shard) => {
      const archive = new Archive({ ...this.#deps, shard });
      const turn = this.#share?.turnOf(shard);
      const deps = { ...this.#deps, projection: archive, ...(turn === undefined ? {} : { turn }) };
      return { archive, runner: new ProjectionRunner(deps) };
    });
    for (const { runner } of this.#readers) runner.start();
  }

  async #shards(): Promise<readonly string[]> {
    const { log, clock } = this.#deps;
    const { signal } = this.#stopping;
    const backoff = new Backoff(limits.retryFirstMs, limits.retryMaxMs);
    while (!signal.aborted) {
      try {
        return await log.shards();
      } catch {
        await clock.sleep(backoff.next(), signal).catch(() => undefined);
      }
    }
    return [];
  }
}

function firstOf(instants: readonly (Instant | undefined)[]): Instant | undefined {
  const known = instants.filter((instant) => instant !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
