import {
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { HubError } from '../../base/errors.ts';
import { placeFile, syncPath } from '../../base/place-file.ts';
import { usageError } from '../exit-code.ts';

/** How far an export came. */
export interface ExportPlace {
  readonly events: number;
  /** The newest event that is in the file; absent before the first. */
  readonly last?: { readonly id: string; readonly position: string; readonly cursor: string };
}

interface State extends ExportPlace {
  /** What is exported, and from where: another one does not go on here. */
  readonly what: string;
  /** What the file had when its place was this. */
  readonly bytes: number;
}

/**
 * The file of an export, under a name of its own until it is whole, and beside
 * it how far it came: what was written after that is cut off when it goes on.
 */
export class ExportFile {
  readonly #path: string;
  readonly #unfinished: string;
  readonly #what: string;
  #bytes: number;
  /** Where it goes on; no events when it begins. */
  readonly place: ExportPlace;

  private constructor(path: string, state: State) {
    this.#path = path;
    this.#unfinished = unfinishedOf(path);
    this.#what = state.what;
    this.#bytes = state.bytes;
    this.place = state;
  }

  /** Throws CommandError when the name is taken, or another export was broken off there. */
  static open(path: string, what: string, replace: boolean): ExportFile {
    if (existsSync(path) && !replace) {
      throw usageError(`${path} is there already: choose another name, or replace it with --force`);
    }
    const unfinished = unfinishedOf(path);
    const state = readState(stateOf(path)) ?? { what, bytes: 0, events: 0 };
    if (state.what !== what) {
      throw usageError(
        `another export was broken off there (${state.what}): go on with its flags, or remove ${unfinished} and ${stateOf(path)}`,
      );
    }
    try {
      if (state.bytes === 0) writeFileSync(unfinished, '');
      else cut(unfinished, state.bytes);
    } catch (reason) {
      throw usageError(`${path} cannot be written: ${(reason as Error).message}`);
    }
    return new ExportFile(path, state);
  }

  /** Something is in it already, be it only a head. */
  get isBegun(): boolean {
    return this.#bytes > 0;
  }

  async append(text: string): Promise<void> {
    await appendFile(this.#unfinished, text);
    this.#bytes += Buffer.byteLength(text);
  }

  /** From here on it goes on at this place, also after the power went. */
  keep(place: ExportPlace): void {
    this.#assertAlone();
    syncPath(this.#unfinished);
    const state: State = { ...place, what: this.#what, bytes: this.#bytes };
    const written = `${stateOf(this.#path)}.new`;
    writeFileSync(written, `${JSON.stringify(state)}\n`);
    syncPath(written);
    renameSync(written, stateOf(this.#path));
  }

  /** Gives it its name. */
  finish(replace: boolean): void {
    this.#assertAlone();
    placeFile(this.#unfinished, this.#path, replace);
    rmSync(stateOf(this.#path), { force: true });
  }

  #assertAlone(): void {
    const size = statSync(this.#unfinished, { throwIfNoEntry: false })?.size;
    if (size === this.#bytes) return;
    throw new HubError(
      'conflict',
      `something else writes to ${this.#unfinished}: let one export at a time write there`,
    );
  }
}

function unfinishedOf(path: string): string {
  return `${path}.unfinished`;
}

function stateOf(path: string): string {
  return `${path}.unfinished.json`;
}

function cut(file: string, bytes: number): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size >= bytes) truncateSync(file, bytes);
  else throw new Error(`${file} is shorter than it was: remove ${file}.json to begin anew`);
}

function readState(file: string): State | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as State;
  } catch (reason) {
    throw usageError(
      `${file} cannot be read (${(reason as Error).message}): remove it to begin anew`,
    );
  }
}
