import { Backoff } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { repeatUntilAborted } from '../../base/repeat-until-aborted.ts';
import { type RedisCommand, RedisConnection } from './redis-connection.ts';
import { passing, unavailable } from './redis-faults.ts';
import type { RedisTarget } from './redis-target.ts';

export interface RedisLinkOptions {
  readonly target: RedisTarget;
  readonly clock: Clock;
  /** Runs on each connection before it is used; one that it rejects is not used. */
  readonly prepare?: (connection: RedisConnection) => Promise<void>;
}

/**
 * A connection that is replaced for as long as it takes. While there is none,
 * commands are refused at once, with the reason.
 */
export class RedisLink {
  readonly #options: RedisLinkOptions;
  readonly #closing = new AbortController();
  readonly #first = Promise.withResolvers<void>();
  #connection: RedisConnection | undefined;
  /** Why there is no connection. */
  #fault: HubError;
  #next = Promise.withResolvers<void>();
  #connections = 0;

  constructor(options: RedisLinkOptions) {
    this.#options = options;
    this.#fault = unavailable(`Redis at ${options.target.shown} is not connected yet`);
    this.#first.promise.catch(() => undefined);
    this.#next.promise.catch(() => undefined);
    const backoff = new Backoff(limits.redisRetryMinMs, limits.redisRetryMaxMs);
    void repeatUntilAborted(this.#closing.signal, options.clock, async () => {
      await this.#keep(backoff);
      return backoff.next();
    });
  }

  /** Resolves with the first connection; rejects when that attempt fails, while others go on. */
  get opened(): Promise<void> {
    return this.#first.promise;
  }

  /** How many connections there were: another number, another session. */
  get connections(): number {
    return this.#connections;
  }

  /** Resolves while there is a connection, waits for one otherwise. Rejects when closed. */
  async ready(): Promise<void> {
    while (this.#connection === undefined) await this.#next.promise;
  }

  send(command: RedisCommand, blockMs = 0): Promise<unknown> {
    const connection = this.#connection;
    if (connection === undefined) return Promise.reject(this.#absence());
    return connection.send(command, blockMs).catch((reason: unknown) => {
      throw passing(reason);
    });
  }

  /** The present connection is not to be used any more: a new one is made and prepared. */
  renew(): void {
    this.#connection?.destroy();
  }

  /** Safe to call twice. What is under way is rejected. */
  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#fault = unavailable('the log is closed');
    this.#closing.abort();
    this.#connection?.destroy();
    this.#connection = undefined;
    this.#first.reject(this.#fault);
    this.#next.reject(this.#fault);
    this.#next = Promise.withResolvers();
    this.#next.promise.catch(() => undefined);
    this.#next.reject(this.#fault);
  }

  /** One connection, until it is lost or cannot be made. */
  async #keep(backoff: Backoff): Promise<void> {
    try {
      const connection = await this.#connect();
      backoff.reset();
      await connection.ended;
      this.#lose(unavailable(`the connection to Redis at ${this.#options.target.shown} was lost`));
    } catch (reason) {
      this.#lose(HubError.from(reason));
    }
  }

  async #connect(): Promise<RedisConnection> {
    const { target, clock, prepare } = this.#options;
    const connection = await RedisConnection.open(target, clock);
    const abandon = () => connection.destroy();
    this.#closing.signal.addEventListener('abort', abandon);
    try {
      await prepare?.(connection);
      if (this.#closing.signal.aborted) throw this.#fault;
    } catch (reason) {
      connection.destroy();
      throw reason;
    } finally {
      this.#closing.signal.removeEventListener('abort', abandon);
    }
    this.#connection = connection;
    this.#connections += 1;
    this.#first.resolve();
    this.#next.resolve();
    return connection;
  }

  #lose(reason: HubError): void {
    const hadOne = this.#connection !== undefined;
    this.#connection = undefined;
    if (this.#closing.signal.aborted) return;
    this.#fault = reason;
    this.#first.reject(reason);
    if (!hadOne) return;
    this.#next = Promise.withResolvers();
    this.#next.promise.catch(() => undefined);
  }

  /** A start may be refused for many reasons; to who wants to append now they are all one. */
  #absence(): HubError {
    return this.#fault.code === 'unavailable'
      ? this.#fault
      : unavailable(this.#fault.message, this.#fault.cause);
  }
}
