import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
} from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { deflateSync, gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
import type { HubOptions } from '../../../src/main.ts';
import { hurriedClock } from '../../support/hurried-clock.ts';
import { anInput, postEvents } from '../../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';
import { GrpcClient } from './grpc-client.ts';
import { callHead, type Frame, frame, framesOf, frameTypes, preface } from './http2-frames.ts';
import { field, framed, rawCall } from './raw-call.ts';

let hub: TestHub;
let client: GrpcClient;
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function start(options: HubOptions = {}): Promise<void> {
  hub = await startTestHub({}, options);
  client = new GrpcClient(hub.grpcAddress);
  ends.push(
    () => hub.remove(),
    () => client.close(),
  );
}

function open(): Socket {
  const [host, port] = hub.grpcAddress.split(':');
  const socket = connect(Number(port), host);
  socket.on('error', () => undefined);
  ends.push(() => socket.destroy());
  return socket;
}

function openSession(settings = {}): ClientHttp2Session {
  const session = connectHttp2(`http://${hub.grpcAddress}`, { settings });
  session.on('error', () => undefined);
  ends.push(() => session.destroy());
  return session;
}

/** A call that its client has not finished. */
function openBare(session: ClientHttp2Session, method: string): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': `/event_hub.v1.EventService/${method}`,
    'content-type': 'application/grpc',
  });
  stream.on('error', () => undefined);
  return stream;
}

/** Everything that came until the hub closed the connection, as frames. */
async function untilClosed(socket: Socket) {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => socket.once('close', resolve));
  return framesOf(Buffer.concat(chunks));
}

/** Resolves when the bytes are out, or the connection is gone. */
function writeWhole(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    socket.write(bytes, () => resolve());
  });
}

/** A call that is cancelled as soon as it is made. */
function openAndReset(id: number): Buffer {
  const cancel = Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL]);
  return Buffer.concat([
    frame(frameTypes.headers, 4, id, callHead('/event_hub.v1.EventService/GetEvent')),
    frame(frameTypes.reset, 0, id, cancel),
  ]);
}

/** The hub serves another connection. */
async function expectServed(): Promise<void> {
  const failure = await client.failure(client.call('GetEvent', { id: 'a' }));
  expect(failure.code).toBe(status.NOT_FOUND);
}

describe('a connection of gRPC', () => {
  it('that opens calls and resets them at once is closed, and others are served', async () => {
    await start();
    const socket = open();
    socket.write(preface);
    const closed = untilClosed(socket);
    for (let call = 0; call < 20_000 && !socket.destroyed; call += 100) {
      const burst = Array.from({ length: 100 }, (_, index) => openAndReset(2 * (call + index) + 1));
      await writeWhole(socket, Buffer.concat(burst));
    }
    const goAway = (await closed).findLast(({ type }) => type === frameTypes.goAway);
    // What it had opened before the hub closed it.
    const lastCall = goAway?.payload.readUInt32BE(0) ?? 0;
    expect((lastCall + 1) / 2).toBeLessThan(limits.grpcResetsAtOnce * 1.5);
    await expectServed();
  });

  it('that resets as many calls as it may have open goes on', async () => {
    await start();
    const socket = open();
    socket.write(preface);
    const calls = Array.from({ length: limits.grpcConcurrentStreams }, (_, index) =>
      openAndReset(2 * index + 1),
    );
    socket.write(Buffer.concat(calls));
    const asked = Buffer.from('still up');
    socket.write(frame(frameTypes.ping, 0, 0, asked));
    let came = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      came = Buffer.concat([came, chunk]);
    });
    const isEcho = ({ type, payload }: Frame) => type === frameTypes.ping && payload.equals(asked);
    await expect.poll(() => framesOf(came).some(isEcho)).toBe(true);
    expect(framesOf(came).some(({ type }) => type === frameTypes.goAway)).toBe(false);
  });

  it('that floods pings is closed, however it floods', async () => {
    await start();
    const pings = (count: number) =>
      Buffer.concat(Array(count).fill(frame(frameTypes.ping, 0, 0, Buffer.alloc(8))));
    const careless = open();
    careless.write(preface);
    const firstClosed = untilClosed(careless);
    while (!careless.destroyed) await writeWhole(careless, pings(10_000));
    await firstClosed;

    // Never more at once than Node.js puts up with, and only after the hub has answered the last ones.
    const careful = open();
    careful.write(preface);
    const secondClosed = untilClosed(careful);
    const hundreds = pings(500);
    while (!careful.destroyed) {
      const wanted = careful.bytesRead + hundreds.length;
      await writeWhole(careful, hundreds);
      while (!careful.destroyed && careful.bytesRead < wanted) await turn();
    }
    const goAway = (await secondClosed).findLast(({ type }) => type === frameTypes.goAway);
    expect(goAway?.payload.readUInt32BE(4)).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    await expectServed();
  });

  it('that never says anything is closed, and so is one that says less than the preface', async () => {
    await start({ clock: hurriedClock({ [limits.headersTimeoutMs]: 100 }) });
    const silent = open();
    const slow = open();
    slow.write(preface.subarray(0, 10));
    await Promise.all([untilClosed(silent), untilClosed(slow)]);
    await expectServed();
  });

  it('beyond the limit is closed at once, and one is taken again when others have gone', async () => {
    await start({ edge: { connectionsMax: 3 } });
    const held = Array.from({ length: 3 }, () => open());
    for (const socket of held) socket.write(preface);
    await Promise.all(held.map((socket) => once(socket, 'data')));
    const refused = open();
    refused.write(preface);
    expect(await untilClosed(refused)).toEqual([]);
    for (const socket of held) socket.destroy();
    await expect
      .poll(() => client.failure(client.call('GetEvent', { id: 'a' })))
      .toMatchObject({ code: status.NOT_FOUND });
  });
});

