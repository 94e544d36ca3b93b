import { yieldTurn } from '../base/clock.ts';
import { HubError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { eventBytes } from '../event/event-bytes.ts';
import { decorated } from './decorated.ts';
import type { Appended, AppendGroup, EventLog } from './event-log.ts';

export interface GroupCommitOptions {
  /** Commits under way at once: with two, the engine works on one while the answers to the other go out. */
  readonly commitsMax: number;
  readonly queueEventsMax: number;
  readonly queueBytesMax: number;
  /** Calls join one commit up to this many events and bytes. */
  readonly commitEventsMax: number;
  readonly commitBytesMax: number;
}

export const groupCommitDefaults: GroupCommitOptions = {
  commitsMax: 2,
  queueEventsMax: limits.appendQueueEvents,
  queueBytesMax: limits.appendQueueBytes,
  commitEventsMax: limits.commitEvents,
  commitBytesMax: limits.commitBytes,
};

export interface GroupCommitLog extends EventLog {
  /** Events that are accepted and wait for a commit. */
  waitingEvents(): number;
}

interface Call {
  readonly groups: readonly AppendGroup[];
  readonly events: number;
  readonly bytes: number;
  readonly resolve: (outcome: readonly (readonly Appended[])[]) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Makes calls of `append` that arrive while a commit runs share the next one:
 * the cost of reaching the disk is paid once for all of them. The queue is
 * bounded; a full one answers `overloaded`, which means surely not stored.
 */
export function withGroupCommit(
  log: EventLog,
  options: GroupCommitOptions = groupCommitDefaults,
): GroupCommitLog {
  const queue = new CommitQueue(log, options);
  return decorated(log, {
    append: (groups: readonly AppendGroup[]) => queue.append(groups),
    waitingEvents: () => queue.waitingEvents,
    close: async () => {
      await queue.drained();
      await log.close();
    },
  });
}

class CommitQueue {
  readonly #log: EventLog;
  readonly #options: GroupCommitOptions;
  #waiting: Call[] = [];
  #waitingEvents = 0;
  #waitingBytes = 0;
  #commits = 0;
  #scheduled = false;
  #drained: (() => void)[] = [];

  constructor(log: EventLog, options: GroupCommitOptions) {
    this.#log = log;
    this.#options = options;
  }

  get waitingEvents(): number {
    return this.#waitingEvents;
  }

  append(groups: readonly AppendGroup[]): Promise<readonly (readonly Appended[])[]> {
    const events = groups.reduce((sum, group) => sum + group.events.length, 0);
    const bytes = groups.reduce((sum, group) => sum + bytesOf(group), 0);
    const { queueEventsMax, queueBytesMax } = this.#options;
    if (
      this.#waitingEvents > 0 &&
      (this.#waitingEvents + events > queueEventsMax || this.#waitingBytes + bytes > queueBytesMax)
    ) {
      return Promise.reject(
        new HubError(
          'overloaded',
          'more events wait for the log than it may hold; none of these was stored',
          {
            retryAfterS: 1,
          },
        ),
      );
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ groups, events, bytes, resolve, reject });
      this.#waitingEvents += events;
      this.#waitingBytes += bytes;
      this.#schedule();
    });
  }

  /** Resolves when nothing waits and no commit is under way. */
  async drained(): Promise<void> {
    if (this.#waiting.length === 0 && this.#commits === 0) return;
    await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  /** Commits at the end of this turn, so that all that arrived in it goes together. */
  #schedule(): void {
    if (this.#scheduled || this.#commits >= this.#options.commitsMax) return;
    this.#scheduled = true;
    void yieldTurn().then(() => {
      this.#scheduled = false;
      while (this.#waiting.length > 0 && this.#commits < this.#options.commitsMax) {
        void this.#commit(this.#take());
      }
    });
  }

  #take(): readonly Call[] {
    const { commitEventsMax, commitBytesMax } = this.#options;
    let events = 0;
    let bytes = 0;
    let count = 0;
    for (const call of this.#waiting) {
      events += call.events;
      bytes += call.bytes;
      if (count > 0 && (events > commitEventsMax || bytes > commitBytesMax)) break;
      count += 1;
    }
    const calls = this.#waiting.splice(0, count);
    for (const call of calls) {
      this.#waitingEvents -= call.events;
      this.#waitingBytes -= call.bytes;
    }
    return calls;
  }

  async #commit(calls: readonly Call[]): Promise<void> {
    this.#commits += 1;
    try {
      await this.#appendTogether(calls);
    } finally {
      this.#commits -= 1;
      if (this.#waiting.length > 0) this.#schedule();
      else if (this.#commits === 0) for (const done of this.#drained.splice(0)) done();
    }
  }

  async #appendTogether(calls: readonly Call[]): Promise<void> {
    try {
      const outcomes = await this.#log.append(calls.flatMap((call) => call.groups));
      let start = 0;
      for (const call of calls) {
        const end = start + call.groups.length;
        call.resolve(outcomes.slice(start, end));
        start = end;
      }
    } catch (reason) {
      if (calls.length > 1 && !isEngineFault(reason)) await this.#appendApart(calls);
      else for (const call of calls) call.reject(reason);
    }
  }

  /** One caller's fault must not fail a stranger: each call gets an append of its own. */
  async #appendApart(calls: readonly Call[]): Promise<void> {
    for (const call of calls) await this.#appendTogether([call]);
  }
}

function isEngineFault(reason: unknown): boolean {
  return (
    reason instanceof HubError && (reason.code === 'unavailable' || reason.code === 'overloaded')
  );
}

function bytesOf(group: AppendGroup): number {
  let bytes = 0;
  for (const event of group.events) bytes += eventBytes(event);
  return bytes;
}
