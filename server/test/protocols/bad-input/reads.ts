import type { ServiceError } from '@grpc/grpc-js';
import { expect } from 'vitest';
import { get } from '../../support/rest-calls.ts';
import { postGraphql, refusedBy as refusedByGraphql } from '../drivers/graphql-driver.ts';
import { refusedBy as refusedByGrpc } from '../drivers/grpc-driver.ts';
import type { Message } from '../grpc/grpc-client.ts';
import type { BadInputHost, Row } from './rows.ts';

/** A read in the words of each protocol that can express it. */
export interface ReadRow extends Row {
  readonly rest?: string;
  readonly graphql?: string;
  readonly grpc?: readonly [method: string, request: Message];
  /** The codes of the faults, by REST's and gRPC's names; `ok` where the read is answered. */
  readonly answer: 'ok' | readonly [pointer: string, code: string];
  /** Where GraphQL's schema refuses the value, or its argument has another name. */
  readonly inGraphql?: 'schema' | string;
}

const from = '2026-01-01T00:00:00Z';
const later = '2026-06-01T00:00:00Z';

/** 85 to 87: limits, windows and cursors. */
export const readRows: readonly ReadRow[] = [
  ...[-1, 0, 1_001, 1_000_000_000, 2_147_483_647].flatMap((limit) => limits(limit)),
  ...['1.5', '"10"', '2147483648', 'true', '[1]', '1e3'].map((literal) => ({
    n: 85,
    is: `lastEvents(limit: ${literal})`,
    graphql: `{ lastEvents(limit: ${literal}) { id } }`,
    answer: ['/limit', 'expected_integer'] as const,
    inGraphql: 'schema',
  })),
  ...['1.5', '2147483648', '1e3', '0x10', '', '+5', '%2010', 'ten', '-0'].map((text) => ({
    n: 85,
    is: `?limit=${text}`,
    rest: `/events?limit=${text}`,
    answer: ['/limit', 'expected_integer'] as const,
  })),
  { n: 85, is: 'a limit as text, as a URL has it', rest: '/events?limit=10', answer: 'ok' },
  { n: 85, is: 'a limit twice', rest: '/events?limit=1&limit=2', answer: ['/limit', 'repeated'] },
  ...[0, -5, 525_601, 1_000_000_000].map((minutes) => ({
    ...window(86, { minutes }, ['/minutes', 'expected_integer']),
  })),
  window(86, { minutes: 525_600 }, 'ok'),
  window(86, { minutes: 1, from }, ['/minutes', 'window_conflict']),
  window(86, { to: from }, ['/from', 'required']),
  window(86, { from: later, to: from }, ['/from', 'window_order']),
  window(86, { from, to: from }, ['/from', 'window_order']),
  // No window is too long for exact totals.
  window(86, { from: '2000-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' }, 'ok'),
  window(86, { from: '2026-01-01' }, ['/from', 'timestamp_format']),
  window(86, { from: '2026-01-01T00:00:00' }, ['/from', 'offset_required']),
  {
    n: 86,
    is: 'a series of too many steps',
    rest: `/aggregates/series?from=${from}&to=${later}&step=1m`,
    graphql: `{ metricsSeries(from: "${from}", to: "${later}", step: "1m") { step } }`,
    answer: ['/step', 'too_many_buckets'],
  },
  {
    n: 86,
    is: 'a plus sign that a URL makes a blank',
    rest: '/aggregates?from=2026-01-01T00:00:00+02:00',
    answer: ['/from', 'timestamp'],
  },
  ...['', 'nonsense', '~', '~e30.00000000', '~..', "' or 1=1", 'null', 'a'.repeat(5_000)].map(
    (cursor) => ({
      n: 87,
      is: `the cursor ${cursor.slice(0, 30)}`,
      rest: `/events?cursor=${encodeURIComponent(cursor)}`,
      graphql: `{ events(after: ${JSON.stringify(cursor)}) { edges { cursor } } }`,
      // A plain protobuf text that is empty is one that was not set.
      ...(cursor === '' ? {} : { grpc: ['ListEvents', { cursor }] as const }),
      answer: ['/cursor', 'invalid_cursor'] as const,
      inGraphql: '/after',
    }),
  ),
];

/** Sends the read over every protocol that can express it, and holds each answer against the row's. */
export async function expectReadAnswers(host: BadInputHost, row: ReadRow): Promise<void> {
  const { answer } = row;
  if (row.rest !== undefined) {
    const { status, json } = await get(host.hub.url, row.rest);
    expect(status, JSON.stringify(json)).toBe(answer === 'ok' ? 200 : 422);
    if (answer !== 'ok') expect(json.errors).toMatchObject([faultOf(answer)]);
  }
  if (row.graphql !== undefined) {
    const { status, json } = await postGraphql(
      host.hub.url,
      JSON.stringify({ query: row.graphql }),
    );
    expect(status, JSON.stringify(json)).toBe(answer === 'ok' ? 200 : 400);
    const [error] = json.errors ?? [];
    if (answer !== 'ok' && error !== undefined) {
      const { failure } = refusedByGraphql(error);
      expect(failure.code).toBe('invalid');
      const expected = { ...faultOf(answer), pointer: row.inGraphql ?? answer[0] };
      expect(failure.errors).toEqual(row.inGraphql === 'schema' ? [] : [expected]);
    }
  }
  if (row.grpc !== undefined) {
    const [method, request] = row.grpc;
    const reason = await host.grpc.call(method, request).then(
      () => undefined,
      (error: ServiceError) => refusedByGrpc(host.grpc, error).failure,
    );
    if (answer === 'ok') expect(reason).toBeUndefined();
    else expect(reason).toMatchObject({ code: 'invalid', errors: [faultOf(answer)] });
  }
}

function faultOf([pointer, code]: readonly [string, string]) {
  return { pointer, code };
}

function limits(limit: number): readonly ReadRow[] {
  const base = { n: 85, answer: ['/limit', 'expected_integer'] as const };
  return [
    {
      ...base,
      is: `the limit ${limit}`,
      rest: `/events?limit=${limit}`,
      graphql: `{ lastEvents(limit: ${limit}) { id } }`,
      grpc: ['ListEvents', { limit }],
    },
    {
      ...base,
      is: `the limit ${limit} of a stream and a connection`,
      rest: `/events/stream?follow=false&limit=${limit}`,
      graphql: `{ events(first: ${limit}) { edges { cursor } } }`,
      inGraphql: '/first',
    },
  ];
}

function window(
  n: number,
  asked: Record<string, string | number>,
  answer: ReadRow['answer'],
): ReadRow {
  const query = Object.entries(asked).map(
    ([name, value]) => `${name}=${encodeURIComponent(value)}`,
  );
  const list = Object.entries(asked).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return {
    n,
    is: `the window ${query.join('&')}`,
    rest: `/aggregates?${query.join('&')}`,
    graphql: `{ aggregatedMetrics(${list.join(', ')}) { eventCount } }`,
    grpc: ['AggregatedMetrics', asked],
    answer,
  };
}
