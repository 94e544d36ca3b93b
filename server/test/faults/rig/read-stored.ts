import { openBeside } from '../../support/open-beside.ts';

/** A stored event as `GET /events` gives it. */
export interface StoredEvent {
  readonly id: string;
  readonly user_id: string;
  readonly event_type: string;
  readonly amount: string;
  readonly currency: string;
  readonly timestamp: string;
  readonly received_at: string;
  readonly position: string;
  readonly metadata?: unknown;
}

export interface TypeSum {
  readonly event_type: string;
  readonly currency: string;
  readonly event_count: number;
  readonly total_amount: string;
}

/** What a hub says that it holds, over REST. */
export interface ToldContent {
  /** Oldest first, in log order. */
  readonly events: readonly StoredEvent[];
  /** Over all time, by type and currency. */
  readonly sums: readonly TypeSum[];
}

export async function readTold(url: string): Promise<ToldContent> {
  const events: StoredEvent[] = [];
  let cursor: string | null | undefined;
  do {
    const after = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
    const page = await getJson(`${url}/events?order=asc&limit=1000${after}`);
    for (const event of page.events) events.push(event);
    cursor = page.next;
  } while (cursor);
  const { by_type } = await getJson(`${url}/aggregates?from=2000-01-01T00:00:00Z`);
  return { events, sums: by_type };
}

/** Whether what the hub reads from has come to this position; it waits a while for that. */
export async function isReached(url: string, position: string): Promise<boolean> {
  const query = `limit=1&at_least=${encodeURIComponent(position)}`;
  const response = await fetch(`${url}/events?${query}`).catch(() => undefined);
  await response?.body?.cancel();
  return response?.ok === true;
}

/** Where the feed ends now, in every part of the log. */
export async function endOfFeed(url: string): Promise<string | undefined> {
  const response = await fetch(`${url}/events/stream?follow=false`);
  return /^id: (.+)$/m.exec(await response.text())?.[1];
}

/** The newest event; undefined while there is none. */
export async function newestEvent(url: string): Promise<StoredEvent | undefined> {
  const { events } = await getJson(`${url}/events?limit=1`);
  return events[0];
}

// biome-ignore lint/suspicious/noExplicitAny: answers of several shapes.
async function getJson(url: string): Promise<any> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return await response.json();
}

export interface KeptRow {
  /** As the engine keeps it: a number in a file, else the text that the hub gives out. */
  readonly position: number | string;
  readonly id: string;
  readonly user_id: string;
  readonly event_type: string;
  /** In millionths. */
  readonly amount: bigint;
  readonly currency: string;
  readonly timestamp: number;
}

export interface MinuteCount {
  readonly minute: number;
  readonly event_type: string;
  readonly currency: string;
  readonly event_count: number;
  readonly total: bigint;
}

/** What the engines hold, read without the hub. */
export interface KeptContent {
  /** Of the store, oldest first. */
  readonly rows: readonly KeptRow[];
  readonly counts: readonly MinuteCount[];
  /** `ok`, or what the engine found wrong with itself. */
  readonly integrity: string;
  /** Of a log that is not the store too, oldest first; of one with shards in the order of these. */
  readonly log?: readonly LoggedEntry[];
  /** Users of events that came with a known id and other content, and were kept aside. */
  readonly asideUsers?: ReadonlySet<string>;
  /** The log has no one order, and may hold an event more than once. */
  readonly isSharded?: boolean;
}

/** An entry as a log's own client shows it. */
export interface LoggedEntry {
  /** The log's own name for the place. */
  readonly place: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** A file, with SQLite alone. */
export function readKept(file: string): KeptContent {
  const database = openBeside(file, { readOnly: true });
  try {
    const all = (sql: string) => {
      const statement = database.prepare(sql);
      statement.setReadBigInts(true);
      return statement.all();
    };
    const rows = all('SELECT * FROM events ORDER BY position').map((row) => ({
      position: Number(row.position),
      id: String(row.id),
      user_id: String(row.user_id),
      event_type: String(row.event_type),
      amount: row.amount as bigint,
      currency: String(row.currency),
      timestamp: Number(row.timestamp),
    }));
    const counts = all('SELECT * FROM minute_counts').map((row) => ({
      minute: Number(row.minute),
      event_type: String(row.event_type),
      currency: String(row.currency),
      event_count: Number(row.event_count),
      total: (row.total_high as bigint) * 1_000_000_000n + (row.total_low as bigint),
    }));
    const found = all('PRAGMA integrity_check').map((row) => String(row.integrity_check));
    return { rows, counts, integrity: found.join('; ') };
  } finally {
    database.close();
  }
}
