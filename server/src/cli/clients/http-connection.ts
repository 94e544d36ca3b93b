import { Agent, type IncomingMessage, request as plainRequest } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { type ErrorCode, errorCodes } from '../../base/errors.ts';
import { errorTable } from '../../protocols/error-table.ts';
import { ClientError } from './ingest-client.ts';

/** The longest silence of a hub that is at work; its own longest wait is shorter. */
const silenceMsMax = 30_000;

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Relative to the hub's URL, without a slash in front. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  readonly retryAfterMs: number | undefined;
}

/** Kept-alive connections to one hub, by node:http, which costs less per request than fetch. */
export class HttpConnection {
  /** The same for every request, so that no URL is parsed twice. */
  readonly #place: { readonly host: string; readonly port: string; readonly agent: Agent };
  readonly #prefix: string;
  readonly #agent: Agent;
  readonly #request: typeof plainRequest;
  readonly #authorization: Readonly<Record<string, string>>;

  /** `credential` goes with every request; `tls` is for where the machine's own authorities do not do. */
  constructor(url: string, connections: number, credential?: string, tls: ConnectionOptions = {}) {
    this.#authorization = credential === undefined ? {} : { authorization: `Bearer ${credential}` };
    const { protocol, hostname, port, pathname } = new URL(url);
    const isSecure = protocol === 'https:';
    const options = { keepAlive: true, maxSockets: connections };
    this.#agent = isSecure ? new SecureAgent({ ...options, ...tls }) : new Agent(options);
    this.#request = isSecure ? secureRequest : plainRequest;
    this.#prefix = pathname.endsWith('/') ? pathname : `${pathname}/`;
    const host = hostname.replace(/^\[|\]$/g, '');
    this.#place = { host, port: port || (isSecure ? '443' : '80'), agent: this.#agent };
  }

  /** The whole answer. Rejects with ClientError when there is none. */
  async exchange(request: HttpRequest): Promise<HttpAnswer> {
    const response = await this.open(request);
    const text = await textOf(response);
    return { status: response.statusCode ?? 0, text, retryAfterMs: retryAfterMsOf(response) };
  }

  /** The answer's head, with the body still to come. */
  open({ method, path, headers, body, signal }: HttpRequest): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const sent = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const request = this.#request({
        ...this.#place,
        method,
        path: this.#prefix + path,
        headers: { ...this.#authorization, ...headers, ...sent },
        timeout: silenceMsMax,
        ...(signal === undefined ? {} : { signal }),
      });
      request.on('response', resolve);
      request.on('error', (reason) => reject(unreachable(reason)));
      request.on('timeout', () =>
        request.destroy(new Error(`the hub was silent for ${silenceMsMax / 1_000} s`)),
      );
      request.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function textOf(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      text += chunk;
    });
    response.on('end', () => resolve(text));
    response.on('error', (reason) => reject(unreachable(reason)));
  });
}

export function unreachable(reason: unknown): ClientError {
  const { code, message } = reason as NodeJS.ErrnoException;
  const why = message || code || String(reason);
  return new ClientError(`no answer from the hub: ${why}`, {
    code: 'unreachable',
    retryable: true,
  });
}

export function retryAfterMsOf(response: IncomingMessage): number | undefined {
  const seconds = Number(response.headers['retry-after']);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
}

/** A refusal of the whole request, from its problem document. */
export function refusalOf({ status, text, retryAfterMs }: HttpAnswer): ClientError {
  const problem = parseProblem(text);
  if (problem === undefined) {
    const start = text.slice(0, 200);
    return new ClientError(`the answer ${status} is none of a hub's: ${start}`, {
      code: 'unexpected',
      retryable: status >= 500 || status === 429,
      retryAfterMs,
    });
  }
  const { code, detail, position } = problem;
  const { retryable } = errorTable[code];
  return new ClientError(detail, { code, retryable, retryAfterMs, position });
}

export interface ReadProblem {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly position: string | undefined;
}

/** Undefined for what is no problem document of a hub. */
export function parseProblem(text: string): ReadProblem | undefined {
  try {
    const problem = JSON.parse(text) as Partial<ReadProblem> | null;
    const code = errorCodes.find((each) => each === problem?.code);
    if (code === undefined) return undefined;
    return { code, detail: String(problem?.detail), position: problem?.position };
  } catch {
    return undefined;
  }
}
