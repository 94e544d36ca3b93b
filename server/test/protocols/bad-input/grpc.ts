import { connect as connectHttp2, constants } from 'node:http2';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { type ServiceError, status } from '@grpc/grpc-js';
import { expect } from 'vitest';
import { yieldTurn } from '../../../src/base/clock.ts';
import { limits } from '../../../src/base/limits.ts';
import { refusedBy } from '../drivers/grpc-driver.ts';
import { Refused } from '../drivers/protocol-driver.ts';
import type { Message } from '../grpc/grpc-client.ts';
import { field, framed, rawCall } from '../grpc/raw-call.ts';
import { type BadInputHost, type CheckRow, freshId } from './rows.ts';

/** 95 to 101: what only gRPC can say. */
export const grpcRows: readonly CheckRow[] = [
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((amount) =>
    refused(95, `the double ${amount}`, { ...valid(), amount }, 'invalid', 'amount_format'),
  ),
  refused(95, 'the double -1', { ...valid(), amount: -1 }, 'invalid', 'amount_negative'),
  refused(
    95,
    'the largest double',
    { ...valid(), amount: Number.MAX_VALUE },
    'invalid',
    'amount_range',
  ),
  refused(95, 'the smallest double', { ...valid(), amount: 5e-324 }, 'invalid', 'amount_precision'),
  refused(
    95,
    'another amount_exact beside amount',
    { ...valid(), amount: 1, amount_exact: '1.000001' },
    'invalid',
    'amount_mismatch',
  ),
  taken(95, 'the double -0', { amount: -0 }, '0'),
  taken(95, 'the same amount_exact beside amount', { amount: 0.1, amount_exact: '0.10' }, '0.1'),
  refused(96, 'no field at all', {}, 'invalid', 'required'),
  refused(
    96,
    'empty texts',
    { user_id: '', event_type: '', amount_exact: '' },
    'invalid',
    'required',
  ),
  refused(96, 'an empty optional text', { ...valid(), currency: '' }, 'invalid', 'empty'),
  ...[
    ['text that is no UTF-8', field(1, Buffer.from([0x75, 0xff]))],
    ['half a surrogate pair', field(1, Buffer.from([0xed, 0xa0, 0x80]))],
    ['a text that ends early', Buffer.from([0x0a, 0x7f, 0x61])],
    ['a field of another wire type', Buffer.from([0x08, 0x01])],
    ['a key of metadata that is no UTF-8', field(8, field(1, field(1, Buffer.from([0xff]))))],
  ].map(([is, bytes]) => ({
    n: 97,
    is: String(is),
    check: async (host: BadInputHost) => {
      const message = Buffer.concat([
        field(1, 'u1'),
        field(2, 'purchase'),
        field(7, '1'),
        bytes as Buffer,
      ]);
      expect(await failureOf(host, host.grpc.callRaw('SendEvent', message))).toMatchObject({
        code: 'unreadable',
      });
    },
  })),
  refused(
    98,
    'a number that is no null_value',
    { ...valid(), metadata: { fields: { a: { nullValue: 99 } } } },
    'unreadable',
  ),
  refused(
    98,
    'a Value that holds nothing',
    { ...valid(), metadata: { fields: { a: {} } } },
    'unreadable',
  ),
  refused(
    99,
    'one event over 1 MiB',
    { ...valid(), user_id: 'x'.repeat(limits.singleBodyBytes) },
    'too_large',
  ),
  {
    n: 99,
    is: 'a message over 8 MiB',
    check: async ({ grpc }) => {
      const call = grpc.callRaw('SendEventBatch', Buffer.alloc(limits.grpcMessageBytes + 1));
      expect((await grpc.failure(call)).code).toBe(status.RESOURCE_EXHAUSTED);
    },
  },
  {
    n: 99,
    is: 'a compressed bomb',
    check: async ({ hub }) => {
      const bomb = gzipSync(Buffer.alloc(10 * limits.grpcMessageBytes));
      const answer = await rawCall(hub.grpcAddress, 'SendEvent', framed(bomb, true), {
        'grpc-encoding': 'gzip',
      });
      expect(answer.status).toBe(status.RESOURCE_EXHAUSTED);
    },
  },
  {
    n: 99,
    is: 'bytes that are not what grpc-encoding says',
    check: async ({ hub }) => {
      const answer = await rawCall(
        hub.grpcAddress,
        'SendEvent',
        framed(Buffer.from('not gzip'), true),
        { 'grpc-encoding': 'gzip' },
      );
      // gRPC's own rules say INTERNAL where a message cannot be unpacked.
      expect(answer.status).toBe(status.INTERNAL);
    },
  },
  {
    n: 100,
    is: 'a deadline that has passed',
    check: async ({ hub }) => {
      const message = framed(Buffer.concat([field(1, 'u1'), field(2, 'purchase'), field(7, '1')]));
      const answer = await rawCall(hub.grpcAddress, 'SendEvent', message, { 'grpc-timeout': '1n' });
      expect(answer.status).toBe(status.DEADLINE_EXCEEDED);
    },
  },
  {
    n: 100,
    is: 'a deadline of a millisecond',
    check: async ({ grpc, ledger }) => {
      const event = valid();
      try {
        await grpc.call('SendEvent', event, { deadlineMs: 1 });
      } catch (error) {
        expect((error as ServiceError).code).toBe(status.DEADLINE_EXCEEDED);
      }
      // Stored or not: a retry is safe.
      expect(['success', 'duplicate']).toContain((await grpc.call('SendEvent', event)).status);
      await ledger.took(event.id);
    },
  },
  { n: 100, is: 'a stream that is cancelled on the way', check: cancelledStream },
  {
    n: 101,
    is: 'a stream that is never finished',
    check: async (host) => {
      const stream = host.grpc.duplex('SendEvents');
      stream.on('error', () => undefined);
      await expectAlive(host);
      stream.cancel();
    },
  },
  {
    n: 101,
    is: 'metadata over 16 KiB',
    check: async (host) => {
      const metadata = { 'x-long': 'a'.repeat(limits.grpcMetadataBytes) };
      const call = host.grpc.call('SendEvent', valid(), { metadata });
      expect(await failureOf(host, call)).toMatchObject({ code: 'too_large' });
    },
  },
  {
    n: 101,
    is: 'a flood of pings',
    check: async (host) => {
      const socket = rawSocket(host.hub.grpcAddress);
      socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
      socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
      const ping = Buffer.from([0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
      socket.write(Buffer.concat(Array(50_000).fill(ping)));
      await expectAlive(host);
      socket.destroy();
    },
  },
  {
    n: 101,
    is: 'streams that are reset as soon as they are opened',
    check: async (host) => {
      const session = connectHttp2(`http://${host.hub.grpcAddress}`);
      session.on('error', () => undefined);
      const follow = framed(Buffer.concat([field(2, 'start'), Buffer.from([0x20, 0x01])]));
      for (let call = 0; call < 1_000 && !session.closed; call += 1) {
        const stream = session.request(callHeaders);
        stream.on('error', () => undefined);
        stream.end(follow);
        await yieldTurn();
        stream.close(constants.NGHTTP2_CANCEL);
      }
      await expectAlive(host);
      session.destroy();
    },
  },
];

const callHeaders = {
  ':method': 'POST',
  ':path': '/event_hub.v1.EventService/StreamEvents',
  'content-type': 'application/grpc',
  te: 'trailers',
};

function valid(): Message & { readonly id: string } {
  return { id: freshId(), user_id: 'u1', event_type: 'purchase', amount: 1 };
}

function refused(n: number, is: string, message: Message, code: string, fault?: string): CheckRow {
  return {
    n,
    is,
    check: async (host) => {
      const failure = await failureOf(host, host.grpc.call('SendEvent', message));
      expect(failure.code).toBe(code);
      if (fault !== undefined) expect(failure.errors.map((each) => each.code)).toContain(fault);
    },
  };
}

function taken(n: number, is: string, amounts: Message, exact: string): CheckRow {
  return {
    n,
    is,
    check: async ({ grpc, ledger }) => {
      const event = { ...valid(), ...amounts };
      expect(await grpc.call('SendEvent', event)).toMatchObject({ status: 'success' });
      await ledger.took(event.id, { amount: exact });
    },
  };
}

async function failureOf({ grpc }: BadInputHost, call: Promise<unknown>) {
  const reason = await call.then(
    () => expect.fail('the hub took what it must refuse'),
    (error: ServiceError) => refusedBy(grpc, error),
  );
  if (reason instanceof Refused) return reason.failure;
  throw reason;
}

/** What was answered stands; of the rest a retry tells. */
async function cancelledStream({ grpc, ledger }: BadInputHost): Promise<void> {
  const events = Array.from({ length: 150 }, () => valid());
  const stream = grpc.duplex('SendEvents');
  const answered = new Set<unknown>();
  const ended = new Promise((resolve) => stream.on('error', resolve));
  stream.on('data', ({ event_id }: Message) => {
    answered.add(event_id);
    if (answered.size === 50) stream.cancel();
  });
  for (const event of events) stream.write(event);
  await ended;
  for (const event of events) {
    const { status: found } = await grpc.call('SendEvent', event);
    if (answered.has(event.id)) expect(found).toBe('duplicate');
    await ledger.took(event.id);
  }
}

async function expectAlive(host: BadInputHost): Promise<void> {
  expect(
    await failureOf(host, host.grpc.call('GetEvent', { id: 'nobody-sent-this' })),
  ).toMatchObject({
    code: 'not_found',
  });
}

function rawSocket(address: string) {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  socket.on('error', () => undefined);
  return socket;
}
