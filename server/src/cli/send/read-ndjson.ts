import { HubError } from '../../base/errors.ts';
import { decodeUtf8 } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';

/** One record of the input: its text, or why there is none. */
export interface InputRecord {
  /** Where it starts, counted from 1. */
  readonly line: number;
  readonly text: string | HubError;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * The lines that hold something. A line longer than any event is refused
 * without being kept, so that memory stays bounded whatever comes.
 */
export async function* readNdjson(chunks: AsyncIterable<Buffer>): AsyncGenerator<InputRecord> {
  let line = 1;
  let held: Buffer[] = [];
  let heldBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(lineFeed, start);
      const part = chunk.subarray(start, end === -1 ? chunk.length : end);
      heldBytes += part.length;
      if (heldBytes <= limits.singleBodyBytes) held.push(part);
      else held = [];
      if (end === -1) break;
      const record = recordOf(line, held, heldBytes);
      if (record !== undefined) yield record;
      held = [];
      heldBytes = 0;
      line += 1;
      start = end + 1;
    }
  }
  const last = recordOf(line, held, heldBytes);
  if (last !== undefined) yield last;
}

function recordOf(line: number, held: readonly Buffer[], bytes: number): InputRecord | undefined {
  if (bytes > limits.singleBodyBytes) {
    const detail = `the line has more than ${limits.singleBodyBytes} bytes`;
    return { line, text: new HubError('too_large', detail) };
  }
  const all = held.length === 1 ? (held[0] ?? Buffer.alloc(0)) : Buffer.concat(held);
  const content = all.at(-1) === carriageReturn ? all.subarray(0, -1) : all;
  try {
    const text = decodeUtf8(content);
    return text.trim() === '' ? undefined : { line, text };
  } catch (reason) {
    return { line, text: HubError.from(reason) };
  }
}
