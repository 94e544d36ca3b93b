import { expect, it } from 'vitest';
import { ExpirySignals } from '../../src/auth/expiry-signals.ts';
import { manualClock } from '../support/manual-clock.ts';

const noon = Date.UTC(2026, 5, 30, 12);
const yearMs = 365 * 24 * 60 * 60_000;

it('the end of a token is one signal, however often it is asked for, and comes in its second', async () => {
  const clock = manualClock(noon);
  const expiries = new ExpirySignals(clock);
  const soon = expiries.at(noon + 1_500);
  expect(expiries.at(noon + 2_000)).toBe(soon);
  expect(expiries.at(noon + 2_001)).not.toBe(soon);
  await clock.advance(1_999);
  expect(soon.aborted).toBe(false);
  await clock.advance(1);
  expect(soon.reason).toMatchObject({ code: 'unauthenticated' });
});

it('the end of a token that holds for a year does not come before', async () => {
  const clock = manualClock(noon);
  const late = new ExpirySignals(clock).at(noon + yearMs);
  await clock.advance(yearMs - 1_000);
  expect(late.aborted).toBe(false);
  await clock.advance(1_000);
  expect(late.aborted).toBe(true);
});

it('a token that has run out has ended', () => {
  expect(new ExpirySignals(manualClock(noon)).at(noon - 1).aborted).toBe(true);
});
