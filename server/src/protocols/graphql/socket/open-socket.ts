import type { WebSocket as GraphqlSocket } from 'graphql-ws';
import type { RawData, WebSocket } from 'ws';
import { type Clock, yieldTurn } from '../../../base/clock.ts';
import { HubError } from '../../../base/errors.ts';
import { isJsonObject, type Json } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';
import type { Logger } from '../../../base/logger.ts';
import { holdRequest } from '../../../base/request-memory.ts';
import { readJson } from '../decode.ts';
import { wireErrorOf } from '../failure.ts';

export interface OpenSocketOptions {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * One WebSocket as graphql-ws wants it, with bounds: it is read only as fast as
 * it takes answers, its client must answer pings, and one that takes nothing
 * for `limits.subscriberStallMs` is cut: its subscriptions end with
 * `slow_reader` and their positions, then it closes.
 */
export class OpenSocket implements GraphqlSocket {
  readonly protocol: string;
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #operations = new AbortController();
  readonly #active = new Set<string>();
  /** Operations that wait for their turn, and those that have it. */
  readonly #queued: { readonly id: string; readonly begin: () => void }[] = [];
  readonly #running = new Set<string>();
  /** Gives back the memory of the operations' messages, by their ids. */
  readonly #releases = new Map<string, () => void>();
  #alive = true;
  #isWaiting = false;
  #isCut = false;
  #isStopping = false;

  constructor(socket: WebSocket, { clock, logger }: OpenSocketOptions) {
    this.protocol = socket.protocol;
    this.#socket = socket;
    this.#clock = clock;
    this.#logger = logger;
    const stopPings = clock.every(limits.heartbeatMs, () => this.#ping());
    socket.on('pong', () => {
      this.#alive = true;
    });
    socket.on('error', (err) => logger.debug({ err }, 'a WebSocket broke'));
    socket.once('close', () => {
      stopPings();
      this.#operations.abort();
    });
    this.signal.addEventListener('abort', () => this.#beginNext(), { once: true });
  }

  /** Aborted when nobody reads any more. */
  get signal(): AbortSignal {
    return this.#operations.signal;
  }

  get activeOperations(): number {
    return this.#active.size;
  }

  /**
   * Resolves when the operation may run, or nobody reads any more: few of a connection run at once, and none begins while
   * its client takes no answers, each of which may be megabytes.
   */
  began(id: string): Promise<void> {
    this.#active.add(id);
    return new Promise((resolve) => {
      this.#queued.push({ id, begin: resolve });
      this.#beginNext();
    });
  }

  ended(id: string): void {
    this.#active.delete(id);
    this.#running.delete(id);
    this.#beginNext();
    this.#closeWhenStopped();
  }

  /** The operation is a subscription that has begun: its message is not worked on any more. */
  follows(id: string): void {
    this.#releases.get(id)?.();
    this.#running.delete(id);
    this.#beginNext();
  }

  /** Resolves when the client has room for more, or will never have. */
  send(data: string): Promise<void> {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN) return Promise.resolve();
    return new Promise((resolve) => {
      let cancel: (() => void) | undefined;
      socket.send(data, () => {
        cancel?.();
        this.#readWhenTaken();
        resolve();
      });
      if (socket.bufferedAmount === 0) return;
      if (this.#isCut) resolve();
      else cancel = this.#watchStall(socket.bufferedAmount, resolve);
    });
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  onMessage(take: (message: string) => Promise<void>): void {
    this.#socket.on('message', (data: RawData, isBinary: boolean) => {
      if (this.#isCut || this.#isStopping || isBinary) return;
      // A Buffer, as `binaryType` says where nobody has set it.
      this.#handle(data as Buffer, take).catch((err: unknown) => {
        this.#logger.error({ err }, 'a WebSocket message could not be handled');
        this.close(4500, 'Internal server error');
      });
      if (this.#isRead()) return;
      this.#isWaiting = true;
      this.#socket.pause();
    });
  }

  /** Takes no more operations, and closes after those under way. */
  stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#clock.after(limits.websocketStopMs, () => this.#socket.close(1001, 'Going away'));
    this.#clock.after(limits.websocketStopMs * 2, () => this.#socket.terminate());
    this.#closeWhenStopped();
  }

