import { once } from 'node:events';
import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red';

/** Data goes out, everything for people goes to err. */
export interface Terminal {
  /** Resolves when the reader of stdout keeps up. */
  out(text: string): Promise<void>;
  err(line: string): void;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  /** Rewrites the last line of stderr; only where stderr is a terminal. */
  progress(line: string): void;
  clearProgress(): void;
  /** Styled where stdout is a terminal and NO_COLOR is not set. */
  style(style: Style, text: string): string;
}

export function processTerminal(): Terminal {
  const { stdout, stderr } = process;
  let progressShown = false;
  const clearProgress = () => {
    if (progressShown) stderr.write('\r\x1b[K');
    progressShown = false;
  };
  return {
    out: async (text) => {
      clearProgress();
      if (stdout.writable && !stdout.write(text)) await once(stdout, 'drain');
    },
    err: (line) => {
      clearProgress();
      stderr.write(`${line}\n`);
    },
    clearProgress,
    outIsTerminal: stdout.isTTY === true,
    errIsTerminal: stderr.isTTY === true,
    progress: (line) => {
      if (stderr.isTTY !== true) return;
      stderr.write(`\r\x1b[K${line.slice(0, (stderr.columns || 80) - 1)}`);
      progressShown = true;
    },
    style: (style, text) => styleText(style, text, { stream: stdout }),
  };
}
