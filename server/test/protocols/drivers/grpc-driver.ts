import type { ServiceError } from '@grpc/grpc-js';
import { errorTable } from '../../../src/protocols/error-table.ts';
import { type CallOptions, GrpcClient, type Message, struct } from '../grpc/grpc-client.ts';
import {
  type BatchAnswer,
  type EventFields,
  type EventSeen,
  exactBeside,
  type Failure,
  type FeedItem,
  type FeedRequest,
  type FilterQuery,
  neutralPointer,
  type ProtocolDriver,
  Refused,
  type Shown,
  type TotalsSeen,
} from './protocol-driver.ts';

/** gRPC, with unary and batch calls and server streams. */
export function createGrpcDriver(address: string, shown: Shown = {}): ProtocolDriver {
  const client = new GrpcClient(address);
  const options = { metadata: shown };
  const call = async (method: string, request: Message): Promise<Message> => {
    try {
      return await client.call(method, request, options);
    } catch (error) {
      throw refusedBy(client, error as ServiceError);
    }
  };
  return {
    name: 'gRPC',
    saysCaughtUp: false,
    pulls: true,
    givesLatest: true,
    send: async (event) => {
      const { event_id, status, position } = await call('SendEvent', eventMessage(event));
      return { status: String(status), id: String(event_id), position: String(position) };
    },
    sendBatch: async (events, { atomic = false } = {}) =>
      batchOf(await call('SendEventBatch', { events: events.map(eventMessage), atomic })),
    get: async (id, at_least) => eventOf(await call('GetEvent', present({ id, at_least }))),
    list: async ({ user_id, event_type, currency, ...query } = {}) => {
      const filter = filterOf({ user_id, event_type, currency });
      const page = await call('ListEvents', present({ ...query, filter }));
      const events = (page.events ?? []) as Message[];
      return { events: events.map(eventOf), next: page.next as string | undefined };
    },
    latest: async ({ limit, ...filter } = {}) => {
      const request = present({ limit, filter: filterOf(filter) });
      const events: EventSeen[] = [];
      for await (const each of messages(client, request, options)) events.unshift(eventOf(each));
      return events;
    },
    aggregate: async (query = {}) => totalsOf(await call('AggregatedMetrics', { ...query })),
    subscribe: (request) => subscribe(client, request, options),
    close: async () => client.close(),
  };
}

/** The message of an event: numbers as the double, texts as the exact amount. */
export function eventMessage({ amount, metadata, ...fields }: EventFields): Message {
  const isText = typeof amount === 'string';
  return present({
    ...fields,
    ...(isText ? { amount_exact: amount } : { amount }),
    metadata: isObject(metadata) ? struct(metadata) : undefined,
  });
}

/** Why the call failed, from its details; a status that the error table does not give is a fault of the hub. */
export function refusedBy(client: GrpcClient, error: ServiceError): Refused {
  const { code, message, reason, metadata, violations } = client.read(error);
  const wire = Object.entries(errorTable).find(([name]) => name === reason)?.[1];
  if (reason === undefined || wire?.grpc !== code) {
    throw new Error(`status ${code} with the reason ${reason}: ${message}`);
  }
  const errors = violations.map((each) => ({
    pointer: each.field === undefined ? '' : `/${each.field.replaceAll('.', '/')}`,
    code: each.reason,
  }));
  return new Refused({ code: reason, message, errors }, metadata.position);
}

function present(message: Record<string, unknown>): Message {
  const entries = Object.entries(message);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined && value !== null));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function filterOf(
  filter: {
    [Name in keyof FilterQuery]: FilterQuery[Name] | undefined;
  },
): Message | undefined {
  const message = present(filter);
  return Object.keys(message).length === 0 ? undefined : message;
}

