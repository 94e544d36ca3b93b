import { type Clock, systemClock } from '../../base/clock.ts';
import type { Terminal } from '../terminal.ts';
import type { RunTally } from './run-traffic.ts';

const everyMs = 200;
const barWidth = 24;

export interface ProgressGoal {
  readonly countMax: number;
  readonly durationMs: number;
}

/** A bar on stderr while a run lasts, where stderr is a terminal. The answer ends it. */
export function showProgress(
  terminal: Terminal,
  tally: RunTally,
  goal: ProgressGoal,
  clock: Clock = systemClock,
): () => void {
  if (!terminal.errIsTerminal) return () => undefined;
  const startMs = clock.monotonicMs();
  let before = 0;
  const stop = clock.every(everyMs, () => {
    const answered = tally.stored + tally.duplicates + tally.refused;
    const rate = Math.round(((answered - before) * 1_000) / everyMs);
    before = answered;
    const done = Math.max(
      tally.sent / goal.countMax,
      (clock.monotonicMs() - startMs) / goal.durationMs,
    );
    const filled = Math.min(barWidth, Math.floor(done * barWidth));
    const bar = `${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}`;
    const p99 = tally.latencies.percentileMs(99).toFixed(1);
    terminal.progress(
      `[${bar}] ${answered} events, ${rate}/s, p99 ${p99} ms, ${tally.refused} refused`,
    );
  });
  return () => {
    stop();
    terminal.clearProgress();
  };
}
