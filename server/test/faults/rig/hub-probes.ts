import { setTimeout as sleep } from 'node:timers/promises';
import { get, postEvents } from '../../support/rest-calls.ts';
import type { Answer, EventInput, History, SentEvent } from './history.ts';
import type { HubAddress } from './hub-process.ts';
import { isReached } from './read-stored.ts';
import { grpcSender } from './senders/grpc-sender.ts';
import { restSender } from './senders/rest-sender.ts';
import type { Sender } from './senders/sender.ts';

let made = 0;

/** An event that no load makes. */
export function aProbe(history: History, changes: Partial<EventInput> = {}): SentEvent {
  made += 1;
  const input: EventInput = {
    id: `probe-${made}`,
    user_id: `u-probe-${made}`,
    event_type: 'purchase',
    amount: '1.5',
    ...changes,
  };
  return history.add(input);
}

/** One send of it, noted, and what it was answered. */
export async function sendOnce(
  sender: Sender,
  event: SentEvent,
  history: History,
): Promise<Answer> {
  event.sends += 1;
  const [answer = { status: 'unknown' } as const] = await sender.send([event.input], false);
  history.note(event, answer);
  return answer;
}

/**
 * Resolves with the milliseconds until the hub did everything again: took an
 * event over REST and over gRPC, and counted it.
 */
export async function servesAgain(
  hub: HubAddress,
  history: History,
  timeoutMs = 30_000,
): Promise<number> {
  const startedMs = performance.now();
  const senders = [restSender(hub.url, 'single'), grpcSender(hub.grpcAddress, 'unary')];
  try {
    for (const sender of senders) {
      const event = aProbe(history);
      let last: Answer | undefined;
      await until(
        async () => {
          last = await sendOnce(sender, event, history);
          return event.outcome === 'stored';
        },
        () => `${sender.name} took nothing, and answered ${JSON.stringify(last)} at last,`,
      );
      await until(
        () => isReached(hub.url, event.position ?? ''),
        () => 'nothing was counted',
      );
    }
    return performance.now() - startedMs;
  } finally {
    for (const sender of senders) sender.close();
  }

  async function until(isSo: () => Promise<boolean>, what: () => string): Promise<void> {
    while (!(await isSo())) {
      if (performance.now() - startedMs > timeoutMs) {
        throw new Error(`${what()} for ${timeoutMs} ms`);
      }
      await sleep(50);
    }
  }
}

export interface Refusal {
  readonly status: number;
  readonly code: string | undefined;
  readonly detail: string | undefined;
  readonly retryAfter: string | null;
  readonly ms: number;
}

/** A new event over REST: what it is answered. */
export async function tryIngest({ url }: HubAddress, history: History): Promise<Refusal> {
  const event = aProbe(history);
  event.sends += 1;
  const refusal = await timed(() => postEvents(url, event.input));
  const { status, json } = refusal.answer;
  if (status === 201) history.note(event, { status: 'success', ...json });
  else history.note(event, { status: 'unknown', code: json?.code });
  return refusal.seen;
}

/** The events and the totals over REST: what reading is answered. */
export async function tryReads({ url }: HubAddress): Promise<readonly Refusal[]> {
  const paths = ['/events?limit=1', '/aggregates?minutes=5'];
  return await Promise.all(paths.map(async (path) => (await timed(() => get(url, path))).seen));
}

async function timed(call: () => ReturnType<typeof get>) {
  const startedMs = performance.now();
  const answer = await call();
  const seen: Refusal = {
    status: answer.status,
    code: answer.json?.code,
    detail: answer.json?.detail,
    retryAfter: answer.headers.get('retry-after'),
    ms: performance.now() - startedMs,
  };
  return { answer, seen };
}
