/** Event Hub over gRPC, by @grpc/grpc-js and the contract as it stands in contracts/. */
// biome-ignore-all lint/suspicious/noConsole: an example speaks to whoever runs it.
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import {
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const address = process.env.EVENT_HUB_GRPC_URL ?? '127.0.0.1:50051';
const contract = fileURLToPath(new URL('../../contracts/event_hub.proto', import.meta.url));
const { event_hub } = loadPackageDefinition(loadSync(contract, { keepCase: true, longs: Number }));
const { EventService } = (event_hub as { v1: { EventService: ServiceClientConstructor } }).v1;
const hub = new EventService(address, credentials.createInsecure());

/** One call with one answer; a refusal is thrown with the hub's own words. */
function call<T>(method: string, request: object): Promise<T> {
  return new Promise((resolve, reject) => {
    hub[method]?.(request, (error: Error | null, answer: T) => {
      if (error === null) resolve(answer);
      else reject(error);
    });
  });
}

interface Sent {
  readonly status: 'success' | 'duplicate';
  readonly position: string;
}

interface Metrics {
  readonly by_currency: readonly {
    readonly currency: string;
    readonly event_count: number;
    readonly net_amount_exact: string;
  }[];
}

interface StoredEvent {
  readonly id: string;
  readonly amount_exact: string;
  readonly currency: string;
}

// An id of your own makes a retry safe: what is known already is answered `duplicate`.
const event = {
  id: `example-${randomUUID()}`,
  user_id: 'example-user',
  event_type: 'purchase',
  amount_exact: '149.90', // As a string every digit counts.
  currency: 'EUR',
  metadata: { fields: { order_id: { stringValue: 'A-1' } } },
};
const first = await call<Sent>('SendEvent', event);
console.log('first answer:', first.status);
console.log('second answer:', (await call<Sent>('SendEvent', event)).status);

// at_least waits until the totals have this event.
const totals = await call<Metrics>('AggregatedMetrics', { minutes: 5, at_least: first.position });
for (const { currency, event_count, net_amount_exact } of totals.by_currency) {
  console.log(`last 5 minutes: ${event_count} events, net ${net_amount_exact} ${currency}`);
}

// From the start of the log; a program that goes on keeps the position of the last event it took.
const stream: ClientReadableStream<StoredEvent> = hub.StreamEvents?.({
  after: 'start',
  follow: true,
});
for await (const stored of stream as AsyncIterable<StoredEvent>) {
  if (stored.id !== event.id) continue;
  console.log('followed:', stored.id, stored.amount_exact, stored.currency);
  stream.on('error', () => undefined); // The cancelled call says that it was cancelled.
  stream.cancel();
  break;
}
hub.close();
