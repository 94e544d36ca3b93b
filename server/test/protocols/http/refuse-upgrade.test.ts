import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
import { createLogger } from '../../../src/base/logger.ts';
import { createTelemetry } from '../../../src/base/telemetry.ts';
import { createHttpServer } from '../../../src/protocols/http/create-http-server.ts';
import { refuseUpgrade } from '../../../src/protocols/http/refuse-upgrade.ts';
import { hurriedClock } from '../../support/hurried-clock.ts';
import { startTestHub } from '../../support/start-test-hub.ts';

let socket: Socket | undefined;
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  socket?.destroy();
  for (const end of ends.splice(0)) await end();
});

/** A client that never ends its side, and whose writes alone tell it that the connection is gone. */
async function connected(port: number): Promise<Socket> {
  socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await new Promise((resolve) => socket?.once('connect', resolve));
  return socket.on('error', () => undefined);
}

async function answerUntilClosed(socket: Socket): Promise<string> {
  let answer = '';
  let drip: NodeJS.Timeout | undefined;
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
  });
  socket.once('end', () => {
    drip = setInterval(() => socket.write('x'), 20);
  });
  await new Promise((resolve) => socket.once('close', resolve));
  clearInterval(drip);
  return answer;
}

const upgrade = (header = '') =>
  `GET /graphql HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${header}\r\n`;

describe('a refused upgrade', () => {
  it('of a page of another origin closes the connection of a client that does not', async () => {
    const hub = await startTestHub();
    ends.push(() => hub.remove());
    const client = await connected(Number(new URL(hub.url).port));
    client.write(upgrade('Origin: http://evil.example\r\n'));
    expect(await answerUntilClosed(client)).toMatch(
      /^HTTP\/1\.1 403 Forbidden\r\n.*"code":"forbidden"/s,
    );
  });

  it('while the server stops closes it too, so that the stop ends', async () => {
    const http = createHttpServer({
      host: '127.0.0.1',
      port: 0,
      // The sweep, which would close the connection before it has asked, does not come.
      clock: hurriedClock({ [limits.idleSweepMs]: 600_000 }),
      logger: createLogger('silent'),
      telemetry: createTelemetry(),
    });
    ends.push(() => http.close());
    http.upgrade('/graphql', () => undefined);
    const client = await connected((await http.listen()).port);
    const closed = http.close();
    client.write(upgrade());
    expect(await answerUntilClosed(client)).toMatch(
      /^HTTP\/1\.1 503 Service Unavailable\r\n.*"code":"unavailable"/s,
    );
    await closed;
  });

  it('survives a connection that breaks before it has the answer', async () => {
    const broken = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, done) => done(new Error('read ECONNRESET')),
    });
    const closed = new Promise((resolve) => broken.once('close', resolve));
    refuseUpgrade(broken, 'HTTP/1.1 503 Service Unavailable\r\n\r\n');
    await closed;
    expect(broken.errored?.message).toBe('read ECONNRESET');
  });
});
