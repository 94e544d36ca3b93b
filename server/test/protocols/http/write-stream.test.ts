import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import { createStreamWriter, type StreamWriter } from '../../../src/protocols/http/write-stream.ts';
import { openRaw } from '../../support/raw-http.ts';

/** Its timers go off when the test says so. */
const timers = new Set<() => void>();
const clock: Clock = {
  ...systemClock,
  after: (_, action) => {
    timers.add(action);
    return () => timers.delete(action);
  },
};
const server = createServer();
let url: string;
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const chunk = 'x'.repeat(1024 * 1024);

async function open() {
  const asked = once(server, 'request');
  const reader = openRaw(url);
  reader.pause();
  reader.write('GET / HTTP/1.1\r\nHost: hub\r\n\r\n');
  const [, response] = await asked;
  return { reader, response, writer: createStreamWriter(response, clock) };
}

/** Writes until the reader has had no room; settles with the write that waited. */
async function fill(writer: StreamWriter): Promise<void> {
  for (let waited = false; !waited; ) {
    const written = writer.write(chunk);
    waited = writer.blocked;
    await written;
  }
}

describe('a stream writer', () => {
  it('waits while its reader has no room, and goes on when there is some', async () => {
    const { reader, writer } = await open();
    const waiting = fill(writer);
    await expect.poll(() => writer.blocked).toBe(true);
    reader.resume();
    await waiting;
    expect(writer.blocked).toBe(false);
    expect(timers.size).toBe(0);
    reader.destroy();
  });

  it('cuts a reader that takes nothing for too long', async () => {
    const { reader, writer, response } = await open();
    const waiting = fill(writer);
    const refused = expect(waiting).rejects.toMatchObject({ code: 'slow_reader' });
    await expect.poll(() => writer.blocked).toBe(true);
    for (const goesOff of timers) goesOff();
    await refused;
    expect(response.destroyed).toBe(true);
    reader.destroy();
  });

  it('waits no longer for a reader that has left', async () => {
    const { reader, writer } = await open();
    const waiting = fill(writer);
    await expect.poll(() => writer.blocked).toBe(true);
    reader.destroy();
    await waiting;
    await writer.write('more');
    expect(timers.size).toBe(0);
  });

  it('cuts a reader that does not take the end', async () => {
    const { reader, writer, response } = await open();
    fill(writer).catch(() => undefined);
    await expect.poll(() => writer.blocked).toBe(true);
    writer.end('the end');
    for (const goesOff of timers) goesOff();
    expect(response.destroyed).toBe(true);
    reader.destroy();
  });
});
