import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { usageError } from '../exit-code.ts';

export interface Refusal {
  /** Of a file, counted from 1. */
  readonly line?: number;
  readonly id: string;
  /** What is wrong, the same for all documents of one kind: `/amount amount_negative`. */
  readonly reason: string;
  readonly detail: string;
  /** What was refused, as JSON text; MongoDB's extended JSON where it came from there. */
  readonly document: () => string;
}

interface Reason {
  count: number;
  readonly detail: string;
  readonly examples: string[];
}

const examplesMax = 3;

/** What was refused, by reason, and every one of them in a file where one is wanted. */
export class Refusals {
  readonly #reasons = new Map<string, Reason>();
  readonly #file: WriteStream | undefined;

  private constructor(file: WriteStream | undefined) {
    this.#file = file;
  }

  /** Throws CommandError when the file cannot be written. */
  static async open(path: string | undefined): Promise<Refusals> {
    if (path === undefined) return new Refusals(undefined);
    const file = createWriteStream(path);
    try {
      await once(file, 'open');
    } catch (reason) {
      throw usageError(`--refused ${path} cannot be written: ${(reason as Error).message}`);
    }
    return new Refusals(file);
  }

  async add({ line, id, reason, detail, document }: Refusal): Promise<void> {
    const known = this.#reasons.get(reason) ?? { count: 0, detail, examples: [] };
    known.count += 1;
    if (known.examples.length < examplesMax)
      known.examples.push(line === undefined ? id : `line ${line}`);
    this.#reasons.set(reason, known);
    if (this.#file === undefined) return;
    const head = JSON.stringify({ line, id, reason, detail }).slice(0, -1);
    if (!this.#file.write(`${head},"document":${document()}}\n`)) await once(this.#file, 'drain');
  }

  /** A line for each reason, the most frequent first. */
  lines(): readonly string[] {
    return [...this.#reasons]
      .sort(([, a], [, b]) => b.count - a.count)
      .map(
        ([reason, { count, detail, examples }]) =>
          `${count} refused, ${reason}: ${detail} (${examples.join(', ')}${count > examples.length ? ', ...' : ''})`,
      );
  }

  async close(): Promise<void> {
    if (this.#file === undefined) return;
    this.#file.end();
    await finished(this.#file);
  }
}
