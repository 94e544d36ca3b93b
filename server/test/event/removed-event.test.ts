import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Event } from '../../src/event/event.ts';
import { hasSameContent } from '../../src/event/event.ts';
import { contentHashOf, isRepeatOf, removedEventOf } from '../../src/event/removed-event.ts';
import { anEvent } from '../support/build-event.ts';

/** Few values of each field, so that pairs that differ in one field only are common. */
const event: fc.Arbitrary<Event> = fc
  .record({
    userId: fc.constantFrom('u1', 'u2', '1', ''),
    eventType: fc.constantFrom('purchase', 'refund'),
    amount: fc.constantFrom(0n, 1n, 10n, 999_999_999_999_999_999n),
    currency: fc.constantFrom('EUR', 'USD'),
    metadata: fc.constantFrom(undefined, '{}', '{"a":1}', '{"a":"1"}', 'null'),
    timestamp: fc.integer({ min: 0, max: 2 }),
    receivedAt: fc.integer({ min: 0, max: 2 }),
  })
  .map((fields) => anEvent({ id: 'one', ...fields }));

/** The other is the first with some of its fields changed, most often none or one. */
const pair = fc
  .tuple(event, event, fc.subarray(['userId', 'amount', 'metadata', 'timestamp', 'receivedAt']))
  .map(([first, other, changed]) => {
    const changes = changed.map((name) => [name, other[name as keyof Event]]);
    return [first, { ...first, ...Object.fromEntries(changes) } as Event] as const;
  });

describe('isRepeatOf', () => {
  it('says of what stays of an event what hasSameContent says of the event', () => {
    const seen = { same: 0, different: 0 };
    fc.assert(
      fc.property(fc.oneof(pair, fc.tuple(event, event)), ([first, second]) => {
        const isSame = hasSameContent(first, second);
        seen[isSame ? 'same' : 'different'] += 1;
        expect(isRepeatOf(removedEventOf(first), second)).toBe(isSame);
        expect(isRepeatOf(first, second)).toBe(isSame);
      }),
      { numRuns: 1_000 },
    );
    expect(Math.min(seen.same, seen.different)).toBeGreaterThan(50);
  });
});

describe('removedEventOf', () => {
  it('keeps the id, the times and a hash, and nothing that says what the event was', () => {
    const first = anEvent({ userId: 'somebody', metadata: '{"card":"4111"}' });
    const { id, timestamp, receivedAt } = first;
    const contentHash = expect.stringMatching(/^[\w-]{22}$/);
    expect(removedEventOf(first)).toEqual({ id, timestamp, receivedAt, contentHash });
  });
});

describe('contentHashOf', () => {
  it('is the same for ever: stores keep it', () => {
    const kept = anEvent({
      userId: 'u1',
      eventType: 'purchase',
      amount: 150_750_000n,
      currency: 'EUR',
      metadata: '{"a":1}',
    });
    expect(contentHashOf(kept)).toBe('uJc9cLRoV2TY-fqDUCiC2d');
    expect(contentHashOf({ ...kept, metadata: undefined })).toBe('ORW0Y8lzDKUUxh-IoodzMv');
  });

  it('is of the content alone, not of the id and the times', () => {
    const first = anEvent({ id: 'one' });
    const other = { ...first, id: 'two', timestamp: 1, receivedAt: 2 };
    expect(contentHashOf(other)).toBe(contentHashOf(first));
  });
});
