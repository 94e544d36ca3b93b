import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { afterAll, describe, expect, it } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
import { field, framed, rawCall } from './raw-call.ts';
import { servedHub } from './served-hub.ts';

const served = servedHub();

afterAll(async () => {
  const { event_count } = await served.client.call('AggregatedMetrics', { minutes: 60 });
  expect(event_count).toBe(stored);
});

/** What the tests below may leave in the hub. */
let stored = 0;

const valid = Buffer.concat([field(1, 'u1'), field(2, 'purchase'), field(7, '1')]);

describe('a call that cannot be read', () => {
  it.each([
    ['text that is not UTF-8', Buffer.concat([valid, field(1, Buffer.from([0xff, 0x61]))])],
    [
      'text with half of a surrogate pair',
      Buffer.concat([valid, field(5, Buffer.from([0xed, 0xa0, 0x80]))]),
    ],
    ['text that ends early', Buffer.concat([valid, Buffer.from([0x2a, 0x05, 0x61])])],
    ['a field of another wire type', Buffer.concat([valid, Buffer.from([0x18, 0x01])])],
    ['bytes that are no message', Buffer.from([0xff, 0xff, 0xff])],
    ['metadata of a thousand levels', Buffer.concat([valid, nested(1_000)])],
  ])('is refused: %s', async (_, bytes) => {
    const failure = await served.client.failure(served.client.callRaw('SendEvent', bytes));
    expect(failure).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'unreadable' });
  });

  it('is told from U+FFFD itself, which is a character like others', async () => {
    stored += 1;
    const bytes = Buffer.concat([field(1, 'u\ufffd'), field(2, 'purchase'), field(7, '1')]);
    expect(await served.client.callRaw('SendEvent', bytes)).toMatchObject({ status: 'success' });
  });

  it('is refused when all fields are empty', async () => {
    const failure = await served.client.failure(
      served.client.callRaw('SendEvent', Buffer.alloc(0)),
    );
    expect(failure).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'invalid' });
    expect(failure.violations.map((each) => each.reason)).toEqual([
      'required',
      'required',
      'required',
    ]);
  });

  it('is refused when it has no message, or two', async () => {
    for (const body of [Buffer.alloc(0), Buffer.concat([framed(valid), framed(valid)])]) {
      const { status: code } = await rawCall(served.hub.grpcAddress, 'SendEvent', body);
      expect(code).toBe(status.INVALID_ARGUMENT);
    }
  });

  it('is refused for a method that there is not', async () => {
    const { status: code } = await rawCall(served.hub.grpcAddress, 'DropEvents', framed(valid));
    expect(code).toBe(status.UNIMPLEMENTED);
  });
});

describe('a call that is too large', () => {
  it('is refused as one event over 1 MiB', async () => {
    const long = Buffer.alloc(limits.singleBodyBytes, 0x61);
    const failure = await served.client.failure(
      served.client.call('SendEvent', {
        user_id: long.toString(),
        event_type: 'purchase',
        amount: 1,
      }),
    );
    expect(failure).toMatchObject({ code: status.RESOURCE_EXHAUSTED, reason: 'too_large' });
  });

  it('is refused as a message over 8 MiB', async () => {
    const failure = await served.client.failure(
      served.client.callRaw('SendEventBatch', Buffer.alloc(limits.grpcMessageBytes + 1)),
    );
    expect(failure.code).toBe(status.RESOURCE_EXHAUSTED);
  });

  it('is refused as a small message that unpacks to more', async () => {
    const bomb = gzipSync(Buffer.alloc(limits.grpcMessageBytes * 8));
    expect(bomb.length).toBeLessThan(limits.batchBodyBytes / 50);
    const { status: code } = await rawCall(
      served.hub.grpcAddress,
      'SendEvent',
      framed(bomb, true),
      {
        'grpc-encoding': 'gzip',
      },
    );
    expect(code).toBe(status.RESOURCE_EXHAUSTED);
  });

  it('is taken when it is packed and small', async () => {
    stored += 1;
    const body = framed(gzipSync(valid), true);
    const { status: code } = await rawCall(served.hub.grpcAddress, 'SendEvent', body, {
      'grpc-encoding': 'gzip',
    });
    expect(code).toBe(status.OK);
  });

  it('is refused for metadata over 16 KiB', async () => {
    const metadata = { 'x-long': 'a'.repeat(limits.grpcMetadataBytes) };
    const failure = await served.client.failure(
      served.client.call('GetEvent', { id: 'a' }, { metadata }),
    );
    expect(failure).toMatchObject({ code: status.RESOURCE_EXHAUSTED, reason: 'too_large' });
  });
});

describe('a call whose time is over', () => {
  it('stores nothing when its deadline has passed', async () => {
    const answer = await rawCall(served.hub.grpcAddress, 'SendEvent', framed(valid), {
      'grpc-timeout': '1n',
    });
    expect(answer.status).toBe(status.DEADLINE_EXCEEDED);
  });

  it('ends with DEADLINE_EXCEEDED while it waits', async () => {
    const failure = await served.client.failure(
      served.client.call('GetEvent', { id: 'a', at_least: await tomorrow() }, { deadlineMs: 50 }),
    );
    expect(failure.code).toBe(status.DEADLINE_EXCEEDED);
  });

  /** A position that the store has not reached: the next event's. */
  async function tomorrow(): Promise<string> {
    stored += 1;
    const answer = await served.client.callRaw('SendEvent', valid);
    const [sequence = '', ...rest] = String(answer.position).split('-');
    return [String(Number(sequence) + 1_000).padStart(sequence.length, '0'), ...rest].join('-');
  }
});

describe('a connection that misbehaves', () => {
  it('does not disturb others: a flood of pings', async () => {
    const [host, port] = served.hub.grpcAddress.split(':');
    const socket = connect(Number(port), host);
    socket.on('error', () => undefined);
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
    const ping = Buffer.from([0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
    socket.write(Buffer.concat(Array(50_000).fill(ping)));
    const failure = await served.client.failure(served.client.call('GetEvent', { id: 'a' }));
    expect(failure.code).toBe(status.NOT_FOUND);
    socket.destroy();
  });

  it('does not disturb others: a stream that is never finished', async () => {
    const stream = served.client.duplex('SendEvents');
    stream.on('error', () => undefined);
    const failure = await served.client.failure(served.client.call('GetEvent', { id: 'a' }));
    expect(failure.code).toBe(status.NOT_FOUND);
    stream.cancel();
  });

  it('is answered when it does not speak HTTP/2', async () => {
    const [host, port] = served.hub.grpcAddress.split(':');
    const socket = connect(Number(port), host);
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('error', () => undefined);
    socket.end('GET / HTTP/1.1\r\n\r\n');
    socket.resume();
    await closed;
  });
});

/** `metadata` as so many Structs within one another. */
function nested(levels: number): Buffer {
  let value: Buffer = Buffer.from([0x08, 0x00]);
  for (let level = 0; level < levels; level += 1) {
    // Value.struct_value { fields { key: "a", value } }
    const entry = Buffer.concat([Buffer.from([0x0a, 0x01, 0x61]), delimited(2, value)]);
    value = delimited(5, delimited(1, entry));
  }
  const entry = Buffer.concat([Buffer.from([0x0a, 0x01, 0x61]), delimited(2, value)]);
  return delimited(8, delimited(1, entry));
}

function delimited(number: number, content: Buffer): Buffer {
  const head = [(number << 3) | 2];
  let length = content.length;
  while (length > 127) {
    head.push((length & 127) | 128);
    length >>>= 7;
  }
  return Buffer.concat([Buffer.from([...head, length]), content]);
}
