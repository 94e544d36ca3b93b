import { duration } from '../config/setting-types.ts';
import { usageError } from './exit-code.ts';

/** Milliseconds of a flag such as `--duration 30s`. */
export function parseDuration(flag: string, text: string): number {
  const parsed = duration.schema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw usageError(`--${flag} must be ${duration.expected}, not '${text}'`);
}

/** A whole number of a flag, from `min` on. */
export function parseCount(flag: string, text: string, min: number, max = 1e12): number {
  const number = /^\d{1,13}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw usageError(`--${flag} must be a whole number from ${min} to ${max}, not '${text}'`);
}
