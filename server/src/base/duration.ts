const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const durationText = /^(\d{1,9})(ms|s|m|h|d)$/;

/** Completes "expected ...". */
export const durationExpected = 'a duration such as 24h, 5m, 30s, 500ms or 1d';

/** In the largest unit that holds it in whole numbers. */
export function formatDuration(ms: number): string {
  const units = Object.entries(unitsMs).toReversed();
  const [unit, unitMs] = units.find(([, each]) => ms % each === 0) ?? ['ms', 1];
  return `${ms / unitMs}${unit}`;
}

/** Milliseconds, or undefined for what is no duration. */
export function parseDuration(text: string): number | undefined {
  const [, number, unit] = durationText.exec(text) ?? [];
  if (number === undefined) return undefined;
  return Number(number) * unitsMs[unit as keyof typeof unitsMs];
}