  #beginNext(): void {
    while (this.#mayBegin()) {
      const next = this.#queued.shift();
      if (next === undefined) return;
      this.#running.add(next.id);
      next.begin();
    }
  }

  #mayBegin(): boolean {
    if (this.signal.aborted) return true;
    return this.#isRead() && this.#running.size < limits.websocketOperationsAtOnce;
  }

  /** Its client has taken all but a little of what was said. */
  #isRead(): boolean {
    return this.#socket.bufferedAmount <= limits.websocketBufferedBytes;
  }

  #closeWhenStopped(): void {
    if (!this.#isStopping || this.#active.size > 0) return;
    // What the last operation has to say goes out first.
    void yieldTurn().then(() => this.#socket.close(1001, 'Going away'));
  }

  /** A long message counts as a long request while it is worked on. */
  async #handle(data: Buffer, take: (message: string) => Promise<void>): Promise<void> {
    const text = String(data);
    let release: (() => void) | undefined;
    let message: Json;
    try {
      release = holdRequest(data.length);
      message = readJson(text, MESSAGE_LEVELS);
    } catch (reason) {
      release?.();
      this.#refuse(text, HubError.from(reason));
      return;
    }
    const { type, id = null } = isJsonObject(message) ? message : {};
    if (type === 'subscribe' && typeof id === 'string') this.#releases.set(id, release);
    try {
      // graphql-ws takes a message that is parsed already, which its types do not say.
      await take(message as unknown as string);
    } finally {
      release();
      if (typeof id === 'string' && this.#releases.get(id) === release) this.#releases.delete(id);
    }
  }

  /** Answers an operation; there is no answer to anything else, which closes. */
  #refuse(text: string, error: HubError): void {
    const id = operationIdOf(text);
    if (id !== undefined) {
      void this.send(JSON.stringify({ id, type: 'error', payload: [wireErrorOf(error)] }));
    } else if (error.code === 'overloaded') this.close(1013, 'Try again later');
    else this.close(4400, 'Invalid message received');
  }

  #readWhenTaken(): void {
    this.#beginNext();
    if (!this.#isWaiting || !this.#isRead()) return;
    this.#isWaiting = false;
    this.#socket.resume();
  }

  /** The answer cancels. A client that takes little by little is slow, and still alive. */
  #watchStall(buffered: number, giveUp: () => void): () => void {
    let cancel = () => {};
    const check = (before: number) => {
      cancel = this.#clock.after(limits.subscriberStallMs, () => {
        const now = this.#socket.bufferedAmount;
        if (now < before) return check(now);
        this.#cut();
        giveUp();
      });
    };
    check(buffered);
    return () => cancel();
  }

  #cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    const seconds = limits.subscriberStallMs / 1000;
    const reason = `the connection was not read for ${seconds} s: resume from the position`;
    this.#operations.abort(new HubError('slow_reader', reason));
    // The errors of the subscriptions go out first.
    void yieldTurn().then(() => this.#socket.close(1013, 'Read too slowly'));
    // Also one whose client has ended its side already, where close() sets no time.
    this.#clock.after(limits.websocketFarewellMs, () => this.#socket.terminate());
  }

  #ping(): void {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN || socket.isPaused) return;
    if (!this.#alive) {
      socket.terminate();
      return;
    }
    this.#alive = false;
    socket.ping();
  }
}

/** The message around its payload. */
const MESSAGE_LEVELS = 1;

/** The id of a message that asks for an operation, whatever is wrong with its payload. */
function operationIdOf(text: string): string | undefined {
  try {
    const { type, id }: { type?: unknown; id?: unknown } = JSON.parse(text);
    return type === 'subscribe' && typeof id === 'string' && id !== '' ? id : undefined;
  } catch {
    return undefined;
  }
}
