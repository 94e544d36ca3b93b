import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceError } from '@grpc/grpc-js';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newApiKey } from '../../src/auth/api-key.ts';
import { openSocket } from '../protocols/graphql/test-socket.ts';
import { GrpcClient } from '../protocols/grpc/grpc-client.ts';
import { ApiKeys, bearing, untilKnown } from '../support/api-keys.ts';
import { type MongoServer, startMongoServer } from '../support/engines/mongo-server.ts';
import { type RedisServer, startRedisServer } from '../support/engines/redis-server.ts';
import { type HubProcess, startHubProcess } from '../support/hub-process.ts';
import { describeWithOwnEngines } from '../support/needed-program.ts';
import { sendRaw } from '../support/raw-http.ts';
import { command } from '../support/redis-harness.ts';
import { signWithSecret } from '../support/signing-key.ts';
import { type CliOptions, runCli } from '../support/run-cli.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { grpcNeeds, httpNeeds } from './operation-scopes.ts';
import { Spoken } from './spoken.ts';

/** What must never be said, by what it is. Another one is one more line here, and wherever it is used. */
const secrets: Record<string, string> = {
  'the password of Redis': password(),
  'the password of MongoDB': password(),
  'a password that an engine refuses': password(),
  'a password in a setting that is no URL': password(),
  'a key that nobody knows': newApiKey().text,
  'a key in a URL': newApiKey().text,
  'the key in EVENT_HUB_API_KEY, which nobody knows': newApiKey().text,
  'a token': ['eyJhbGciOiJSUzI1NiJ9', letters(40), letters(60)].join('.'),
  'the password of Basic': letters(24),
  'the secret of tokens': letters(40),
  'a secret that is too short': letters(20),
};

/** With what a URL must escape. */
function password(): string {
  return `${letters(12)}:/@%${letters(12)}`;
}

function letters(count: number): string {
  return randomBytes(count).toString('base64').replaceAll(/\W/g, 'x').slice(0, count);
}

/** What the same hub tells, so that it is known to be searched where it speaks. */
const planted = { 'in an answer': letters(24), 'in the log': letters(24) };

/** All that there is to be heard of a hub that takes tokens too. */
const loudly = {
  EVENT_HUB_LOG_LEVEL: 'trace',
  EVENT_HUB_AUTH_ISSUER: 'the-issuer',
  EVENT_HUB_AUTH_AUDIENCE: 'the-hub',
  EVENT_HUB_AUTH_SECRET: secret('the secret of tokens'),
};
const nowS = Math.floor(Date.now() / 1_000);
const claims = {
  iss: loudly.EVENT_HUB_AUTH_ISSUER,
  aud: loudly.EVENT_HUB_AUTH_AUDIENCE,
  sub: 'till-7',
  iat: nowS,
  exp: nowS + 3_600,
  scope: 'reader',
};

function secret(name: string): string {
  const found = secrets[name];
  if (found === undefined) throw new Error(`there is no secret "${name}"`);
  return found;
}

