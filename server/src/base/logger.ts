import { createRequire } from 'node:module';
import { isatty } from 'node:tty';
import {
  type DestinationStream,
  type LoggerOptions,
  type Logger as PinoLogger,
  pino,
  stdTimeFunctions,
} from 'pino';
import type { LogLevel, LogLevelSwitch } from './log-level.ts';

/** Structured logging: an object of facts, then a sentence. Secrets and event bodies never go in. */
export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'>;

const stderr = 2;

/**
 * Logs to stderr: JSON lines, or colours on a terminal. With a switch as the
 * level, what is written follows it from line to line. pino copies the level of
 * a logger to those that are derived from it, so that one that is changed later
 * would reach only itself: here none of them decides.
 */
export function createLogger(
  level: LogLevel | LogLevelSwitch,
  destination: DestinationStream = stderrStream(),
): Logger {
  const options = { base: null, timestamp: stdTimeFunctions.isoTime };
  if (typeof level === 'string') return pino({ ...options, level }, destination);
  return pino({ ...options, level: 'trace', hooks: { logMethod: asking(level) } }, destination);
}

/** Before a line is made: one that is not written costs a call. */
function asking(level: LogLevelSwitch): LogMethod {
  return function logMethod(args, method, weight) {
    const name = pino.levels.labels[weight] as LogLevel;
    if (level.admits(name)) method.apply(this, args);
  };
}

type LogMethod = NonNullable<NonNullable<LoggerOptions['hooks']>['logMethod']>;

/** Keeps nothing, for tests and short commands. */
export const silentLogger: Logger = pino({ level: 'silent' });

function stderrStream(): DestinationStream {
  if (!isatty(stderr)) return pino.destination({ fd: stderr, sync: true });
  const { default: pretty } = createRequire(import.meta.url)('pino-pretty') as {
    default: (options: object) => DestinationStream;
  };
  return pretty({ destination: stderr, sync: true, translateTime: 'SYS:HH:MM:ss.l' });
}
