import type { ServiceError } from '@grpc/grpc-js';
import { expect } from 'vitest';
import { survivesDouble } from '../../../src/base/decimal.ts';
import { postEvents } from '../../support/rest-calls.ts';
import { postGraphql, refusedBy as refusedByGraphql } from '../drivers/graphql-driver.ts';
import { eventMessage, refusedBy as refusedByGrpc } from '../drivers/grpc-driver.ts';
import type { Failure } from '../drivers/protocol-driver.ts';
import { refusedBy as refusedByRest } from '../drivers/rest-driver.ts';
import type { Message } from '../grpc/grpc-client.ts';
import {
  type Answer,
  type BadInputHost,
  type EventRow,
  eventText,
  freshId,
  isRefusal,
  plainEvent,
} from './rows.ts';

type Verdict = { readonly id: string } | Failure;

/** Sends the row's event over every protocol that can express it, and holds each answer against the row's. */
export async function expectAnswers(host: BadInputHost, row: EventRow): Promise<void> {
  const text = row.event ?? eventText(row.fields);
  await expectAnswer(host, row, 'REST', row.answer, (id) => overRest(host, withId(text, id)));
  await expectAnswer(host, row, 'GraphQL', row.graphql ?? bySchema(row), (id) =>
    overGraphql(host, withId(text, id)),
  );
  const literal = literalOf(row);
  if (literal !== undefined) {
    await expectAnswer(
      host,
      row,
      'GraphQL literal',
      row.literal || (row.graphql ?? bySchema(row)),
      (id) =>
        run(
          host,
          `mutation { sendEvent(input: ${String(withId(literal, id))}) { id status } }`,
          '{}',
        ),
    );
  }
  const message = row.asMessage ?? messageOf(row);
  if (message !== false) {
    await expectAnswer(host, row, 'gRPC', row.grpc ?? row.answer, (id) =>
      overGrpc(host, message, id),
    );
  }
}

async function expectAnswer(
  { ledger }: BadInputHost,
  row: EventRow,
  protocol: string,
  answer: Answer,
  send: (id: string) => Promise<Verdict>,
): Promise<void> {
  const verdict = await send(freshId());
  const where = `${protocol}: ${JSON.stringify(verdict)}`;
  if (!isRefusal(answer)) {
    if (!('id' in verdict)) expect.fail(`refused over ${where}`);
    await ledger.took(verdict.id, answer);
    return;
  }
  if ('id' in verdict) expect.fail(`taken over ${where}`);
  const [code, pointer, fault] = answer;
  expect(verdict.code, where).toBe(code);
  if (fault === undefined) {
    // Refused in other words than the hub's own.
    await ledger.expectNothingElse();
    return;
  }
  expect(verdict.errors, where).toContainEqual({ pointer, code: fault });
  if (row.says !== undefined) expect(verdict.message, where).toContain(row.says);
  await ledger.expectNothingElse();
}

/** GraphQL's own schema refuses these before the hub sees them, without the hub's list of faults. */
export function bySchema({ answer }: EventRow): Answer {
  const schemaFaults = ['required', 'expected_string', 'unknown_field', 'read_only_field'];
  return isRefusal(answer) && schemaFaults.includes(answer[2] ?? '') ? [answer[0]] : answer;
}

function withId(text: string | Buffer, id: string): string | Buffer {
  return typeof text === 'string' ? text.replace('$ID', id) : text;
}

async function overRest({ hub }: BadInputHost, text: string | Buffer): Promise<Verdict> {
  const { status, json } = await postEvents(hub.url, text);
  expect(status).toBeLessThan(500);
  return status < 300 ? { id: json.id } : refusedByRest(json).failure;
}

async function overGraphql(host: BadInputHost, text: string | Buffer): Promise<Verdict> {
  const query = 'mutation ($input: EventInput!) { sendEvent(input: $input) { id status } }';
  return run(host, query, Buffer.concat(['{"input":', inGraphqlNames(text), '}'].map(Buffer.from)));
}

/** The query with its variables as they are, byte for byte. */
async function run(
  { hub }: BadInputHost,
  query: string,
  variables: string | Buffer,
): Promise<Verdict> {
  const head = `{"query":${JSON.stringify(query)},"variables":`;
  const body = Buffer.concat([head, variables, '}'].map((part) => Buffer.from(part as string)));
  const { status, json } = await postGraphql(hub.url, body);
  expect(status).toBeLessThan(500);
  const [error] = json.errors ?? [];
  return error === undefined
    ? { id: (json.data as { sendEvent: { id: string } }).sendEvent.id }
    : refusedByGraphql(error).failure;
}

export function inGraphqlNames(text: string | Buffer): string | Buffer {
  if (typeof text !== 'string') return text;
  return text.replaceAll('"user_id":', '"userId":').replaceAll('"event_type":', '"eventType":');
}

/** The event as GraphQL writes it in a query, where its fields are numbers, texts and words. */
function literalOf({ fields, literal }: EventRow): string | undefined {
  if (fields === undefined || literal === false) return undefined;
  const members: string[] = [];
  for (const [name, value] of Object.entries({ ...plainEvent, ...fields })) {
    if (value === null) continue;
    if (!/^(?:[-+.]?\d|"|true$|false$|null$)/.test(value)) return undefined;
    const graphqlName = { user_id: 'userId', event_type: 'eventType' }[name] ?? name;
    members.push(`${graphqlName}: ${value}`);
  }
  return `{ ${members.join(', ')} }`;
}

async function overGrpc(
  { grpc }: BadInputHost,
  message: Message | Buffer,
  id: string,
): Promise<Verdict> {
  const sent = Buffer.isBuffer(message)
    ? grpc.callRaw('SendEvent', message)
    : grpc.call('SendEvent', message.id === '$ID' ? { ...message, id } : message);
  try {
    return { id: String((await sent).event_id) };
  } catch (error) {
    return refusedByGrpc(grpc, error as ServiceError).failure;
  }
}

/** The protobuf message of a row's JSON; false where protobuf has no way to say it. */
export function messageOf({ fields, event }: EventRow): Message | false {
  if (event !== undefined) return false;
  const found: Record<string, unknown> = {};
  for (const [name, text] of Object.entries({ ...plainEvent, ...fields })) {
    if (text === null || text === 'null') continue;
    const value = parsed(text);
    const isFit =
      name === 'amount'
        ? typeof value === 'string' || (typeof value === 'number' && survivesDouble(text))
        : name === 'metadata'
          ? typeof value === 'object' && !Array.isArray(value)
          : typeof value === 'string' && textFields.includes(name) && value.isWellFormed();
    if (!isFit) return false;
    found[name] = value;
  }
  return eventMessage(found);
}

const textFields = ['id', 'user_id', 'event_type', 'currency', 'timestamp'];

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
