import { Backoff } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import { errorTable } from '../../protocols/error-table.ts';
import type { WireEvent } from '../output/event-shape.ts';
import {
  type HttpConnection,
  parseProblem,
  refusalOf,
  retryAfterMsOf,
  unreachable,
} from './http-connection.ts';
import { ClientError } from './ingest-client.ts';
import { readSse, type SseFrame } from './read-sse.ts';

export interface FollowOptions {
  readonly clock: Clock;
  /** `start`, `end` or a position. */
  readonly after: string;
  /** Without it the stream ends where history ends. */
  readonly follow: boolean;
  /** Filters, as the hub's query takes them. */
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly signal: AbortSignal;
  /** The first time that history ends: from here on a lost connection misses nothing. */
  readonly onCaughtUp: () => void;
  readonly onLost: (reason: string, waitMs: number) => void;
}

const waitMsMin = 250;
const waitMsMax = 5_000;

/**
 * Events in log order through `GET /events/stream`. A connection that is lost
 * is opened anew after the last position, so that nothing is missing and
 * nothing comes twice. A hub that never answered, a refusal and a position that
 * is gone end it with ClientError.
 */
export class EventFollower {
  readonly #connection: HttpConnection;
  readonly #options: FollowOptions;
  #after: string;
  #answered = false;
  #caughtUp = false;

  constructor(connection: HttpConnection, options: FollowOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#after = options.after;
  }

  /** Where a later run goes on: `start`, `end` or a position. */
  get after(): string {
    return this.#after;
  }

  /** Events as they come; after each one that was taken, `after` lies behind it. */
  async *events(): AsyncGenerator<readonly WireEvent[]> {
    const { signal, follow, clock, onLost } = this.#options;
    const backoff = new Backoff(waitMsMin, waitMsMax);
    while (!signal.aborted) {
      const positionBefore = this.#after;
      try {
        yield* this.#once();
        if (!follow && this.#caughtUp) return;
        throw unreachable(new Error('the stream ended'));
      } catch (reason) {
        if (signal.aborted) return;
        if (!(reason instanceof ClientError)) throw reason;
        if (!reason.retryable || !this.#answered) throw reason;
        if (this.#after !== positionBefore) backoff.reset();
        const waitMs = Math.max(reason.retryAfterMs ?? 0, backoff.next());
        onLost(reason.message, waitMs);
        await clock.sleep(waitMs, signal).catch(() => undefined);
      }
    }
  }

  async *#once(): AsyncGenerator<readonly WireEvent[]> {
    const { follow, query, signal } = this.#options;
    const parameters = new URLSearchParams();
    for (const [name, value] of query) parameters.append(name, value);
    parameters.set('after', this.#after);
    if (!follow) parameters.set('follow', 'false');
    const response = await this.#connection.open({
      method: 'GET',
      path: `events/stream?${parameters}`,
      headers: { accept: 'text/event-stream' },
      signal,
    });
    this.#answered = true;
    response.setEncoding('utf8');
    try {
      if (response.statusCode !== 200) {
        const text = (await response.toArray()).join('');
        const retryAfterMs = retryAfterMsOf(response);
        throw refusalOf({ status: response.statusCode ?? 0, text, retryAfterMs });
      }
      for await (const frames of readSse(response)) yield* this.#take(frames);
    } catch (reason) {
      throw reason instanceof ClientError ? reason : unreachable(reason);
    } finally {
      response.destroy();
    }
  }

  *#take(frames: readonly SseFrame[]): Generator<readonly WireEvent[]> {
    const events: WireEvent[] = [];
    for (const { id, event, data } of frames) {
      if (event === 'error') {
        if (events.length > 0) yield events;
        throw streamError(data ?? '', (position) => {
          this.#after = position;
        });
      }
      if (event === 'caught-up') this.#noteCaughtUp(id);
      else if (data !== undefined) events.push(wireEventOf(data));
      if (id !== undefined) this.#after = id;
    }
    if (events.length > 0) yield events;
  }

  /** History without an entry is that of an empty log: what comes then is all there is. */
  #noteCaughtUp(id: string | undefined): void {
    if (id === undefined && this.#after === 'end') this.#after = 'start';
    if (!this.#caughtUp) this.#options.onCaughtUp();
    this.#caughtUp = true;
  }
}

function streamError(data: string, resumeAt: (position: string) => void): ClientError {
  const problem = parseProblem(data);
  if (problem === undefined) {
    return new ClientError('the stream ended with what is no error of a hub', {
      code: 'unexpected',
      retryable: true,
    });
  }
  const { retryable } = errorTable[problem.code];
  if (retryable && problem.position !== undefined) resumeAt(problem.position);
  return new ClientError(problem.detail, { ...problem, retryable });
}

/** The hub's own JSON of an event, kept as text beside its fields. */
function wireEventOf(source: string): WireEvent {
  const event = JSON.parse(source) as Omit<WireEvent, 'metadata' | 'source'> & {
    readonly metadata?: unknown;
  };
  const metadata = event.metadata === undefined ? '' : JSON.stringify(event.metadata);
  return { ...event, metadata, source };
}
