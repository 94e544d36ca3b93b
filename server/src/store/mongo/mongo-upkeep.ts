import type { Document } from 'mongodb';
import { systemClock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import type { Finding } from '../../base/finding.ts';
import { limits } from '../../base/limits.ts';
import { collectionNames } from './collections.ts';
import { isLeaseOfWork, isProcessLease, liveLeases } from './leases.ts';
import { readMark } from './mark.ts';
import { migrations } from './migrations.ts';
import { parseMongoUrl } from './mongo-address.ts';
import { MongoConnection } from './mongo-connection.ts';
import { assertTransactions, foreignCollections, foreignRefusal } from './prepare-database.ts';
import { readRetained } from './retention-document.ts';

/** Clocks further apart than this make late events of others. */
const clockDifferenceMs = 5_000;

const olderDatabase =
  ": an older hub's, `event-hub migrate plan` says what the next start does to it";

/** Looks at the servers and the database without changing anything. */
export async function examineMongo(url: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  try {
    await withConnection(url, assertTransactions, async (connection) => {
      findings.push(await examineServer(connection));
      findings.push(await examineClock(connection));
      findings.push(await examineDatabase(connection));
    });
  } catch (reason) {
    if (!(reason instanceof HubError)) throw reason;
    findings.push({ state: 'fail', name: 'store', detail: reason.message });
  }
  return findings;
}

/**
 * Removes what the hub keeps, and nothing else, after `first`. The mark goes
 * last, so that a broken-off removal can be repeated.
 */
export async function eraseMongo(
  url: string,
  first: () => Promise<void> = async () => undefined,
): Promise<void> {
  await withConnection(url, assertErasable, async ({ database }) => {
    await first();
    for (const name of collectionNames) await database.dropCollection(name);
  });
}

async function assertErasable(connection: MongoConnection): Promise<void> {
  const { place } = connection;
  if ((await readMark(connection)) === undefined) {
    const found = await foreignCollections(connection);
    if (found.length > 0) throw foreignRefusal(place, found);
    throw new HubError('not_found', `there is no hub in the database at ${place}`);
  }
  const live = await liveLeases(connection.collections);
  if (!live.some(isLeaseOfWork)) return;
  const seconds = Math.ceil(limits.mongoProcessTtlMs / 1_000);
  throw new HubError(
    'conflict',
    `a hub runs on the database at ${place}: stop it first (one that was killed counts as running for ${seconds} s)`,
  );
}

/** Beside the hubs that may run on it, or without one. */
export async function withConnection<T>(
  url: string,
  prepare: (connection: MongoConnection) => Promise<void>,
  work: (connection: MongoConnection) => Promise<T>,
): Promise<T> {
  const connection = new MongoConnection(parseMongoUrl(url), { clock: systemClock, prepare });
  try {
    await connection.settle(limits.mongoOpenMs);
    return await connection.use(() => work(connection));
  } finally {
    await connection.close();
  }
}

async function examineServer({ database, place }: MongoConnection): Promise<Finding> {
  const hello: Document = await database.admin().command({ hello: 1 });
  const { version } = await database.admin().command({ buildInfo: 1 });
  const members = hello.hosts?.length ?? 1;
  const set = hello.setName === undefined ? 'a sharded cluster' : `replica set ${hello.setName}`;
  const detail = `MongoDB ${version} at ${place}: ${set}, ${members} member${members === 1 ? '' : 's'}`;
  return { state: 'ok', name: 'store', detail };
}

async function examineClock({ database }: MongoConnection): Promise<Finding> {
  const before = systemClock.now();
  const hello: Document = await database.admin().command({ hello: 1 });
  const difference = Math.round(
    (hello.localTime as Date).getTime() - (before + systemClock.now()) / 2,
  );
  const detail = `MongoDB's differs from this machine's by ${difference} ms`;
  if (Math.abs(difference) <= clockDifferenceMs) return { state: 'ok', name: 'clock', detail };
  return { state: 'warn', name: 'clock', detail: `${detail}: let both keep the time by NTP` };
}

async function examineDatabase(connection: MongoConnection): Promise<Finding> {
  const name = 'database';
  const { collections, place } = connection;
  const mark = await readMark(connection);
  if (mark === undefined) {
    const found = await foreignCollections(connection);
    if (found.length > 0) {
      return { state: 'fail', name, detail: foreignRefusal(place, found).message };
    }
    return {
      state: 'ok',
      name,
      detail: `${place} is empty: \`event-hub serve\` makes a hub in it`,
    };
  }
  const events = await collections.events.estimatedDocumentCount();
  const { removedEvents } = await readRetained(collections);
  const removed = removedEvents === 0 ? '' : ` (${removedEvents} older ones were removed)`;
  const hubs = (await liveLeases(collections)).filter(isProcessLease).length;
  const running = hubs === 0 ? 'no hub runs on it' : `hubs on it: ${hubs}`;
  const detail = `${place}, version ${mark.schema_version}, ${events} events${removed}, ${running}`;
  if (mark.schema_version < migrations.length) {
    return { state: 'ok', name, detail: `${detail}${olderDatabase}` };
  }
  if (mark.schema_version === migrations.length) return { state: 'ok', name, detail };
  return { state: 'fail', name, detail: `${detail}: written by a newer Event Hub, run that one` };
}
