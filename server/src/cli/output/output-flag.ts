import type { Flag } from '../command.ts';
import type { Terminal } from '../terminal.ts';
import { type OutputFormat, outputFormats } from './record-output.ts';

/** For commands that give out records: a table for people, lines for programs. */
export const outputFlag = {
  kind: 'text',
  value: 'FORMAT',
  choices: outputFormats,
  help: 'How records are written: table is the default on a terminal, ndjson elsewhere.',
} as const satisfies Flag;

/** For reports that are read by people first. */
export const reportOutputFlag = {
  kind: 'text',
  value: 'FORMAT',
  choices: outputFormats,
  default: 'table',
  help: 'How the report is written.',
} as const satisfies Flag;

export function formatOf(
  flag: string | undefined,
  terminal: Pick<Terminal, 'outIsTerminal'>,
): OutputFormat {
  const chosen = outputFormats.find((format) => format === flag);
  return chosen ?? (terminal.outIsTerminal ? 'table' : 'ndjson');
}
