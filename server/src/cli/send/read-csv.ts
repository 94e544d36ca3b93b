import { CsvError, parse } from 'csv-parse';
import { HubError } from '../../base/errors.ts';
import { canonicalJson, parseJson, quoteJson } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import { usageError } from '../exit-code.ts';
import type { InputRecord } from './read-ndjson.ts';

const columnNames = [
  'id',
  'user_id',
  'event_type',
  'amount',
  'currency',
  'timestamp',
  'metadata',
  'received_at',
  'position',
];

/**
 * Each row as the JSON text of an event. The first row names the columns, an
 * empty cell is an absent field, metadata is JSON text. Throws CommandError for
 * a file that is no such CSV: what comes after a broken quote cannot be trusted.
 */
export async function* readCsv(chunks: AsyncIterable<Buffer>): AsyncGenerator<InputRecord> {
  const parser = parse({
    bom: true,
    info: true,
    columns: checkHeader,
    skip_empty_lines: true,
    max_record_size: limits.singleBodyBytes,
  });
  const feeding = feed(chunks, parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<CsvRow>) {
      yield { line: info.lines, text: eventText(record) };
    }
    await feeding;
  } catch (reason) {
    if (reason instanceof CsvError) throw usageError(`the CSV cannot be read: ${reason.message}`);
    throw reason;
  }
}

interface CsvRow {
  readonly record: Readonly<Record<string, string>>;
  readonly info: { readonly lines: number };
}

async function feed(chunks: AsyncIterable<Buffer>, parser: ReturnType<typeof parse>) {
  for await (const chunk of chunks) {
    if (parser.destroyed) return;
    if (!parser.write(chunk)) await drained(parser);
  }
  parser.end();
}

/** Also ends when the parser does. */
function drained(parser: ReturnType<typeof parse>): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      parser.off('drain', done);
      parser.off('close', done);
      resolve();
    };
    parser.on('drain', done);
    parser.on('close', done);
  });
}

function checkHeader(header: readonly string[]): string[] {
  const unknown = header.filter((name) => !columnNames.includes(name));
  if (unknown.length > 0) {
    throw usageError(
      `the CSV has the unknown column ${unknown.join(', ')}: the first row names columns out of ${columnNames.join(', ')}`,
    );
  }
  return [...header];
}

function eventText(row: Readonly<Record<string, string>>): string | HubError {
  const members: string[] = [];
  for (const [name, cell] of Object.entries(row)) {
    if (cell === '') continue;
    if (name !== 'metadata') {
      members.push(`${quoteJson(name)}:${quoteJson(cell)}`);
      continue;
    }
    try {
      members.push(`"metadata":${canonicalJson(parseJson(cell))}`);
    } catch (reason) {
      const { code, message } = HubError.from(reason);
      return new HubError(code, `metadata is no JSON: ${message}`);
    }
  }
  return `{${members.join(',')}}`;
}