/** What became of each event of a batch. */
export function batchOf(answer: Message): BatchAnswer {
  const results = (answer.results ?? []) as Message[];
  return {
    accepted: Number(answer.accepted ?? 0),
    duplicates: Number(answer.duplicates ?? 0),
    rejected: Number(answer.rejected ?? 0),
    results: results.map((item) => ({
      index: Number(item.index ?? 0),
      status: String(item.status),
      id: item.id as string | undefined,
      position: item.position as string | undefined,
      error: item.error === undefined ? undefined : failureIn(item.error as Message),
    })),
  };
}

function failureIn({ code, message, errors = [] }: Message): Failure {
  const found = errors as readonly { pointer?: string; code: string }[];
  return {
    code: String(code),
    message: String(message),
    errors: found.map((each) => ({
      pointer: neutralPointer(each.pointer ?? ''),
      code: each.code,
    })),
  };
}

function eventOf(message: Message): EventSeen {
  const { amount, amount_exact, metadata, ...event } = message;
  return {
    ...event,
    amount: exactBeside(amount ?? 0, amount_exact),
    metadata: metadata === undefined ? undefined : jsonOf(metadata as Message),
  } as EventSeen;
}

function jsonOf({ fields = {} }: Message): Record<string, unknown> {
  const entries = Object.entries(fields as Record<string, Message>);
  return Object.fromEntries(entries.map(([name, value]) => [name, jsonValue(value)]));
}

function jsonValue(value: Message): unknown {
  if ('nullValue' in value) return null;
  if ('structValue' in value) return jsonOf(value.structValue as Message);
  if ('listValue' in value) {
    return ((value.listValue as { values?: Message[] }).values ?? []).map(jsonValue);
  }
  return value.stringValue ?? value.numberValue ?? value.boolValue;
}

function totalsOf(message: Message): TotalsSeen {
  const lines = (name: string) => (message[name] ?? []) as Message[];
  return {
    from: String(message.from),
    to: String(message.to),
    time_window: String(message.time_window),
    currency: (message.currency as string | undefined) ?? null,
    event_count: Number(message.event_count ?? 0),
    total_amount: money(message, 'total', message),
    net_amount: money(message, 'net', message),
    by_type: lines('by_type').map((each) => ({
      event_type: each.event_type,
      sign: each.sign ?? '',
      currency: each.currency,
      event_count: each.event_count,
      total_amount: money(each, 'total'),
    })),
    by_currency: lines('by_currency').map((each) => ({
      currency: each.currency,
      event_count: each.event_count,
      total_amount: money(each, 'total'),
      net_amount: money(each, 'net'),
    })),
    as_of: (message.as_of as TotalsSeen['as_of'] | undefined) ?? null,
  };
}

/** A plain proto3 double of zero is not on the wire; an `optional` one is. */
function money(message: Message, kind: 'total' | 'net', optional?: Message): string | null {
  const double = message[`${kind}_amount`] ?? (optional === undefined ? 0 : undefined);
  return exactBeside(double, message[`${kind}_amount_exact`]);
}

async function* messages(
  client: GrpcClient,
  request: Message,
  options: CallOptions,
  signal?: AbortSignal,
): AsyncGenerator<Message> {
  const stream = client.stream('StreamEvents', request, options);
  const cancel = () => stream.cancel();
  signal?.addEventListener('abort', cancel);
  try {
    for await (const message of stream) yield message as Message;
  } catch (error) {
    if (signal?.aborted !== true) throw refusedBy(client, error as ServiceError);
  } finally {
    signal?.removeEventListener('abort', cancel);
    stream.cancel();
  }
}

async function* subscribe(
  client: GrpcClient,
  { after = 'end', latest, filter = {}, follow = true, signal }: FeedRequest,
  options: CallOptions,
): AsyncGenerator<FeedItem> {
  const from = latest === undefined ? { after } : { limit: latest };
  const request = present({ ...from, filter: filterOf(filter), follow });
  for await (const message of messages(client, request, options, signal)) {
    const event = eventOf(message);
    yield { kind: 'event', event, position: event.position };
  }
}
