import { HttpConnection, refusalOf } from './http-connection.ts';
import {
  blamesEvents,
  ClientError,
  type IngestClient,
  rejected,
  type SendResult,
} from './ingest-client.ts';
import type { HubAddress } from './open-client.ts';
import type { OutgoingEvent } from './outgoing-event.ts';

/** `POST /events`: one event as JSON, several as NDJSON. */
export class RestClient implements IngestClient {
  readonly #connection: HttpConnection;

  constructor({ url, credential, tls }: HubAddress, connections: number) {
    this.#connection = new HttpConnection(url, connections, credential, tls);
  }

  async send(events: readonly OutgoingEvent[]): Promise<readonly SendResult[]> {
    const [only] = events;
    if (only === undefined) return [];
    return events.length === 1 ? [await this.#sendOne(only)] : await this.#sendBatch(events);
  }

  close(): void {
    this.#connection.close();
  }

  async #sendOne(event: OutgoingEvent): Promise<SendResult> {
    const answer = await this.#post('application/json', event.source);
    if (answer.status === 200 || answer.status === 201) {
      return JSON.parse(answer.text) as SendResult;
    }
    const refusal = refusalOf(answer);
    if (blamesEvents(refusal.code)) return rejected(event, refusal);
    throw refusal;
  }

  async #sendBatch(events: readonly OutgoingEvent[]): Promise<readonly SendResult[]> {
    const body = events.map(({ source }) => `${source}\n`).join('');
    const answer = await this.#post('application/x-ndjson', body);
    const results = batchResults(answer.text);
    if (results === undefined) throw refusalOf(answer);
    if (results.length !== events.length) {
      throw new ClientError(`${results.length} results came back for ${events.length} events`, {
        code: 'unexpected',
        retryable: true,
      });
    }
    return results.map(({ status, id, position, error }, index) => ({
      status,
      id: id ?? events[index]?.id ?? '',
      ...(position === undefined ? {} : { position }),
      ...(error === undefined ? {} : { code: error.code, detail: error.detail }),
    }));
  }

  #post(contentType: string, body: string) {
    return this.#connection.exchange({
      method: 'POST',
      path: 'events',
      headers: { 'content-type': contentType, accept: 'application/json' },
      body,
    });
  }
}

interface WireResult {
  readonly status: SendResult['status'];
  readonly id: string | null;
  readonly position?: string;
  readonly error?: { readonly code: string; readonly detail: string };
}

/** Undefined when the answer is no batch's, as for a refusal of the whole. */
function batchResults(text: string): readonly WireResult[] | undefined {
  try {
    const { results } = JSON.parse(text) as { readonly results?: readonly WireResult[] };
    return Array.isArray(results) ? results : undefined;
  } catch {
    return undefined;
  }
}
