import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRaw } from '../support/raw-http.ts';
import { answerOf } from '../support/rest-calls.ts';
import { startTestHub } from '../support/start-test-hub.ts';
import { amountRows } from './bad-input/amounts.ts';
import { batchRows } from './bad-input/batches.ts';
import { rawRows } from './bad-input/framing.ts';
import { type GraphqlRow, graphqlRows, subscriptionRows } from './bad-input/graphql.ts';
import { grpcRows } from './bad-input/grpc.ts';
import { type BodyRow, bodyRows, goodBody } from './bad-input/http-bodies.ts';
import { idRows } from './bad-input/ids.ts';
import { batchForms } from './bad-input/in-batches.ts';
import { jsonRows } from './bad-input/json.ts';
import { keyAndEngineRows } from './bad-input/keys-and-engines.ts';
import { Ledger } from './bad-input/ledger.ts';
import { notApplicable } from './bad-input/not-applicable.ts';
import { expectReadAnswers, readRows } from './bad-input/reads.ts';
import { type BadInputHost, type CheckRow, freshId } from './bad-input/rows.ts';
import { expectAnswers } from './bad-input/send-everywhere.ts';
import { brokenOffRows, waitingRows } from './bad-input/slow-requests.ts';
import { timestampRows } from './bad-input/timestamps.ts';
import { openDrivers } from './drivers/open-drivers.ts';
import { GrpcClient } from './grpc/grpc-client.ts';

/**
 * The catalogue of 112 bad inputs: each is refused with the same verdict over
 * every protocol that can express it, or taken and kept as it is.
 */
let host: BadInputHost;
/** Begun before everything else: the hub waits long for these. */
const waiting = new Map<CheckRow, Promise<void>>();

beforeAll(async () => {
  const hub = await startTestHub();
  const drivers = openDrivers(hub);
  host = { hub, drivers, grpc: new GrpcClient(hub.grpcAddress), ledger: new Ledger(drivers) };
  for (const row of waitingRows) {
    const check = row.check(host);
    check.catch(() => undefined);
    waiting.set(row, check);
  }
});

afterAll(async () => {
  host.grpc.close();
  await host.drivers.close();
  await host.hub.remove();
});

const eventRows = [...amountRows, ...jsonRows, ...timestampRows, ...idRows];
const checkRows = [
  ...batchRows,
  ...brokenOffRows,
  ...subscriptionRows,
  ...grpcRows,
  ...keyAndEngineRows,
];
const tables = [eventRows, checkRows, waitingRows, bodyRows, rawRows, readRows, graphqlRows];

describe('an event', () => {
  it.each(eventRows)('#$n $is', async (row) => {
    await expectAnswers(host, row);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('an event among others', () => {
  it.each(batchForms)('gets the verdict that it gets alone: $name', async ({ verdicts }) => {
    const found = await verdicts(host, eventRows);
    expect(found.length).toBeGreaterThan(100);
    for (const { row, expected, seen } of found) expect(seen, row.is).toEqual(expected);
    await host.ledger.expectNothingElse();
  });
});

describe('a body', () => {
  it.each(bodyRows)('#$n $is', async (row) => {
    await expectBodyAnswer('/events', row, row.rest);
    if (row.graphql !== false) await expectBodyAnswer('/graphql', row, row.graphql ?? row.rest);
  });
});

describe('bytes on a connection', () => {
  it.each(rawRows)('#$n $is', async ({ raw, status, code, head = '', without }) => {
    const answer = await sendRaw(host.hub.url, raw);
    expect(answer.status, answer.all).toBe(status);
    expect(answer.head).toContain(head);
    if (code !== undefined) expect(JSON.parse(answer.body)).toMatchObject({ status, code });
    if (without !== undefined) expect(answer.all).not.toContain(without);
    await host.ledger.expectNothingElse();
  });
});

describe('a GraphQL request', () => {
  it.each(graphqlRows)('#$n $is', async (row) => {
    const { status, json } = await graphqlAnswer(row);
    expect(status, JSON.stringify(json)).toBe(row.status);
    expect(json.errors?.[0]?.extensions.code).toBe(row.code);
    await host.ledger.expectNothingElse();
  });
});

describe('a read', () => {
  it.each(readRows)('#$n $is', (row) => expectReadAnswers(host, row));
});

describe('a call', () => {
  it.each(checkRows)('#$n $is', async (row) => {
    await row.check(host);
    await host.ledger.expectNothingElse();
  });
});

describe('a request that takes its time', () => {
  it.each(waitingRows)('#$n $is', (row) => waiting.get(row));
});

describe('the catalogue', () => {
  it('has left in the hub exactly what was taken', async () => {
    await host.ledger.expectNothingElse();
    await host.ledger.expectExactly();
  });

  it('is tested whole, or says why not', () => {
    const tested = new Set(tables.flat().map(({ n }) => n));
    const all = Array.from({ length: 112 }, (_, index) => index + 1);
    expect(all.filter((n) => !tested.has(n) && !notApplicable.has(n))).toEqual([]);
    expect([...tested].filter((n) => notApplicable.has(n) || !all.includes(n))).toEqual([]);
  });
});

async function expectBodyAnswer(
  path: '/events' | '/graphql',
  row: BodyRow,
  [status, code]: readonly [number, string?],
): Promise<void> {
  const id = freshId();
  const body = row.body(goodBody(path, id)) as string;
  const headers = { 'content-type': 'application/json', ...row.headers };
  const answer = await answerOf(fetch(host.hub.url + path, { method: 'POST', headers, body }));
  expect(answer.status, answer.text).toBe(status);
  if (code === undefined) await host.ledger.took(id);
  else {
    const [error] = answer.json.errors ?? [];
    expect(path === '/events' ? answer.json.code : error.extensions.code).toBe(code);
    if (row.says !== undefined)
      expect(answer.text).toContain(JSON.stringify(row.says).slice(1, -1));
  }
  await host.ledger.expectNothingElse();
}

async function graphqlAnswer({ body, query, headers = {} }: GraphqlRow) {
  const accept = 'application/graphql-response+json';
  if (query !== undefined) {
    return answerOf(fetch(`${host.hub.url}/graphql?${query}`, { headers: { accept, ...headers } }));
  }
  const all = { accept, 'content-type': 'application/json', ...headers };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return answerOf(fetch(`${host.hub.url}/graphql`, { method: 'POST', headers: all, body: text }));
}
