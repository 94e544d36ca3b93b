import { afterEach, expect, it } from 'vitest';
import { sendRaw } from '../../support/raw-http.ts';
import { startKeyedHub } from '../../support/start-keyed-hub.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';

let hub: TestHub | undefined;
afterEach(() => hub?.remove());

/** What a page gets whose name was made to lead to this machine. */
async function statusBy(host: string, path = '/events', more = ''): Promise<number> {
  const head = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${more}Connection: close\r\n\r\n`;
  return (await sendRaw(hub?.url ?? '', head)).status;
}

it('an open hub is served by the names of this machine, and by no name of the web', async () => {
  hub = await startTestHub();
  for (const host of ['localhost', 'localhost:8000', '127.0.0.1', '[::1]:8000', 'a.localhost']) {
    expect([host, await statusBy(host)]).toEqual([host, 200]);
  }
  for (const host of [
    'evil.example',
    'evil.example:8000',
    'EVIL.example.',
    '127.0.0.1.evil.example',
  ]) {
    expect([host, await statusBy(host)]).toEqual([host, 403]);
    expect([host, await statusBy(host, '/graphql?query={__typename}')]).toEqual([host, 403]);
    expect([host, await statusBy(host, '/metrics')]).toEqual([host, 403]);
    expect([host, await statusBy(host, '/livez')]).toEqual([host, 200]);
  }
});

it('a page by another name is not let in by WebSocket either', async () => {
  hub = await startTestHub();
  const { host } = new URL(hub.url);
  const foreign = await openGraphql('evil.example', host);
  expect(foreign).toBe(4403);
  expect(await openGraphql(host, host)).toBe('connection_ack');
});

it('any name is served where somebody said that the hub is open, and with a credential', async () => {
  hub = await startTestHub({ allowAnonymous: true });
  expect(await statusBy('hub.example')).toBe(200);
  await hub.remove();
  const keyed = await startKeyedHub(['a']);
  hub = keyed;
  expect(await statusBy('hub.example', '/events', `X-API-Key: ${keyed.keys.a}\r\n`)).toBe(200);
  expect(await statusBy('hub.example')).toBe(401);
});

/** The type of the first message after `connection_init`, or the code with which the hub closes. */
async function openGraphql(name: string, place: string): Promise<string | number> {
  const { WebSocket } = await import('ws');
  const socket = new WebSocket(`ws://${place}/graphql`, 'graphql-transport-ws', {
    headers: { host: name, origin: `http://${name}` },
  });
  return await new Promise((resolve, reject) => {
    socket.once('open', () => socket.send('{"type":"connection_init"}'));
    socket.once('message', (data) => {
      socket.close();
      resolve(JSON.parse(String(data)).type);
    });
    socket.once('close', (code) => resolve(code));
    socket.once('error', reject);
  });
}
