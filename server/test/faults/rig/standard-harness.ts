import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../../src/cli/generate/random.ts';
import { KafkaServer } from '../../support/engines/kafka-server.ts';
import { Figures, type Harness } from './harness.ts';
import type { History } from './history.ts';
import { servesAgain, tryIngest, tryReads } from './hub-probes.ts';
import { runProgram } from './hub-process.ts';
import type { KeptContent } from './read-stored.ts';
import type { StandardPlace } from './standard-place.ts';

/** Who is killed: one process of the hub, each in turn and then together, one engine, or all of these. */
export const victims = [
  'http',
  'grpc',
  'readers',
  'hub',
  'redis',
  'kafka',
  'mongo',
  'any',
] as const;
export type Victim = (typeof victims)[number];

const turnsOf: Readonly<Record<Victim, readonly string[]>> = {
  http: ['http'],
  grpc: ['grpc'],
  readers: ['readers'],
  hub: ['http', 'readers', 'all', 'grpc'],
  redis: ['redis'],
  kafka: ['kafka'],
  mongo: ['mongo'],
  any: ['redis', 'http', 'mongo', 'readers', 'redis', 'all', 'mongo', 'grpc'],
};

/** A few hundred events a second: what piles up while an engine is dead is soon counted, and a long run stays short. */
export const standardLoad = { batchMax: 10, pauseMsMax: 150 } as const;

const engineNames = ['redis', 'kafka', 'mongo'] as const;
type EngineName = (typeof engineNames)[number];

const moments = ['any', 'answer', 'start-up'] as const;

/** From the return of what was dead to full service, by the issue; a broker takes its part of the same two cores. */
const returnMsMax = { redis: 10_000, kafka: 20_000 } as const;

/** Processes and engines apart, killed at moments that follow from the seed, each started again at once. */
export class StandardHarness implements Harness {
  readonly place: StandardPlace;
  readonly #victim: Victim;
  readonly #random: Random;
  readonly #figures = new Figures();
  #onAnswer: (() => void) | undefined;

  constructor(place: StandardPlace, victim: Victim, seed: string) {
    this.place = place;
    this.#victim = victim;
    this.#random = new Random(`${seed} kills`);
  }

  get hasLagWindow(): boolean {
    return this.place.log instanceof KafkaServer;
  }

  get url(): string {
    return this.place.url;
  }

  get grpcAddress(): string {
    return this.place.grpcAddress;
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
    await this.place.start();
  }

  async killOnce(kill: number, history: History): Promise<string> {
    const turns = turnsOf[this.#victim];
    const name = turns[kill % turns.length] ?? 'redis';
    if (!this.place.service('http').isRunning) await this.serve();
    const round = Math.floor(kill / turns.length);
    const moment = moments[(kill + round) % moments.length] ?? 'any';
    const engine = engineNames.find((engineName) => engineName === name);
    if (engine !== undefined) await this.#killEngine(engine, moment, kill, history);
    else await this.#killServices(name, moment, history);
    this.#figures.faults.push(...this.place.ended());
    const label = `${name} ${moment}`;
    this.#figures.countKill(label);
    return label;
  }

  async finish(): Promise<readonly string[]> {
    const verified = await runProgram(['metrics', 'verify'], this.place);
    const faults =
      verified.code === 0
        ? []
        : [`metrics verify: exit ${verified.code}: ${verified.stdout}${verified.stderr}`];
    for (const service of this.place.services) {
      const exit = await service.kill('SIGTERM');
      if (exit?.code === 0) continue;
      faults.push(`${service.name} after SIGTERM: exit ${exit?.code}, signal ${exit?.signal}`);
    }
    return faults;
  }

  async readKept(): Promise<KeptContent> {
    return await this.place.readKept();
  }

  async remove(): Promise<void> {
    await this.place.remove();
  }

  /** At `start-up` it is killed a second time while its clients come back. */
  async #killEngine(
    name: EngineName,
    moment: string,
    kill: number,
    history: History,
  ): Promise<void> {
    const engine = this.#engine(name);
    await this.#atMoment(moment, () => engine.kill());
    // Some stay dead for a while, so that the hub can be asked.
    if (kill % 3 === 1) await this.#askWhileDead(name, history);
    await this.#startEngine(name);
    if (moment === 'start-up') {
      await sleep(this.#random.integer(0, 1_000));
      await engine.kill();
      await this.#startEngine(name);
    }
    await this.#awaitService(name, history);
  }

  #engine(name: EngineName) {
    return name === 'mongo' ? this.place.mongo : this.place.log;
  }

  async #startEngine(name: EngineName): Promise<void> {
    const startedMs = performance.now();
    await this.#engine(name).start();
    this.#figures.addTime(`start of ${name}`, performance.now() - startedMs);
  }

  async #killServices(name: string, moment: string, history: History): Promise<void> {
    const services = this.place.services.filter(
      (service) => name === 'all' || service.name.startsWith(name),
    );
    const killAll = () => Promise.all(services.map((service) => service.kill()));
    await this.#atMoment(moment, killAll);
    if (moment === 'start-up') {
      for (const service of services) service.launch();
      await sleep(this.#random.integer(0, 1_500));
      await killAll();
    }
    const startsMs = await Promise.all(services.map((service) => service.start()));
    for (const ms of startsMs) this.#figures.addTime('restarts', ms);
    await this.#awaitService(name, history);
  }

  /** Calls `kill` right behind an answer, in the turn in which that came, or at any time. */
  async #atMoment(moment: string, kill: () => Promise<unknown>): Promise<void> {
    await sleep(this.#random.integer(0, 1_000));
    if (moment !== 'answer') {
      await kill();
      return;
    }
    await new Promise<void>((resolve, reject) => {
      this.#onAnswer = () => {
        this.#onAnswer = undefined;
        kill().then(() => resolve(), reject);
      };
    });
  }

  async #awaitService(name: string, history: History): Promise<void> {
    try {
      const ms = await servesAgain(this, history);
      this.#figures.addTime(`after ${name}`, ms);
      if (ms <= returnMsMax[this.hasLagWindow ? 'kafka' : 'redis']) return;
      this.#figures.faults.push(`service came ${Math.round(ms)} ms after the return of ${name}`);
    } catch (reason) {
      this.#figures.faults.push(`after the return of ${name}: ${String(reason)}`);
    }
  }

  /** What needs the dead engine is refused with 503 and a time to come back; the rest goes on. */
  async #askWhileDead(name: EngineName, history: History): Promise<void> {
    const ingest = [await tryIngest(this, history)];
    const reads = await tryReads(this);
    const [refused, served] = name === 'mongo' ? [reads, ingest] : [ingest, reads];
    for (const answer of refused) {
      this.#figures.addTime(`503 for ${name}`, answer.ms);
      if (answer.status === 503 && Number(answer.retryAfter) > 0) continue;
      this.#figures.faults.push(`while ${name} was dead: ${JSON.stringify(answer)}`);
    }
    for (const answer of served) {
      if (answer.status < 300) continue;
      this.#figures.faults.push(`though only ${name} was dead: ${JSON.stringify(answer)}`);
    }
  }
}
