import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';
import { getOperation, graphqlType, post, run, sendEvent, sendPurchases } from './graphql-calls.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.remove());

describe('sendEvent', () => {
  it("takes the prototype's mutation as it was", async () => {
    const { status, data, errors } = await run(
      hub.url,
      'mutation { sendEvent(input:{userId:"u1",eventType:"purchase",amount:150.75}) { status id position } }',
    );
    expect(errors).toEqual([]);
    expect(status).toBe(200);
    const read = await run(
      hub.url,
      'query ($id: ID!, $at: String) { event(id: $id, atLeast: $at) { id amount amountExact currency position timestamp receivedAt metadata } }',
      { id: data.sendEvent.id, at: data.sendEvent.position },
    );
    const event = read.data.event;
    expect(event).toMatchObject({
      id: data.sendEvent.id,
      amount: 150.75,
      amountExact: '150.75',
      currency: 'XXX',
      position: data.sendEvent.position,
      metadata: null,
    });
    expect(event.timestamp).toBe(event.receivedAt);
  });

  it('answers a duplicate as success and a conflict as an error', async () => {
    const input = { id: 'twice', userId: 'u1', eventType: 'purchase', amount: '1.0' };
    const first = await run(hub.url, sendEvent, { input });
    const again = await run(hub.url, sendEvent, { input: { ...input, amount: 1 } });
    expect(again.data.sendEvent).toEqual({ ...first.data.sendEvent, status: 'duplicate' });
    const other = await run(hub.url, sendEvent, { input: { ...input, amount: 2 } });
    expect(other.status).toBe(409);
    expect(other.errors[0]?.extensions).toMatchObject({
      code: 'conflict',
      errors: [{ pointer: '/input/id', code: 'id_conflict' }],
    });
  });

  it('names every fault in its own words, under /input', async () => {
    const input = {
      userId: '',
      eventType: 'Purchase',
      amount: -1,
      metadata: { a: { b: '\u0000' } },
    };
    const { status, data, errors } = await run(hub.url, sendEvent, { input });
    expect(status).toBe(400);
    expect(data).toBe(null);
    const [failure] = errors;
    expect(failure?.path).toEqual(['sendEvent']);
    expect(failure?.message).toMatch(/^userId is empty/);
    const pointers = failure?.extensions.errors?.map(({ pointer }) => pointer);
    expect(pointers).toEqual([
      '/input/userId',
      '/input/eventType',
      '/input/amount',
      '/input/metadata/a/b',
    ]);
  });

  it.each([
    ['a number in a variable', '0.1', '"0.1"', '0.1'],
    ['a long string', '"999999999998.999999"', '"999999999998.999999"', '999999999998.999999'],
    ['an exponent', '1E2', '"100"', '100'],
  ])('takes %s exactly, in variables and in the query', async (_, source, __, exact) => {
    const query =
      'mutation ($a: Amount!) { sendEvent(input: {userId: "v", eventType: "purchase", amount: $a}) { id } }';
    await post(hub.url, `{"query":${JSON.stringify(query)},"variables":{"a":${source}}}`);
    const { data } = await run(
      hub.url,
      `mutation { sendEvent(input: {userId: "l", eventType: "purchase", amount: ${source}}) { position } }`,
    );
    const read = await run(
      hub.url,
      'query ($at: String) { lastEvents(limit: 2, atLeast: $at) { amountExact } }',
      { at: data.sendEvent.position },
    );
    expect(read.data.lastEvents).toEqual([{ amountExact: exact }, { amountExact: exact }]);
  });

  it.each(['0.12345678901234567', '9007199254740993'])(
    'refuses the number %s, which a double would change, in variables and in the query',
    async (source) => {
      const body = `{"query":${JSON.stringify(sendEvent)},"variables":{"input":{"userId":"u","eventType":"purchase","amount":${source}}}}`;
      const variable = await post(hub.url, body);
      const literal = await run(
        hub.url,
        `mutation { sendEvent(input: {userId: "u", eventType: "purchase", amount: ${source}}) { id } }`,
      );
      expect(literal.errors[0]?.extensions.code).toBe('invalid');
      expect(variable.errors[0]?.extensions).toEqual(literal.errors[0]?.extensions);
    },
  );

  it('keeps metadata as it was sent, with keys like any other', async () => {
    const literal =
      'mutation ($deep: JSON) { sendEvent(input: {id: "m", userId: "u", eventType: "purchase", amount: 1, metadata: {toString: 1, list: [1.5, true, null, "a"], deep: $deep}}) { position } }';
    const { data } = await run(hub.url, literal, { deep: { hasOwnProperty: 'x' } });
    const read = await run(hub.url, '{ event(id: "m") { metadata } }', undefined);
    expect(data.sendEvent.position).toBeTypeOf('string');
    expect(read.data.event.metadata).toEqual({
      deep: { hasOwnProperty: 'x' },
      list: [1.5, true, null, 'a'],
      toString: 1,
    });
  });
});

