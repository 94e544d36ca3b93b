import { limits } from '../../../base/limits.ts';
import { ref } from './parts.ts';

/** The event as it is sent and as it comes back. */
export function eventSchemas(eventTypes: readonly string[]) {
  return {
    EventInput: eventInput,
    Event: event,
    EventId: {
      type: 'string',
      minLength: 1,
      maxLength: limits.idCharacters,
      pattern: '^[A-Za-z0-9][A-Za-z0-9._~:-]*$',
      description: '`stream` is reserved.',
      examples: ['example-purchase-1'],
    },
    UserId: {
      type: 'string',
      minLength: 1,
      maxLength: limits.userIdCodePoints,
      description: 'Compared byte for byte; no control characters.',
      examples: ['user-1'],
    },
    EventType: {
      type: 'string',
      enum: eventTypes,
      description: 'One of the types that this hub is configured for, in exact case.',
    },
    Currency: { type: 'string', pattern: '^[A-Z]{3}$', description: 'ISO 4217, upper case.' },
    Amount: {
      type: 'string',
      description: 'An exact decimal without exponent or trailing zeros: `"150.75"`.',
      examples: ['150.75'],
    },
    Time: {
      type: 'string',
      format: 'date-time',
      description: 'UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`.',
      examples: ['2026-06-30T10:00:00.000Z'],
    },
    Position: {
      type: 'string',
      description:
        'A place in the log, opaque. Resumes a stream (`after`), or makes a read wait (`at_least`).',
      examples: ['0000000000000001-afa50e48-63581e2a'],
    },
  };
}

const eventInput = {
  type: 'object',
  description:
    'An event as it is sent. `null` on an optional field means absent; fields that are not listed are refused.',
  required: ['user_id', 'event_type', 'amount'],
  additionalProperties: false,
  properties: {
    id: {
      ...ref('EventId'),
      description: 'The identity of the event for ever. Absent: the hub makes a UUIDv7.',
    },
    user_id: ref('UserId'),
    event_type: ref('EventType'),
    amount: {
      description: `A number or a decimal string, 0 to ${limits.amountUnitsMax}, at most ${limits.amountDecimals} decimals; never rounded. What enters net totals with a minus is decided by its type, not by a sign here.`,
      oneOf: [
        { type: 'number', minimum: 0, maximum: Number(limits.amountUnitsMax) },
        { type: 'string', pattern: '^(0|[1-9][0-9]*)(\\.[0-9]+)?$' },
      ],
    },
    currency: {
      ...ref('Currency'),
      description: 'ISO 4217. Absent: the hub\'s default, `XXX` ("no currency") unless configured.',
    },
    timestamp: {
      type: 'string',
      format: 'date-time',
      description:
        'When it happened: RFC 3339 with an offset, kept to the millisecond. Absent: the time of receipt.',
    },
    metadata: {
      type: 'object',
      description: `Anything else about it: at most ${limits.metadataBytes} bytes as JSON and ${limits.metadataDepth} levels. Kept, not counted.`,
    },
  },
};

const event = {
  type: 'object',
  required: [
    'id',
    'user_id',
    'event_type',
    'amount',
    'currency',
    'timestamp',
    'received_at',
    'position',
  ],
  properties: {
    id: ref('EventId'),
    user_id: ref('UserId'),
    event_type: ref('EventType'),
    amount: ref('Amount'),
    currency: ref('Currency'),
    timestamp: ref('Time'),
    metadata: { type: 'object' },
    received_at: { ...ref('Time'), description: 'When the hub took it.' },
    position: ref('Position'),
  },
};
