import { type FSWatcher, watch } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../../src/cli/generate/random.ts';
import { checkRun, type Evidence, type Verdict } from './check-run.ts';
import { type Follower, startFollowers } from './followers.ts';
import { type HubAddress, type HubPlace, HubProcess, placeHub, runProgram } from './hub-process.ts';
import { startLoad } from './load.ts';
import { newestPosition, readKept, readTold } from './read-stored.ts';

/** When a hub is killed. */
export type Moment = 'any' | 'start-up' | 'answer' | 'checkpoint';

/** The first kill meets a hub that makes its file. */
const turns: readonly Moment[] = ['start-up', 'any', 'answer', 'checkpoint', 'any'];

export interface CrashOptions {
  readonly folder: string;
  readonly kills: number;
  readonly seed: string;
  readonly batchMax?: number;
  readonly onKill?: (kill: number, moment: Moment) => void;
}

export interface CrashReport extends Verdict {
  readonly kills: Readonly<Record<Moment, number>>;
  readonly answers: Readonly<Record<string, number>>;
  /** From the start of a process to the line that says that it serves, ascending, in milliseconds. */
  readonly restartsMs: readonly number[];
  readonly evidence: Evidence;
}

/**
 * Kills a hub under load over all protocols again and again, at moments that
 * follow from the seed, while readers follow the live feed over three
 * transports. Then lets everything come to rest and checks every event.
 */
export async function crashRun(options: CrashOptions): Promise<CrashReport> {
  const place = await placeHub(options.folder);
  const killer = new Killer(place, new Random(`${options.seed} kills`));
  const load = startLoad(place, { ...options, onAnswer: () => killer.answered() });
  const followers = startFollowers(place);
  try {
    for (let kill = 1; kill <= options.kills; kill += 1) {
      const moment = await killer.killOnce(kill - 1);
      options.onKill?.(kill, moment);
    }
    const hub = await killer.start();
    await sleep(500);
    await load.stop();
    const evidence = await settle(place, followers, load.history);
    const faults = [...(await faultsOfCounts(place)), ...(await faultsOfStop(hub))];
    const kept = readKept(place.file);
    const verdict = checkRun({ ...evidence, kept });
    return {
      ...verdict,
      faults: [...faults, ...verdict.faults],
      kills: killer.kills,
      answers: load.history.answers,
      restartsMs: killer.restartsMs.toSorted((a, b) => a - b),
      evidence: { ...evidence, kept },
    };
  } finally {
    await Promise.all(followers.map((follower) => follower.stop()));
    await load.stop();
    await killer.hub?.kill();
  }
}

/** Waits until every reader has come to the end of the log; one that does not get there leaves a gap, which the check finds. */
export async function settle(
  hub: HubAddress,
  followers: readonly Follower[],
  history: Evidence['history'],
  timeoutMs = 30_000,
): Promise<Omit<Evidence, 'kept'>> {
  const newest = await newestPosition(hub.url);
  if (newest !== undefined) {
    await Promise.all(followers.map((follower) => follower.reaches(newest, timeoutMs)));
  }
  const told = await readTold(hub.url);
  await Promise.all(followers.map((follower) => follower.stop()));
  return { history, told, trails: followers };
}

/** The hub's own comparison of its counts with its events. */
async function faultsOfCounts(place: HubPlace): Promise<readonly string[]> {
  const { code, stdout, stderr } = await runProgram(['metrics', 'verify'], place);
  return code === 0 ? [] : [`metrics verify: exit ${code}: ${stdout}${stderr}`];
}

async function faultsOfStop(hub: HubProcess): Promise<readonly string[]> {
  const { code, signal } = await hub.kill('SIGTERM');
  return code === 0 ? [] : [`after SIGTERM: exit ${code}, signal ${signal}: ${hub.stderr}`];
}

class Killer {
  hub: HubProcess | undefined;
  readonly kills: Record<Moment, number> = { any: 0, 'start-up': 0, answer: 0, checkpoint: 0 };
  readonly restartsMs: number[] = [];
  readonly #place: HubPlace;
  readonly #random: Random;
  #onAnswer: (() => void) | undefined;

  constructor(place: HubPlace, random: Random) {
    this.#place = place;
    this.#random = random;
  }

  /** A client was answered: the moment some kills wait for. */
  answered(): void {
    this.#onAnswer?.();
  }

  async start(): Promise<HubProcess> {
    this.hub = new HubProcess(this.#place);
    this.restartsMs.push(await this.hub.ready);
    return this.hub;
  }

  /** Starts the hub and kills it. */
  async killOnce(kill: number): Promise<Moment> {
    const wanted = turns[kill % turns.length] ?? 'any';
    const afterMs = this.#random.integer(0, 1_200);
    const moment = await this.#killAt(wanted, afterMs);
    this.kills[moment] += 1;
    return moment;
  }

  async #killAt(moment: Moment, afterMs: number): Promise<Moment> {
    if (moment === 'start-up') {
      const hub = new HubProcess(this.#place);
      this.hub = hub;
      const ready = await Promise.race([sleep(afterMs * 0.6), hub.ready]);
      await hub.kill();
      return ready === undefined ? moment : 'any';
    }
    const hub = await this.start();
    const reached = moment === 'any' ? undefined : await this.#wait(moment, afterMs);
    if (reached === undefined) await sleep(afterMs);
    if (!hub.isRunning) throw new Error(`the hub ended by itself: ${hub.stderr}`);
    await hub.kill();
    return reached ?? 'any';
  }

  /** Resolves in the turn in which the moment has come; undefined when it does not come soon. */
  async #wait(moment: 'answer' | 'checkpoint', afterMs: number): Promise<Moment | undefined> {
    if (moment === 'answer') await sleep(afterMs);
    let watcher: FSWatcher | undefined;
    const come = new Promise<Moment>((resolve) => {
      const now = () => {
        // Here and not behind an await: the next instructions of the hub are what is at stake.
        this.hub?.signal('SIGKILL');
        resolve(moment);
      };
      if (moment === 'answer') this.#onAnswer = now;
      // Under WAL the file itself changes in checkpoints only.
      else watcher = watch(this.#place.file, now);
    });
    const reached = await Promise.race([come, sleep(4_000)]);
    this.#onAnswer = undefined;
    watcher?.close();
    return reached ?? undefined;
  }
}
