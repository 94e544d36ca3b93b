import type { Style, Terminal } from '../terminal.ts';
import { csvCell } from './csv-cell.ts';

export const outputFormats = ['json', 'ndjson', 'csv', 'table'] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** How records of one kind look in every format. */
export interface RecordShape<Item> {
  readonly columns: readonly Column<Item>[];
  /** The whole record as JSON text. */
  readonly json: (item: Item) => string;
}

export interface Column<Item> {
  readonly name: string;
  /** Characters in a table; longer values push the rest to the right. */
  readonly width: number;
  /** Empty for an absent value. */
  readonly text: (item: Item) => string;
  readonly right?: boolean;
  /** How it looks on a terminal. */
  readonly style?: (item: Item) => Style;
  /** Left out of tables, where there is no room. */
  readonly wide?: boolean;
}

/** Writes records one by one, so that the whole is never in memory. */
export interface RecordOutput<Item> {
  write(item: Item): Promise<void>;
  /** Writes what is still held back. */
  flush(): Promise<void>;
  /** Closes the list that `json` opens. */
  end(): Promise<void>;
}

export interface OutputOptions {
  /** Goes on where records were written before, in a format of lines: without a head. */
  readonly continued?: boolean;
}

/** Characters that are gathered before they are written. */
const chunkCharacters = 32 * 1024;

export function openRecordOutput<Item>(
  format: OutputFormat,
  shape: RecordShape<Item>,
  terminal: Pick<Terminal, 'out' | 'style'>,
  { continued = false }: OutputOptions = {},
): RecordOutput<Item> {
  const encode = encoders[format](shape, terminal);
  let held = continued ? '' : encode.start;
  const flush = async () => {
    const text = held;
    held = '';
    if (text !== '') await terminal.out(text);
  };
  let count = 0;
  return {
    write: async (item) => {
      held += encode.record(item, count);
      count += 1;
      if (held.length >= chunkCharacters) await flush();
    },
    flush,
    end: async () => {
      held += encode.end(count);
      await flush();
    },
  };
}

interface Encoder<Item> {
  readonly start: string;
  readonly record: (item: Item, index: number) => string;
  readonly end: (count: number) => string;
}

type EncoderOf = <Item>(
  shape: RecordShape<Item>,
  terminal: Pick<Terminal, 'style'>,
) => Encoder<Item>;

const encoders: Readonly<Record<OutputFormat, EncoderOf>> = {
  json: ({ json }) => ({
    start: '',
    record: (item, index) => `${index === 0 ? '[\n' : ',\n'}${json(item)}`,
    end: (count) => (count === 0 ? '[]\n' : '\n]\n'),
  }),
  ndjson: ({ json }) => ({
    start: '',
    record: (item) => `${json(item)}\n`,
    end: () => '',
  }),
  csv: ({ columns }) => ({
    start: `${columns.map(({ name }) => name).join(',')}\r\n`,
    record: (item) => `${columns.map(({ text }) => csvCell(text(item))).join(',')}\r\n`,
    end: () => '',
  }),
  table: ({ columns }, terminal) => {
    const shown = columns.filter(({ wide }) => !wide);
    const line = (cells: readonly string[]) => `${cells.join('  ').trimEnd()}\n`;
    const header = line(shown.map((column) => pad(column, column.name)));
    return {
      start: `${terminal.style('bold', header.trimEnd())}\n`,
      record: (item) =>
        line(
          shown.map((column) => {
            const cell = pad(column, printable(column.text(item)));
            return column.style === undefined ? cell : terminal.style(column.style(item), cell);
          }),
        ),
      end: () => '',
    };
  },
};

function pad({ width, right }: Pick<Column<never>, 'width' | 'right'>, text: string): string {
  return right ? text.padStart(width) : text.padEnd(width);
}

/** Stored text must not steer the terminal that shows it. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, '\u{FFFD}');
}
