import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';
import { within } from './within.ts';

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
        const stopped = (async () => await step.stop())();
        await within(this.#clock, leftMs, stopped, `${step.name} did not stop in ${leftMs} ms`);
      } catch (reason) {
        this.#logger.error({ err: reason, part: step.name }, 'a part did not stop cleanly');
      }
    }
  }
}
