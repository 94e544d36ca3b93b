import { formatInstant } from '../../../base/clock.ts';
import { amountToNumber, formatAmount } from '../../../event/money.ts';
import type { Event, Position } from '../../../hub.ts';
import { builder } from './builder.ts';

/** An event and its place in the log, as the log and the store both give it. */
export interface PlacedEvent {
  readonly event: Event;
  readonly position: Position;
}

export const eventType = builder.objectRef<PlacedEvent>('Event').implement({
  description: 'A business event as the hub keeps it.',
  fields: (t) => ({
    id: t.id({
      description: 'The identity of the event for ever: the sender gave it, or the hub made it.',
      resolve: ({ event }) => event.id,
    }),
    userId: t.string({
      description: 'Who the event is about, in the words of the sender.',
      resolve: ({ event }) => event.userId,
    }),
    eventType: t.string({
      description:
        'One of the types that this hub is configured for, such as `purchase`, `return` or `refund`.',
      resolve: ({ event }) => event.eventType,
    }),
    amount: t.float({
      description:
        'The amount as the nearest double: good for display. `amountExact` is what was sent.',
      resolve: ({ event }) => amountToNumber(event.amount),
    }),
    amountExact: t.string({
      description:
        'The amount as an exact decimal, without exponent or trailing zeros: `"150.75"`. Never negative; the sign of the type says how it enters net totals.',
      resolve: ({ event }) => formatAmount(event.amount),
    }),
    currency: t.string({
      description: 'ISO 4217, upper case; `XXX` is "no currency".',
      resolve: ({ event }) => event.currency,
    }),
    timestamp: t.string({
      description:
        'When it happened, as the sender says: UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`. Equals `receivedAt` when the sender did not say.',
      resolve: ({ event }) => formatInstant(event.timestamp),
    }),
    receivedAt: t.string({
      description: 'When the hub took it: UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`.',
      resolve: ({ event }) => formatInstant(event.receivedAt),
    }),
    position: t.string({
      description:
        'The place of the event in the log, opaque. Give it to `eventStream(after:)` to go on behind this event, and as `atLeast` to read what this event changed.',
      resolve: ({ position }) => position,
    }),
    metadata: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The JSON object that the sender put beside the event, if any.',
      resolve: ({ event }) =>
        event.metadata === undefined ? null : (JSON.parse(event.metadata) as unknown),
    }),
  }),
});
