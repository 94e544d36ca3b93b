import { BSON, type Document } from 'mongodb';
import { systemClock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import type { EventRules } from '../../event/event.ts';
import { newEventId } from '../../event/new-event-id.ts';
import { parseEvent } from '../../event/parse-event.ts';
import type { IngestClient, SendResult } from '../clients/ingest-client.ts';
import type { OutgoingEvent } from '../clients/outgoing-event.ts';
import type { RecordOutput } from '../output/record-output.ts';
import type { InputRecord } from '../send/read-ndjson.ts';
import type { LineResult } from '../send/result-shape.ts';
import { type SendCounts, sendAll } from '../send/send-all.ts';
import { type ImportRules, prototypeEvent, shownId } from './prototype-event.ts';
import type { Refusals } from './refusals.ts';

export interface ImportRun {
  readonly documents: AsyncIterable<Document>;
  readonly rules: ImportRules;
  /** What a hub with these settings takes for valid. */
  readonly eventRules: EventRules;
  readonly client: IngestClient;
  readonly refusals: Refusals;
  readonly onResult: () => void;
  readonly signal: AbortSignal;
}

/** Sends every document in order, in the batches of `event-hub send`, and notes what is refused. */
export async function runImport(run: ImportRun): Promise<SendCounts> {
  const waiting = new Map<number, Document>();
  const output: RecordOutput<LineResult> = {
    write: async (result) => {
      const document = waiting.get(result.line);
      waiting.delete(result.line);
      run.onResult();
      if (result.status !== 'rejected' || document === undefined) return;
      await run.refusals.add({
        id: shownId(document),
        ...reasonOf(document, result, run),
        document: () => BSON.EJSON.stringify(document),
      });
    },
    flush: async () => undefined,
    end: async () => undefined,
  };
  return await sendAll(recordsOf(run, waiting), run.client, output, run.signal);
}

/** Judges as a hub does, and sends nothing. */
export function dryRunClient(rules: EventRules): IngestClient {
  return {
    send: async (events) => events.map((event) => judge(event, rules)),
    close: () => undefined,
  };
}

async function* recordsOf(
  { documents, rules }: ImportRun,
  waiting: Map<number, Document>,
): AsyncGenerator<InputRecord> {
  let line = 0;
  for await (const document of documents) {
    line += 1;
    waiting.set(line, document);
    yield { line, text: textOf(document, rules) };
  }
}

function textOf(document: Document, rules: ImportRules): string | HubError {
  try {
    return prototypeEvent(document, rules);
  } catch (reason) {
    return HubError.from(reason);
  }
}

function judge(event: OutgoingEvent, rules: EventRules): SendResult {
  const fault = faultOf(event.source, rules);
  if (fault === undefined) return { status: 'success', id: event.id };
  return { status: 'rejected', id: event.id, code: fault.code, detail: fault.message };
}

/** Why this hub's rules refuse the text; undefined when they do not. */
function faultOf(text: string, rules: EventRules): HubError | undefined {
  try {
    parseEvent(parseJson(text), { rules, receivedAt: systemClock.now(), newId: newEventId });
    return undefined;
  } catch (reason) {
    return HubError.from(reason);
  }
}

/** By the first fault that is found here; what only the hub knows, such as a conflict, by its code. */
function reasonOf(document: Document, { code, detail }: LineResult, run: ImportRun) {
  const text = textOf(document, run.rules);
  const fault = text instanceof HubError ? text : faultOf(text, run.eventRules);
  const [first] = fault?.details ?? [];
  if (code === 'conflict' || first === undefined) {
    return { reason: code ?? 'refused', detail: detail ?? '' };
  }
  return { reason: `${first.pointer} ${first.code}`, detail: first.detail };
}