describe('the search for secrets', () => {
  it('finds one in each form in which it could be let out', () => {
    const planted = 'a:/@% secret?>~';
    const forms = {
      'as it is': `"password":"${planted}"`,
      'in a URL': `redis://u:${encodeURIComponent(planted)}@host`,
      'in JSON': JSON.stringify({ quoted: 'a"b' }),
      'in base64': `Basic ${btoa(`user:${planted}`)}`,
      'in base64url': `x.${Buffer.from(`{"a":"${planted}`).toString('base64url')}.z`,
      'in hexadecimal': Buffer.from(`..${planted}..`).toString('hex'),
    };
    for (const [form, text] of Object.entries(forms)) {
      const spoken = new Spoken();
      spoken.add('the log', 'nothing here');
      const sought = form === 'in JSON' ? 'a"b' : planted;
      expect(spoken.find({ it: sought })).toEqual([]);
      spoken.add('an answer', text);
      expect(spoken.find({ it: sought })).toContain(`it, ${form}: an answer`);
    }
  });
});

describeWithOwnEngines('no secret is told', ['redis', 'mongo'], () => {
  const spoken = new Spoken();
  let redis: RedisServer;
  let mongo: MongoServer;
  let folder: TemporaryFolder;
  let engines: { readonly log: string; readonly store: string };
  let hub: HubProcess;
  let shownWays: readonly Readonly<Record<string, string>>[];

  beforeAll(async () => {
    folder = temporaryFolder();
    [redis, mongo] = await Promise.all([startRedisServer(), startMongoServer()]);
    engines = await withPasswords(redis, mongo);
    hub = await startHubProcess(engines, 'http,grpc,readers', {
      ...loudly,
      EVENT_HUB_API_KEY: secret('the key in EVENT_HUB_API_KEY, which nobody knows'),
    });
    const keys = new ApiKeys(engines);
    const [admin, revoked, expired, poor] = await keys.makeAll([
      { scopes: ['admin'], name: planted['in the log'] },
      { scopes: ['admin'] },
      { scopes: ['admin'], expiresAt: Date.now() },
      { scopes: ['metrics:read'], eventTypes: ['purchase'] },
    ]);
    for (const [name, key] of Object.entries({ admin, revoked, expired, poor })) {
      secrets[`the key ${name}`] = key?.text ?? '';
      secrets[`the secret part of the key ${name}`] = key?.text.split('_')[3] ?? '';
    }
    if (revoked !== undefined) await keys.revoke(revoked);
    if (admin !== undefined) await untilKnown(hub.url, admin);
    const forged = signWithSecret(letters(32), claims);
    const holding = signWithSecret(secret('the secret of tokens'), claims);
    for (const [name, token] of Object.entries({ forged, holding })) {
      secrets[`the token ${name}`] = token;
      secrets[`the signature of the token ${name}`] = token.split('.')[2] ?? '';
    }
    const all = Object.entries(secrets)
      .filter(([name]) => /^(a|the) (key|token)/.test(name))
      .map(([, text]) => text);
    shownWays = [
      {},
      { authorization: `Basic ${btoa(`shop:${secret('the password of Basic')}`)}` },
      { authorization: secret('a key that nobody knows') },
      ...all.flatMap((text) => [
        bearing({ text }),
        { 'x-api-key': text },
        { ...bearing({ text }), 'x-api-key': text },
        { authorization: `Bearer ${text.slice(0, -1)}` },
        { authorization: `Bearer ${text} ${text}` },
      ]),
    ];
  });

  afterAll(async () => {
    await hub.stop();
    await Promise.all([redis.remove(), mongo.remove()]);
    folder.remove();
  });

  const commands = async (...lines: readonly (readonly string[])[]) => {
    for (const args of lines) await run(args);
  };
  /** What a hub has said on its own. */
  const endAndHear = async ({ cli, stop }: HubProcess) => {
    await stop();
    const { stdout, stderr } = await cli.result;
    spoken.add('a start line', stdout);
    spoken.add('a log', stderr);
  };
  const run = async (args: readonly string[], options: CliOptions = {}) => {
    const env = {
      ...loudly,
      EVENT_HUB_LOG: engines.log,
      EVENT_HUB_STORE: engines.store,
      ...options.env,
    };
    const result = await runCli(args, { ...options, env });
    spoken.add(`event-hub ${args[0]} ${args[1]}`, result.stdout + result.stderr);
    return result;
  };

  it('by an answer to whoever calls with it, well or badly', async () => {
    for (const shown of shownWays) await callEverything(hub, shown, spoken);
    const odd = fetch(`${hub.url}/livez?${planted['in an answer']}=1`);
    await spoken.answer('GET /livez with an odd parameter', odd);
    const key = secret('a key in a URL');
    for (const name of ['api_key', 'access_token', 'key']) {
      for (const path of ['/events', '/aggregates', '/graphql', '/metrics', '/livez', '/nothing']) {
        await spoken.answer(`GET ${path} by URL`, fetch(`${hub.url}${path}?${name}=${key}`));
      }
    }
  });

  it('by a command', async () => {
    await commands(
      ['config', 'print'],
      ['config', 'print', '--output=ndjson'],
      ['keys', 'list'],
      ['keys', 'list', '--output=ndjson'],
      ['keys', 'rotate', '--name=nobody'],
      ['doctor', '--http-port=0', '--grpc-port=0'],
      ['doctor', '--http-port=0', '--grpc-port=0', '--output=ndjson'],
      ['events', '--limit=1'],
      ['metrics', 'verify'],
      ['log', 'adopt'],
      ['reset', '--yes'],
      ['serve', '--http-port=0', '--grpc-port=0', '--event-types=sale:+'],
    );
    const file = join(folder.path, 'key');
    const unknown = secret('the key in EVENT_HUB_API_KEY, which nobody knows');
    writeFileSync(file, unknown);
    const event = ['--user-id=u', '--event-type=purchase', '--amount=1'];
    const to = [`--url=${hub.url}`, `--grpc-url=${hub.grpcAddress}`];
    for (const text of [unknown, secret('the key poor'), secret('the key admin')]) {
      for (const protocol of ['rest', 'graphql', 'grpc']) {
        const env = { EVENT_HUB_API_KEY: text };
        await run(['send', ...to, ...event, `--protocol=${protocol}`], { env });
        await run(['send', ...to, '--user-id=u', '--amount=-1', `--protocol=${protocol}`], { env });
        await run(['tail', '--after=start', '--no-follow', ...to], { env });
      }
    }
    await run(['send', ...to, ...event], { env: { EVENT_HUB_API_KEY_FILE: file } });
    await run(['send', ...to, ...event], {
      env: { EVENT_HUB_API_KEY_FILE: file, EVENT_HUB_API_KEY: unknown },
    });
    const nowhere = ['--url=http://127.0.0.1:9', '--grpc-url=127.0.0.1:9', '--wait=0s'];
    await run(['send', ...nowhere, ...event], { env: { EVENT_HUB_API_KEY: unknown } });
  });

  it('by a setting that cannot be used', async () => {
    const wrong = secret('a password in a setting that is no URL');
    const part = encodeURIComponent(wrong);
    const logs = [
      `redis://hub:${part}@no host:6379`,
      `redis://hub:${wrong}@127.0.0.1:6379`,
      `redis://hub:${part}@127.0.0.1:99999`,
      `redis://hub:${part}@127.0.0.1:9/x?stream=`,
      `rabbit://hub:${part}@127.0.0.1:5672`,
      `kafka://hub:${part}@127.0.0.1:9`,
      `redis//hub:${part}@127.0.0.1:6379`,
      `hub:${part}@127.0.0.1:6379`,
    ];
    for (const log of logs) {
      await run(['config', 'print'], { env: { EVENT_HUB_LOG: log } });
      await run(['serve', '--http-port=0', '--grpc-port=0', `--log=${log}`]);
      await run(['doctor', '--http-port=0', '--grpc-port=0', `--log=${log}`]);
    }
    for (const store of [`mongodb://hub:${part}@`, `postgres://hub:${part}@127.0.0.1/hub`]) {
      await run(['serve', '--http-port=0', '--grpc-port=0', `--store=${store}`]);
    }
    const json = join(folder.path, 'event-hub.json');
    writeFileSync(json, JSON.stringify({ log: logs[0], logs: part }));
    await run(['config', 'print', `--config=${json}`]);
    writeFileSync(json, `{ "log": "${logs[1]}", `);
    await run(['config', 'print', `--config=${json}`]);
    const short = secret('a secret that is too short');
    const env = { EVENT_HUB_AUTH_SECRET: short };
    expect((await run(['serve', '--http-port=0', '--grpc-port=0'], { env })).code).toBe(2);
    await run(['config', 'print'], { env });
    await run(['config', 'print'], { env: { EVENT_HUB_AUTH_SECRETS: short } });
    await run(['config', 'print', `--auth-secret=${short}`]);
    await run(['config', 'print'], { env: { EVENT_HUB_LOGG: `redis://hub:${part}@127.0.0.1` } });
  });

  it('by an engine that refuses its password', async () => {
    const refused = (url: string) => {
      const wrong = new URL(url);
      wrong.password = encodeURIComponent(secret('a password that an engine refuses'));
      return wrong.href;
    };
    const ports = ['--http-port=0', '--grpc-port=0'];
    for (const flag of [`--log=${refused(engines.log)}`, `--store=${refused(engines.store)}`]) {
      await commands(['doctor', ...ports, flag], ['keys', 'list', flag], ['log', 'adopt', flag]);
      const ended = await run(['serve', ...ports, flag]);
      expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('refuses') });
    }
  });

  it('by a hub whose password an engine refuses from then on', async () => {
    const log = new URL(engines.log);
    log.username = 'turned-out';
    const rules = ['on', `>${secret('the password of Redis')}`, '~*', '&*', '+@all'];
    await command(redis.url, 'ACL', 'SETUSER', log.username, ...rules);
    const roles = 'http,grpc,readers';
    const waiting = await startHubProcess({ ...engines, log: log.href }, roles, loudly);
    await command(redis.url, 'ACL', 'SETUSER', log.username, 'resetpass');
    await command(redis.url, 'CLIENT', 'KILL', 'USER', log.username);
    await vi.waitFor(async () => {
      const { status, text } = await waiting.readiness();
      spoken.add('/readyz', text);
      expect({ status, text }).toMatchObject({
        status: 503,
        text: expect.stringContaining('refuses'),
      });
    }, 30_000);
    for (const shown of shownWays.slice(0, 8)) await callEverything(waiting, shown, spoken);
    await endAndHear(waiting);
  });

  it('by a hub whose engines have gone', async () => {
    await Promise.all([redis.stop(), mongo.stop()]);
    await expect.poll(async () => (await hub.readiness()).status).toBe(503);
    for (const shown of shownWays.slice(0, 8)) await callEverything(hub, shown, spoken);
    await commands(
      ['doctor', '--http-port=0', '--grpc-port=0'],
      ['keys', 'list'],
      ['keys', 'create', '--name=late', '--scopes=admin'],
      ['events', '--limit=1'],
      ['metrics', 'verify'],
    );
  });

  it('by a hub whose file was removed', async () => {
    const url = `sqlite:${join(folder.path, 'event-hub.db')}`;
    const small = await startHubProcess({ log: url, store: url }, 'http,grpc,readers', loudly);
    for (const name of ['event-hub.db', 'event-hub.db-wal', 'event-hub.db-shm']) {
      rmSync(join(folder.path, name), { force: true });
    }
    for (const shown of shownWays.slice(0, 8)) await callEverything(small, shown, spoken);
    await endAndHear(small);
  });

  it('in all that was said', async () => {
    await endAndHear(hub);
    // What was searched is what there was to say.
    expect(spoken.has('"audit":"credential_refused"')).toBe(true);
    expect(spoken.has('"audit":"key_used"')).toBe(true);
    expect(spoken.has('"code":"unauthenticated"')).toBe(true);
    expect(spoken.has('redis://event-hub:***@')).toBe(true);
    expect(spoken.has('event_hub_http_requests_total')).toBe(true);
    expect(spoken.size.pieces).toBeGreaterThan(1_000);
    expect(spoken.find(planted)).toEqual(
      expect.arrayContaining([
        'in an answer, as it is: GET /livez with an odd parameter',
        'in the log, as it is: a log',
      ]),
    );
    expect(spoken.find(secrets)).toEqual([]);
  });
});

