import type { NewEvent } from '../../src/event/event.ts';

let built = 0;

/** A valid event; what a test cares about goes into `changes`. */
export function anEvent(changes: Partial<NewEvent> = {}): NewEvent {
  built += 1;
  return {
    id: `event-${built}-${Math.random().toString(36).slice(2)}`,
    userId: 'u1',
    eventType: 'purchase',
    amount: 150_750_000n,
    currency: 'EUR',
    timestamp: Date.UTC(2026, 5, 30, 10, 0, 0),
    receivedAt: Date.UTC(2026, 5, 30, 10, 0, 1),
    metadata: undefined,
    idMadeByHub: false,
    ...changes,
  };
}

export function someEvents(count: number, changes: Partial<NewEvent> = {}): readonly NewEvent[] {
  return Array.from({ length: count }, () => anEvent(changes));
}
