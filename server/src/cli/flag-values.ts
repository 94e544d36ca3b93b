import { durationExpected, parseDuration } from '../base/duration.ts';
import { usageError } from './exit-code.ts';

/** Milliseconds of a flag such as `--duration 30s`. */
export function durationOf(flag: string, text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw usageError(`--${flag} must be ${durationExpected}, not '${text}'`);
  return ms;
}

/** A whole number of a flag, from `min` on. */
export function countOf(flag: string, text: string, min: number, max = 1e12): number {
  const number = /^\d{1,13}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw usageError(`--${flag} must be a whole number from ${min} to ${max}, not '${text}'`);
}
