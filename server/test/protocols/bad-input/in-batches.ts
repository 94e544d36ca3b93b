import { once } from 'node:events';
import { expect } from 'vitest';
import { postEvents } from '../../support/rest-calls.ts';
import { batchOf as graphqlBatch, postGraphql } from '../drivers/graphql-driver.ts';
import { batchOf as grpcBatch } from '../drivers/grpc-driver.ts';
import type { BatchItemSeen } from '../drivers/protocol-driver.ts';
import { batchOf as restBatch } from '../drivers/rest-driver.ts';
import type { Message } from '../grpc/grpc-client.ts';
import {
  type BadInputHost,
  type EventRow,
  eventText,
  freshId,
  isRefusal,
  type Refusal,
} from './rows.ts';
import { bySchema, inGraphqlNames, messageOf } from './send-everywhere.ts';

/** What a refused row got among others, beside what it gets alone. */
export interface ItemVerdict {
  readonly row: EventRow;
  readonly expected: unknown;
  readonly seen: unknown;
}

export interface BatchForm {
  readonly name: string;
  /** Sends all refused rows that the form can express in one call. */
  verdicts(host: BadInputHost, rows: readonly EventRow[]): Promise<readonly ItemVerdict[]>;
}

export const batchForms: readonly BatchForm[] = [
  {
    name: 'REST lines',
    verdicts: async ({ hub }, rows) => {
      const items = refusedRows(rows, ({ answer }) => answer).filter(
        ({ bytes }) => bytes.length > 0 && !bytes.includes('\n'),
      );
      const body = Buffer.concat(items.flatMap(({ bytes }) => [bytes, Buffer.from('\n')]));
      const { json } = await postEvents(hub.url, body, { 'content-type': 'application/x-ndjson' });
      return verdictsOf(items, restBatch(json).results);
    },
  },
  {
    name: 'REST array',
    verdicts: async ({ hub }, rows) => {
      const items = refusedRows(rows, ({ answer }) => answer).filter(isInvalid);
      const { json } = await postEvents(hub.url, `[${items.map(({ bytes }) => bytes).join(',')}]`);
      return verdictsOf(items, restBatch(json).results);
    },
  },
  {
    name: 'GraphQL sendEvents',
    verdicts: async ({ hub }, rows) => {
      const items = refusedRows(rows, (row) => row.graphql ?? bySchema(row)).filter(isInvalid);
      const inputs = items.map(({ bytes }) => inGraphqlNames(String(bytes)));
      const body = `{"query":${JSON.stringify(query)},"variables":{"inputs":[${inputs.join(',')}]}}`;
      const { json } = await postGraphql(hub.url, body);
      const { sendEvents } = json.data as { sendEvents: Parameters<typeof graphqlBatch>[0] };
      return verdictsOf(items, graphqlBatch(sendEvents).results);
    },
  },
  {
    name: 'gRPC SendEventBatch',
    verdicts: async ({ grpc }, rows) => {
      const items = messagesOf(rows);
      const events = items.map(({ message }) => message);
      return verdictsOf(items, grpcBatch(await grpc.call('SendEventBatch', { events })).results);
    },
  },
  {
    name: 'gRPC SendEvents',
    verdicts: async ({ grpc }, rows) => {
      const items = messagesOf(rows);
      const stream = grpc.duplex('SendEvents');
      const seen: unknown[] = [];
      stream.on('data', ({ status, code }: Message) => seen.push([status, code]));
      for (const { message } of items) stream.write(message);
      stream.end();
      await once(stream, 'end');
      expect(seen).toHaveLength(items.length);
      return items.map(({ row, answer }, index) => ({
        row,
        expected: ['error', answer[0]],
        seen: seen[index],
      }));
    },
  },
];

const query = `mutation ($inputs: [EventInput!]!) {
  sendEvents(inputs: $inputs) {
    accepted duplicates rejected
    results { index status id position error { code message errors { pointer code } } }
  }
}`;

interface Item {
  readonly row: EventRow;
  readonly answer: Refusal;
  readonly bytes: Buffer;
}

function refusedRows(
  rows: readonly EventRow[],
  answerOf: (row: EventRow) => EventRow['answer'],
): readonly Item[] {
  return rows.flatMap((row) => {
    const answer = answerOf(row);
    const text = row.event ?? eventText(row.fields);
    const bytes = Buffer.from(typeof text === 'string' ? text.replace('$ID', freshId()) : text);
    return isRefusal(answer) ? [{ row, answer, bytes }] : [];
  });
}

/** Readable by itself, and refused in the hub's own words. */
function isInvalid({ answer }: Item): boolean {
  return answer[0] === 'invalid' && answer.length > 1;
}

function messagesOf(rows: readonly EventRow[]): readonly (Item & { readonly message: Message })[] {
  return refusedRows(rows, (row) => row.grpc ?? row.answer).flatMap((item) => {
    const message = item.row.asMessage ?? messageOf(item.row);
    if (message === false || Buffer.isBuffer(message)) return [];
    return [{ ...item, message: message.id === '$ID' ? { ...message, id: freshId() } : message }];
  });
}

function verdictsOf(
  items: readonly Item[],
  results: readonly BatchItemSeen[],
): readonly ItemVerdict[] {
  expect(results).toHaveLength(items.length);
  return items.map(({ row, answer: [code, pointer, fault] }, index) => {
    const { status, error } = results[index] ?? {};
    const errors = error?.errors.map((each) => `${each.pointer} ${each.code}`);
    const expected = fault === undefined ? [] : [`${pointer} ${fault}`];
    return {
      row,
      expected: ['rejected', code, expected],
      seen: [status, error?.code, errors?.filter((each) => expected.includes(each))],
    };
  });
}
