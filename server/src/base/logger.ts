import { createRequire } from 'node:module';
import { isatty } from 'node:tty';
import { type DestinationStream, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';
import type { LogLevel } from './log-level.ts';

/** Structured logging: an object of facts, then a sentence. Secrets and event bodies never go in. */
export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'>;

const stderr = 2;

/** Logs to stderr: JSON lines, or colours on a terminal. */
export function createLogger(
  level: LogLevel,
  destination: DestinationStream = stderrStream(),
): Logger {
  return pino({ level, base: null, timestamp: stdTimeFunctions.isoTime }, destination);
}

/** Keeps nothing, for tests and short commands. */
export const silentLogger: Logger = pino({ level: 'silent' });

function stderrStream(): DestinationStream {
  if (!isatty(stderr)) return pino.destination({ fd: stderr, sync: true });
  const { default: pretty } = createRequire(import.meta.url)('pino-pretty') as {
    default: (options: object) => DestinationStream;
  };
  return pretty({ destination: stderr, sync: true, translateTime: 'SYS:HH:MM:ss.l' });
}
