import { type Clock, systemClock } from '../../base/clock.ts';
import { showProgressBar } from '../progress-bar.ts';
import type { Terminal } from '../terminal.ts';
import type { RunTally } from './run-traffic.ts';

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
  const startMs = clock.monotonicMs();
  return showProgressBar(
    terminal,
    () => {
      const answered = tally.stored + tally.duplicates + tally.refused;
      const done = Math.max(
        tally.sent / goal.countMax,
        (clock.monotonicMs() - startMs) / goal.durationMs,
      );
      const p99 = tally.latencies.percentileMs(99).toFixed(1);
      const text = (perSecond: number) =>
        `${answered} events, ${perSecond}/s, p99 ${p99} ms, ${tally.refused} refused`;
      return { done, count: answered, text };
    },
    clock,
  );
}
