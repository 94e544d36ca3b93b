import { createLogger, type Logger } from '../../src/base/logger.ts';

/** A logger, and the lines that it has written. */
export function capturedLog(): { readonly logger: Logger; readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const logger = createLogger('info', {
    write: (text: string) => {
      lines.push(JSON.parse(text));
    },
  });
  return { logger, lines };
}

export interface LogLine {
  /** 30 for info, 40 for a warning, 50 for an error. */
  readonly level: number;
  readonly msg: string;
}
