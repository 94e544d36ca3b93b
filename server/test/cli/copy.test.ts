import { join } from 'node:path';
import { eraseEngines } from '../../src/main/engines.ts';
import { describeWithEngines } from '../support/needed-program.ts';
import { serverEngines } from '../support/server-settings.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { testSettings } from '../support/test-settings.ts';
import { copySuite, type Place } from './copy.suite.ts';

async function newFile(): Promise<Place> {
  const folder = temporaryFolder();
  const url = `sqlite:${join(folder.path, 'hub.db')}`;
  return { log: url, store: url, destroy: async () => folder.remove() };
}

async function newServers(): Promise<Place> {
  const engines = await serverEngines();
  const destroy = () => eraseEngines(testSettings('/', engines)).catch(() => undefined);
  return { ...engines, destroy };
}

copySuite('SQLite to SQLite', newFile, newFile);

describeWithEngines('with Redis and MongoDB', ['redis', 'mongo'], () => {
  copySuite('SQLite to Redis and MongoDB', newFile, newServers);
  copySuite('Redis and MongoDB to SQLite', newServers, newFile);
});