/** Every route and every call with this credential, and some that are wrong in themselves. */
async function callEverything(
  hub: Pick<HubProcess, 'url' | 'grpcAddress'>,
  shown: Readonly<Record<string, string>>,
  spoken: Spoken,
): Promise<void> {
  const { url } = hub;
  const json = { 'content-type': 'application/json', ...shown };
  for (const operation of Object.keys(httpNeeds)) {
    const [method = '', path = ''] = operation.split(' ');
    const target = path === '/events/stream' ? `${path}?follow=false` : path;
    for (const body of method === 'POST' ? ['{"user_id":', '{}', '[]'] : [undefined]) {
      const asking = fetch(url + target, {
        method,
        headers: json,
        signal: AbortSignal.timeout(20_000),
        ...(body === undefined ? {} : { body }),
      });
      await spoken.answer(operation, asking);
    }
  }
  for (const query of [
    '{ lastEvents { id } }',
    '{ nope(a: 1) }',
    '{ __schema { types { name } } }',
  ]) {
    const body = JSON.stringify({ query });
    await spoken.answer(query, fetch(`${url}/graphql`, { method: 'POST', headers: json, body }));
  }
  const head = Object.entries(shown).map(([name, text]) => `${name}: ${text}\r\n`);
  for (const rest of ['Host: hub\r\nConnection: close\r\n\r\n', 'Host : bad\r\n\r\n']) {
    const { all } = await sendRaw(url, `GET /events HTTP/1.1\r\n${head.join('')}${rest}`);
    spoken.add('raw HTTP', all);
    const twice = await sendRaw(
      url,
      `GET /events HTTP/1.1\r\n${head.join('')}${head.join('')}${rest}`,
    );
    spoken.add('raw HTTP, twice', twice.all);
  }
  await callGrpc(hub.grpcAddress, shown, spoken);
  await callSocket(url, shown, spoken);
}

