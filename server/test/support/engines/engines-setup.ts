import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { type EngineName, findEngine } from './find-engine.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where a test asks for the URL of a shared engine. */
    engines: string;
  }
}

interface Started {
  readonly url: string;
  remove(): Promise<void>;
}

// The drivers are loaded with the first who asks: most runs need none.
const start = {
  redis: async () => await (await import('./redis-server.ts')).startRedisServer(),
  mongo: async () => await (await import('./mongo-server.ts')).startMongoServer(),
  kafka: async () => await (await import('./kafka-server.ts')).startKafkaServer(),
} as const satisfies Record<EngineName, () => Promise<Started>>;

/** One of each engine for the whole run of vitest, started when the first test asks; returns its end. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = new Map<string, Promise<Started>>();
  const server = createServer(async (request, response) => {
    const name = request.url?.slice(1) as EngineName;
    try {
      const engine = started.get(name) ?? startOrTake(name);
      started.set(name, engine);
      response.end((await engine).url);
    } catch (reason) {
      response.statusCode = 500;
      response.end(String(reason));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  project.provide('engines', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.close();
    server.closeAllConnections();
    const all = await Promise.allSettled(started.values());
    await Promise.all(all.map((one) => one.status === 'fulfilled' && one.value.remove()));
    for (const name of Object.keys(start) as EngineName[]) {
      if (findEngine(name) === undefined)
        process.stdout.write(`Left out: what needs ${name}. \`npm run engines\` fetches it.\n`);
    }
  };
}

async function startOrTake(name: EngineName): Promise<Started> {
  const found = findEngine(name);
  if (found?.kind === 'url') return { url: found.url, remove: async () => undefined };
  return await start[name]();
}
