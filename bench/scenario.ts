import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ScenarioOptions {
  /** How long each side of a comparison runs, roughly. */
  readonly seconds: number;
  /** Events stored for the scenarios about size. */
  readonly manyEvents: number;
  /** Events sent for the scenario about memory. */
  readonly soakEvents: number;
  /** How long the scenario of a steady rate lasts. */
  readonly steadySeconds: number;
}

export interface Figure {
  readonly figure: string;
  /** Ours against the bare limit, or whatever `figure` says. */
  readonly ratio: number;
  /** `>= 0.75`, `< 15`, ...; absent where it only explains another figure. */
  readonly wanted?: string;
}

export interface Scenario {
  readonly name: string;
  run(options: ScenarioOptions): Promise<readonly Figure[]>;
}

/** A temporary data folder on the disk of the system's temporary folder. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'event-hub-bench-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether a ratio is what was wanted of it, if anything was. */
export function isReached({ ratio, wanted }: Figure): boolean {
  if (wanted === undefined) return true;
  const [sign, number] = wanted.split(' ');
  const bound = Number(number);
  if (sign === '>=') return ratio >= bound;
  if (sign === '<=') return ratio <= bound;
  if (sign === '<') return ratio < bound;
  throw new Error(`no rule for "${wanted}"`);
}
