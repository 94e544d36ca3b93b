import { type HubError, invalid } from '../../base/errors.ts';
import { isJsonObject, parseJson } from '../../base/json.ts';
import type { IngestClient } from '../clients/ingest-client.ts';
import type { RecordOutput } from '../output/record-output.ts';
import type { InputRecord } from '../send/read-ndjson.ts';
import type { LineResult } from '../send/result-shape.ts';
import { type SendCounts, sendAll } from '../send/send-all.ts';
import type { Refusals } from './refusals.ts';

export interface FileImport {
  readonly records: AsyncIterable<InputRecord>;
  readonly client: IngestClient;
  readonly refusals: Refusals;
  readonly onResult: () => void;
  readonly signal: AbortSignal;
}

/** Sends every record of a file in order, as `event-hub send` does, and notes what is refused. */
export async function importFile(run: FileImport): Promise<SendCounts> {
  const waiting = new Map<number, string | HubError>();
  const output: RecordOutput<LineResult> = {
    write: async ({ line, status, id, code, detail }) => {
      const text = waiting.get(line);
      waiting.delete(line);
      run.onResult();
      if (status !== 'rejected') return;
      await run.refusals.add({
        line,
        id,
        reason: code ?? 'refused',
        detail: detail ?? '',
        document: () => documentOf(text),
      });
    },
    flush: async () => undefined,
    end: async () => undefined,
  };
  return await sendAll(recordsOf(run, waiting), run.client, output, run.signal);
}

async function* recordsOf(
  { records }: FileImport,
  waiting: Map<number, string | HubError>,
): AsyncGenerator<InputRecord> {
  for await (const { line, text } of records) {
    waiting.set(line, text);
    yield { line, text: typeof text === 'string' ? withOwnId(text) : text };
  }
}

/** An id that is made here would be another one at each repetition, and the event stored twice. */
function withOwnId(text: string): string | HubError {
  const value = parsed(text);
  if (!isJsonObject(value) || (value.id !== undefined && value.id !== null)) return text;
  return invalid(
    '/id',
    'required',
    'the event has no id, so that a repeated import would store it twice: give it one, or take `event-hub send`',
  );
}

/** Undefined for what is no JSON: that is refused where it is sent. */
function parsed(text: string) {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** As it was read; text where it was no JSON, null where it could not even be kept. */
function documentOf(text: string | HubError | undefined): string {
  if (typeof text !== 'string') return 'null';
  return parsed(text) === undefined ? JSON.stringify(text) : text.replaceAll('\n', ' ');
}
