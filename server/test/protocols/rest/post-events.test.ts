import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRaw } from '../../support/raw-http.ts';
import { anInput, get, postEvents } from '../../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.remove());

describe('POST /events with one event', () => {
  it('answers 201 with the place of the stored event', async () => {
    const input = anInput();
    const answer = await postEvents(hub.url, input);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe(`/events/${input.id}`);
    expect(answer.json).toEqual({
      status: 'success',
      id: input.id,
      position: expect.any(String),
    });
    const found = await get(
      hub.url,
      `${answer.headers.get('location')}?at_least=${answer.json.position}`,
    );
    expect(found.json).toMatchObject({
      id: input.id,
      amount: '10',
      position: answer.json.position,
    });
  });

  it('answers a duplicate with 200 and the first one’s position', async () => {
    const input = anInput({ amount: 1 });
    const first = await postEvents(hub.url, input);
    const second = await postEvents(hub.url, { ...input, amount: '1.00' });
    expect(second.status).toBe(200);
    expect(second.json).toEqual({ ...first.json, status: 'duplicate' });
    expect(second.headers.get('location')).toBe(`/events/${input.id}`);
  });

  it('refuses other content under the same id with 409', async () => {
    const input = anInput();
    await postEvents(hub.url, input);
    const answer = await postEvents(hub.url, { ...input, amount: '11' });
    expect(answer.status).toBe(409);
    expect(answer.json).toMatchObject({ code: 'conflict', status: 409 });
  });

  it('makes an id where the sender gives none', async () => {
    const answer = await postEvents(hub.url, anInput({ id: null }));
    expect(answer.json.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });

  it('names every fault of a refused event by its field', async () => {
    const answer = await postEvents(hub.url, { user_id: '', event_type: 'gift', amout: 1 });
    expect(answer.status).toBe(422);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.json).toMatchObject({ type: '/docs/errors#invalid', code: 'invalid' });
    const pointers = answer.json.errors.map((each: { pointer: string }) => each.pointer);
    expect(pointers).toEqual(
      expect.arrayContaining(['/user_id', '/event_type', '/amout', '/amount']),
    );
  });

  it('refuses an unknown parameter by its name', async () => {
    const answer = await postEvents(hub.url, anInput(), {}, '?atomc=true');
    expect(answer.status).toBe(422);
    expect(answer.json.errors[0]).toMatchObject({ pointer: '/atomc', code: 'unknown_parameter' });
  });

  it('refuses a parameter that is no truth value', async () => {
    const answer = await postEvents(hub.url, anInput(), {}, '?atomic=yes');
    expect(answer.json.errors[0].pointer).toBe('/atomic');
  });

  it('stores one of fifty equal events that arrive at once', async () => {
    const input = anInput();
    const answers = await Promise.all(Array.from({ length: 50 }, () => postEvents(hub.url, input)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(49);
  });
});

describe('Idempotency-Key', () => {
  const without = () => anInput({ id: undefined });

  it.each(['key-1', '"key-2"'])('%s gives the id that the body lacks', async (key) => {
    const input = without();
    const first = await postEvents(hub.url, input, { 'idempotency-key': key });
    expect(first.json).toMatchObject({ status: 'success', id: key.replaceAll('"', '') });
    const second = await postEvents(hub.url, input, { 'idempotency-key': key });
    expect(second.json.status).toBe('duplicate');
  });

  it('may equal the body’s id', async () => {
    const input = anInput();
    const answer = await postEvents(hub.url, input, { 'idempotency-key': `"${input.id}"` });
    expect(answer.status).toBe(201);
  });

  it.each([
    ['differs from the body’s id', anInput(), 'other-id'],
    ['has other characters', without(), 'a b'],
    ['is empty', without(), '""'],
    ['is reserved', without(), 'stream'],
    ['is half quoted', without(), '"abc'],
    ['is too long', without(), 'x'.repeat(129)],
    ['comes with a batch', [anInput()], 'key-3'],
  ])('is refused with 400 when it %s', async (_, body, key) => {
    const answer = await postEvents(hub.url, body, { 'idempotency-key': key });
    expect(answer.status).toBe(400);
    expect(answer.json.errors[0].code).toBe('idempotency_key');
  });

  it('is refused with 400 when it comes twice', async () => {
    const body = JSON.stringify(without());
    const key = 'Idempotency-Key: key-4\r\n';
    const raw = `POST /events HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n${key}${key}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
    expect((await sendRaw(hub.url, raw)).status).toBe(400);
  });
});
