/** An answer of the REST API, read. */
export interface RestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined where the answer is no JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly json: any;
}

const jsonType = { 'content-type': 'application/json' };

/** Posts a body to `/events`: text or bytes as they are, anything else as JSON. */
export function postEvents(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  query = '',
): Promise<RestAnswer> {
  const raw = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  return answerOf(
    fetch(`${url}/events${query}`, {
      method: 'POST',
      headers: { ...jsonType, ...headers },
      body: raw as string,
    }),
  );
}

export function get(
  url: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<RestAnswer> {
  return answerOf(fetch(url + path, { headers }));
}

export async function answerOf(sending: Promise<Response>): Promise<RestAnswer> {
  const response = await sending;
  const text = await response.text();
  const isJson = /[/+]json$/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson && text !== '' ? JSON.parse(text) : undefined,
  };
}

/** A valid event with an id of its own, before `changes`. */
export function anInput(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  made += 1;
  return { id: `input-${made}`, user_id: 'u1', event_type: 'purchase', amount: '10', ...changes };
}

let made = 0;