describe('sendEvents', () => {
  const query =
    'mutation ($inputs: [EventInput!]!, $atomic: Boolean) { sendEvents(inputs: $inputs, atomic: $atomic) { accepted duplicates rejected results { index status id position error { code message errors { pointer code } } } } }';
  const good = { id: 'good', userId: 'u1', eventType: 'purchase', amount: 1 };
  const bad = { id: 'bad', userId: 'u1', eventType: 'gift', amount: 1 };

  it('stores the good ones and says of each what became of it', async () => {
    const { status, data } = await run(hub.url, query, { inputs: [good, bad, good] });
    expect(status).toBe(200);
    expect(data.sendEvents).toMatchObject({ accepted: 1, duplicates: 1, rejected: 1 });
    const [first, second, third] = data.sendEvents.results;
    expect(first).toMatchObject({ index: 0, status: 'success', id: 'good', error: null });
    expect(second).toMatchObject({
      index: 1,
      status: 'rejected',
      id: 'bad',
      position: null,
      error: {
        code: 'invalid',
        errors: [{ pointer: '/inputs/1/eventType', code: 'event_type_unknown' }],
      },
    });
    expect(third).toMatchObject({ index: 2, status: 'duplicate', position: first.position });
  });

  it('writes nothing of an atomic batch with one refused', async () => {
    const { data } = await run(hub.url, query, {
      inputs: [{ ...good, id: 'fresh' }, bad],
      atomic: true,
    });
    expect(data.sendEvents).toMatchObject({ accepted: 0, duplicates: 0, rejected: 1 });
    expect(data.sendEvents.results[0].status).toBe('not_stored');
    const read = await run(hub.url, '{ event(id: "fresh") { id } }');
    expect(read.data).toEqual({ event: null });
    expect(read.errors[0]?.extensions.code).toBe('not_found');
  });

  it('takes ten thousand events, and not one more, and not none', async () => {
    const inputs = Array.from({ length: 10_000 }, () => ({
      userId: 'u1',
      eventType: 'refund',
      amount: '0.000001',
      metadata: { a: 1, b: 2 },
    }));
    const counts =
      'mutation ($inputs: [EventInput!]!) { sendEvents(inputs: $inputs) { accepted } }';
    expect((await run(hub.url, counts, { inputs })).data.sendEvents.accepted).toBe(10_000);
    const more = await run(hub.url, counts, { inputs: [...inputs, inputs[0]] });
    expect(more.status).toBe(413);
    expect(more.errors[0]?.extensions.code).toBe('too_large');
    const none = await run(hub.url, counts, { inputs: [] });
    expect(none.errors[0]?.extensions).toMatchObject({
      code: 'invalid',
      errors: [{ pointer: '/inputs', code: 'empty_batch' }],
    });
  });
});

describe('lastEvents', () => {
  it('gives ten, latest received first, and takes one value or a list', async () => {
    const positions = await sendPurchases(hub.url, 12, 'last1');
    await sendPurchases(hub.url, 1, 'last2');
    const [third] = await sendPurchases(hub.url, 1, 'last3');
    const query = `{
      all: lastEvents(atLeast: "${third}") { userId position }
      one: lastEvents(userId: "last1", limit: 1) { position }
      two: lastEvents(userId: ["last2", "last3"]) { userId }
    }`;
    const { data } = await run(hub.url, query);
    expect(data.all).toHaveLength(10);
    expect(data.all[0]).toEqual({ userId: 'last3', position: third });
    expect(data.one).toEqual([{ position: positions.at(-1) }]);
    expect(data.two).toEqual([{ userId: 'last3' }, { userId: 'last2' }]);
  });
});

