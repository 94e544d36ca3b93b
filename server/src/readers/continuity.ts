import type { Clock } from '../base/clock.ts';
import { HubError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/logger.ts';
import type { EventLog, Position } from '../log/event-log.ts';
import type { EventStore } from '../store/event-store.ts';

/**
 * Whether the log goes on where the store stands. Rejects with `position_gone`,
 * saying what to do, when it went backwards or removed what the store has not.
 */
export async function assertContinues(
  log: EventLog,
  shard: string,
  position: Position | undefined,
): Promise<void> {
  if (position === undefined) {
    if ((await log.trimmedTo(shard)) === undefined) return;
    throw broken('the store has read nothing yet, and the log has removed its oldest entries');
  }
  const looking = new AbortController();
  const { signal } = looking;
  const read = log.read({ from: position, shard, follow: false, limit: 1, signal });
  try {
    for await (const _ of read) break;
  } catch (reason) {
    const fault = HubError.from(reason);
    // A log of another kind does not even know the form of the position.
    if (fault.code !== 'position_gone' && fault.code !== 'invalid') throw reason;
    throw broken(`the log does not go on where the store stands (${fault.message})`);
  } finally {
    looking.abort();
  }
}

function broken(what: string): HubError {
  return new HubError(
    'position_gone',
    `${what}: it was restored, emptied or replaced, and nothing is read over the gap; bring the right log back, or take this one over with \`event-hub log adopt\``,
  );
}

export interface ContinuityDeps {
  readonly log: EventLog;
  readonly store: Pick<EventStore, 'positions'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The log or the store says that it must not be used: the process is to end. */
  readonly onRefused: (refusal: HubError) => void;
}

/** Looks now and then whether the log still is the one that the store was filled from. */
export class Continuity {
  readonly #deps: ContinuityDeps;
  readonly #stopping = new AbortController();
  #fault: HubError | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(deps: ContinuityDeps) {
    this.#deps = deps;
  }

  /** Why nothing must be appended now. */
  get fault(): HubError | undefined {
    return this.#fault;
  }

  /** Goes on after the first look. What cannot be looked at now is looked at later. */
  async start(): Promise<void> {
    await this.#look();
    this.#looking = this.#lookOn();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#looking;
  }

  async #lookOn(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#deps.clock.sleep(limits.continuityEveryMs, signal).catch(() => undefined);
      if (!signal.aborted) await this.#look();
    }
  }

  async #look(): Promise<void> {
    const { log, store, logger } = this.#deps;
    try {
      for (const shard of await log.shards()) await assertStoreContinues(log, store, shard);
      if (this.#fault !== undefined) logger.info('the log goes on where the store stands');
      this.#fault = undefined;
    } catch (reason) {
      const fault = HubError.from(reason);
      if (fault.code === 'conflict' || fault.code === 'not_found') this.#deps.onRefused(fault);
      if (fault.code !== 'position_gone') return;
      if (this.#fault === undefined) logger.error({ code: fault.code }, fault.message);
      this.#fault = fault;
    }
  }
}

/** The same for the place where the store stands now in a shard; it may move on, and the log be trimmed, while this looks. */
export async function assertStoreContinues(
  log: EventLog,
  store: Pick<EventStore, 'positions'>,
  shard: string,
): Promise<Position | undefined> {
  for (;;) {
    const position = (await store.positions()).get(shard);
    try {
      await assertContinues(log, shard, position);
      return position;
    } catch (reason) {
      if ((await store.positions()).get(shard) === position) throw reason;
    }
  }
}
