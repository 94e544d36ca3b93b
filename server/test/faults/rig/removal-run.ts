import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../../src/cli/generate/random.ts';
import type { NewEvent } from '../../../src/event/event.ts';
import { minuteMs, minuteOf } from '../../../src/event/minute.ts';
import type { Position } from '../../../src/log/event-log.ts';
import { logShard } from '../../../src/log/one-shard.ts';
import { anEvent } from '../../support/build-event.ts';
import { append, trimRedis } from '../../support/fill-place.ts';
import { type ModePlace, within } from '../../support/hub-places.ts';
import { startHubProcess } from '../../support/hub-process.ts';
import { type CliResult, startCli } from '../../support/run-cli.ts';
import { type KeptPrefix, openPrefixReader, type PrefixReader } from './kept-prefix.ts';
import { MoneySums } from './money-sums.ts';

const dayMs = 24 * 60 * minuteMs;
const age = '100d';
/** More than Redis trims at once: it lets go of a hundred or of none. */
const youngCount = 150;
/** Many more than the few parts of each round. */
const oldCount = 30_000;
/** Of one transaction; see `limits.retentionEvents`. */
export const partEvents = 500;

/** How a removal ends before it is through. */
export interface Round {
  readonly by: 'serve' | 'apply';
  readonly signal: 'SIGKILL' | 'SIGINT' | 'SIGTERM';
}

/**
 * Five deaths, by a hub's own setting and by the command. On servers the next process waits until
 * the lease of the dead one has run out: a hub does that for minutes, so it comes after a good end.
 */
export const rounds: readonly Round[] = [
  { by: 'serve', signal: 'SIGKILL' },
  { by: 'apply', signal: 'SIGKILL' },
  { by: 'apply', signal: 'SIGINT' },
  { by: 'serve', signal: 'SIGTERM' },
  { by: 'serve', signal: 'SIGKILL' },
  { by: 'apply', signal: 'SIGKILL' },
  { by: 'apply', signal: 'SIGKILL' },
];

export interface Found {
  readonly kept: KeptPrefix;
  /** Sentences for the minutes whose totals are not those of the events that were sent. */
  readonly totalFaults: readonly string[];
}

export interface RoundReport extends Round, Found {
  readonly end: CliResult;
  /** Events that went in this round. */
  readonly events: number;
}

export interface RemovalReport {
  /** In the log's order: those that are old enough to go, and all. */
  readonly old: readonly NewEvent[];
  readonly all: readonly NewEvent[];
  /** By id, as the hub answers it. */
  readonly positions: ReadonlyMap<string, string>;
  readonly rounds: readonly RoundReport[];
  readonly last: Found & { readonly end: CliResult };
}

/** Fills the place, removes what is old there with all the rounds in between, and once to the end. */
export async function removalRun(place: ModePlace, seed: string): Promise<RemovalReport> {
  const old = oldEvents(seed);
  const young = Array.from({ length: youngCount }, () => {
    const at = Date.now();
    return anEvent({ timestamp: at, receivedAt: at });
  });
  const all = [...old, ...young];
  await append(place, all);
  if (place.log.startsWith('redis')) await trimRedis(place.log);
  const positions = await positionsOf(place);
  const reader = openPrefixReader(place);
  try {
    const reports: RoundReport[] = [];
    for (const round of rounds) {
      const before = await reader.removedEvents();
      const end = await endAmid(place, reader, round);
      const found = await lookAt(place, reader, all);
      reports.push({ ...round, ...found, end, events: found.kept.removedEvents - before });
    }
    const end = await startApply(place).result;
    const last = { ...(await lookAt(place, reader, all)), end };
    return { old, all, positions, rounds: reports, last };
  } finally {
    await reader.close();
  }
}

/** Fifty in a minute as they came; when they happened lies up to three minutes before that, in any order. */
function oldEvents(seed: string): readonly NewEvent[] {
  const random = new Random(seed);
  const first = minuteOf(Date.now() - 300 * dayMs);
  return Array.from({ length: oldCount }, (_, index) => {
    const receivedAt = first + Math.floor((index * minuteMs) / 50);
    return anEvent({
      userId: `u${random.integer(1, 40)}`,
      eventType: random.pick(['purchase', 'return', 'refund']),
      amount: BigInt(random.integer(0, 5_000_000)) * 10_000n,
      currency: random.pick(['EUR', 'JPY']),
      timestamp: receivedAt - random.integer(0, 3 * minuteMs),
      receivedAt,
    });
  });
}

async function positionsOf(place: ModePlace): Promise<ReadonlyMap<string, string>> {
  return await within(place, async ({ store }) => {
    const positions = new Map<string, string>();
    for (let after: Position | 'start' = 'start'; ; ) {
      const page = await store.entriesAfter(logShard, after, 1_000);
      for (const { event, position } of page) positions.set(event.id, position);
      const last = page.at(-1);
      if (last === undefined) return positions;
      after = last.position;
    }
  });
}

function startApply({ flags }: ModePlace) {
  const running = startCli([
    'retention',
    'apply',
    `--older-than=${age}`,
    '--yes',
    '--output=ndjson',
    ...flags,
  ]);
  running.process.stdin.end();
  return running;
}

/** Ends the process at a random moment of its removal. */
async function endAmid(
  place: ModePlace,
  reader: PrefixReader,
  { by, signal }: Round,
): Promise<CliResult> {
  const before = await reader.removedEvents();
  const hub = { EVENT_HUB_RETENTION: age };
  const running =
    by === 'apply'
      ? startApply(place)
      : (await startHubProcess(place, 'http,grpc,readers', hub)).cli;
  await amidRemoval(reader, before, running.result);
  running.process.kill(signal);
  return await running.result;
}

/** After one of its first parts, and then somewhere in the time that the next one and its rest take. */
async function amidRemoval(
  reader: PrefixReader,
  before: number,
  ending: Promise<CliResult>,
): Promise<void> {
  let ended: CliResult | undefined;
  void ending.then((result) => {
    ended = result;
  });
  const past = async (count: number) => {
    while ((await reader.removedEvents()) < before + count) {
      if (ended !== undefined) throw new Error(`it ended by itself: ${JSON.stringify(ended)}`);
      await sleep(2);
    }
    return performance.now();
  };
  const firstMs = await past(1);
  const parts = randomInt(1, 3);
  const partMs = ((await past(1 + parts * partEvents)) - firstMs) / parts;
  await sleep(Math.random() * partMs);
}

async function lookAt(
  place: ModePlace,
  reader: PrefixReader,
  all: readonly NewEvent[],
): Promise<Found> {
  const kept = await reader.read();
  const wanted = new MoneySums();
  for (const { timestamp, eventType, currency, amount } of all) {
    wanted.add(keyOf(minuteOf(timestamp), eventType, currency), 1, amount);
  }
  const told = new MoneySums();
  const query = { from: minuteOf(Date.now() - 301 * dayMs), to: Date.now() + 1, filter: {} };
  const { buckets } = await within(place, ({ store }) =>
    store.aggregate({ ...query, stepMs: minuteMs }),
  );
  for (const { start, eventType, currency, eventCount, total } of buckets) {
    told.add(keyOf(start, eventType, currency), eventCount, total);
  }
  return { kept, totalFaults: told.differences(wanted) };
}

function keyOf(minute: number, eventType: string, currency: string): string {
  return `${new Date(minute).toISOString()} ${eventType} ${currency}`;
}
