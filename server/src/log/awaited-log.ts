import { Backoff } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { HubError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { EventLog, LogEntry, ReadOptions } from './event-log.ts';

/**
 * Opens a log that may be away: then this resolves all the same, every call
 * rejects with `unavailable`, and it is opened as soon as it is there. What is
 * refused rejects here, or at every call when that turns out only later.
 */
export async function openAwaited(open: () => Promise<EventLog>, clock: Clock): Promise<EventLog> {
  try {
    return await open();
  } catch (reason) {
    const fault = HubError.from(reason);
    if (fault.code !== 'unavailable') throw reason;
    return logOf(new Awaited(open, clock, fault));
  }
}

function logOf(awaited: Awaited): EventLog {
  return {
    append: async (groups) => await awaited.log.append(groups),
    read: (options) => readAwaited(awaited, options),
    trim: async (archived) => await awaited.log.trim(archived),
    trimmedTo: async (shard) => await awaited.log.trimmedTo(shard),
    end: async () => await awaited.log.end(),
    shards: async () => await awaited.log.shards(),
    placesIn: (position) => awaited.log.placesIn(position),
    resumeAt: async (position) => await awaited.log.resumeAt(position),
    ownPlace: (place) => awaited.log.ownPlace(place),
    positionAt: (places) => awaited.log.positionAt(places),
    countAt: (position) => awaited.log.countAt(position),
    isPosition: (text): text is never => awaited.log.isPosition(text),
    check: async () => await awaited.log.check(),
    close: () => awaited.close(),
  };
}

async function* readAwaited(
  awaited: Awaited,
  options: ReadOptions,
): AsyncGenerator<readonly LogEntry[]> {
  yield* awaited.log.read(options);
}

class Awaited {
  readonly #closing = new AbortController();
  readonly #opening: Promise<void>;
  #log: EventLog | undefined;
  #fault: HubError;

  constructor(open: () => Promise<EventLog>, clock: Clock, fault: HubError) {
    this.#fault = fault;
    this.#opening = this.#open(open, clock);
  }

  /** Throws the reason while there is none. */
  get log(): EventLog {
    if (this.#log === undefined) throw this.#fault;
    return this.#log;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#opening;
    await this.#log?.close();
  }

  async #open(open: () => Promise<EventLog>, clock: Clock): Promise<void> {
    const { signal } = this.#closing;
    const backoff = new Backoff(limits.retryFirstMs, limits.retryMaxMs);
    while (this.#log === undefined && this.#fault.code === 'unavailable' && !signal.aborted) {
      await clock.sleep(backoff.next(), signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        this.#log = await open();
      } catch (reason) {
        this.#fault = HubError.from(reason);
      }
    }
  }
}
