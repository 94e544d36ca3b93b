import type { Child } from './child.ts';

/** Resident megabytes of a hub's process. */
export async function residentMb(hub: Child): Promise<number> {
  return (await hub.ask<{ rssBytes: number }>('memory')).rssBytes / 1_000_000;
}

/** The mean of the last quarter of a curve against that of the second: about 1 when it is flat. */
export function quarterGrowth(samples: readonly number[]): number {
  const quarter = Math.floor(samples.length / 4);
  return mean(samples.slice(3 * quarter)) / mean(samples.slice(quarter, 2 * quarter));
}

function mean(part: readonly number[]): number {
  return part.reduce((sum, value) => sum + value, 0) / part.length;
}
