import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CutProxy, startCutProxy } from './cut-proxy.ts';

let server: Server;
let proxy: CutProxy;
let heard: string;

/** Answers each message with the same in capitals. */
beforeEach(async () => {
  heard = '';
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      heard += data;
      socket.write(String(data).toUpperCase());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await startCutProxy((server.address() as AddressInfo).port);
});

afterEach(async () => {
  await proxy.close();
  server.close();
});

async function client(): Promise<{ readonly socket: Socket; readonly answers: () => string }> {
  const socket = connect(proxy.port, '127.0.0.1');
  let answers = '';
  socket.on('data', (data) => {
    answers += data;
  });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return { socket, answers: () => answers };
}

describe('a network that can be cut', () => {
  it('carries both directions, and remembers what was sent', async () => {
    const { socket, answers } = await client();
    socket.write('one');
    await expect.poll(answers).toBe('ONE');
    expect(proxy.timesSent('one')).toBe(1);
    socket.destroy();
  });

  it('loses answers for good on a connection that lost one, and passes new connections once it is healed', async () => {
    const { socket, answers } = await client();
    proxy.onceSent('two', () => proxy.drop('to-client'));
    socket.write('two');
    await expect.poll(() => heard).toBe('two');
    proxy.heal();
    socket.write('three');
    const next = await client();
    await expect.poll(() => heard).toContain('three');
    next.socket.write('four');
    await expect.poll(next.answers).toBe('FOUR');
    expect(answers()).toBe('');
    for (const each of [socket, next.socket]) each.destroy();
  });

  it('loses requests while the connection looks open', async () => {
    const { socket, answers } = await client();
    proxy.drop('to-server');
    socket.write('lost');
    const next = await client();
    next.socket.write('lost too');
    await expect.poll(() => proxy.timesSent('lost')).toBe(2);
    proxy.heal();
    const last = await client();
    last.socket.write('arrives');
    await expect.poll(last.answers).toBe('ARRIVES');
    expect(heard).toBe('arrives');
    expect(answers()).toBe('');
    for (const each of [socket, next.socket, last.socket]) each.destroy();
  });

  it('holds bytes back and lets them go on in their order', async () => {
    const { socket, answers } = await client();
    proxy.stall('to-server');
    socket.write('five ');
    await expect.poll(() => proxy.timesSent('five')).toBe(1);
    socket.write('six');
    await expect.poll(() => proxy.timesSent('six')).toBe(1);
    expect(heard).toBe('');
    proxy.heal();
    await expect.poll(answers).toBe('FIVE SIX');
    socket.destroy();
  });

  it('lets bytes arrive later, and at once when it is healed', async () => {
    const { socket, answers } = await client();
    proxy.delay('to-client', 60_000);
    socket.write('one ');
    await expect.poll(() => heard).toBe('one ');
    expect(answers()).toBe('');
    proxy.heal();
    await expect.poll(answers).toBe('ONE ');
    proxy.delay('to-client', 20);
    socket.write('two ');
    await expect.poll(() => heard).toBe('one two ');
    socket.write('three');
    await expect.poll(answers).toBe('ONE TWO THREE');
    socket.destroy();
  });

  it('breaks connections on both sides', async () => {
    const { socket } = await client();
    // Not `once`, which takes the reset for a failure of the test.
    const broken = new Promise((resolve) => socket.on('close', resolve));
    socket.write('seven');
    await expect.poll(() => heard).toBe('seven');
    proxy.reset();
    await broken;
    const next = await client();
    next.socket.write('eight');
    await expect.poll(next.answers).toBe('EIGHT');
    next.socket.destroy();
  });
});
