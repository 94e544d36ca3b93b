import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anInput, get, postEvents } from '../../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';

let hub: TestHub;
let ids: string[];
let position: string;
beforeAll(async () => {
  hub = await startTestHub();
  const inputs = Array.from({ length: 25 }, (_, i) =>
    anInput({
      user_id: `user-${i % 2}`,
      event_type: i % 5 === 0 ? 'refund' : 'purchase',
      currency: i % 2 ? 'EUR' : 'USD',
      timestamp: `2026-06-30T10:00:${String(i).padStart(2, '0')}+03:00`,
      metadata: i === 0 ? { note: 'a "b", c\n' } : null,
    }),
  );
  ids = inputs.map(({ id }) => String(id));
  const answer = await postEvents(hub.url, inputs);
  position = answer.json.results.at(-1).position;
  await get(hub.url, `/events?at_least=${position}`);
});
afterAll(() => hub.remove());

const idsOf = (answer: { json: { events: { id: string }[] } }) =>
  answer.json.events.map(({ id }) => id);

describe('GET /events', () => {
  it('lists the newest first, and the oldest when asked to', async () => {
    expect(idsOf(await get(hub.url, '/events'))).toEqual(ids.toReversed());
    expect(idsOf(await get(hub.url, '/events?order=asc'))).toEqual(ids);
  });

  it('leads through all pages by next and by Link alike', async () => {
    const found: string[] = [];
    let path: string | undefined = '/events?limit=10&order=asc';
    while (path !== undefined) {
      const answer = await get(hub.url, path);
      found.push(...idsOf(answer));
      const link = answer.headers.get('link');
      path = link === null ? undefined : /^<(.*)>; rel="next"$/.exec(link)?.[1];
      if (path === undefined) expect(answer.json.next).toBeNull();
      else
        expect(path).toBe(
          `/events?limit=10&order=asc&cursor=${encodeURIComponent(answer.json.next)}`,
        );
    }
    expect(found).toEqual(ids);
  });

  it('filters by users, types, currency and time', async () => {
    const refunds = await get(hub.url, '/events?event_type=refund&order=asc');
    expect(idsOf(refunds)).toEqual(ids.filter((_, i) => i % 5 === 0));
    const both = await get(hub.url, '/events?user_id=user-0&user_id=user-1');
    expect(idsOf(both)).toHaveLength(25);
    expect(idsOf(await get(hub.url, '/events?currency=EUR'))).toHaveLength(12);
    const window = 'from=2026-06-30T07:00:05Z&to=2026-06-30T10:00:10%2B03:00';
    expect(idsOf(await get(hub.url, `/events?${window}&order=asc`))).toEqual(ids.slice(5, 10));
  });

  it('gives lines of events by Accept, with the next page in Link only', async () => {
    const answer = await get(hub.url, '/events?limit=2', { accept: 'application/x-ndjson' });
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = answer.text.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).id)).toEqual(ids.toReversed().slice(0, 2));
    expect(answer.headers.get('link')).toContain('rel="next"');
  });

  it('gives CSV by Accept', async () => {
    const answer = await get(hub.url, '/events?order=asc&limit=1', { accept: 'text/csv' });
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    const [header, row] = answer.text.split('\r\n');
    expect(header).toBe(
      'id,user_id,event_type,amount,currency,timestamp,metadata,received_at,position',
    );
    expect(row).toMatch(new RegExp(`^${ids[0]},"user-0",refund,10,USD,2026-06-30T07:00:00.000Z,`));
    expect(row).toContain('"{""note"":""a \\""b\\"", c\\n""}"');
  });

  it.each([
    ['text/html, application/xml;q=0.9, */*;q=0.8', 'application/json'],
    ['text/csv;q=0.5, application/x-ndjson', 'application/x-ndjson'],
    ['image/png', 'application/json'],
    ['application/json;q=0, text/*', 'text/csv; charset=utf-8; header=present'],
  ])('answers Accept: %s with %s', async (accept, type) => {
    const answer = await get(hub.url, '/events?limit=1', { accept });
    expect(answer.headers.get('content-type')).toBe(type);
    expect(answer.headers.get('vary')).toBe('accept');
  });

  it.each([
    ['limti=3', '/limti'],
    ['a~b/c=1', '/a~0b~1c'],
    ['limit=1&limit=2', '/limit'],
    ['limit=0', '/limit'],
    ['limit=-1', '/limit'],
    ['limit=1.5', '/limit'],
    ['limit=1001', '/limit'],
    ['limit=', '/limit'],
    ['limit=1e2', '/limit'],
    ['order=up', '/order'],
    ['cursor=nonsense', '/cursor'],
    ['from=2026-06-30', '/from'],
    ['from=2026-06-30T10:00:00', '/from'],
    ['from=2026-06-30T10:00:00+03:00', '/from'],
    ['currency=eur', '/currency'],
    ['event_type=gift', '/event_type'],
    ['user_id=', '/user_id'],
    ['at_least=nonsense', '/at_least'],
  ])('refuses %s by its name', async (query, pointer) => {
    const answer = await get(hub.url, `/events?${query}`);
    expect(answer.status).toBe(422);
    expect(answer.json.errors[0].pointer).toBe(pointer);
  });

  it('tells where positions go', async () => {
    const answer = await get(hub.url, `/events?cursor=${position}`);
    expect(answer.json.detail).toContain('/events/stream');
  });

  it('tells that a plus sign must be encoded', async () => {
    const answer = await get(hub.url, '/events?from=2026-06-30T10:00:00+03:00');
    expect(answer.json.detail).toContain('%2B');
  });
});

describe('GET /events/{id}', () => {
  it('answers the event', async () => {
    const { json } = await get(hub.url, `/events/${ids[3]}`);
    expect(json).toMatchObject({
      id: ids[3],
      user_id: 'user-1',
      timestamp: '2026-06-30T07:00:03.000Z',
    });
  });

  it('answers 404 for an id that nothing has, whatever it looks like', async () => {
    for (const id of ['none', '%24where', 'a%20b', '%00', 'x'.repeat(200)]) {
      const answer = await get(hub.url, `/events/${id}`);
      expect(answer.status).toBe(404);
      expect(answer.json.code).toBe('not_found');
    }
  });

  it('refuses parameters it does not have', async () => {
    expect((await get(hub.url, `/events/${ids[0]}?limit=1`)).status).toBe(422);
  });
});