describe('events', () => {
  const query = `query ($first: Int, $after: String, $last: Int, $before: String, $filter: EventFilter) {
    events(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
      edges { cursor node { position } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }`;
  const page = async (variables: object) =>
    (await run(hub.url, query, { filter: { userId: 'pages' }, ...variables })).data.events;

  it('pages to the end and back again, newest first both ways', async () => {
    const positions = (await sendPurchases(hub.url, 5, 'pages')).reverse();
    const placesOf = ({ edges }: { edges: readonly { node: { position: string } }[] }) =>
      edges.map(({ node }) => node.position);
    const one = await page({ first: 2 });
    expect(one.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const two = await page({ first: 2, after: one.pageInfo.endCursor });
    const three = await page({ first: 2, after: two.pageInfo.endCursor });
    expect(three.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    expect([one, two, three].flatMap(placesOf)).toEqual(positions);

    const back = await page({ last: 2, before: three.pageInfo.startCursor });
    expect(placesOf(back)).toEqual(placesOf(two));
    expect(back.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
    const start = await page({ last: 2, before: back.pageInfo.startCursor });
    expect(placesOf(start)).toEqual(placesOf(one));
    expect(start.pageInfo.hasPreviousPage).toBe(false);
    expect(placesOf(await page({ last: 2 }))).toEqual(positions.slice(-2));
  });

  it('filters by what the filter names', async () => {
    await sendPurchases(hub.url, 2, 'a');
    await sendPurchases(hub.url, 3, 'b');
    expect((await page({ filter: { userId: 'b', eventType: ['purchase'] } })).edges).toHaveLength(
      3,
    );
    expect((await page({ filter: { currency: 'EUR' } })).edges).toEqual([]);
    expect((await page({ filter: { to: '2020-01-01T00:00:00Z' } })).edges).toEqual([]);
  });

  it.each([
    [{ first: 1, last: 1 }, '/last', 'paging_conflict'],
    [{ first: 0 }, '/first', 'expected_integer'],
    [{ last: 1001 }, '/last', 'expected_integer'],
    [{ after: 'nonsense' }, '/after', 'invalid_cursor'],
    [{ before: 'nonsense' }, '/before', 'invalid_cursor'],
    [{ filter: { from: 'yesterday' } }, '/filter/from', undefined],
    [{ filter: { eventType: 'gift' } }, '/filter/eventType', 'event_type_unknown'],
  ])('refuses %j at %s', async (variables, pointer, code) => {
    const { errors } = await run(hub.url, query, variables);
    expect(errors[0]?.extensions.code).toBe('invalid');
    const [fault] = errors[0]?.extensions.errors ?? [];
    expect(fault?.pointer).toBe(pointer);
    if (code !== undefined) expect(fault?.code).toBe(code);
  });
});

describe('the totals', () => {
  it('are exact beside the nearest double, and null where currencies mix', async () => {
    const inputs = [
      { userId: 'totals', eventType: 'purchase', amount: '0.1', currency: 'EUR' },
      { userId: 'totals', eventType: 'purchase', amount: '0.2', currency: 'EUR' },
      { userId: 'totals', eventType: 'refund', amount: '0.05', currency: 'USD' },
    ];
    const sent = await run(
      hub.url,
      'mutation ($inputs: [EventInput!]!) { sendEvents(inputs: $inputs) { results { position } } }',
      { inputs },
    );
    const at = sent.data.sendEvents.results[2].position;
    const fields =
      'totalAmount totalAmountExact netAmountExact eventCount eventCountExact timeWindow currency';
    const { data } = await run(
      hub.url,
      `query ($at: String) {
        mixed: aggregatedMetrics(minutes: 5, userId: "totals", atLeast: $at) { ${fields} byCurrency { currency netAmountExact } asOf { position } }
        euro: aggregatedMetrics(minutes: 5, userId: "totals", currency: "EUR") { ${fields} }
        none: aggregatedMetrics(userId: "nobody") { ${fields} }
      }`,
      { at },
    );
    expect(data.mixed).toEqual({
      totalAmount: null,
      totalAmountExact: null,
      netAmountExact: null,
      eventCount: 3,
      eventCountExact: '3',
      timeWindow: 'last_5_minutes',
      currency: null,
      byCurrency: [
        { currency: 'EUR', netAmountExact: '0.3' },
        { currency: 'USD', netAmountExact: '-0.05' },
      ],
      asOf: { position: at },
    });
    expect(data.euro).toMatchObject({ totalAmount: 0.3, totalAmountExact: '0.3', currency: 'EUR' });
    expect(data.none).toMatchObject({
      eventCount: 0,
      totalAmountExact: '0',
      timeWindow: 'last_1_minutes',
    });
  });

  it('come in steps, by type when asked', async () => {
    const [at] = await sendPurchases(hub.url, 1, 'steps');
    const { data } = await run(
      hub.url,
      `{ metricsSeries(minutes: 3, groupBy: "event_type", userId: "steps", atLeast: "${at}") { step buckets { eventType eventCount } } }`,
    );
    expect(data.metricsSeries).toEqual({
      step: '1m',
      buckets: [{ eventType: 'purchase', eventCount: 1 }],
    });
  });
});

describe('a query by GET', () => {
  it('is answered like one by POST', async () => {
    await sendPurchases(hub.url, 1);
    const { status, data } = await getOperation(hub.url, {
      query:
        'query One($limit: Int) { lastEvents(limit: $limit) { userId } } query Two { lastEvents { id } }',
      operationName: 'One',
      variables: '{"limit":1}',
    });
    expect(status).toBe(200);
    expect(data.lastEvents).toEqual([{ userId: 'u1' }]);
  });
});

describe('introspection', () => {
  it('is open', async () => {
    const { data } = await run(hub.url, '{ __schema { queryType { name } } __typename }');
    expect(data).toEqual({ __schema: { queryType: { name: 'Query' } }, __typename: 'Query' });
  });
});

describe('the answer', () => {
  it.each([
    [undefined, 'application/json', 200],
    ['*/*', 'application/json', 200],
    ['application/json', 'application/json', 200],
    [graphqlType, graphqlType, 400],
    [`application/json;q=0.5, ${graphqlType}`, graphqlType, 400],
    [`${graphqlType}, application/json`, graphqlType, 400],
    [`${graphqlType};q=0.1, application/json`, 'application/json', 200],
  ])('to Accept %s is %s, a refused operation with the status %s', async (accept, type, status) => {
    const headers = {
      'content-type': 'application/json',
      ...(accept === undefined ? {} : { accept }),
    };
    const body = '{"query":"{ nope }"}';
    const response = await fetch(`${hub.url}/graphql`, { method: 'POST', headers, body });
    expect(response.headers.get('content-type')).toBe(type);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.status).toBe(status);
  });
});
