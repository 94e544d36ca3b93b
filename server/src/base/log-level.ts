import type { Clock, Instant } from './clock.ts';

/** From the one that writes most to the one that writes nothing. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogLevelState {
  readonly level: LogLevel;
  /** By the settings: what holds after a start, and when another one's time is over. */
  readonly configured: LogLevel;
  /** When the configured one holds again; undefined where no time was said. */
  readonly until: Instant | undefined;
}

export interface ChangeOptions {
  /** After so long the configured level holds again. */
  readonly forMs?: number | undefined;
  /** Then. */
  readonly onOver?: () => void;
}

/**
 * The least level of a process's log lines, while it runs. A logger made with
 * it asks it at each line, and so do all that are derived from that one.
 */
export class LogLevelSwitch {
  readonly #clock: Clock;
  readonly #configured: LogLevel;
  #state: LogLevelState;
  #cancelEnd = () => {};

  constructor(configured: LogLevel, clock: Clock) {
    this.#clock = clock;
    this.#configured = configured;
    this.#state = { level: configured, configured, until: undefined };
  }

  get state(): LogLevelState {
    return this.#state;
  }

  admits(level: LogLevel): boolean {
    return logLevels.indexOf(level) >= logLevels.indexOf(this.#state.level);
  }

  change(level: LogLevel, { forMs, onOver }: ChangeOptions = {}): void {
    this.#cancelEnd();
    const configured = this.#configured;
    this.#cancelEnd = () => {};
    if (forMs === undefined) {
      this.#state = { level, configured, until: undefined };
      return;
    }
    this.#state = { level, configured, until: this.#clock.now() + forMs };
    this.#cancelEnd = this.#clock.after(forMs, () => {
      this.#state = { level: configured, configured, until: undefined };
      onOver?.();
    });
  }
}
