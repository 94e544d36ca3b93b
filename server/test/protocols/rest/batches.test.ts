import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
import { anInput, get, postEvents } from '../../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.remove());

const ndjson = { 'content-type': 'application/x-ndjson' };
const statuses = (answer: { json: { results: { status: string }[] } }) =>
  answer.json.results.map(({ status }) => status);

describe('POST /events with an array', () => {
  it('answers 201 and what became of each when none is refused', async () => {
    const [first, second] = [anInput(), anInput()];
    const answer = await postEvents(hub.url, [first, first, second]);
    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject({ accepted: 2, duplicates: 1, rejected: 0 });
    expect(answer.json.results[1]).toEqual({
      index: 1,
      status: 'duplicate',
      id: first.id,
      position: answer.json.results[0].position,
    });
  });

  it('answers 207 when some are refused; the good ones are stored', async () => {
    const good = anInput();
    const answer = await postEvents(hub.url, [good, { id: 'bad', amount: 1 }, 5]);
    expect(answer.status).toBe(207);
    expect(answer.json).toMatchObject({ accepted: 1, duplicates: 0, rejected: 2 });
    expect(answer.json.results[1]).toMatchObject({
      index: 1,
      status: 'rejected',
      id: 'bad',
      error: {
        code: 'invalid',
        errors: expect.arrayContaining([expect.objectContaining({ pointer: '/user_id' })]),
      },
    });
    expect(answer.json.results[2]).toMatchObject({ status: 'rejected', id: null });
    const { position } = answer.json.results[0];
    expect((await get(hub.url, `/events/${good.id}?at_least=${position}`)).status).toBe(200);
  });

  it('answers 422 when all are refused', async () => {
    const answer = await postEvents(hub.url, [{}, 1]);
    expect(answer.status).toBe(422);
    expect(statuses(answer)).toEqual(['rejected', 'rejected']);
  });

  it('tells a conflict inside the batch', async () => {
    const input = anInput();
    const answer = await postEvents(hub.url, [input, { ...input, amount: '99' }]);
    expect(answer.status).toBe(207);
    expect(answer.json.results[1].error.code).toBe('conflict');
  });

  it('stores nothing of an atomic batch with a fault', async () => {
    const good = anInput();
    const answer = await postEvents(hub.url, [good, {}], {}, '?atomic=true');
    expect(answer.status).toBe(422);
    expect(answer.json).toMatchObject({ accepted: 0, duplicates: 0, rejected: 1 });
    expect(statuses(answer)).toEqual(['not_stored', 'rejected']);
    expect((await get(hub.url, `/events/${good.id}`)).status).toBe(404);
  });

  it('stores nothing of an atomic batch with a conflict', async () => {
    const [taken, good] = [anInput(), anInput()];
    await postEvents(hub.url, taken);
    const batch = [good, { ...taken, amount: '99' }];
    const answer = await postEvents(hub.url, batch, {}, '?atomic=true');
    expect(answer.status).toBe(422);
    expect(statuses(answer)).toEqual(['not_stored', 'rejected']);
  });

  it('takes an atomic batch without faults', async () => {
    const answer = await postEvents(hub.url, [anInput(), anInput()], {}, '?atomic=true');
    expect(answer.status).toBe(201);
  });

  it.each([
    ['empty', '[]', 422],
    ['empty with blanks', ' [ \n ] ', 422],
    ['cut off', '[{"a":1}', 400],
    ['cut off in a string', '[{"a":"', 400],
    ['followed by rubbish', '[] []', 400],
    ['closed by a brace', '[1}', 400],
    ['with a comma too many', '[{"a":1},]', 400],
    ['with a comma at the start', '[,1]', 400],
    ['with a broken element', '[{"a":}]', 400],
    ['with a repeated key', '[{},{"a":1,"a":2}]', 400],
  ])('answers a batch that is %s as a whole', async (_, body, status) => {
    const answer = await postEvents(hub.url, body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });

  it('names the element that cannot be read', async () => {
    const answer = await postEvents(hub.url, '[{},{"a":1,"a":2}]');
    expect(answer.json.detail).toContain('event 1 ');
    expect(answer.json.errors[0].pointer).toMatch(/^\/1/);
  });

  it('takes as many events as the limit and not one more', async () => {
    const many = Array.from({ length: limits.batchEvents }, () => anInput());
    const answer = await postEvents(hub.url, many);
    expect(answer.json).toMatchObject({ accepted: limits.batchEvents, rejected: 0 });
    const more = await postEvents(hub.url, [...many, anInput()]);
    expect(more.status).toBe(413);
    expect(more.json.errors[0].code).toBe('batch_too_large');
  });

  it('answers others while a long batch is parsed', async () => {
    const many = Array.from({ length: limits.batchEvents }, () => anInput());
    let batchDone = false;
    const batch = postEvents(hub.url, many).then((answer) => {
      batchDone = true;
      return answer;
    });
    let answered = 0;
    while (!batchDone) {
      await get(hub.url, '/livez');
      answered += 1;
    }
    expect((await batch).status).toBe(201);
    expect(answered).toBeGreaterThan(3);
  });
});

describe('POST /events with NDJSON', () => {
  it('takes CRLF, blank lines and a last line without an end', async () => {
    const lines = [anInput(), anInput(), anInput()].map((each) => JSON.stringify(each));
    const body = `${lines[0]}\r\n\r\n \t\n${lines[1]}\n${lines[2]}`;
    const answer = await postEvents(hub.url, body, ndjson);
    expect(answer.status).toBe(201);
    expect(statuses(answer)).toEqual(['success', 'success', 'success']);
  });

  it('refuses an unreadable line alone', async () => {
    const good = JSON.stringify(anInput());
    const answer = await postEvents(hub.url, `{"id":\n${good}\n{"a":1,"a":2}\n`, ndjson);
    expect(answer.status).toBe(207);
    expect(statuses(answer)).toEqual(['rejected', 'success', 'rejected']);
    expect(answer.json.results[0]).toMatchObject({ id: null, error: { code: 'unreadable' } });
  });

  it('refuses a line that is no UTF-8 alone', async () => {
    const good = JSON.stringify(anInput({ user_id: 'Zoë' }));
    const body = Buffer.concat([Buffer.from([0x22, 0xff, 0x22, 0x0d, 0x0a]), Buffer.from(good)]);
    const answer = await postEvents(hub.url, body, ndjson);
    expect(statuses(answer)).toEqual(['rejected', 'success']);
    expect(answer.json.results[0].error.code).toBe('unreadable');
  });

  it('refuses a line that is too long alone', async () => {
    const long = JSON.stringify({ a: 'x'.repeat(limits.singleBodyBytes) });
    const answer = await postEvents(hub.url, `${long}\n${JSON.stringify(anInput())}`, ndjson);
    expect(statuses(answer)).toEqual(['rejected', 'success']);
    expect(answer.json.results[0].error.code).toBe('too_large');
  });

  it.each(['', '\n\r\n \n'])('refuses a batch of nothing: %j', async (body) => {
    const answer = await postEvents(hub.url, body, ndjson);
    expect(answer.status).toBe(422);
    expect(answer.json.errors[0].code).toBe('empty_batch');
  });
});
