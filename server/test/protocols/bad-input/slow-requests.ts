import { expect } from 'vitest';
import { openRaw, readAnswer, sendRaw } from '../../support/raw-http.ts';
import { get, postEvents } from '../../support/rest-calls.ts';
import { type BadInputHost, type CheckRow, eventText, freshId } from './rows.ts';

/** 43, 44 and 46: requests that break off, go on too long or are not waited for. */
export const brokenOffRows: readonly CheckRow[] = [
  {
    n: 43,
    is: 'a Content-Length larger than the body, which breaks off',
    check: async ({ hub }) => {
      const socket = openRaw(hub.url);
      const event = eventText().replace('$ID', freshId());
      socket.end(post(`Content-Length: ${event.length + 1}`, event));
      expect([0, 400]).toContain((await readAnswer(socket)).status);
    },
  },
  {
    n: 43,
    is: 'a Content-Length smaller than the body',
    check: async ({ hub }) => {
      const event = eventText().replace('$ID', freshId());
      const raw = post(`Content-Length: ${event.length - 1}`, event);
      const answer = await sendRaw(hub.url, raw);
      expect(answer.status).toBe(400);
      expect(answer.body).toContain('"code":"unreadable"');
    },
  },
  {
    n: 44,
    is: 'chunks of one byte with trailers, which HTTP allows',
    check: async ({ hub, ledger }) => {
      const id = freshId();
      const chunks = [...eventText().replace('$ID', id)].map((each) => `1\r\n${each}\r\n`).join('');
      const trailers = `0\r\nX-Trailer: 1\r\n\r\n`;
      const answer = await sendRaw(hub.url, post('Transfer-Encoding: chunked', chunks + trailers));
      expect(answer.status).toBe(201);
      await ledger.took(id);
    },
  },
  {
    n: 46,
    is: 'a client that closes before the answer',
    check: async (host) => {
      for (let attempt = 0; attempt < 10; attempt += 1) await closeEarly(host, attempt);
    },
  },
];

/** 43 and 44: the hub waits for these until their time is over. They store nothing, so they run beside the others. */
export const waitingRows: readonly CheckRow[] = [
  {
    n: 43,
    is: 'a Content-Length larger than the body, which is waited for',
    check: async ({ hub }) => {
      const answer = await sendRaw(hub.url, post('Content-Length: 1000', '{"id":'));
      expect(answer.status).toBe(408);
      expect(answer.body).toContain('"code":"unreadable"');
    },
  },
  {
    n: 44,
    is: 'chunks of one byte for ever',
    check: async ({ hub }) => {
      const socket = openRaw(hub.url);
      socket.write(post('Transfer-Encoding: chunked', ''));
      const drip = setInterval(() => socket.write('1\r\n \r\n'), 50);
      const answer = await readAnswer(socket);
      clearInterval(drip);
      expect(answer.status).toBe(408);
    },
  },
];

/** Stored or not: a retry tells, and stores it once. */
async function closeEarly({ hub, ledger }: BadInputHost, attempt: number): Promise<void> {
  const id = freshId();
  const event = eventText().replace('$ID', id);
  const socket = openRaw(hub.url);
  await new Promise((resolve) => socket.once('connect', resolve));
  await new Promise<void>((resolve) => {
    socket.write(post(`Content-Length: ${event.length}`, event), () => resolve());
  });
  if (attempt % 2 === 0) socket.resetAndDestroy();
  else socket.destroy();
  const retry = await postEvents(hub.url, event);
  expect(['success', 'duplicate']).toContain(retry.json.status);
  await ledger.took(id);
  expect((await get(hub.url, `/events/${id}`)).json.position).toBe(retry.json.position);
}

function post(header: string, body: string): string {
  return `POST /events HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\nConnection: close\r\n${header}\r\n\r\n${body}`;
}
