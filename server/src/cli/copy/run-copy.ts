import type { Clock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import type { Aside, EventStore } from '../../store/event-store.ts';
import { type CopyTally, copyEvents } from './copy-events.ts';
import { copyRemoved } from './copy-removed.ts';
import { foundTotals } from './found-totals.ts';
import { holdRetention } from './hold-retention.ts';
import type { Target } from './open-target.ts';
import { resumePlace } from './resume-place.ts';
import type { Source } from './source.ts';
import { countOf, differences, totalsOf } from './totals.ts';

export interface CopyRun {
  readonly source: Source;
  readonly target: Target;
  /** Goes on until `signal` aborts, and takes what comes meanwhile. */
  readonly follow: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** What has been done so far; read while it runs, for the progress. */
export interface CopyState extends CopyTally {
  /** Events of the source, where it can count them. */
  total: number | undefined;
  phase: string;
}

export interface CopyResult {
  /** Stopped before its end; doing it again goes on. */
  readonly interrupted: boolean;
  /** A line for each type and currency; none when the totals are equal. */
  readonly differences: readonly string[];
}

const followPauseMs = 500;
/** How often a moving source is compared anew before that is given up. */
const comparisonsMax = 5;

/** Copies, carries along what lies beside the events, and compares. */
export async function runCopy(run: CopyRun, state: CopyState): Promise<CopyResult> {
  const { source, target, clock, signal } = run;
  await assertOther(source, target.store);
  const letGo = await holdRetention(target.store, clock, signal);
  try {
    return await copyAll(run, state);
  } finally {
    await letGo();
  }
}

async function copyAll(run: CopyRun, state: CopyState): Promise<CopyResult> {
  const { source, target, follow, signal } = run;
  if (!follow) {
    state.phase = 'completing the store of the source';
    await source.settle(signal);
  }
  const mark = await source.mark();
  if (source.store !== undefined) state.total = await countEvents(source.store);
  await agreeLike(source.store, target.store);

  const after = await resumePlace(source, target.store, signal);
  if (after !== undefined) run.say('the target has an earlier copy: going on where that stopped');
  let place = await goOn(after, run, state, mark);
  if (follow) place = await followOn(place, run, state);
  else if (signal.aborted) return { interrupted: true, differences: [] };

  let found = await complete(place, run, state, mark);
  for (const { why, ...part } of whatMayBeMissing(source, after !== undefined)) {
    if (found.length === 0) break;
    run.say(why);
    await copyFrom(undefined, { ...run, ...part, signal: follow ? never : signal }, state, mark);
    if (!follow && signal.aborted) return { interrupted: true, differences: [] };
    found = await complete(place, run, state, mark);
  }
  return { interrupted: false, differences: found };
}

/** From an earlier copy's end, or from the beginning where that is a place of a log that is not there any more. */
async function goOn(
  after: string | undefined,
  run: CopyRun,
  state: CopyState,
  mark: string,
): Promise<string | undefined> {
  try {
    return await copyFrom(after, run, state, mark);
  } catch (reason) {
    if (after === undefined || HubError.from(reason).code !== 'position_gone') throw reason;
    run.say('the log of the source does not go on from there: copying from the beginning');
    return await copyFrom(undefined, run, state, mark);
  }
}

/** What is read again while the totals differ, one after the other. */
function whatMayBeMissing(
  source: Source,
  hasSkipped: boolean,
): readonly { readonly why: string; readonly source: Source }[] {
  const { readStored } = source;
  const skipped = {
    why: 'what was skipped is not all there: copying from the beginning',
    source,
  };
  if (readStored === undefined) return hasSkipped ? [skipped] : [];
  const left = {
    why: 'the store of the source may have events of a log that was there before this one: copying from the store',
    source: { ...source, read: (_: string | undefined, signal: AbortSignal) => readStored(signal) },
  };
  return hasSkipped ? [skipped, left] : [left];
}

/** For what comes after the interruption that ends a following copy. */
const never = new AbortController().signal;

async function copyFrom(
  after: string | undefined,
  { source, target, follow, clock, signal }: CopyRun,
  state: CopyState,
  mark: string,
): Promise<string | undefined> {
  state.phase = 'copying';
  const assertStill = async () => {
    if (!follow && (await source.mark()) !== mark) throw takesWrites(source);
  };
  await assertStill();
  const options = { after, clock, signal, tally: state, beforeEach: assertStill };
  return await copyEvents(source, target, options);
}

async function followOn(
  from: string | undefined,
  run: CopyRun,
  state: CopyState,
): Promise<string | undefined> {
  let place = from;
  run.say('caught up with the source: following it until interrupted (Ctrl-C)');
  while (!run.signal.aborted) {
    state.phase = 'following';
    await run.clock.sleep(followPauseMs, run.signal).catch(() => undefined);
    if (!run.signal.aborted) place = await copyFrom(place, run, state, '');
  }
  return place;
}

/** What came last, what lies beside the events, and then the comparison; again while the source moves. */
async function complete(
  from: string | undefined,
  run: CopyRun,
  state: CopyState,
  mark: string,
): Promise<readonly string[]> {
  const { source, target, follow } = run;
  const signal = follow ? never : run.signal;
  let place = from;
  for (let comparison = 1; ; comparison += 1) {
    if (follow) place = await copyFrom(place, { ...run, signal }, state, '');
    state.phase = 'completing the store of the target';
    await target.settle(signal);
    if (follow) await source.settle(signal);
    const before = await source.mark();
    if (!follow && before !== mark) throw takesWrites(source);
    if (source.store !== undefined) await copyBeside(source.store, run);
    state.phase = 'comparing';
    const sums =
      source.store === undefined
        ? await foundTotals(source, target.store, signal)
        : await totalsOf(source.store);
    const found = differences(sums, await totalsOf(target.store));
    const moved = (await source.mark()) !== before;
    if (found.length === 0 || !(follow && moved) || comparison === comparisonsMax) return found;
  }
}

async function copyBeside(source: EventStore, { target, say }: CopyRun): Promise<void> {
  await copyAside(source, target.store);
  const unsure = await copyRemoved(source, target.store);
  if (unsure === 0) return;
  say(
    `${unsure} frozen minutes were left as they are in the target: its own retention has removed copied events of theirs`,
  );
}

/** Conflicts and unreadable entries, in parts that fit into a transaction. */
async function copyAside(source: EventStore, target: EventStore): Promise<void> {
  const conflicts = await source.conflicts(everything);
  const unreadable = await source.unreadableEntries(everything);
  for (let at = 0; at < Math.max(conflicts.length, unreadable.length); at += asideEntries) {
    const part: Aside = {
      conflicts: conflicts.slice(at, at + asideEntries),
      unreadable: unreadable.slice(at, at + asideEntries),
    };
    await target.keepAside(part);
  }
}

const everything = Number.MAX_SAFE_INTEGER;
const asideEntries = 100;

/** Those that are there, about: for the progress. */
async function countEvents(store: EventStore): Promise<number> {
  const { removedEvents } = await store.retained();
  return countOf(await totalsOf(store)) - removedEvents;
}

/** The hub on the target takes the same for valid and counts alike. */
async function agreeLike(source: EventStore | undefined, target: EventStore): Promise<void> {
  const wanted = await source?.agreement();
  if (wanted === undefined) return;
  const kept = await target.agree(wanted);
  if (kept.eventTypes === wanted.eventTypes && kept.defaultCurrency === wanted.defaultCurrency) {
    return;
  }
  throw new HubError(
    'conflict',
    `the source has event types ${wanted.eventTypes} and default currency ${wanted.defaultCurrency}, the target ${kept.eventTypes} and ${kept.defaultCurrency}: make them equal with \`event-hub config adopt\` on one of them`,
  );
}

async function assertOther(source: Source, target: EventStore): Promise<void> {
  if (source.store === undefined) return;
  const [ours] = (await source.store.positions()).values();
  const [theirs] = (await target.positions()).values();
  if (ours === undefined || ours !== theirs) return;
  throw new HubError('conflict', 'the source and the target are one hub: there is nothing to copy');
}

function takesWrites({ name }: Source): HubError {
  return new HubError(
    'conflict',
    `${name} takes writes: stop its senders and its hub, or copy beside them with --follow; what was copied stays, and the next run goes on from there`,
  );
}
