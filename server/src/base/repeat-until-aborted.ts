import type { Clock } from './clock.ts';

/**
 * Does a piece of work again and again until the signal aborts; the piece under
 * way then is the last. `work` answers how many milliseconds to wait before the
 * next one, and keeps its failures to itself: what it rejects with ends this too.
 */
export async function repeatUntilAborted(
  signal: AbortSignal,
  clock: Pick<Clock, 'sleep'>,
  work: () => Promise<number>,
): Promise<void> {
  while (!signal.aborted) {
    const waitMs = await work();
    // The wait is cut short by the signal, which is no failure.
    if (!signal.aborted) await clock.sleep(waitMs, signal).catch(() => undefined);
  }
}