describe('a call of gRPC', () => {
  it('whose message never ends is refused, and closed when its client does not stop', async () => {
    await start({
      clock: hurriedClock({
        [limits.requestTimeoutMs]: 200,
        [limits.grpcSweepMs]: 50,
      }),
    });
    const session = openSession();
    const stream = openBare(session, 'SendEvent');
    stream.write(framed(Buffer.alloc(1_000)).subarray(0, 5));
    const drip = setInterval(() => stream.write('x'), 20);
    ends.push(() => clearInterval(drip));
    const closed = once(stream, 'close');
    const [answer] = await once(stream, 'response');
    expect(answer).toMatchObject({ 'grpc-status': String(status.INVALID_ARGUMENT) });
    await closed;
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
    await expectServed();
  });

  it('whose answer is not read is closed', async () => {
    await start({
      clock: hurriedClock({ [limits.grpcAnswerReadMs]: 200, [limits.grpcSweepMs]: 50 }),
    });
    await postEvents(hub.url, anInput({ id: 'long', metadata: { text: 'x'.repeat(10_000) } }));
    const session = openSession({ initialWindowSize: 100 });
    const stream = openBare(session, 'GetEvent');
    stream.pause();
    stream.end(framed(field(1, 'long')));
    await expect.poll(() => stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    await expectServed();
  });

  it('with a thousand entries of metadata is refused', async () => {
    await start();
    const metadata = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, index) => [`x-more-${index}`, '1']),
    );
    const failure = await client.failure(client.call('GetEvent', { id: 'a' }, { metadata }));
    expect([status.RESOURCE_EXHAUSTED, status.UNAVAILABLE]).toContain(failure.code);
    await expectServed();
  });

  it('with a megabyte of metadata is refused', async () => {
    await start();
    const metadata = { 'x-long': 'a'.repeat(1024 * 1024) };
    const failure = await client.failure(client.call('GetEvent', { id: 'a' }, { metadata }));
    expect(failure.code).not.toBe(status.NOT_FOUND);
    await expectServed();
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ] as const)(
    'that unpacks to more than it may is refused, alone and in a stream: %s',
    async (encoding, pack) => {
      await start();
      const bomb = framed(pack(Buffer.alloc(200 * 1024 * 1024)), true);
      const before = process.memoryUsage().arrayBuffers;
      for (const method of ['SendEvent', 'SendEventBatch', 'SendEvents']) {
        const answer = await rawCall(hub.grpcAddress, method, bomb, { 'grpc-encoding': encoding });
        expect([method, answer.status]).toEqual([method, status.RESOURCE_EXHAUSTED]);
      }
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * 1024 * 1024);
      await expectServed();
    },
  );
});
