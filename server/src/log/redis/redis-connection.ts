import { isIP } from 'node:net';
import { createClient } from '@redis/client';
import type { Clock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import { redisFault, unavailable } from './redis-faults.ts';
import type { RedisTarget } from './redis-target.ts';

/** A command and its arguments. */
export type RedisCommand = readonly (string | Buffer)[];

/**
 * One connection, from its handshake to its end. It never comes back by itself
 * and never sends anything twice: a new one is made instead, so that what must
 * be asked before each use is asked.
 */
export class RedisConnection {
  /** Resolves when it is gone, for whatever reason. */
  readonly ended: Promise<void>;
  readonly #client: ReturnType<typeof clientFor>;
  readonly #clock: Clock;
  readonly #target: RedisTarget;

  private constructor(target: RedisTarget, clock: Clock) {
    this.#clock = clock;
    this.#target = target;
    this.#client = clientFor(target);
    // Every failure also rejects the commands that it concerns.
    this.#client.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      this.#client.once('end', () => resolve());
      this.#client.once('terminated', () => resolve());
    });
  }

  /** Rejects with `unavailable` when there is none within the time for it. */
  static async open(target: RedisTarget, clock: Clock): Promise<RedisConnection> {
    const connection = new RedisConnection(target, clock);
    const connected = connection.#client.connect();
    try {
      await connection.#within(limits.redisConnectMs, connected);
      return connection;
    } catch (reason) {
      // One that comes after all would stay open, used by nobody.
      connected.then(
        () => connection.destroy(),
        () => undefined,
      );
      connection.destroy();
      throw reason;
    }
  }

  /**
   * Sends one command; several of one turn go together. `blockMs` is how long
   * the command itself may wait. Rejects with a HubError.
   */
  send(command: RedisCommand, blockMs = 0): Promise<unknown> {
    return this.#within(limits.redisAnswerMs + blockMs, this.#client.sendCommand(command));
  }

  /** At once: what is under way is rejected as `unavailable`. */
  destroy(): void {
    this.#client.destroy();
  }

  /** An answer that is late is none: those after it would be late as well. */
  async #within<T>(ms: number, answer: Promise<T>): Promise<T> {
    let cancel = () => {};
    const late = new Promise<never>((_, reject) => {
      cancel = this.#clock.after(ms, () => {
        reject(unavailable(`Redis at ${this.#target.shown} did not answer in ${ms} ms`));
        this.destroy();
      });
    });
    try {
      return await Promise.race([answer, late]);
    } catch (reason) {
      throw redisFault(reason, this.#target);
    } finally {
      cancel();
    }
  }
}

function clientFor(target: RedisTarget) {
  const { host, port, tls, username, password, database } = target;
  const common = { host, port, connectTimeout: limits.redisConnectMs, reconnectStrategy: false };
  return createClient({
    // What its URL asks for and nothing else: each further command is one more right to grant.
    RESP: 2,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    disableOfflineQueue: true,
    database,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    // Its own counts only until a command is written, and ours is for the answer.
    commandOptions: { timeout: 0 },
    socket:
      tls === undefined
        ? { ...common, reconnectStrategy: false }
        : {
            ...common,
            ...tls,
            reconnectStrategy: false,
            tls: true,
            // A name of the certificate; an address is compared without being sent.
            ...(isIP(host) === 0 ? { servername: host } : {}),
          },
  });
}
