import { Backoff } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { HubError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/logger.ts';

export interface AdmissionStep {
  /** In the hub's log: `the store`. */
  readonly name: string;
  /** Resolves once; rejects with `unavailable` to be tried again, and with a refusal for good. */
  readonly pass: () => Promise<void>;
}

/**
 * What must be looked at before the hub may use its engines, and cannot be
 * while one of them is away. The hub serves meanwhile, as far as it can; what
 * is refused in the end ends it.
 */
export class Admission {
  /** Resolves with the reason when the hub must not go on. */
  readonly refused: Promise<HubError>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  readonly #refusal = Promise.withResolvers<HubError>();
  #waiting: readonly Promise<void>[] = [];

  constructor(deps: { readonly clock: Clock; readonly logger: Logger }) {
    this.#clock = deps.clock;
    this.#logger = deps.logger;
    this.refused = this.#refusal.promise;
  }

  /** Tries each step once and goes on with those that are to be tried again. Rejects with the first refusal. */
  async begin(steps: readonly AdmissionStep[]): Promise<void> {
    const first = await Promise.allSettled(steps.map(({ pass }) => pass()));
    const waiting: AdmissionStep[] = [];
    for (const [index, step] of steps.entries()) {
      const result = first[index];
      if (result?.status !== 'rejected') continue;
      if (isRefusal(result.reason)) throw result.reason;
      const { message } = HubError.from(result.reason);
      this.#logger.warn(`starts without ${step.name}: ${message}`);
      waiting.push(step);
    }
    this.#waiting = waiting.map((step) => this.#tryOn(step));
  }

  /** The hub must not go on. */
  refuse(refusal: HubError): void {
    this.#refusal.resolve(refusal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#waiting);
  }

  async #tryOn({ name, pass }: AdmissionStep): Promise<void> {
    const { signal } = this.#stopping;
    const backoff = new Backoff(limits.retryFirstMs, limits.retryMaxMs);
    while (!signal.aborted) {
      await this.#clock.sleep(backoff.next(), signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await pass();
        this.#logger.info(`${name} is there`);
        return;
      } catch (reason) {
        if (!isRefusal(reason)) continue;
        this.refuse(HubError.from(reason));
        return;
      }
    }
  }
}

/** What a retry does not mend. */
function isRefusal(reason: unknown): boolean {
  const { code } = HubError.from(reason);
  return code !== 'unavailable' && code !== 'overloaded';
}
