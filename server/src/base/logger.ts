import type { Logger as PinoLogger } from 'pino';

/** Structured logging: an object of facts, then a sentence. Secrets and event bodies never go in. */
export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'>;
