import type { NewEvent } from '../../server/src/event/event.ts';
import type { EventLog } from '../../server/src/log/event-log.ts';
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

/** Events one every ten milliseconds of their own time; the same ones each time. */
export function madeEvents(): () => NewEvent {
  const traffic = createTraffic(1, Date.UTC(2026, 0, 1));
  let timeMs = Date.UTC(2026, 0, 1);
  return () => {
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
}

/** Appends so many events; answers the newest one's own time. */
export async function fillLog(
  log: EventLog,
  next: () => NewEvent,
  events: number,
): Promise<number> {
  const waiting: Promise<unknown>[] = [];
  let newestMs = 0;
  for (let made = 0; made < events; made += batchEvents) {
    const batch = Array.from({ length: Math.min(batchEvents, events - made) }, next);
    newestMs = batch.at(-1)?.timestamp ?? newestMs;
    waiting.push(log.append([{ events: batch, atomic: false }]));
    if (waiting.length > 3) await waiting.shift();
  }
  await Promise.all(waiting);
  return newestMs;
}

/** The embedded engines as the hub opens them, filled through the log's own append. */
export async function openAsHub(folder: string): Promise<FilledHub> {
  const url = `sqlite:${folder}/event-hub.db`;
  const log = withGroupCommit(await openSqliteLog(url, { exclusive: true }));
  const store = await openSqliteStore(url, { exclusive: true });
  const next = madeEvents();
  return {
    store,
    fill: (events) => fillLog(log, next, events),
    close: async () => {
      await log.close();
      await store.close();
    },
  };
}
