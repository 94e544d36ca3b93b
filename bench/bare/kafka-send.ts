import { Producer } from '@platformatic/kafka';
import { eventToLogJson } from '../../server/src/event/event-json.ts';
import { createTraffic } from '../load/traffic.ts';

/**
 * The bare limit of a batch on Kafka: the same client with the hub's own settings
 * sending the same bytes. `{ brokers, topic, compression, events, batchEvents,
 * concurrency, seed }` in, `{ perSecond }` out.
 */
process.on('message', async (message) => {
  const { brokers, topic, events, batchEvents, concurrency, seed } = message as {
    readonly brokers: string;
    readonly topic: string;
    readonly events: number;
    readonly batchEvents: number;
    readonly concurrency: number;
    readonly seed: number;
  };
  const traffic = createTraffic(seed, Date.now() - events);
  const messages = Array.from({ length: events }, () => {
    const { id, user_id, event_type, amount, currency, timestamp } = traffic.next();
    const receivedAt = Date.parse(timestamp);
    const value = eventToLogJson({
      id,
      userId: user_id,
      eventType: event_type,
      amount: BigInt(Math.round(Number(amount) * 1_000_000)),
      currency,
      timestamp: receivedAt,
      receivedAt,
      metadata: undefined,
    });
    return {
      topic,
      key: Buffer.from(user_id),
      value: Buffer.from(value),
      headers: new Map([
        [Buffer.from('content-type'), Buffer.from('application/json')],
        [Buffer.from('event_id'), Buffer.from(id)],
        [Buffer.from('event_type'), Buffer.from(event_type)],
      ]),
      timestamp: BigInt(receivedAt),
    };
  });
  const producer = new Producer<Buffer, Buffer, Buffer, Buffer>({
    clientId: 'bare',
    bootstrapBrokers: [brokers],
    idempotent: true,
    compression: 'zstd',
  });
  const startedMs = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < messages.length) {
        const batch = messages.slice(next, next + batchEvents);
        next += batchEvents;
        await producer.send({ messages: batch });
      }
    }),
  );
  const perSecond = events / ((performance.now() - startedMs) / 1_000);
  await producer.close();
  process.send?.({ perSecond });
});
process.send?.({});
process.on('SIGTERM', () => process.exit(0));
