import { describe, expect, it } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
import { isRepeatOf } from '../../../src/event/removed-event.ts';
import { Delivery } from '../../../src/log/kafka/delivery.ts';
import { type RecentEvent, RecentIds } from '../../../src/log/kafka/recent-ids.ts';
import { anEvent, someEvents } from '../../support/build-event.ts';
import { manualClock } from '../../support/manual-clock.ts';

const start = () => {
  const clock = manualClock(Date.UTC(2026, 5, 30));
  return { clock, recent: new RecentIds(clock) };
};
const note = JSON.stringify({ note: 'x'.repeat(15_000) });

describe('what a process knows of its own writes', () => {
  it.each([
    ['no', undefined],
    ['little', '{"a":1}'],
    ['much', note],
  ])('tells a repeat from another content, with %s metadata', (_, metadata) => {
    const { recent } = start();
    const event = anEvent({ metadata });
    recent.add(event, new Delivery(), 0);
    const { event: known } = recent.find(event.id) as RecentEvent;
    expect(isRepeatOf(known, { ...event })).toBe(true);
    expect(isRepeatOf(known, { ...event, metadata: '{"b":2}' })).toBe(false);
    expect(isRepeatOf(known, { ...event, amount: event.amount + 1n })).toBe(false);
    expect(isRepeatOf(known, { ...event, timestamp: event.timestamp + 1 })).toBe(false);
    // Without a timestamp it is the time of receipt, of each try its own.
    const receivedAt = event.receivedAt + 5_000;
    expect(isRepeatOf(known, { ...event, timestamp: receivedAt, receivedAt })).toBe(true);
  });

  it('is small, however large the events were', () => {
    const { recent } = start();
    const event = anEvent({ metadata: note });
    const { event: kept } = recent.add(event, new Delivery(), 0);
    expect(Object.values(kept).join().length).toBeLessThan(250);
  });

  it('ends with its age, and with the number of those that came after', async () => {
    const { clock, recent } = start();
    const [first, second, ...others] = someEvents(limits.kafkaRecentIds + 1);
    for (const event of [first, second]) {
      if (event !== undefined) recent.add(event, new Delivery(), 0);
    }
    for (const event of others) recent.add(event, new Delivery(), 0);
    expect(recent.find(first?.id ?? '')).toBeUndefined();
    expect(recent.find(second?.id ?? '')).toBeDefined();
    await clock.advance(limits.kafkaRecentMs + 1);
    const later = anEvent();
    recent.add(later, new Delivery(), 0);
    expect(recent.find(second?.id ?? '')).toBeUndefined();
    expect(recent.find(later.id)).toBeDefined();
  });
});
