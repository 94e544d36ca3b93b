import type { Clock } from './clock.ts';

/** Reads once for all who ask within `ms`, also where it fails: what is asked often must not be read as often. */
export function keptFor<T>(clock: Clock, ms: number, read: () => Promise<T>): () => Promise<T> {
  let latest: { readonly atMs: number; readonly value: Promise<T> } | undefined;
  return async () => {
    const nowMs = clock.monotonicMs();
    if (latest === undefined || nowMs - latest.atMs > ms) latest = { atMs: nowMs, value: read() };
    return await latest.value;
  };
}
