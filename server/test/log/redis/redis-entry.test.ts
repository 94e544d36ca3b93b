import fc from 'fast-check';
import { expect, it } from 'vitest';
import { markOf } from '../../../src/log/redis/redis-entry.ts';
import { anEvent } from '../../support/build-event.ts';

/** From the first instant that the hub takes to the last one that it can write. */
const instants = fc.integer({
  min: Date.UTC(2000, 0, 1),
  max: Date.UTC(9999, 11, 31, 23, 59, 59, 999),
});

it('marks an event with its content and its time in base 36', () => {
  fc.assert(
    fc.property(instants, (timestamp) => {
      const mark = markOf(anEvent({ timestamp, receivedAt: timestamp + 1 }));
      expect(mark.slice(22)).toBe(`.${timestamp.toString(36)}`);
    }),
  );
});

it('is what it always was, because marks of earlier versions are compared with it', () => {
  const event = {
    id: 'a',
    userId: 'u',
    eventType: 'purchase',
    amount: 1_500_000n,
    currency: 'EUR',
  };
  const times = { timestamp: 1_764_150_000_000, receivedAt: 1_764_150_000_000 };
  expect(markOf({ ...event, ...times, metadata: '{"a":1}' })).toBe(
    'Ufwy_A1uKoTk6z23RWvPiC=miftczuo',
  );
});
