import type { Clock } from '../base/clock.ts';
import type { HubError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/logger.ts';
import type { Caller } from './caller.ts';

/** What is said of a key: never its text. */
export interface NamedKey {
  readonly id: string;
  readonly name: string;
}

/**
 * One structured line, with the member `audit`, for each admin act, for a key's
 * use (once a minute) and for refused credentials (so many in ten seconds, the
 * rest counted): by name, never by value.
 */
export class Audit {
  readonly #logger: Logger;
  readonly #clock: Clock;
  #windowStartedMs = Number.NEGATIVE_INFINITY;
  readonly #refusedInWindow = new Set<string>();
  #untold = 0;

  constructor(deps: { readonly logger: Logger; readonly clock: Clock }) {
    this.#logger = deps.logger;
    this.#clock = deps.clock;
  }

  /** `key_created`, `key_revoked`, `key_ended`, `access_closed`, `access_reopened`, `config_adopted`, ... */
  act(audit: string, key?: NamedKey): void {
    const named = key === undefined ? {} : { key: key.name, key_id: key.id };
    this.#logger.info({ audit, ...named }, audit.replaceAll('_', ' '));
  }

  /** `log_level_changed`: what a running process was told to do otherwise, by whom. */
  changed(audit: string, by: Caller, facts: Readonly<Record<string, string>>): void {
    this.#logger.info({ audit, by: by.name, ...facts }, audit.replaceAll('_', ' '));
  }

  keyUsed({ name, id }: NamedKey, calls: number): void {
    this.#logger.info({ audit: 'key_used', key: name, key_id: id, calls }, 'key used');
  }

  /** Once for an address in a while. */
  refused(address: string, error: HubError): void {
    this.#beginWindow();
    const told = this.#refusedInWindow;
    if (told.has(address) || told.size >= limits.auditRefusals) {
      this.#untold += 1;
      return;
    }
    told.add(address);
    const reason = error.cause instanceof Error ? error.cause.message : String(error.cause ?? '');
    const untold = this.#untold;
    this.#untold = 0;
    this.#logger.warn(
      { audit: 'credential_refused', address, reason, ...(untold === 0 ? {} : { untold }) },
      'credential refused',
    );
  }

  #beginWindow(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#windowStartedMs < limits.auditWindowMs) return;
    this.#windowStartedMs = nowMs;
    this.#refusedInWindow.clear();
  }
}
