import { expect } from 'vitest';
import { manualClock } from '../../support/manual-clock.ts';
import { get, postEvents } from '../../support/rest-calls.ts';
import { startTestHub } from '../../support/start-test-hub.ts';
import { noRateLimit } from '../../support/test-settings.ts';
import { postGraphql } from '../drivers/graphql-driver.ts';
import { openDrivers } from '../drivers/open-drivers.ts';
import { GrpcClient } from '../grpc/grpc-client.ts';
import { type CheckRow, eventText, freshId } from './rows.ts';

/** 80, 104 and 112: keys, an engine that takes nothing more, and a sender that sends too much. */
export const keyAndEngineRows: readonly CheckRow[] = [
  {
    n: 104,
    is: 'the same Idempotency-Key with the same and another body',
    check: async ({ hub, ledger }) => {
      const key = freshId();
      const body = eventText({ id: null });
      const post = (text: string, header = key) =>
        postEvents(hub.url, text, { 'idempotency-key': header });
      expect((await post(body)).status).toBe(201);
      await ledger.took(key);
      expect((await post(body, `"${key}"`)).status).toBe(200);
      const other = await post(eventText({ id: null, amount: '2' }));
      expect([other.status, other.json.code]).toEqual([409, 'conflict']);
      expect((await post(`[${body}]`)).status).toBe(400);
    },
  },
  {
    n: 104,
    is: 'the same Idempotency-Key in flight',
    check: async ({ hub, ledger }) => {
      const key = freshId();
      const answers = await Promise.all(
        Array.from({ length: 20 }, () =>
          postEvents(hub.url, eventText({ id: null }), { 'idempotency-key': key }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([...Array(19).fill(200), 201]);
      await ledger.took(key);
    },
  },
  { n: 80, is: 'a batch when the disk is full, and a retry', check: () => fullDisk('batch') },
  { n: 112, is: 'an event when the disk is full', check: () => fullDisk('single') },
  { n: 112, is: 'events over the rate limit', check: tooManyEvents },
];

/** Refused by each protocol with the time to wait, and nothing of them is there. */
async function tooManyEvents(): Promise<void> {
  const rateLimit = { ...noRateLimit, addressEvents: 1, burstMs: 2_000 };
  const clock = manualClock(Date.UTC(2026, 5, 30));
  const hub = await startTestHub({ rateLimit }, { clock });
  const drivers = openDrivers(hub);
  const grpc = new GrpcClient(hub.grpcAddress);
  try {
    const first = [event(), event()];
    expect((await postEvents(hub.url, first)).status).toBe(201);

    const rest = await postEvents(hub.url, event());
    expect([rest.status, rest.json.code]).toEqual([429, 'rate_limited']);
    expect(rest.headers.get('retry-after')).toBe('1');

    const query = `mutation { sendEvent(input: { id: "${freshId()}", userId: "u1", eventType: "purchase", amount: 1 }) { id } }`;
    const { json } = await postGraphql(hub.url, JSON.stringify({ query }));
    expect(json.errors?.[0]?.extensions).toEqual({ code: 'rate_limited', retryAfter: 1 });

    const failure = await grpc.failure(grpc.call('SendEvent', { ...valid, id: freshId() }));
    expect(failure).toMatchObject({ code: 8, reason: 'rate_limited', retryDelay: 1 });

    const { events: listed } = await drivers.rest.list();
    expect(listed.map(({ id }) => id).toReversed()).toEqual(first.map(({ id }) => id));
  } finally {
    grpc.close();
    await drivers.close();
    await hub.remove();
  }
}

const event = () => ({ id: freshId(), user_id: 'u1', event_type: 'purchase', amount: 1 });

/** A hub whose file may not grow any more: refused with a reason, told apart from nothing stored, and reads go on. */
async function fullDisk(kind: 'batch' | 'single'): Promise<void> {
  const hub = await startTestHub({}, { pageCountMax: 60 });
  const drivers = openDrivers(hub);
  const grpc = new GrpcClient(hub.grpcAddress);
  const longEvent = () => ({ ...event(), metadata: { filler: 'x'.repeat(8_000) } });
  try {
    const stored: string[] = [];
    let answer = await postEvents(hub.url, longEvent());
    for (let sent = 0; sent < 100 && answer.status === 201; sent += 1) {
      stored.push(answer.json.id);
      answer = await postEvents(hub.url, longEvent());
    }
    expectUnavailable(answer.status, answer.json.code, answer.headers.get('retry-after'));
    const events = kind === 'batch' ? [longEvent(), longEvent()] : [longEvent()];
    const ids = events.map(({ id }) => id);

    const rest = await postEvents(hub.url, kind === 'batch' ? events : events[0]);
    expectUnavailable(rest.status, rest.json.code, rest.headers.get('retry-after'));
    expect(rest.json.ids).toEqual(ids);

    const inputs = events.map(({ user_id: userId, event_type: eventType, ...rest }) => ({
      ...rest,
      userId,
      eventType,
    }));
    const { json } = await postGraphql(
      hub.url,
      JSON.stringify({
        query:
          kind === 'batch'
            ? 'mutation ($inputs: [EventInput!]!) { sendEvents(inputs: $inputs) { accepted } }'
            : 'mutation ($input: EventInput!) { sendEvent(input: $input) { id } }',
        variables: kind === 'batch' ? { inputs } : { input: inputs[0] },
      }),
    );
    expect(json.errors?.[0]?.extensions).toMatchObject({ code: 'unavailable', ids });

    if (kind === 'batch') {
      const batch = await drivers.grpc.sendBatch(events);
      expect(batch.results.map(({ status, id }) => [status, id])).toEqual(
        ids.map((id) => ['unknown', id]),
      );
    } else {
      const failure = await grpc.failure(grpc.call('SendEvent', { ...valid, id: ids[0] }));
      expect(failure).toMatchObject({ reason: 'unavailable', metadata: { id: ids[0] } });
      expect(failure.retryDelay).toBeGreaterThan(0);
    }

    const { events: listed } = await drivers.rest.list();
    expect(listed.map(({ id }) => id).toReversed()).toEqual(stored);
    expect((await get(hub.url, '/aggregates')).json.event_count).toBe(stored.length);
  } finally {
    grpc.close();
    await drivers.close();
    await hub.remove();
  }
}

const valid = {
  user_id: 'u1',
  event_type: 'purchase',
  amount: 1,
  metadata: { fields: { filler: { stringValue: 'x'.repeat(8_000) } } },
};

function expectUnavailable(status: number, code: string, retryAfter: string | null): void {
  expect([status, code]).toEqual([503, 'unavailable']);
  expect(Number(retryAfter)).toBeGreaterThan(0);
}
