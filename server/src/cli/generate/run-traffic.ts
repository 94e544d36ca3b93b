import type { Clock } from '../../base/clock.ts';
import { ClientError, type IngestClient, type SendResult } from '../clients/ingest-client.ts';
import { Latencies } from './latencies.ts';
import type { ShopTraffic } from './shop-traffic.ts';

export interface RunOptions {
  readonly clock: Clock;
  readonly traffic: ShopTraffic;
  readonly client: IngestClient;
  /** Events in one request. */
  readonly batch: number;
  /** Requests under way at once. */
  readonly concurrency: number;
  /** Events in a second; 0 is as fast as possible. */
  readonly rate: number;
  readonly countMax: number;
  readonly durationMs: number;
  readonly signal: AbortSignal;
}

/** What a run has done so far; read while it runs, for the progress. */
export class RunTally {
  sent = 0;
  stored = 0;
  duplicates = 0;
  refused = 0;
  /** Sent without an answer, because the hub was lost. */
  unanswered = 0;
  seconds = 0;
  readonly latencies = new Latencies();
  /** Why the hub was given up, when it was. */
  lost: ClientError | undefined;
  /** The first refusals, for people. */
  readonly refusals: SendResult[] = [];

  add(result: SendResult): void {
    if (result.status === 'success') this.stored += 1;
    else if (result.status === 'duplicate') this.duplicates += 1;
    else {
      this.refused += 1;
      if (this.refusals.length < 3) this.refusals.push(result);
    }
  }
}

/**
 * Sends until the count, the duration or the signal says stop, and resolves
 * when everything that was sent is answered. With a rate, a latency counts from
 * the moment an event was due, so that a hub that stalls cannot hide it.
 */
export async function runTraffic(options: RunOptions, tally: RunTally): Promise<void> {
  const { clock, rate, countMax, durationMs, concurrency, batch } = options;
  const startMs = clock.monotonicMs();
  let taken = 0;

  const work = async () => {
    for (;;) {
      const size = Math.min(batch, countMax - taken);
      const first = taken;
      if (size <= 0 || options.signal.aborted || tally.lost !== undefined) return;
      taken += size;
      const offsetMs = rate === 0 ? 0 : (first * 1_000) / rate;
      if (Math.max(offsetMs, clock.monotonicMs() - startMs) >= durationMs) return;
      const dueMs = rate === 0 ? 0 : startMs + offsetMs;
      if (!(await waitUntil(dueMs, options))) return;
      await sendSome(size, dueMs, options, tally);
      tally.seconds = (clock.monotonicMs() - startMs) / 1_000;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  tally.seconds = (clock.monotonicMs() - startMs) / 1_000;
}

/** False when the signal came first. */
async function waitUntil(dueMs: number, { clock, signal }: RunOptions): Promise<boolean> {
  const waitMs = dueMs - clock.monotonicMs();
  if (waitMs <= 1) return true;
  try {
    await clock.sleep(waitMs, signal);
    return true;
  } catch {
    return false;
  }
}

async function sendSome(
  size: number,
  dueMs: number,
  { clock, traffic, client }: RunOptions,
  tally: RunTally,
): Promise<void> {
  const now = clock.now();
  const events = Array.from({ length: size }, () => traffic.next(now));
  const startMs = dueMs === 0 ? clock.monotonicMs() : dueMs;
  tally.sent += size;
  try {
    const results = await client.send(events);
    tally.latencies.add(clock.monotonicMs() - startMs, size);
    for (const result of results) tally.add(result);
  } catch (reason) {
    if (!(reason instanceof ClientError)) throw reason;
    tally.unanswered += size;
    tally.lost ??= reason;
  }
}
