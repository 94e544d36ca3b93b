import type { NewEvent } from '../../server/src/event/event.ts';
import { withGroupCommit } from '../../server/src/log/group-commit.ts';
import { openSqliteLog } from '../../server/src/log/sqlite/sqlite-log.ts';
import type { EventStore } from '../../server/src/store/event-store.ts';
import { openSqliteStore } from '../../server/src/store/sqlite/sqlite-store.ts';
import { createTraffic } from './traffic.ts';

const batchEvents = 5_000;

export interface FilledHub {
  readonly store: EventStore;
  /** Appends so many events, one every ten milliseconds of their own time; answers the newest time. */
  fill(events: number): Promise<number>;
  close(): Promise<void>;
}

/** The embedded engines as the hub opens them, filled through the log's own append. */
export async function openAsHub(folder: string): Promise<FilledHub> {
  const url = `sqlite:${folder}/event-hub.db`;
  const log = withGroupCommit(await openSqliteLog(url, { exclusive: true }));
  const store = await openSqliteStore(url, { exclusive: true });
  return {
    store,
    fill: async (events) => {
      const traffic = createTraffic(1, Date.UTC(2026, 0, 1));
      let timeMs = Date.UTC(2026, 0, 1);
      const next = (): NewEvent => {
        const { id, user_id, event_type, amount, currency } = traffic.next();
        timeMs += 10;
        return {
          id,
          userId: user_id,
          eventType: event_type,
          amount: BigInt(Math.round(amount * 1_000_000)),
          currency,
          timestamp: timeMs,
          receivedAt: timeMs,
          metadata: undefined,
          idMadeByHub: false,
        };
      };
      const waiting: Promise<unknown>[] = [];
      for (let made = 0; made < events; made += batchEvents) {
        const batch = Array.from({ length: Math.min(batchEvents, events - made) }, next);
        waiting.push(log.append([{ events: batch, atomic: false }]));
        if (waiting.length > 3) await waiting.shift();
      }
      await Promise.all(waiting);
      return timeMs;
    },
    close: async () => {
      await log.close();
      await store.close();
    },
  };
}
