import type { Db, MongoClient, TopologyDescription } from 'mongodb';
import type { Clock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { type Collections, collectionsOf } from './collections.ts';
import { type MongoAddress, readConcern, writeConcern } from './mongo-address.ts';
import { fromMongo, isRefusedUser, passwordRefused, unavailable } from './mongo-fault.ts';

/** The types of servers that take writes, or show at once why they cannot. */
const writable: ReadonlySet<string> = new Set([
  'RSPrimary',
  'Mongos',
  'Standalone',
  'LoadBalancer',
]);

/**
 * The way to a MongoDB that may be away at any time, from the start on. What is
 * asked while it is known to be away is rejected at once with `unavailable`. It
 * is looked at before its first use, by `prepare`: what that refuses, every
 * later call is rejected with.
 */
export class MongoConnection {
  readonly client: MongoClient;
  readonly database: Db;
  readonly collections: Collections;
  readonly place: string;
  readonly #clock: Clock;
  readonly #prepare: () => Promise<void>;
  readonly #closing = new AbortController();
  readonly #connected: Promise<void>;
  #hasPrimary = false;
  #seen: TopologyDescription | undefined;
  #prepared: Promise<void> | undefined;
  #refusal: HubError | undefined;
  #closed: Promise<void> | undefined;

  constructor(
    { client, database, place }: MongoAddress,
    deps: {
      readonly clock: Clock;
      /** Rejects with `unavailable` to be tried again, and with anything else to refuse for good. */
      readonly prepare: (connection: MongoConnection) => Promise<void>;
    },
  ) {
    this.client = client;
    this.database = client.db(database, { readConcern, writeConcern, readPreference: 'primary' });
    this.collections = collectionsOf(this.database);
    this.place = place;
    this.#clock = deps.clock;
    this.#prepare = () => deps.prepare(this);
    client.on('topologyDescriptionChanged', ({ newDescription }) => {
      this.#seen = newDescription;
      this.#hasPrimary = typesOf(newDescription).some((type) => writable.has(type));
    });
    this.#connected = this.#connect();
  }

  get isUp(): boolean {
    return this.#hasPrimary && !this.#closing.signal.aborted;
  }

  /** Resolves when it can be used or that took too long; rejects when it is refused. */
  async settle(ms: number): Promise<void> {
    const over = new AbortController();
    const waited = this.#clock.sleep(ms, over.signal).catch(() => undefined);
    await Promise.race([waited, this.#connected.then(() => this.ready()).catch(keepRefusal)]);
    over.abort();
    if (this.#refusal !== undefined) throw this.#refusal;
  }

  /** Resolves at once once it is prepared; rejects at once while there is no primary. */
  async ready(): Promise<void> {
    if (this.#refusal !== undefined) throw this.#refusal;
    if (!this.isUp) throw this.#away();
    this.#prepared ??= this.#prepareOnce();
    await this.#prepared;
  }

  /** Does the work, with its faults as the hub's. */
  async use<T>(work: (collections: Collections) => Promise<T>): Promise<T> {
    await this.ready();
    try {
      return await work(this.collections);
    } catch (reason) {
      // Closing interrupts what is under way, and with faults of all kinds.
      throw this.#closing.signal.aborted ? this.#away() : fromMongo(reason, this.place);
    }
  }

  /** From now on every call is rejected with this. */
  refuse(refusal: HubError): HubError {
    this.#refusal ??= refusal;
    return this.#refusal;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await this.client.close();
    await this.#connected;
  }

  /** Until the driver has seen the servers once; from then on it watches them itself. */
  async #connect(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted && this.#refusal === undefined) {
      try {
        await this.client.connect();
        return;
      } catch (reason) {
        if (isRefusedUser(reason)) this.refuse(userRefused(this.place, reason));
      }
      await this.#clock.sleep(limits.mongoHeartbeatMs, signal).catch(() => undefined);
    }
  }

  async #prepareOnce(): Promise<void> {
    try {
      await this.#prepare();
    } catch (reason) {
      this.#prepared = undefined;
      const fault = isRefusedUser(reason)
        ? userRefused(this.place, reason)
        : HubError.from(fromMongo(reason, this.place));
      if (fault.code === 'conflict' || fault.code === 'not_found') throw this.refuse(fault);
      throw fault;
    }
  }

  #away(): HubError {
    if (this.#closing.signal.aborted) return unavailable('the store is closed');
    const servers = [...(this.#seen?.servers.values() ?? [])];
    const seen = servers.map(({ type }) => type);
    const hosts = servers.map(({ address }) => address).join(', ') || 'no host has that name';
    // The driver takes a server that does not let it in for one that is away.
    const refused = servers.find(({ error }) => isRefusedUser(error));
    if (refused !== undefined) return passwordRefused(this.place, refused.error);
    if (seen.includes('RSGhost')) {
      return unavailable(
        `MongoDB at ${this.place} waits to become a replica set: run \`mongosh --eval "rs.initiate()"\` on it once`,
      );
    }
    if (seen.some((type) => type !== 'Unknown')) {
      return unavailable(
        `MongoDB at ${this.place} has no primary now (members: ${hosts}): the hub goes on by itself when there is one`,
      );
    }
    // The driver forgets a server that belongs to another set.
    if (servers.length === 0 && this.#seen?.setName != null) {
      return unavailable(
        `MongoDB at ${this.place} has no member of the replica set "${this.#seen.setName}": correct ?replicaSet= in EVENT_HUB_STORE`,
      );
    }
    return unavailable(
      `MongoDB at ${this.place} does not answer (tried: ${hosts}): the hub goes on by itself when it does; a replica set that calls itself by names unknown here needs ?directConnection=true`,
    );
  }
}

function typesOf(seen: TopologyDescription): readonly string[] {
  return [...seen.servers.values()].map(({ type }) => type);
}

/** A start goes on without what is only away. */
function keepRefusal(reason: unknown): void {
  if (HubError.from(reason).code !== 'unavailable') throw reason;
}

function userRefused(place: string, cause: unknown): HubError {
  return new HubError(
    'conflict',
    `MongoDB at ${place} refuses the user or the password, or lets it not read and write: correct them in EVENT_HUB_STORE (\`authSource\` names the database that knows the user), or grant "readWrite"`,
    { cause },
  );
}
