import {
  blamesEvents,
  ClientError,
  type IngestClient,
  rejected,
  type SendResult,
} from './ingest-client.ts';
import type { OutgoingEvent } from './outgoing-event.ts';

/**
 * Where a whole batch is refused for what some event in it says (too large, or
 * no event at all for this protocol), halves find the culprit, and the others go through.
 */
export function withSplitting(client: IngestClient): IngestClient {
  const send = async (events: readonly OutgoingEvent[]): Promise<readonly SendResult[]> => {
    try {
      return await client.send(events);
    } catch (reason) {
      if (!(reason instanceof ClientError) || !blamesEvents(reason.code)) throw reason;
      const [only] = events;
      if (only === undefined) return [];
      if (events.length === 1) return [rejected(only, reason)];
      const half = Math.ceil(events.length / 2);
      const first = await send(events.slice(0, half));
      return [...first, ...(await send(events.slice(half)))];
    }
  };
  return { send, close: () => client.close() };
}
