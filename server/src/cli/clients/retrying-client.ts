import { randomInt } from 'node:crypto';
import { Backoff } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import { ClientError, type IngestClient, type SendResult } from './ingest-client.ts';
import type { OutgoingEvent } from './outgoing-event.ts';

export interface RetryOptions {
  readonly clock: Clock;
  /** Since the last time the hub took something. */
  readonly giveUpMs: number;
  /** Ends waits; what is under way is answered or fails. */
  readonly signal: AbortSignal;
  readonly onWait: (reason: string, waitMs: number) => void;
}

const waitMsMin = 100;
const waitMsMax = 5_000;

/**
 * Sends again, with the same ids, what failed in a way that a retry may mend.
 * A hub that has never answered is not waited for: it is probably not there.
 */
export function withRetries(client: IngestClient, options: RetryOptions): IngestClient {
  const { clock, giveUpMs, signal, onWait } = options;
  let hasAnswered = false;
  const pause = async (failure: ClientError, backoff: Backoff, sinceMs: number) => {
    const waited = clock.monotonicMs() - sinceMs;
    const isAbsent = failure.code === 'unreachable' && !hasAnswered;
    if (!failure.retryable || isAbsent || waited >= giveUpMs || signal.aborted) throw failure;
    const half = backoff.next() / 2;
    const waitMs = Math.max(failure.retryAfterMs ?? 0, half + randomInt(half));
    onWait(failure.message, waitMs);
    try {
      await clock.sleep(waitMs, signal);
    } catch {
      throw failure;
    }
  };
  return {
    close: () => client.close(),
    send: async (events) => {
      let sinceMs = clock.monotonicMs();
      const results: (SendResult | undefined)[] = events.map(() => undefined);
      let left = events.map((event, index) => ({ event, index }));
      const backoff = new Backoff(waitMsMin, waitMsMax);
      for (;;) {
        const failure = await tryOnce(client, left, results);
        if (failure === undefined || failure.code !== 'unreachable') hasAnswered = true;
        const before = left.length;
        left = left.filter(({ index }) => results[index] === undefined);
        if (left.length === 0) return results.filter((result) => result !== undefined);
        if (left.length < before) {
          sinceMs = clock.monotonicMs();
          backoff.reset();
        }
        if (failure !== undefined) await pause(failure, backoff, sinceMs);
      }
    },
  };
}

interface Unsent {
  readonly event: OutgoingEvent;
  readonly index: number;
}

/** Fills in the results that came; the answer says why some did not. */
async function tryOnce(
  client: IngestClient,
  left: readonly Unsent[],
  results: (SendResult | undefined)[],
): Promise<ClientError | undefined> {
  try {
    const answers = await client.send(left.map(({ event }) => event));
    let unknown: SendResult | undefined;
    for (const [at, answer] of answers.entries()) {
      const index = left[at]?.index;
      if (answer.status === 'unknown') unknown = answer;
      else if (index !== undefined) results[index] = answer;
    }
    if (unknown === undefined) return undefined;
    const message = unknown.detail ?? 'the hub does not know whether it stored everything';
    return new ClientError(message, { code: 'unavailable', retryable: true });
  } catch (reason) {
    if (reason instanceof ClientError) return reason;
    throw reason;
  }
}
