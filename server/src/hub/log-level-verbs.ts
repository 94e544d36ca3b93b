import { allow } from '../auth/allow.ts';
import { Audit } from '../auth/audit.ts';
import { type Clock, formatInstant } from '../base/clock.ts';
import { durationExpected, parseDuration } from '../base/duration.ts';
import { isJsonObject, type Json, type JsonObject, jsonPointer } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import {
  type LogLevel,
  type LogLevelState,
  type LogLevelSwitch,
  logLevels,
} from '../base/log-level.ts';
import type { Logger } from '../base/logger.ts';
import { expectedObject, expectedString, Faults, required, shown } from '../event/faults.ts';
import type { Hub } from '../hub.ts';

export interface LogLevelDeps {
  readonly logLevel: LogLevelSwitch;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The two verbs of the hub that see and change how much this process writes to its log. */
export function logLevelVerbs({ logLevel, clock, logger }: LogLevelDeps) {
  const audit = new Audit({ logger, clock });
  return {
    logLevel: (caller) => {
      allow(caller, 'admin');
      return logLevel.state;
    },
    changeLogLevel: (caller, input) => {
      allow(caller, 'admin');
      const { level, forMs } = parseChange(input);
      const until = forMs === undefined ? {} : { until: formatInstant(clock.now() + forMs) };
      const facts = { from: logLevel.state.level, to: level, ...until };
      const tell = () => audit.changed('log_level_changed', caller, facts);
      // Under the one of the two levels that writes it.
      const isWritten = logLevel.admits('info');
      if (isWritten) tell();
      logLevel.change(level, { forMs, onOver: () => tellOver(logger, logLevel.state) });
      if (!isWritten) tell();
      return logLevel.state;
    },
  } satisfies Pick<Hub, 'logLevel' | 'changeLogLevel'>;
}

function tellOver(logger: Logger, { level }: LogLevelState): void {
  logger.info({ log_level: level }, `the log level is ${level} again, as configured`);
}

interface Change {
  readonly level: LogLevel;
  readonly forMs: number | undefined;
}

/** Throws `invalid`, listing every fault. */
function parseChange(input: unknown): Change {
  const faults = new Faults();
  const fields: JsonObject = isJsonObject(input) ? input : {};
  if (fields !== input) faults.add('', expectedObject('the change', input));
  for (const name of Object.keys(fields)) {
    if (name === 'level' || name === 'for') continue;
    const detail = `${shown(name)} is not a field here: there are level and for`;
    faults.add(jsonPointer([name]), { code: 'unknown_field', detail });
  }
  const level = fields === input ? parseLevel(fields.level ?? null, faults) : undefined;
  const forMs = parseFor(fields.for ?? null, faults);
  faults.check();
  return { level: level ?? 'info', forMs };
}

function parseLevel(value: Json, faults: Faults): LogLevel | undefined {
  const level = logLevels.find((each) => each === value);
  if (level !== undefined) return level;
  const known = `there are ${logLevels.join(', ')}`;
  if (value === null) faults.add('/level', required('level'));
  else if (typeof value !== 'string') faults.add('/level', expectedString('level', value));
  else
    faults.add('/level', { code: 'log_level', detail: `level is not ${shown(value)}: ${known}` });
  return undefined;
}

function parseFor(value: Json, faults: Faults): number | undefined {
  if (value === null) return undefined;
  if (typeof value !== 'string') {
    faults.add('/for', expectedString('for', value));
    return undefined;
  }
  const ms = parseDuration(value);
  if (ms !== undefined && ms > 0 && ms <= limits.logLevelChangedMs) return ms;
  const days = limits.logLevelChangedMs / 86_400_000;
  const detail = `for must be ${durationExpected}, more than nothing and at most ${days}d, not ${shown(value)}`;
  faults.add('/for', { code: 'duration', detail });
  return undefined;
}
