import type { Clock } from '../base/clock.ts';
import { HubError } from '../base/errors.ts';
import { keptFor } from '../base/kept-for.ts';
import { limits } from '../base/limits.ts';
import { within } from '../base/within.ts';
import type { Health, PartHealth } from '../hub.ts';
import type { EventLog } from '../log/event-log.ts';

/** A sentence. */
export type Advice = (fault: HubError) => string;

/** Something that a process needs, or shows. */
export interface HealthPart {
  readonly name: string;
  /** Without it the process is not ready; what else fails is shown all the same. */
  readonly needed: boolean;
  /** What to do about what `check` rejected with. */
  readonly advice: Advice;
  /** What is well; rejects when it is not. */
  readonly check: () => Promise<string>;
}

export interface HealthDeps {
  readonly log: EventLog;
  readonly logAdvice: Advice;
  /** Besides the log, which every process needs. */
  readonly parts: readonly HealthPart[];
  readonly clock: Clock;
  /** Aborted when the hub begins to stop: it is not ready any more. */
  readonly stopping: AbortSignal;
}

/** A probe of the engines makes a small commit, so its answer serves all who ask within a second. */
const healthAgeMsMax = 1_000;

export function createHealth({
  log,
  logAdvice,
  parts,
  clock,
  stopping,
}: HealthDeps): () => Promise<Health> {
  let durability = 'not known before the log was reached';
  const logPart: HealthPart = {
    name: 'log',
    needed: true,
    advice: logAdvice,
    check: async () => {
      durability = (await log.check()).durability;
      return durability;
    },
  };
  const probe = async (): Promise<Health> => {
    const probed = await Promise.all(
      [logPart, ...parts].map(async (part) => ({ part, health: await probePart(part, clock) })),
    );
    return {
      ready: probed.every(({ part, health }) => health.ok || !part.needed),
      durability,
      parts: probed.map(({ health }) => health),
    };
  };
  const latest = keptFor(clock, healthAgeMsMax, probe);
  return async () => {
    const health = await latest();
    if (!stopping.aborted) return health;
    const part: PartHealth = {
      name: 'hub',
      ok: false,
      detail: 'the hub is stopping',
      advice: 'send what comes to another process; this one ends by itself',
    };
    return { ...health, ready: false, parts: [part, ...health.parts] };
  };
}

async function probePart({ name, advice, check }: HealthPart, clock: Clock): Promise<PartHealth> {
  const ms = limits.healthProbeMs;
  try {
    return { name, ok: true, detail: await within(clock, ms, check(), `no answer in ${ms} ms`) };
  } catch (reason) {
    const fault = HubError.from(reason);
    return { name, ok: false, detail: fault.message, advice: advice(fault) };
  }
}