async function callGrpc(
  address: string,
  metadata: Readonly<Record<string, string>>,
  spoken: Spoken,
): Promise<void> {
  const client = new GrpcClient(address);
  const service = 'event_hub.v1.EventService/';
  const unary = Object.keys(grpcNeeds).filter(
    (path) => path.startsWith(service) && !/SendEvents$|StreamEvents$/.test(path),
  );
  for (const path of unary) {
    for (const request of [Buffer.alloc(0), Buffer.from([0x0a, 0x02, 0xff, 0xfe])]) {
      try {
        const answer = await client.callRaw(`/${path}`, request, { metadata, deadlineMs: 20_000 });
        spoken.add(path, JSON.stringify(answer));
      } catch (reason) {
        const { code, details, metadata: trailers } = reason as ServiceError;
        const bytes = trailers.get('grpc-status-details-bin').map(String).join();
        spoken.add(path, `${code} ${details} ${JSON.stringify(trailers.toJSON())} ${bytes}`);
      }
    }
  }
  client.close();
}

async function callSocket(
  url: string,
  payload: Readonly<Record<string, string>>,
  spoken: Spoken,
): Promise<void> {
  const openings = [
    { type: 'connection_init', payload },
    { type: 'connection_init', payload: Object.values(payload).join() },
    { type: 'subscribe', id: '1', payload },
    { ...payload },
  ];
  for (const opening of openings) {
    const { socket, send, next, closed } = await openSocket(url);
    send(opening);
    const first = await next().catch(() => undefined);
    if (first?.type === 'connection_ack') {
      send({ type: 'subscribe', id: '1', payload: { query: '{ lastEvents { id } }' } });
      spoken.add('a WebSocket', JSON.stringify(await next()));
      send({ type: 'connection_init', payload });
    }
    spoken.add('a WebSocket', `${JSON.stringify(first)} ${JSON.stringify(await closed)}`);
    socket.terminate();
  }
}

/** A user of each engine, and URLs that name it. */
async function withPasswords(
  redis: RedisServer,
  mongo: MongoServer,
): Promise<{ readonly log: string; readonly store: string }> {
  const [ofRedis, ofMongo] = [secret('the password of Redis'), secret('the password of MongoDB')];
  const rules = ['on', `>${ofRedis}`, '~*', '&*', '+@all'];
  await command(redis.url, 'ACL', 'SETUSER', 'event-hub', ...rules);
  const client = new MongoClient(mongo.url);
  await client.db('admin').command({ createUser: 'event-hub', pwd: ofMongo, roles: ['root'] });
  await client.close();
  const user = (pwd: string) => `//event-hub:${encodeURIComponent(pwd)}@`;
  const store = mongo.urlOf('event_hub').replace('//', user(ofMongo));
  return { log: redis.url.replace('//', user(ofRedis)), store: `${store}&authSource=admin` };
}
