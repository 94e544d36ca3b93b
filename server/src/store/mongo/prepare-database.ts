import { randomUUID } from 'node:crypto';
import type { Document } from 'mongodb';
import { type Clock, dateOf } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { type UpgradeOptions, upgradeRefusal } from '../../base/migration.ts';
import type { OrderField } from './list-order.ts';
import { type Mark, readMark } from './mark.ts';
import { migrateDatabase } from './migrate-database.ts';
import {
  migrations as hubMigrations,
  type MongoMigration,
  makeWhatIsMissing,
} from './migrations.ts';
import type { MongoConnection } from './mongo-connection.ts';
import { isDuplicateKey } from './mongo-fault.ts';

/** Snapshots outside transactions came with MongoDB 5.0. */
const wireVersionMin = 13;
/** Collections named in a refusal. */
const namedMax = 5;

export interface PrepareOptions {
  readonly create: boolean;
  readonly clock: Clock;
  /** What the log asks for; looked at, or kept for good, where the hub is to serve. */
  readonly listedBy: OrderField;
  /** Of a database of an older hub; brought up to date without a word when absent. */
  readonly upgrade?: UpgradeOptions | undefined;
  /** The hub's own when absent. */
  readonly migrations?: readonly MongoMigration[];
}

/**
 * Looks whether the hub may use the database, and makes what is missing in it
 * when it is to serve from it. Rejects with `conflict` for what must not be
 * used, and with `not_found` when there is nothing and nothing is to be made.
 */
export async function prepareDatabase(
  connection: MongoConnection,
  options: PrepareOptions,
): Promise<Mark> {
  const { create, listedBy, upgrade, migrations = hubMigrations } = options;
  await assertTransactions(connection);
  const mark = (await readMark(connection)) ?? (await adopt(connection, options));
  assertNotNewer(connection, mark, migrations);
  const kept = mark.listed_by ?? 'position';
  if (create && kept !== listedBy) {
    const [had, wanted] = kept === 'position' ? ['Redis', 'Kafka'] : ['Kafka', 'Redis'];
    throw new HubError(
      'conflict',
      `the database at ${connection.place} was filled from a log on ${had}, and the one of EVENT_HUB_LOG is on ${wanted}: name another database, and move the events with \`event-hub copy\``,
    );
  }
  connection.collections.order.field = kept;
  const version = mark.schema_version;
  if (version === migrations.length) {
    if (create) await makeWhatIsMissing(connection);
    return mark;
  }
  if (!create) throw olderDatabase(connection, version, migrations.length);
  if (version > 0 && upgrade?.allowed === false) {
    const place = `the database at ${connection.place}`;
    throw new HubError('conflict', upgradeRefusal(place, version, migrations.length));
  }
  const migrated = await migrateDatabase(connection, mark, {
    migrations,
    onDone: (step) => {
      if (version > 0) upgrade?.onDone(step, connection.place);
    },
  });
  assertNotNewer(connection, migrated, migrations);
  return migrated;
}

export function assertNotNewer(
  { place }: MongoConnection,
  { schema_version: version }: Mark,
  migrations: readonly MongoMigration[],
): void {
  if (version <= migrations.length) return;
  throw new HubError(
    'conflict',
    `the database at ${place} was written by a newer Event Hub (version ${version}, this one knows ${migrations.length}): run that one`,
  );
}

/** A command beside a running hub never changes what is under it. */
function olderDatabase({ place }: MongoConnection, version: number, needed: number): HubError {
  return new HubError(
    'conflict',
    `the database at ${place} is of an older hub (its version is ${version}, this hub's ${needed}): start this hub on it once, which brings it up to date, or run \`event-hub migrate apply\``,
  );
}

/** Collections with documents, which a database without a mark must not have. */
export async function foreignCollections({
  database,
}: MongoConnection): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name } of database.listCollections({}, { nameOnly: true })) {
    if (name.startsWith('system.')) continue;
    const collection = database.collection(name);
    if ((await collection.findOne({}, { projection: { _id: 1 } })) === null) continue;
    found.push(`${name} (${await collection.estimatedDocumentCount()} documents)`);
    if (found.length > namedMax) return [...found.slice(0, namedMax), 'and more'];
  }
  return found;
}

export function foreignRefusal(place: string, found: readonly string[]): HubError {
  return new HubError(
    'conflict',
    `the database at ${place} is not empty and carries no mark of the hub: it has ${found.join(', ')}; name another database in EVENT_HUB_STORE (mongodb://HOST/NAME), and bring a prototype's events over with \`event-hub import-prototype\``,
  );
}

/** A server alone takes no transactions. */
export async function assertTransactions({ database, place }: MongoConnection): Promise<void> {
  const hello: Document = await database.admin().command({ hello: 1 });
  if (hello.setName === undefined && hello.msg !== 'isdbgrid') {
    throw new HubError(
      'conflict',
      `MongoDB at ${place} runs alone, and only a replica set has transactions (one node is enough): start it as \`mongod --replSet rs0\` and run \`mongosh --eval "rs.initiate()"\` on it once`,
    );
  }
  if (Number(hello.maxWireVersion) < wireVersionMin) {
    throw new HubError('conflict', `MongoDB at ${place} is older than 5.0: upgrade it`);
  }
}

/** The mark goes in first, of version 0: what a crash leaves behind is then the hub's, and made whole by the next start. */
async function adopt(
  connection: MongoConnection,
  { create, clock, listedBy }: PrepareOptions,
): Promise<Mark> {
  const { collections, place } = connection;
  const found = await foreignCollections(connection);
  if (found.length > 0) {
    // Another process may have marked it in the meantime.
    const mark = await readMark(connection);
    if (mark !== undefined) return mark;
    throw foreignRefusal(place, found);
  }
  if (!create) {
    throw new HubError(
      'not_found',
      `there is no hub in the database at ${place} yet: \`event-hub serve\` makes one`,
    );
  }
  const mark: Mark = {
    _id: 'mark',
    identity: randomUUID(),
    schema_version: 0,
    created_at: dateOf(clock.now()),
    ...(listedBy === 'position' ? {} : { listed_by: listedBy }),
  };
  try {
    await collections.hub.insertOne(mark);
    return mark;
  } catch (reason) {
    if (!isDuplicateKey(reason)) throw reason;
    return (await readMark(connection)) ?? mark;
  }
}
