import { Client, credentials } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { type BenchEvent, createTraffic } from './traffic.ts';

interface Order {
  readonly address: string;
  readonly call: 'unary' | 'bidirectional' | 'batch';
  readonly seconds: number;
  readonly seed: number;
}

const inFlight = { unary: 64, bidirectional: 1_000, batch: 4 } as const;
const batchEvents = 500;
/** Encoded before the clock starts: the generator shares the machine with the hub. */
const batchesMade = 120;

const contract = new URL('../../contracts/event_hub.proto', import.meta.url).pathname;
const types = await protobuf.load(contract);
const requestType = types.lookupType('event_hub.v1.EventRequest');
const batchType = types.lookupType('event_hub.v1.EventBatch');
const responseType = types.lookupType('event_hub.v1.EventResponse');
const batchResponseType = types.lookupType('event_hub.v1.BatchResponse');

/** Messages cross grpc-js as bytes, so that the generator costs as little as it can. */
const asBytes = (bytes: Buffer) => bytes;

process.on('message', async (message) => {
  const order = message as Order;
  const client = new Client(order.address, credentials.createInsecure());
  const traffic = createTraffic(order.seed, Date.now());
  const perSecond = await runners[order.call](client, traffic.next, order.seconds);
  client.close();
  process.send?.({ perSecond });
});
process.send?.({});

type Runner = (client: Client, next: () => BenchEvent, seconds: number) => Promise<number>;

const runners: Record<Order['call'], Runner> = {
  unary: (client, next, seconds) =>
    closedLoop(seconds, inFlight.unary, async () => {
      const answer = await callOnce(client, 'SendEvent', encode(next()));
      assertStored(responseType.decode(answer));
      return 1;
    }),
  batch: async (client, next) => {
    const batches = Array.from({ length: batchesMade }, () => encodeBatch(next));
    const startedMs = performance.now();
    await Promise.all(
      Array.from({ length: inFlight.batch }, async () => {
        for (let bytes = batches.pop(); bytes !== undefined; bytes = batches.pop()) {
          assertWhole(batchResponseType.decode(await callOnce(client, 'SendEventBatch', bytes)));
        }
      }),
    );
    return (batchesMade * batchEvents) / ((performance.now() - startedMs) / 1_000);
  },
  bidirectional: (client, next, seconds) => stream(client, next, seconds),
};

async function closedLoop(
  seconds: number,
  concurrency: number,
  call: () => Promise<number>,
): Promise<number> {
  const startedMs = performance.now();
  const endMs = startedMs + seconds * 1_000;
  let events = 0;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (performance.now() < endMs) {
        const stored = await call();
        events += stored;
      }
    }),
  );
  return events / ((performance.now() - startedMs) / 1_000);
}

function stream(client: Client, next: () => BenchEvent, seconds: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = client.makeBidiStreamRequest(path('SendEvents'), asBytes, asBytes);
    const startedMs = performance.now();
    const endMs = startedMs + seconds * 1_000;
    let sent = 0;
    let answered = 0;
    const fill = () => {
      while (sent - answered < inFlight.bidirectional && performance.now() < endMs) {
        call.write(encode(next()));
        sent += 1;
      }
      if (performance.now() >= endMs && sent === answered) call.end();
    };
    call.on('data', (answer: Buffer) => {
      if (answered % 1_000 === 0) assertStored(responseType.decode(answer));
      answered += 1;
      fill();
    });
    call.on('error', reject);
    call.on('end', () => resolve(answered / ((performance.now() - startedMs) / 1_000)));
    fill();
  });
}

function callOnce(client: Client, method: string, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path(method), asBytes, asBytes, bytes, (error, answer) => {
      if (error !== null || answer === undefined) reject(error);
      else resolve(answer);
    });
  });
}

function path(method: string): string {
  return `/event_hub.v1.EventService/${method}`;
}

function encode(event: BenchEvent): Buffer {
  return Buffer.from(requestType.encode(requestType.create(fields(event))).finish());
}

function fields(event: BenchEvent) {
  const { id, user_id: userId, event_type: eventType, amount, currency, timestamp } = event;
  return { id, userId, eventType, amount, currency, timestamp };
}

function encodeBatch(next: () => BenchEvent): Buffer {
  const events = Array.from({ length: batchEvents }, () => requestType.create(fields(next())));
  return Buffer.from(batchType.encode(batchType.create({ events })).finish());
}

function assertWhole(answer: unknown): void {
  const { accepted } = answer as { readonly accepted: number };
  if (accepted !== batchEvents) throw new Error('a batch was not stored whole');
}

function assertStored(answer: unknown): void {
  const { status } = answer as { readonly status: string };
  if (status !== 'success') throw new Error(`answered ${status}`);
}
