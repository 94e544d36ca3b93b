/** An answer over HTTP, read. */
export interface GraphqlAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly data: any;
  readonly errors: readonly GraphqlFailure[];
}

export interface GraphqlFailure {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly locations?: readonly unknown[];
  readonly extensions: {
    readonly code: string;
    readonly errors?: readonly { pointer: string; code: string; detail: string }[];
    readonly position?: string;
    readonly ids?: readonly string[];
    readonly retryAfter?: number;
  };
}

export const graphqlType = 'application/graphql-response+json';

/** One operation by POST, asking for the media type that has statuses. */
export function run(
  url: string,
  query: string,
  variables?: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<GraphqlAnswer> {
  return post(url, JSON.stringify({ query, variables }), headers);
}

/** A body as it is. */
export async function post(
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = {},
): Promise<GraphqlAnswer> {
  const sent = { 'content-type': 'application/json', accept: graphqlType, ...headers };
  return read(await fetch(`${url}/graphql`, { method: 'POST', headers: sent, body }));
}

export async function getOperation(
  url: string,
  parameters: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = { accept: graphqlType },
): Promise<GraphqlAnswer> {
  return read(await fetch(`${url}/graphql?${new URLSearchParams(parameters)}`, { headers }));
}

async function read(response: Response): Promise<GraphqlAnswer> {
  const { data, errors = [] } = JSON.parse(await response.text());
  return { status: response.status, headers: response.headers, data, errors };
}

export const sendEvent =
  'mutation ($input: EventInput!) { sendEvent(input: $input) { status id position } }';

/** Sends purchases of one user, one after the other; their positions. */
export async function sendPurchases(url: string, count: number, userId = 'u1'): Promise<string[]> {
  const inputs = Array.from({ length: count }, () => ({
    userId,
    eventType: 'purchase',
    amount: '10',
  }));
  const query =
    'mutation ($inputs: [EventInput!]!) { sendEvents(inputs: $inputs) { results { position } } }';
  const { data } = await run(url, query, { inputs });
  return data.sendEvents.results.map(({ position }: { position: string }) => position);
}
