import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { openRaw } from '../../support/raw-http.ts';
import { type OpenStream, openStream, parseFrame } from '../../support/read-stream.ts';
import { anInput, get, postEvents } from '../../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';

let hub: TestHub;
beforeEach(async () => {
  hub = await startTestHub();
});
afterEach(() => hub.remove());

const lines = { accept: 'application/x-ndjson' };

async function follow(query = '', headers = {}, separator = '\n\n'): Promise<OpenStream> {
  const stream = await openStream(`${hub.url}/events/stream${query}`, headers, separator);
  onTestFinished(() => stream.close());
  return stream;
}

async function send(count: number, changes = {}): Promise<string[]> {
  const inputs = Array.from({ length: count }, () => anInput(changes));
  const answer = await postEvents(hub.url, inputs);
  return answer.json.results.map(({ position }: { position: string }) => position);
}

describe('GET /events/stream', () => {
  it('starts at the end and says so at once, also in an empty log', async () => {
    const stream = await follow();
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream');
    expect(stream.response.headers.get('cache-control')).toBe('no-store');
    expect(stream.response.headers.get('x-accel-buffering')).toBe('no');
    expect(await stream.next()).toBe('retry: 3000');
    expect(await stream.frame('caught-up')).toEqual({
      event: 'caught-up',
      data: '{"position":null}',
    });
    const [position] = await send(1);
    const frame = await stream.frame('');
    expect(frame.id).toBe(position);
    expect(JSON.parse(frame.data ?? '')).toMatchObject({ amount: '10', position });
  });

  it('gives history from the start, says where it ends, and goes on live', async () => {
    const positions = await send(3);
    const stream = await follow('?after=start');
    for (const position of positions) expect((await stream.frame('')).id).toBe(position);
    expect((await stream.frame('caught-up')).id).toBe(positions[2]);
    const [live] = await send(1);
    expect((await stream.frame('')).id).toBe(live);
  });

  it('resumes after a position, and Last-Event-ID wins over after', async () => {
    const [first, second, third] = await send(3);
    const byParameter = await follow(`?after=${second}`);
    expect((await byParameter.frame('')).id).toBe(third);
    const byHeader = await follow('?after=start', { 'last-event-id': first });
    expect((await byHeader.frame('')).id).toBe(second);
  });

  it('ends after the history when nobody wants to follow', async () => {
    const positions = await send(3);
    const blocks = await (await follow('?after=start&follow=false')).rest();
    const events = blocks.map(parseFrame).filter(({ event, data }) => data && !event);
    expect(events.map(({ id }) => id)).toEqual(positions);
    expect(parseFrame(blocks.at(-1) ?? '').event).toBe('caught-up');
  });

  it('gives at most as many events as asked for', async () => {
    await send(5);
    const blocks = await (await follow('?after=start&follow=false&limit=2')).rest();
    expect(blocks.map(parseFrame).filter(({ event, data }) => data && !event)).toHaveLength(2);
  });

  it('gives only what matches the filter', async () => {
    const stream = await follow('?user_id=u2&user_id=u3&event_type=refund');
    await stream.frame('caught-up');
    await send(1);
    await send(1, { user_id: 'u2' });
    const [wanted] = await send(1, { user_id: 'u3', event_type: 'refund' });
    expect((await stream.frame('')).id).toBe(wanted);
  });

  it.each([
    ['?after=nonsense', '/after'],
    ['?folow=false', '/folow'],
    ['?follow=no', '/follow'],
    ['?limit=0', '/limit'],
    ['?event_type=gift', '/event_type'],
    ['?after=start&after=end', '/after'],
  ])('refuses %s before it opens', async (query, pointer) => {
    const answer = await get(hub.url, `/events/stream${query}`);
    expect(answer.status).toBe(422);
    expect(answer.json.errors[0].pointer).toBe(pointer);
  });

  it('answers a position of another log with 410, and to Last-Event-ID with a frame', async () => {
    const other = await startTestHub();
    const foreign = (await postEvents(other.url, anInput())).json.position;
    await other.remove();
    await send(1);
    expect((await get(hub.url, `/events/stream?after=${foreign}`)).status).toBe(410);
    const blocks = await (await follow('', { 'last-event-id': foreign })).rest();
    expect(blocks).toHaveLength(1);
    const frame = parseFrame(blocks[0] ?? '');
    expect(frame).toMatchObject({ event: 'error', retry: '60000' });
    expect(frame.id).toBeUndefined();
    expect(JSON.parse(frame.data ?? '')).toMatchObject({ code: 'position_gone', status: 410 });
  });

  it('says why it ends when the hub stops, and where to resume', async () => {
    const [position] = await send(1);
    const stream = await follow('?after=start');
    await stream.frame('caught-up');
    await hub.stop();
    const frame = parseFrame((await stream.rest()).at(-1) ?? '');
    expect(frame).toMatchObject({ event: 'error', id: position });
    expect(JSON.parse(frame.data ?? '')).toMatchObject({ code: 'unavailable', position });
  });

  it('leaves no gap for a reader that was too slow, was cut and resumed', async () => {
    const total = 8_000;
    const socket = openRaw(hub.url);
    socket.write('GET /events/stream HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    socket.pause();
    for (let sent = 0; sent < total; sent += 1_000) {
      await send(1_000, { metadata: { text: 'x'.repeat(1_000) } });
    }
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.resume();
    await new Promise((resolve) => socket.once('end', resolve));
    const ids = new Set(text.match(/(?<=\{"id":")input-\d+/g));
    expect(text).toContain('event: error');
    const position = /"code":"slow_reader".*?"position":"([^"]+)"/.exec(text)?.[1];
    expect(position).toBeDefined();
    const rest = await (await follow(`?after=${position}&follow=false`)).rest();
    for (const block of rest) ids.add(/\{"id":"(input-\d+)"/.exec(block)?.[1] ?? '');
    ids.delete('');
    expect(ids.size).toBe(total);
  });

  it('lets go of a reader that has left', async () => {
    const stream = await follow();
    await stream.frame('caught-up');
    expect((await get(hub.url, '/metrics')).text).toContain(
      'event_hub_subscribers{transport="sse"} 1',
    );
    await stream.close();
    await expect
      .poll(async () => (await get(hub.url, '/metrics')).text)
      .toContain('event_hub_subscribers{transport="sse"} 0');
  });
});

describe('GET /events/stream as lines', () => {
  it('gives events, and marks that no event can be taken for', async () => {
    const [position] = await send(1);
    const stream = await follow('?after=start', lines, '\n');
    expect(stream.response.headers.get('content-type')).toBe('application/x-ndjson');
    expect(JSON.parse((await stream.next()) ?? '')).toMatchObject({ amount: '10', position });
    expect(JSON.parse((await stream.next()) ?? '')).toEqual({ control: 'caught-up', position });
    await hub.stop();
    expect(JSON.parse((await stream.rest()).at(-1) ?? '')).toMatchObject({
      control: 'error',
      problem: { code: 'unavailable', position },
    });
  });

  it('answers a position that is gone with 410, however it came', async () => {
    const other = await startTestHub();
    const foreign = (await postEvents(other.url, anInput())).json.position;
    await other.remove();
    await send(1);
    const answer = await get(hub.url, '/events/stream', { ...lines, 'last-event-id': foreign });
    expect(answer.status).toBe(410);
  });
});

describe('heartbeats', () => {
  const beats: (() => void)[] = [];
  const clock = {
    ...systemClock,
    // Late enough for the feed to say how far it has come.
    monotonicMs: () => systemClock.monotonicMs() + 60_000,
    every: (ms: number, action: () => void) => {
      if (ms === 15_000) beats.push(action);
      return systemClock.every(ms, action);
    },
  };

  it('are comments, and on a filtered feed the place that was looked at', async () => {
    await hub.remove();
    hub = await startTestHub({}, { clock });
    beats.length = 0;
    const plain = await follow();
    const filtered = await follow('?user_id=nobody');
    const asLines = await follow('?user_id=nobody', lines, '\n');
    await plain.frame('caught-up');
    await filtered.frame('caught-up');
    await asLines.next();
    const [position] = await send(1);
    await plain.frame('');
    await expect
      .poll(async () => {
        for (const beat of beats) beat();
        return parseFrame((await filtered.next()) ?? '').id;
      })
      .toBe(position);
    expect(await plain.next()).toBe(':');
    await expect
      .poll(async () => JSON.parse((await asLines.next()) || '{}'))
      .toEqual({ control: 'position', position });
  });
});
