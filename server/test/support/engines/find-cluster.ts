import { findOwnEngine, findProgramOf, type OwnEngine } from './find-engine.ts';

/** Names the router of a sharded cluster of MongoDB that runs already. */
export const clusterVariable = 'EVENT_HUB_TEST_MONGOS_URL';

/** Undefined where there is none. */
export function clusterUrl(): string | undefined {
  const url = process.env[clusterVariable];
  return url === '' ? undefined : url;
}

/** The router, to be started beside servers that are programs too: from containers they do not reach each other. */
export function findRouter(): OwnEngine | undefined {
  const path = findProgramOf('mongos');
  return path === undefined || findOwnEngine('mongo')?.kind !== 'program'
    ? undefined
    : { kind: 'program', path };
}

/** Why there can be no sharded cluster here, if so. */
export function missingForCluster(): string | undefined {
  if (clusterUrl() !== undefined || findRouter() !== undefined) return undefined;
  return `no mongos here: put it and mongod on the path, or name a cluster in ${clusterVariable}`;
}
