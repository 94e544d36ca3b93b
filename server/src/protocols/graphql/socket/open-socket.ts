import type { WebSocket as GraphqlSocket } from 'graphql-ws';
import type { RawData, WebSocket } from 'ws';
import { type Clock, yieldTurn } from '../../../base/clock.ts';
import { HubError } from '../../../base/errors.ts';
import type { Json } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';
import type { Logger } from '../../../base/logger.ts';
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
  #alive = true;
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
  }

  /** Aborted when nobody reads any more. */
  get signal(): AbortSignal {
    return this.#operations.signal;
  }

  get activeOperations(): number {
    return this.#active.size;
  }

  began(id: string): void {
    this.#active.add(id);
  }

  ended(id: string): void {
    this.#active.delete(id);
    this.#closeWhenStopped();
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
      if (this.#isCut || this.#isStopping) return;
      const message = isBinary ? undefined : this.#read(String(data));
      if (message === undefined) return;
      // graphql-ws takes a message that is parsed already, which its types do not say.
      take(message as string).catch((err: unknown) => {
        this.#logger.error({ err }, 'a WebSocket message could not be handled');
        this.close(4500, 'Internal server error');
      });
      if (this.#socket.bufferedAmount > limits.websocketBufferedBytes) this.#socket.pause();
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

  #closeWhenStopped(): void {
    if (!this.#isStopping || this.#active.size > 0) return;
    // What the last operation has to say goes out first.
    void yieldTurn().then(() => this.#socket.close(1001, 'Going away'));
  }

  /** The message; an unreadable operation is answered, anything else unreadable closes. */
  #read(text: string): Json | undefined {
    try {
      return readJson(text, MESSAGE_LEVELS);
    } catch (reason) {
      const id = operationIdOf(text);
      if (id === undefined) {
        this.close(4400, 'Invalid message received');
        return undefined;
      }
      const payload = [wireErrorOf(HubError.from(reason))];
      void this.send(JSON.stringify({ id, type: 'error', payload }));
      return undefined;
    }
  }

  #readWhenTaken(): void {
    const socket = this.#socket;
    if (socket.isPaused && socket.bufferedAmount <= limits.websocketBufferedBytes) socket.resume();
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
