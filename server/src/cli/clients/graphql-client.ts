import { errorCodes } from '../../base/errors.ts';
import { canonicalJson, quoteJson } from '../../base/json.ts';
import { errorTable } from '../../protocols/error-table.ts';
import { type HttpAnswer, HttpConnection, refusalOf } from './http-connection.ts';
import { ClientError, type IngestClient, type SendResult } from './ingest-client.ts';
import type { HubAddress } from './open-client.ts';
import type { OutgoingEvent } from './outgoing-event.ts';

const sendOne = `mutation Send($input: EventInput!) {
  sendEvent(input: $input) { status id position }
}`;
const sendMany = `mutation SendAll($inputs: [EventInput!]!) {
  sendEvents(inputs: $inputs) { results { status id position error { code message } } }
}`;

/** The mutations `sendEvent` and `sendEvents`, by POST. */
export class GraphqlClient implements IngestClient {
  readonly #connection: HttpConnection;

  constructor({ url, credential, tls }: HubAddress, connections: number) {
    this.#connection = new HttpConnection(url, connections, credential, tls);
  }

  async send(events: readonly OutgoingEvent[]): Promise<readonly SendResult[]> {
    const [only] = events;
    if (only === undefined) return [];
    if (events.length === 1) {
      const { sendEvent } = await this.#mutate(sendOne, `{"input":${inputOf(only)}}`);
      return [resultOf(sendEvent, only)];
    }
    const inputs = events.map(inputOf).join(',');
    const { sendEvents } = await this.#mutate(sendMany, `{"inputs":[${inputs}]}`);
    return events.map((event, index) => resultOf(sendEvents?.results[index], event));
  }

  close(): void {
    this.#connection.close();
  }

  async #mutate(query: string, variables: string): Promise<MutationData> {
    const answer = await this.#connection.exchange({
      method: 'POST',
      path: 'graphql',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json',
      },
      body: `{"query":${quoteJson(query)},"variables":${variables}}`,
    });
    const { data, errors } = parseAnswer(answer);
    const [error] = errors ?? [];
    if (error !== undefined) throw failureOf(error, answer);
    return data ?? {};
  }
}

interface WireResult {
  readonly status: string;
  readonly id: string | null;
  readonly position?: string | null;
  readonly error?: { readonly code: string; readonly message: string } | null;
}

interface MutationData {
  readonly sendEvent?: WireResult;
  readonly sendEvents?: { readonly results: readonly WireResult[] };
}

interface WireError {
  readonly message: string;
  /** `retryAfter` is in seconds. */
  readonly extensions?: { readonly code?: string; readonly retryAfter?: number };
}

/** REST's fields under GraphQL's names; amounts keep their text. */
function inputOf({ fields }: OutgoingEvent): string {
  const members = Object.entries(fields).map(([name, value]) => {
    const renamed = graphqlNames[name] ?? name;
    return `${quoteJson(renamed)}:${canonicalJson(value)}`;
  });
  return `{${members.join(',')}}`;
}

const graphqlNames: Readonly<Record<string, string>> = {
  user_id: 'userId',
  event_type: 'eventType',
};

function resultOf(result: WireResult | undefined, event: OutgoingEvent): SendResult {
  if (result === undefined) {
    throw new ClientError('the answer lacks a result', { code: 'unexpected', retryable: true });
  }
  return {
    status: result.status.toLowerCase() as SendResult['status'],
    id: result.id ?? event.id,
    ...(result.position ? { position: result.position } : {}),
    ...(result.error ? { code: result.error.code, detail: result.error.message } : {}),
  };
}

function parseAnswer(answer: HttpAnswer): {
  readonly data?: MutationData | null;
  readonly errors?: readonly WireError[];
} {
  try {
    const body = JSON.parse(answer.text);
    if (body?.data !== undefined || Array.isArray(body?.errors)) return body;
  } catch {
    // Falls through to the refusal, which shows what came instead.
  }
  throw refusalOf(answer);
}

/** What GraphQL itself refuses, such as an unknown field, has no code of the hub's: it blames the input. */
function failureOf(error: WireError, { retryAfterMs }: HttpAnswer): ClientError {
  const code = errorCodes.find((each) => each === error.extensions?.code) ?? 'invalid';
  const seconds = error.extensions?.retryAfter;
  return new ClientError(error.message, {
    code,
    retryable: errorTable[code].retryable,
    retryAfterMs: seconds === undefined ? retryAfterMs : seconds * 1_000,
  });
}
