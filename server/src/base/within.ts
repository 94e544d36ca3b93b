import type { Clock } from './clock.ts';
import { HubError } from './errors.ts';

/** What the promise gives; rejects with `unavailable` and this reason when it takes longer than `ms`. */
export async function within<T>(
  clock: Clock,
  ms: number,
  promise: Promise<T>,
  reason: string,
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const cancel = clock.after(ms, () => {
    reject(new HubError('unavailable', reason, { retryAfterS: 1 }));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    cancel();
  }
}
