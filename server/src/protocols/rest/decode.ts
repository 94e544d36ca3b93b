import { yieldTurn } from '../../base/clock.ts';
import { HubError, invalid } from '../../base/errors.ts';
import { decodeUtf8, parseJson } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import { elementsOf } from './json-array.ts';
import { linesOf } from './lines.ts';

/** What a body of `POST /events` holds, before validation. */
export type Inputs =
  | { readonly kind: 'single'; readonly input: unknown }
  /** An unreadable line of NDJSON is the HubError that it made. */
  | { readonly kind: 'batch'; readonly inputs: readonly unknown[] };

/**
 * A JSON body: a batch when it starts with a bracket. Throws `unreadable` for
 * broken bytes or JSON, `too_large` for too long a single event or too many of
 * them, and `invalid` for an empty batch.
 */
export function decodeJsonBody(body: Buffer): Inputs | Promise<Inputs> {
  if (startsArray(body)) return batch(jsonInputs(decodeUtf8(body)));
  if (body.length > limits.singleBodyBytes) throw tooLongEvent();
  if (body.length === 0) throw new HubError('unreadable', 'the body is empty: send an event');
  return { kind: 'single', input: parseJson(decodeUtf8(body)) };
}

/** NDJSON: one event a line, blank lines left out, the last one with or without a line end. */
export function decodeNdjsonBody(body: Buffer): Promise<Inputs> {
  return batch(ndjsonInputs(body));
}

interface Input {
  readonly value: unknown;
  readonly bytes: number;
}

function* jsonInputs(text: string): Generator<Input> {
  let index = 0;
  for (const element of elementsOf(text)) {
    yield { value: parseElement(element, index), bytes: element.length };
    index += 1;
  }
}

function* ndjsonInputs(body: Buffer): Generator<Input> {
  for (const line of linesOf(body)) yield { value: parseLine(line), bytes: line.length };
}

/** Collects in slices, so that one long batch does not keep others waiting. */
async function batch(found: Generator<Input>): Promise<Inputs> {
  const inputs: unknown[] = [];
  let sliceEvents = 0;
  let sliceBytes = 0;
  for (const { value, bytes } of found) {
    if (inputs.length === limits.batchEvents) throw tooManyEvents();
    inputs.push(value);
    sliceEvents += 1;
    sliceBytes += bytes;
    if (sliceEvents < limits.parseSliceEvents && sliceBytes < limits.parseSliceBytes) continue;
    await yieldTurn();
    sliceEvents = 0;
    sliceBytes = 0;
  }
  if (inputs.length === 0) {
    throw invalid('', 'empty_batch', 'the batch is empty: send at least one event');
  }
  return { kind: 'batch', inputs };
}

function parseElement(element: string, index: number): unknown {
  try {
    return parseJson(element);
  } catch (reason) {
    const error = HubError.from(reason);
    throw new HubError(error.code, `event ${index} of the array: ${error.message}`, {
      details: error.details.map((each) => ({ ...each, pointer: `/${index}${each.pointer}` })),
      cause: error.cause,
    });
  }
}

function parseLine(line: string | Buffer): unknown {
  try {
    if (line.length > limits.singleBodyBytes) throw tooLongEvent();
    return parseJson(typeof line === 'string' ? line : decodeUtf8(line));
  } catch (reason) {
    return HubError.from(reason);
  }
}

function startsArray(body: Buffer): boolean {
  for (const byte of body) {
    if (byte === 0x5b) return true;
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return false;
  }
  return false;
}

function tooLongEvent(): HubError {
  const detail = `one event is longer than ${limits.singleBodyBytes} bytes`;
  return new HubError('too_large', detail);
}

function tooManyEvents(): HubError {
  const detail = `the batch has more than ${limits.batchEvents} events: send it in parts`;
  return new HubError('too_large', detail, {
    details: [{ pointer: '', code: 'batch_too_large', detail }],
  });
}
