import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, type ZlibOptions } from 'node:zlib';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { holdRequest } from '../../base/request-memory.ts';
import type { Exchange } from './http-server.ts';

/** Bytes of unfinished bodies over all connections. A process has one memory, so this is counted once per process. */
let heldBytes = 0;

/**
 * The whole body, decompressed, of at most `limitBytes`. Rejects with
 * `too_large` at once where the length is declared, else as soon as the limit
 * is passed, before or after decompression; with `unsupported_media_type` for
 * an unknown or double encoding; with `unreadable` for a corrupt or broken-off
 * body; with `overloaded` when all bodies on their way, or all that are worked on, are too many bytes.
 */
export async function readBody(exchange: Exchange, limitBytes: number): Promise<Buffer> {
  const { request, response } = exchange;
  const headers = request.headers;
  const encoding = headers['content-encoding'];
  const decode = encoding === undefined ? undefined : decoderOf(encoding);
  const declared = headers['content-length'];
  if (declared !== undefined && Number(declared) > limitBytes) throw tooLarge(limitBytes);
  if (headers.expect !== undefined) response.writeContinue();
  const body = await collect(request, limitBytes);
  const whole = decode === undefined ? body : await decompress(body, decode, limitBytes);
  exchange.release = holdRequest(whole.length);
  return whole;
}

function collect(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let first: Buffer | undefined;
    let more: Buffer[] | undefined;
    let length = 0;
    const settle = () => {
      if (more !== undefined) heldBytes -= length;
      request.off('data', take).off('end', finish).off('error', breakOff).off('close', breakOff);
    };
    const take = (chunk: Buffer) => {
      length += chunk.length;
      if (first === undefined) first = chunk;
      else if (more === undefined) {
        more = [first, chunk];
        heldBytes += length;
      } else {
        more.push(chunk);
        heldBytes += chunk.length;
      }
      if (length <= limitBytes && heldBytes <= limits.bodiesHeldBytes) return;
      const error = length > limitBytes ? tooLarge(limitBytes) : tooManyBytes();
      settle();
      request.pause();
      reject(error);
    };
    const finish = () => {
      settle();
      resolve(more === undefined ? (first ?? empty) : Buffer.concat(more, length));
    };
    const breakOff = () => {
      settle();
      reject(new HubError('unreadable', 'the request broke off before its end'));
    };
    request.on('data', take).on('end', finish).on('error', breakOff).on('close', breakOff);
  });
}

type Decoder = (body: Buffer, options: ZlibOptions) => Promise<Buffer>;

const decoders: Readonly<Record<string, Decoder>> = {
  gzip: promisify<Buffer, ZlibOptions, Buffer>(gunzip),
  'x-gzip': promisify<Buffer, ZlibOptions, Buffer>(gunzip),
  deflate: promisify<Buffer, ZlibOptions, Buffer>(inflate),
  br: promisify<Buffer, ZlibOptions, Buffer>(brotliDecompress),
};

function decoderOf(encoding: string): Decoder | undefined {
  const name = encoding.toLowerCase();
  if (name === 'identity') return undefined;
  const decoder = Object.hasOwn(decoders, name) ? decoders[name] : undefined;
  if (decoder !== undefined) return decoder;
  throw new HubError(
    'unsupported_media_type',
    'the content encoding is not taken here: send the body as it is, or encoded once with "Content-Encoding: gzip", deflate or br',
  );
}

async function decompress(body: Buffer, decoder: Decoder, limitBytes: number): Promise<Buffer> {
  try {
    return await decoder(body, { maxOutputLength: limitBytes });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limitBytes);
    throw new HubError('unreadable', 'the body is not what its Content-Encoding says', { cause });
  }
}

/** Too long a body, with the limit in the sentence. */
export function tooLarge(limitBytes: number): HubError {
  return new HubError(
    'too_large',
    `the body is longer than ${limitBytes} bytes: send less at once`,
  );
}

function tooManyBytes(): HubError {
  return new HubError('overloaded', 'too many long bodies are on their way at once');
}

const empty = Buffer.alloc(0);
