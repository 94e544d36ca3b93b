import { type Clock, systemClock } from '../base/clock.ts';
import type { Terminal } from './terminal.ts';

const everyMs = 200;
const barWidth = 24;

export interface Progress {
  /** From 0 to 1; undefined where the end is not known. */
  readonly done: number | undefined;
  /** How many so far; the bar tells how many come in a second. */
  readonly count: number;
  /** With the rate, what stands behind the bar. */
  text(perSecond: number): string;
}

/** A bar on stderr while something lasts, where stderr is a terminal. The answer ends it. */
export function showProgressBar(
  terminal: Terminal,
  look: () => Progress,
  clock: Clock = systemClock,
): () => void {
  if (!terminal.errIsTerminal) return () => undefined;
  let before = look().count;
  const stop = clock.every(everyMs, () => {
    const { done, count, text } = look();
    const perSecond = Math.round(((count - before) * 1_000) / everyMs);
    before = count;
    terminal.progress(`${done === undefined ? '' : `${bar(done)} `}${text(perSecond)}`);
  });
  return () => {
    stop();
    terminal.clearProgress();
  };
}

function bar(done: number): string {
  const filled = Math.max(0, Math.min(barWidth, Math.floor(done * barWidth)));
  return `[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}]`;
}
