import { eventBytes } from '../event/event-bytes.ts';
import type { LogEntry, UnreadableEntry } from '../log/event-log.ts';

/** Part of the log, in order: what could be read, and what could not. */
export interface LogBatch {
  readonly entries: readonly LogEntry[];
  readonly unreadable: readonly UnreadableEntry[];
}

/**
 * What was read ahead and waits to be applied: bounded, and given out whole, so
 * that the more waits, the more is applied at once.
 */
export class BatchQueue {
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  #entries: LogEntry[] = [];
  #unreadable: UnreadableEntry[] = [];
  #bytes = 0;
  #end: { readonly reason: unknown } | undefined;
  #wakes: (() => void)[] = [];

  constructor(entriesMax: number, bytesMax: number) {
    this.#entriesMax = entriesMax;
    this.#bytesMax = bytesMax;
  }

  get size(): number {
    return this.#entries.length + this.#unreadable.length;
  }

  /** The oldest entry that waits. */
  get oldest(): LogEntry | undefined {
    return this.#entries[0];
  }

  /** Resolves when there is room for more, or nobody takes any. */
  async put({ entries, unreadable }: LogBatch): Promise<void> {
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#bytes += eventBytes(entry.event);
    }
    for (const entry of unreadable) {
      this.#unreadable.push(entry);
      this.#bytes += 2 * entry.raw.length;
    }
    this.#wake();
    while (this.#isFull() && this.#end === undefined) await this.#change();
  }

  /** Nothing more comes, for this reason; undefined when that is as it should be. */
  end(reason?: unknown): void {
    this.#end ??= { reason };
    this.#wake();
  }

  /** All that waits, once there is something; undefined at the end. Rejects with the reason of the end. */
  async take(): Promise<LogBatch | undefined> {
    while (this.#isEmpty() && this.#end === undefined) await this.#change();
    if (this.#isEmpty()) {
      if (this.#end?.reason !== undefined) throw this.#end.reason;
      return undefined;
    }
    const batch = { entries: this.#entries, unreadable: this.#unreadable };
    this.#entries = [];
    this.#unreadable = [];
    this.#bytes = 0;
    this.#wake();
    return batch;
  }

  #isEmpty(): boolean {
    return this.size === 0;
  }

  #isFull(): boolean {
    return this.size >= this.#entriesMax || this.#bytes >= this.#bytesMax;
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => this.#wakes.push(resolve));
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }
}
