/** Requests that can be sent as they are; their ids are fixed, so that the second time answers `duplicate`. */
export interface Examples {
  readonly single: Readonly<Record<string, Example>>;
  readonly batch: Example;
  readonly ndjson: string;
  readonly knownId: string;
}

export interface Example {
  readonly summary: string;
  readonly value: unknown;
}

export function createExamples(eventTypes: readonly string[]): Examples {
  const first = eventTypes[0] ?? 'purchase';
  const last = eventTypes.at(-1) ?? first;
  const lines = [
    event('example-line-1', 'user-2', first, '20', 'EUR'),
    event('example-line-2', 'user-2', last, '4.99', 'EUR'),
  ];
  return {
    knownId: 'example-purchase-1',
    single: {
      event: {
        summary: 'An event with an id: safe to send again',
        value: {
          ...event('example-purchase-1', 'user-1', first, '150.75', 'EUR'),
          metadata: { shop: 'north', items: 3 },
        },
      },
      small: {
        summary: 'Only what is required: the hub makes the id',
        value: { user_id: 'user-1', event_type: first, amount: 10.1 },
      },
      past: {
        summary: 'An event of another day',
        value: {
          ...event('example-past-1', 'user-1', last, '15.5', 'EUR'),
          timestamp: '2024-02-29T12:00:00+03:00',
        },
      },
    },
    batch: {
      summary: 'A batch: what became of each event is in results',
      value: [
        event('example-batch-1', 'user-1', first, '99.90', 'EUR'),
        event('example-batch-2', 'user-2', first, '12', 'USD'),
        event('example-batch-3', 'user-1', last, '99.90', 'EUR'),
      ],
    },
    ndjson: lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
  };
}

function event(id: string, user_id: string, event_type: string, amount: string, currency: string) {
  return { id, user_id, event_type, amount, currency };
}
