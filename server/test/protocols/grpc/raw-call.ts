import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';

export interface RawAnswer {
  /** From the trailers; undefined when the stream ended without. */
  readonly status: number | undefined;
  readonly message: string;
}

/** One call written by hand, for what a well-behaved client does not send. */
export async function rawCall(
  address: string,
  method: string,
  body: Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawAnswer> {
  const session = connect(`http://${address}`);
  try {
    return await new Promise((resolve, reject) => {
      session.on('error', reject);
      const stream = openCall(session, method, body, headers);
      let found: RawAnswer = { status: undefined, message: '' };
      const read = (trailers: Record<string, unknown>) => {
        if (trailers['grpc-status'] === undefined) return;
        found = {
          status: Number(trailers['grpc-status']),
          message: String(trailers['grpc-message'] ?? ''),
        };
      };
      stream.on('response', read);
      stream.on('trailers', read);
      stream.on('error', reject);
      stream.on('close', () => resolve(found));
      stream.resume();
    });
  } finally {
    session.close();
  }
}

/** A call whose answer nobody reads yet. */
export function openCall(
  session: ClientHttp2Session,
  method: string,
  body: Buffer,
  headers: Readonly<Record<string, string>> = {},
): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': `/event_hub.v1.EventService/${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  stream.end(body);
  return stream;
}

/** The messages of a body. */
export function unframed(body: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let start = 0; start < body.length; ) {
    const end = start + 5 + body.readUInt32BE(start + 1);
    messages.push(body.subarray(start + 5, end));
    start = end;
  }
  return messages;
}

/** A message in gRPC's frame. */
export function framed(message: Uint8Array, compressed = false): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(compressed ? 1 : 0, 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** One length-delimited field of a message. */
export function field(number: number, bytes: string | Uint8Array): Buffer {
  const content = Buffer.from(bytes);
  if (content.length > 127) throw new Error('longer than this writes');
  return Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]);
}
