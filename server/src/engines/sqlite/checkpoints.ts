import type { ReaderProcedures } from './reader-thread.ts';
import type { Thread } from './thread.ts';
import type { WriterProcedures } from './writer-thread.ts';

/** Pages that one commit and one event add to the write-ahead log, roughly: measured with random users. */
const pagesPerCommit = 8;
const pagesPerEvent = 2;
/** The same of an event that retention removes: its row, its keys, and the record that stays. */
const pagesPerRemoved = 4;

/** A checkpoint is due after so many pages: 64 MiB. */
const checkpointPages = 16_384;

/**
 * Keeps the write-ahead log short without making commits wait for it: the
 * reader's thread copies most of it into the file while the writer goes on, and
 * the writer copies the little that came meanwhile.
 */
export class Checkpoints {
  readonly #reader: Thread<ReaderProcedures>;
  readonly #writer: Thread<WriterProcedures>;
  #pages = 0;
  #running: Promise<void> | undefined;

  constructor(threads: {
    readonly reader: Thread<ReaderProcedures>;
    readonly writer: Thread<WriterProcedures>;
  }) {
    this.#reader = threads.reader;
    this.#writer = threads.writer;
  }

  committed(events: number): void {
    this.#add(pagesPerCommit + events * pagesPerEvent);
  }

  /** A commit that removed events. */
  removed(events: number): void {
    this.#add(pagesPerCommit + events * pagesPerRemoved);
  }

  #add(pages: number): void {
    this.#pages += pages;
    if (this.#pages < checkpointPages || this.#running !== undefined) return;
    this.#pages = 0;
    this.#running = this.#run();
  }

  /** Resolves when no checkpoint is under way. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** A failure is the next commit's to meet and to name; the log only grows meanwhile. */
  async #run(): Promise<void> {
    try {
      await this.#reader.call('checkpoint');
      await this.#writer.call('checkpoint');
    } catch {
      // The writer makes a checkpoint by itself when the log grows far.
    } finally {
      this.#running = undefined;
    }
  }
}
