import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { eraseRedis } from '../../../src/log/redis/erase-redis.ts';
import { examineRedis } from '../../../src/log/redis/examine-redis.ts';
import { anEvent } from '../../support/build-event.ts';
import { freeEnginePort } from '../../support/engines/engine-process.ts';
import { type RedisServer, startRedisServer } from '../../support/engines/redis-server.ts';
import { describeWith, describeWithOwnEngines } from '../../support/needed-program.ts';
import { command, openLog } from '../../support/redis-harness.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { readAll } from '../event-log.suite.ts';

/** All that a hub needs of Redis, for the stream `events`; `+select` where the URL names another database than 0. */
const hubRules = [
  ...['~events', '~events:hub', '~events:ids', '-@all'],
  ...['+evalsha', '+script|load', '+config|get', '+info', '+client|setname'],
  ...['+type', '+exists', '+hget', '+hmget', '+hset', '+hdel'],
  ...['+xadd', '+xrange', '+xrevrange', '+xread', '+xtrim'],
];
/** And for `event-hub doctor` and `event-hub reset` besides. */
const upkeepRules = ['+client|list', '+time', '+xlen', '+unlink'];

describeWithOwnEngines('access to Redis', ['redis'], () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.remove());
  beforeEach(async () => {
    await command(server.url, 'FLUSHALL');
  });

  const secret = 'p@ss/w:rd';
  const urlOf = (user: string, password = secret) =>
    server.url.replace('redis://', `redis://${user}:${encodeURIComponent(password)}@`);
  const setUser = (name: string, rules: readonly string[]) =>
    command(server.url, 'ACL', 'SETUSER', name, 'reset', 'on', `>${secret}`, ...rules);
  const refusal = async (url: string) =>
    await openLog(url).then(
      async (log) => {
        await log.close();
        return 'it opened';
      },
      (reason: Error) => reason.message,
    );
  const useOnce = async (url: string) => {
    const log = await openLog(url);
    onTestFinished(() => log.close());
    await log.append([{ events: [anEvent()], atomic: false }]);
    await log.check();
    const end = await log.end();
    expect(end).toBeDefined();
    if (end !== undefined) await log.trim(end);
    expect(await readAll(log)).toHaveLength(1);
    const abort = new AbortController();
    const read = log.read({ from: 'start', follow: true, limit: 5, signal: abort.signal });
    expect((await read[Symbol.asyncIterator]().next()).value).toHaveLength(1);
    abort.abort();
    await log.close();
  };

  it('needs a password where the server asks for one', async () => {
    await command(server.url, 'CONFIG', 'SET', 'requirepass', secret);
    const withPassword = urlOf('');
    onTestFinished(async () => {
      await command(withPassword, 'CONFIG', 'SET', 'requirepass', '');
    });
    await useOnce(withPassword);
    expect(await refusal(server.url)).toMatch(/asks for a password/);
    const wrong = await refusal(urlOf('default', 'not-the-secret'));
    expect(wrong).toMatch(/refuses the user or the password/);
    expect(wrong).not.toContain('not-the-secret');
  });

  it('needs these rights and no others', async () => {
    await setUser('hub', hubRules);
    await command(server.url, 'ACL', 'LOG', 'RESET');
    await useOnce(urlOf('hub'));
    expect(await command(server.url, 'ACL', 'LOG')).toEqual([]);
  });

  it('needs +select for another database', async () => {
    await setUser('hub', [...hubRules, '+select']);
    await useOnce(`${urlOf('hub')}/3`);
    expect(await command(server.url, 'EXISTS', 'events')).toBe(0);
  });

  it('names each right that is missing, before anything is written', async () => {
    const commands = hubRules.filter((rule) => rule.startsWith('+'));
    for (const rule of commands) {
      await setUser(
        'hub',
        hubRules.filter((other) => other !== rule),
      );
      const message = await refusal(urlOf('hub'));
      expect(message).toContain(rule);
      expect(message).not.toContain(secret);
    }
    await setUser(
      'hub',
      hubRules.filter((rule) => rule !== '~events:ids'),
    );
    expect(await refusal(urlOf('hub'))).toMatch(/NOPERM|~events:ids/);
    expect(await command(server.url, 'DBSIZE')).toBe(0);
  });

  it('of doctor and reset needs a few rights more', async () => {
    await setUser('hub', [...hubRules, ...upkeepRules]);
    await useOnce(urlOf('hub'));
    const findings = await examineRedis(urlOf('hub'));
    expect(findings.filter(({ state }) => state === 'fail')).toEqual([]);
    expect(findings.map(({ detail }) => detail).join()).not.toContain('grant');
    await eraseRedis(urlOf('hub'));
    expect(await command(server.url, 'DBSIZE')).toBe(0);
    expect(JSON.stringify(findings)).not.toContain(secret);
  });

  it.each([
    'redis:///0',
    'redis://h/abc',
    'redis://h/0?strem=x',
    'redis://h/0?stream=',
    'redis://u:secret@h/0?ca=/no/such/file',
  ])('refuses %s before it connects', async (url) => {
    const message = await refusal(url);
    expect(message).toMatch(/^EVENT_HUB_LOG is no usable Redis URL/);
    expect(message).not.toContain('secret');
  });
});

describeWith('a connection by TLS', 'openssl', (openssl) => {
  describeWithOwnEngines('to Redis', ['redis'], () => {
    it('trusts the certificates that the URL names, and no others', async () => {
      const folder = temporaryFolder();
      onTestFinished(() => folder.remove());
      const [key, certificate] = [join(folder.path, 'key.pem'), join(folder.path, 'cert.pem')];
      const made = spawnSync(openssl, [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        ...['-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=localhost'],
        ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
      ]);
      expect(made.status, String(made.stderr)).toBe(0);
      const server = await startRedisServer();
      onTestFinished(() => server.remove());
      for (const [name, value] of [
        ['tls-cert-file', certificate],
        ['tls-key-file', key],
        ['tls-ca-cert-file', certificate],
        ['tls-auth-clients', 'no'],
      ] as const) {
        await command(server.url, 'CONFIG', 'SET', name, value);
      }
      const port = await freeEnginePort();
      await command(server.url, 'CONFIG', 'SET', 'tls-port', String(port));

      const url = `rediss://localhost:${port}`;
      await expect(openLog(url)).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringMatching(/certificate/),
      });
      const log = await openLog(`${url}?ca=${certificate}`);
      onTestFinished(() => log.close());
      await log.append([{ events: [anEvent()], atomic: false }]);
      expect(await readAll(log)).toHaveLength(1);
    });
  });
});
