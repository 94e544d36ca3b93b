import { HubError } from '../../base/errors.ts';
import { ClientError, type IngestClient } from '../clients/ingest-client.ts';
import { type OutgoingEvent, readOutgoingEvent } from '../clients/outgoing-event.ts';
import type { RecordOutput } from '../output/record-output.ts';
import { batches } from './batches.ts';
import type { InputRecord } from './read-ndjson.ts';
import type { LineResult } from './result-shape.ts';

/** Events and bytes of one request: large enough to be quick, small enough to be held and sent again. */
const batchEvents = 500;
const batchBytes = 1024 * 1024;

export interface SendCounts {
  stored: number;
  duplicates: number;
  refused: number;
  /** Of the events that were sent without an answer. */
  unknown: number;
  /** Why the hub was given up, when it was. */
  lost: ClientError | undefined;
  /** The first line that was neither answered nor sent. */
  firstUnsentLine: number | undefined;
}

/** Sends record by record in order, one batch at a time, and writes one result for each. */
export async function sendAll(
  records: AsyncIterable<InputRecord>,
  client: IngestClient,
  output: RecordOutput<LineResult>,
  interrupted: AbortSignal,
): Promise<SendCounts> {
  const counts: SendCounts = {
    stored: 0,
    duplicates: 0,
    refused: 0,
    unknown: 0,
    lost: undefined,
    firstUnsentLine: undefined,
  };
  const grouped = batches(records, {
    itemsMax: batchEvents,
    bytesMax: batchBytes,
    bytesOf: ({ text }) => (typeof text === 'string' ? text.length : 0),
  });
  for await (const batch of grouped) {
    if (interrupted.aborted) {
      counts.firstUnsentLine = batch[0]?.line;
      return counts;
    }
    for (const result of await sendBatch(batch, client, counts)) {
      count(counts, result);
      await output.write(result);
    }
    await output.flush();
    if (counts.lost !== undefined) return counts;
  }
  return counts;
}

async function sendBatch(
  batch: readonly InputRecord[],
  client: IngestClient,
  counts: SendCounts,
): Promise<readonly LineResult[]> {
  const read = batch.map(readRecord);
  const events = read.flatMap((each) => ('event' in each ? [each.event] : []));
  try {
    const results = (await client.send(events)).values();
    return read.map((each) => {
      if (!('event' in each)) return each;
      const result = results.next().value;
      return result === undefined ? unanswered(each) : { line: each.line, ...result };
    });
  } catch (reason) {
    if (!(reason instanceof ClientError)) throw reason;
    counts.lost = reason;
    counts.firstUnsentLine = batch[0]?.line;
    return read.map((each) => ('event' in each ? unanswered(each, reason) : each));
  }
}

interface ReadRecord {
  readonly line: number;
  readonly event: OutgoingEvent;
}

function readRecord({ line, text }: InputRecord): ReadRecord | LineResult {
  try {
    if (text instanceof HubError) throw text;
    return { line, event: readOutgoingEvent(text) };
  } catch (reason) {
    const { code, message } = HubError.from(reason);
    return { line, status: 'rejected', id: '', code, detail: message };
  }
}

function unanswered({ line, event }: ReadRecord, reason?: ClientError): LineResult {
  return {
    line,
    status: 'unknown',
    id: event.id,
    ...(reason === undefined ? {} : { code: reason.code, detail: reason.message }),
  };
}

function count(counts: SendCounts, { status }: LineResult): void {
  if (status === 'success') counts.stored += 1;
  else if (status === 'duplicate') counts.duplicates += 1;
  else if (status === 'rejected') counts.refused += 1;
  else counts.unknown += 1;
}
