import { Audit, type NamedKey } from '../auth/audit.ts';
import { systemClock } from '../base/clock.ts';
import { createLogger } from '../base/logger.ts';
import type { Settings } from '../config/settings.ts';

/** The structured line, on stderr, for an act by which an operator changes a hub: what a command says to people is no record. */
export function auditAct(
  { logLevel }: Pick<Settings, 'logLevel'>,
  act: string,
  key?: NamedKey,
): void {
  new Audit({ logger: createLogger(logLevel), clock: systemClock }).act(act, key);
}
