/** Event Hub over REST, with `fetch` alone. */
// biome-ignore-all lint/suspicious/noConsole: an example speaks to whoever runs it.
import { randomUUID } from 'node:crypto';

const hub = process.env.EVENT_HUB_URL ?? 'http://127.0.0.1:8000';

/** The answer's body; a refusal is thrown as the hub's problem document. */
async function call<T>(path: string, body?: object): Promise<T> {
  const response = await fetch(`${hub}${path}`, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers: { 'content-type': 'application/json' },
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(answer);
  return JSON.parse(answer);
}

/** The stored events after a position, as they come (server-sent events). */
async function* follow(after: string): AsyncGenerator<StoredEvent> {
  const response = await fetch(`${hub}/events/stream?after=${encodeURIComponent(after)}`);
  let text = '';
  for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(
    new TextDecoderStream(),
  )) {
    text += chunk;
    const frames = text.split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) {
      const data = frame.match(/^data: (.*)$/m)?.[1];
      const kind = frame.match(/^event: (.*)$/m)?.[1];
      if (kind === 'error') throw new Error(data);
      if (kind === undefined && data !== undefined) yield JSON.parse(data);
    }
  }
}

interface Sent {
  readonly status: 'success' | 'duplicate';
  readonly position: string;
}

interface StoredEvent {
  readonly id: string;
  readonly amount: string;
  readonly currency: string;
}

interface Totals {
  readonly by_currency: readonly {
    readonly currency: string;
    readonly event_count: number;
    readonly net_amount: string;
  }[];
}

// An id of your own makes a retry safe: what is known already is answered `duplicate`.
const event = {
  id: `example-${randomUUID()}`,
  user_id: 'example-user',
  event_type: 'purchase',
  amount: '149.90', // As a string every digit counts.
  currency: 'EUR',
  metadata: { order_id: 'A-1' },
};
const first = await call<Sent>('/events', event);
console.log('first answer:', first.status);
console.log('second answer:', (await call<Sent>('/events', event)).status);

// at_least waits until the totals have this event.
const { by_currency: totals } = await call<Totals>(
  `/aggregates?minutes=5&at_least=${encodeURIComponent(first.position)}`,
);
for (const { currency, event_count, net_amount } of totals) {
  console.log(`last 5 minutes: ${event_count} events, net ${net_amount} ${currency}`);
}

// From the start of the log; a program that goes on keeps the position of the last event it took.
for await (const stored of follow('start')) {
  if (stored.id !== event.id) continue;
  console.log('followed:', stored.id, stored.amount, stored.currency);
  break;
}
