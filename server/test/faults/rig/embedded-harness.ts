import { type FSWatcher, watch } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../../src/cli/generate/random.ts';
import { Figures, type Harness } from './harness.ts';
import { type HubPlace, HubProcess, placeHub, runProgram } from './hub-process.ts';
import { type KeptContent, readKept } from './read-stored.ts';

/** When a hub is killed. */
type Moment = 'any' | 'start-up' | 'answer' | 'checkpoint';

/** The first kill meets a hub that makes its file. */
const turns: readonly Moment[] = ['start-up', 'any', 'answer', 'checkpoint', 'any'];

/** A kill comes at any time within this one, or within a start. */
const afterMsMax = 1_200;
/** Of a start, before one was seen. */
const startMsGuess = 250;

/** One process that holds everything, killed at moments that follow from the seed. */
export class EmbeddedHarness implements Harness {
  readonly url: string;
  readonly grpcAddress: string;
  readonly #place: HubPlace;
  readonly #random: Random;
  readonly #figures = new Figures();
  #hub: HubProcess | undefined;
  #onAnswer: (() => void) | undefined;

  constructor(place: HubPlace, seed: string) {
    this.#place = place;
    this.url = place.url;
    this.grpcAddress = place.grpcAddress;
    this.#random = new Random(`${seed} kills`);
  }

  get kills(): Readonly<Record<string, number>> {
    return this.#figures.kills;
  }

  get timesMs(): Readonly<Record<string, readonly number[]>> {
    return this.#figures.timesMs;
  }

  get faults(): readonly string[] {
    return this.#figures.faults;
  }

  answered(): void {
    this.#onAnswer?.();
  }

  async serve(): Promise<void> {
    await this.#start();
  }

  /** Starts the hub and kills it. */
  async killOnce(kill: number): Promise<string> {
    const wanted = turns[kill % turns.length] ?? 'any';
    const afterMs = this.#random.integer(0, afterMsMax);
    const moment = await this.#killAt(wanted, afterMs);
    this.#figures.countKill(moment);
    return moment;
  }

  async finish(): Promise<readonly string[]> {
    const verified = await runProgram(['metrics', 'verify'], this.#place);
    const ended = await this.#hub?.kill('SIGTERM');
    return [
      ...(verified.code === 0
        ? []
        : [`metrics verify: exit ${verified.code}: ${verified.stdout}${verified.stderr}`]),
      ...(ended?.code === 0
        ? []
        : [`after SIGTERM: exit ${ended?.code}, signal ${ended?.signal}: ${this.#hub?.stderr}`]),
    ];
  }

  async readKept(): Promise<KeptContent> {
    return readKept(this.#place.file);
  }

  async remove(): Promise<void> {
    await this.#hub?.kill();
  }

  /** What a start takes on this machine at the least, as far as is known. */
  #startMs(): number {
    return Math.min(...(this.timesMs.restarts ?? [startMsGuess]));
  }

  async #start(): Promise<HubProcess> {
    this.#hub = new HubProcess(this.#place);
    this.#figures.addTime('restarts', await this.#hub.ready);
    return this.#hub;
  }

  async #killAt(moment: Moment, afterMs: number): Promise<Moment> {
    if (moment === 'start-up') {
      const hub = new HubProcess(this.#place);
      this.#hub = hub;
      const ready = await Promise.race([
        sleep((afterMs / afterMsMax) * this.#startMs()),
        hub.ready,
      ]);
      await hub.kill();
      return ready === undefined ? moment : 'any';
    }
    const hub = await this.#start();
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
        this.#hub?.signal('SIGKILL');
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

export async function embeddedHarness(folder: string, seed: string): Promise<EmbeddedHarness> {
  return new EmbeddedHarness(await placeHub(folder), seed);
}
