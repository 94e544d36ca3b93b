/** Event Hub over GraphQL, with `fetch` alone; the subscription comes by server-sent events. */
// biome-ignore-all lint/suspicious/noConsole: an example speaks to whoever runs it.
import { randomUUID } from 'node:crypto';

const hub = process.env.EVENT_HUB_URL ?? 'http://127.0.0.1:8000';

interface Answer<T> {
  readonly data: T;
  readonly errors?: readonly { readonly message: string; readonly extensions: { code: string } }[];
}

function post(query: string, variables: object, accept: string): Promise<Response> {
  const headers = { 'content-type': 'application/json', accept };
  const body = JSON.stringify({ query, variables });
  return fetch(`${hub}/graphql`, { method: 'POST', headers, body });
}

/** The data; an error is thrown with the hub's own words. */
function checked<T>({ data, errors }: Answer<T>): T {
  const [error] = errors ?? [];
  if (error !== undefined) throw new Error(`${error.extensions.code}: ${error.message}`);
  return data;
}

async function call<T>(query: string, variables: object): Promise<T> {
  const response = await post(query, variables, 'application/json');
  return checked<T>(JSON.parse(await response.text()));
}

async function* subscribe<T>(query: string, variables: object): AsyncGenerator<T> {
  const response = await post(query, variables, 'text/event-stream');
  let text = '';
  for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(
    new TextDecoderStream(),
  )) {
    text += chunk;
    const frames = text.split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) {
      const data = frame.match(/^data: (.+)$/m)?.[1];
      if (data !== undefined) yield checked<T>(JSON.parse(data));
    }
  }
}

const send = `mutation ($input: EventInput!) {
  sendEvent(input: $input) { status id position }
}`;
const metrics = `query ($atLeast: String) {
  aggregatedMetrics(minutes: 5, atLeast: $atLeast) {
    byCurrency { currency eventCount netAmountExact }
  }
}`;
const stream = `subscription ($after: String) {
  eventStream(after: $after) { id amountExact currency }
}`;

interface Sent {
  readonly sendEvent: { readonly status: 'success' | 'duplicate'; readonly position: string };
}

interface Metrics {
  readonly aggregatedMetrics: {
    readonly byCurrency: readonly {
      readonly currency: string;
      readonly eventCount: number;
      readonly netAmountExact: string;
    }[];
  };
}

interface Streamed {
  readonly eventStream: {
    readonly id: string;
    readonly amountExact: string;
    readonly currency: string;
  };
}

// An id of your own makes a retry safe: what is known already is answered `duplicate`.
const input = {
  id: `example-${randomUUID()}`,
  userId: 'example-user',
  eventType: 'purchase',
  amount: '149.90', // As a string every digit counts.
  currency: 'EUR',
  metadata: { order_id: 'A-1' },
};
const { sendEvent: first } = await call<Sent>(send, { input });
console.log('first answer:', first.status);
console.log('second answer:', (await call<Sent>(send, { input })).sendEvent.status);

// atLeast waits until the totals have this event.
const { aggregatedMetrics: totals } = await call<Metrics>(metrics, { atLeast: first.position });
for (const { currency, eventCount, netAmountExact } of totals.byCurrency) {
  console.log(`last 5 minutes: ${eventCount} events, net ${netAmountExact} ${currency}`);
}

// From the start of the log; a program that goes on keeps the position of the last event it took.
for await (const { eventStream: stored } of subscribe<Streamed>(stream, { after: 'start' })) {
  if (stored.id !== input.id) continue;
  console.log('followed:', stored.id, stored.amountExact, stored.currency);
  break;
}
