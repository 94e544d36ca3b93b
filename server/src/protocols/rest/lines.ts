import { isUtf8 } from 'node:buffer';

/**
 * The lines that hold something, without their ends (LF or CRLF). A body that
 * is not UTF-8 throughout comes as bytes, so that only its broken lines fail.
 */
export function* linesOf(body: Buffer): Generator<string | Buffer> {
  if (isUtf8(body) && !startsWithMark(body)) yield* textLines(body.toString('utf8'));
  else yield* byteLines(body);
}

function* textLines(text: string): Generator<string> {
  let start = 0;
  while (start < text.length) {
    const feed = text.indexOf('\n', start);
    const end = feed === -1 ? text.length : feed;
    const line = text.slice(start, text[end - 1] === '\r' ? end - 1 : end);
    if (!/^[ \t]*$/.test(line)) yield line;
    start = end + 1;
  }
}

function* byteLines(body: Buffer): Generator<Buffer> {
  let start = 0;
  while (start < body.length) {
    const feed = body.indexOf(0x0a, start);
    const end = feed === -1 ? body.length : feed;
    const line = body.subarray(start, body[end - 1] === 0x0d ? end - 1 : end);
    if (line.some((byte) => byte !== 0x20 && byte !== 0x09)) yield line;
    start = end + 1;
  }
}

function startsWithMark(body: Buffer): boolean {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
}
