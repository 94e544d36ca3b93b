import { setTimeout as sleep } from 'node:timers/promises';
import { checkRun, type Evidence, type Verdict } from './check-run.ts';
import { checkShardedRun } from './check-sharded-run.ts';
import { type Follower, startFollowers } from './followers.ts';
import type { Harness } from './harness.ts';
import type { SentEvent } from './history.ts';
import type { HubAddress } from './hub-process.ts';
import { startLoad } from './load.ts';
import { endOfFeed, isReached, readTold } from './read-stored.ts';
import { restSender } from './senders/rest-sender.ts';

/** Of the event that ends a run. */
export const lastId = 'the-last';

export interface CrashOptions {
  readonly kills: number;
  readonly seed: string;
  readonly batchMax?: number;
  readonly pauseMsMax?: number;
  readonly onKill?: (kill: number, moment: string) => void;
}

export interface CrashReport extends Verdict {
  readonly kills: Readonly<Record<string, number>>;
  readonly answers: Readonly<Record<string, number>>;
  /** By what was measured, ascending, in milliseconds. */
  readonly timesMs: Readonly<Record<string, readonly number[]>>;
  readonly evidence: Evidence;
}

/**
 * Kills a hub or its engines under load over all protocols again and again, at
 * moments that follow from the seed, while readers follow the live feed over
 * three transports. Then lets everything come to rest and checks every event.
 */
export async function crashRun(harness: Harness, options: CrashOptions): Promise<CrashReport> {
  const { hasLagWindow = false } = harness;
  const load = startLoad(harness, {
    ...options,
    hasLagWindow,
    onAnswer: () => harness.answered(),
  });
  const followers = startFollowers(harness);
  try {
    for (let kill = 1; kill <= options.kills; kill += 1) {
      const moment = await harness.killOnce(kill - 1, load.history);
      options.onKill?.(kill, moment);
    }
    await harness.serve();
    await sleep(500);
    await load.stop();
    const evidence = await settle(harness, followers, load.history);
    const faults = [...harness.faults, ...(await harness.finish())];
    const kept = await harness.readKept();
    const check = kept.isSharded === true ? checkShardedRun : checkRun;
    const verdict = check({ ...evidence, kept });
    return {
      ...verdict,
      faults: [...faults, ...verdict.faults],
      kills: harness.kills,
      answers: load.history.answers,
      timesMs: Object.fromEntries(
        Object.entries(harness.timesMs).map(([name, ms]) => [name, ms.toSorted((a, b) => a - b)]),
      ),
      evidence: { ...evidence, kept },
    };
  } finally {
    await Promise.all(followers.map((follower) => follower.stop()));
    await load.stop();
    await harness.remove();
  }
}

/** Waits until the store and every reader have come to the end of the log; one that does not get there leaves a gap, which the check finds. */
export async function settle(
  hub: HubAddress,
  followers: readonly Follower[],
  history: Evidence['history'],
  timeoutMs = 30_000,
): Promise<Omit<Evidence, 'kept'>> {
  const deadlineMs = performance.now() + timeoutMs;
  await sendLast(hub, history, deadlineMs);
  const end = await endOfFeed(hub.url);
  if (end !== undefined) {
    while (!(await isReached(hub.url, end)) && performance.now() < deadlineMs) await sleep(50);
  }
  const told = await readTold(hub.url);
  const ids = told.events.map(({ id }) => id);
  await Promise.all(followers.map((follower) => follower.sees(ids, timeoutMs)));
  await Promise.all(followers.map((follower) => follower.stop()));
  return { history, told, trails: followers };
}

/** One event after all others: who has it has everything. */
async function sendLast(
  { url }: HubAddress,
  history: Evidence['history'],
  deadlineMs: number,
): Promise<SentEvent> {
  const last = history.add({
    id: lastId,
    user_id: 'u-the-last',
    event_type: 'purchase',
    amount: '1',
  });
  const sender = restSender(url, 'single');
  do {
    last.sends += 1;
    const [answer] = await sender.send([last.input], false);
    if (answer !== undefined) history.note(last, answer);
    if (last.outcome !== 'stored') await sleep(50);
  } while (last.outcome !== 'stored' && performance.now() < deadlineMs);
  return last;
}
