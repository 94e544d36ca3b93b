import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';

interface Step {
  readonly name: string;
  readonly stop: () => Promise<void> | void;
}

/** What was started, to be stopped in reverse, each part with its share of the time that is left. */
export class Lifecycle {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #stopMs: number;
  readonly #steps: Step[] = [];
  #stopped: Promise<void> | undefined;

  constructor(deps: { readonly clock: Clock; readonly logger: Logger; readonly stopMs: number }) {
    this.#clock = deps.clock;
    this.#logger = deps.logger;
    this.#stopMs = deps.stopMs;
  }

  add(name: string, stop: Step['stop']): void {
    this.#steps.push({ name, stop });
  }

  /** Safe to call twice. A part that fails or does not end in time is logged, and the others are stopped all the same. */
  stop(): Promise<void> {
    this.#stopped ??= this.#unwind();
    return this.#stopped;
  }

  async #unwind(): Promise<void> {
    const deadlineMs = this.#clock.monotonicMs() + this.#stopMs;
    for (const step of this.#steps.toReversed()) {
      const leftMs = Math.max(100, deadlineMs - this.#clock.monotonicMs());
      try {
        await this.#within(step, leftMs);
      } catch (reason) {
        this.#logger.error({ err: reason, part: step.name }, 'a part did not stop cleanly');
      }
    }
  }

  async #within(step: Step, ms: number): Promise<void> {
    let cancel = () => {};
    const late = new Promise<never>((_, reject) => {
      cancel = this.#clock.after(ms, () =>
        reject(new Error(`${step.name} did not stop in ${ms} ms`)),
      );
    });
    try {
      await Promise.race([step.stop(), late]);
    } finally {
      cancel();
    }
  }
}
