import type { History } from './history.ts';
import type { HubAddress } from './hub-process.ts';
import type { KeptContent } from './read-stored.ts';

/** What a run of kills has in its hands: a hub, whoever of it and of its engines can be killed, and what they hold. */
export interface Harness extends HubAddress {
  /** See `History`. */
  readonly hasLagWindow?: boolean;
  /** By victim and moment. */
  readonly kills: Readonly<Record<string, number>>;
  /** By what was measured, in milliseconds. */
  readonly timesMs: Readonly<Record<string, readonly number[]>>;
  /** Promises that were broken on the way, as sentences. */
  readonly faults: readonly string[];
  /** A client was answered: the moment some kills wait for. */
  answered(): void;
  /** Kills once and lets start again; the answer is when that was. */
  killOnce(kill: number, history: History): Promise<string>;
  /** Resolves when everything runs. */
  serve(): Promise<void>;
  /** The hub's own comparison of its counts with its events, then its end; sentences for what was not in order. */
  finish(): Promise<readonly string[]>;
  /** What the engines hold, read without the hub. */
  readKept(): Promise<KeptContent>;
  /** Ends everything, at any time. */
  remove(): Promise<void>;
}

/** Numbers by name, as a run collects them. */
export class Figures {
  readonly kills: Record<string, number> = {};
  readonly timesMs: Record<string, number[]> = {};
  readonly faults: string[] = [];

  countKill(name: string): void {
    this.kills[name] = (this.kills[name] ?? 0) + 1;
  }

  addTime(name: string, ms: number): void {
    this.timesMs[name] ??= [];
    this.timesMs[name].push(ms);
  }
}
