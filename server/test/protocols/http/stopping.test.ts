import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRaw, readAnswer } from '../../support/raw-http.ts';
import { anInput, get } from '../../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';

let hub: TestHub;
beforeEach(async () => {
  hub = await startTestHub();
});
afterEach(() => hub.remove());

describe('a stopping server', () => {
  it('ends the request under way and closes its connection', async () => {
    const body = JSON.stringify(anInput());
    const socket = openRaw(hub.url);
    socket.write(
      `POST /events HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    socket.write(body.slice(0, 10));
    await get(hub.url, '/livez');
    const stopped = hub.stop();
    socket.write(body.slice(10));
    const answer = await readAnswer(socket);
    expect(answer.status).toBe(201);
    await stopped;
  });

  it('closes connections that are idle or have not asked for anything yet', async () => {
    const idle = openRaw(hub.url);
    idle.write('GET /livez HTTP/1.1\r\nHost: hub\r\n\r\n');
    await once(idle, 'data');
    const unused = openRaw(hub.url);
    await once(unused, 'connect');
    const closed = Promise.all([once(idle, 'close'), once(unused, 'close')]);
    await hub.stop();
    await closed;
  });

  it('takes no new connection', async () => {
    await hub.stop();
    await expect(get(hub.url, '/livez')).rejects.toThrow();
  });
});
