import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import type { EventLog } from '../../../src/log/event-log.ts';
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
      ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
    );
  const append = (log: EventLog) => log.append([{ events: [anEvent()], atomic: false }]);
  const appendsAgain = (log: EventLog) =>
    expect.poll(() => append(log).catch(() => 'refused')).not.toBe('refused');
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
    expect(await refusal(server.url)).toMatch(/^conflict: .*asks for a password/);
    const wrong = await refusal(urlOf('default', 'not-the-secret'));
    expect(wrong).toMatch(/^conflict: .*refuses the user or the password/);
    expect(wrong).not.toContain('not-the-secret');
  });

  it.each([
    ['a user that is not there', () => urlOf('nobody'), /refuses the user or the password/],
    ['a password where there is none', () => urlOf(''), /has no password, and the URL has one/],
    ['a database that is not there', () => `${server.url}/99`, /has no database of the number/],
  ])('is refused for good with %s', async (_, url, reason) => {
    const message = await refusal(url());
    expect(message).toMatch(/^conflict: /);
    expect(message).toMatch(reason);
    expect(message).not.toContain(secret);
  });

  it('is not refused for good while the server has no room for another client', async () => {
    const client = createClient({ url: server.url });
    await client.connect();
    onTestFinished(() => client.destroy());
    await client.sendCommand(['CONFIG', 'SET', 'maxclients', '1']);
    expect(await refusal(server.url)).toMatch(/^unavailable: .*raise maxclients/);
    await client.sendCommand(['CONFIG', 'SET', 'maxclients', '10000']);
    await useOnce(server.url);
  });

  it('that is lost while the log is in use is tried for until it is given back', async () => {
    await setUser('hub', hubRules);
    const log = await openLog(urlOf('hub'));
    onTestFinished(() => log.close());
    await append(log);
    await command(server.url, 'ACL', 'SETUSER', 'hub', 'resetpass', '>another');
    await command(server.url, 'CLIENT', 'KILL', 'USER', 'hub');
    await expect
      .poll(() => append(log).catch(({ code, message }) => `${code}: ${message}`))
      .toMatch(/^unavailable: .*refuses the user or the password/);
    await setUser('hub', hubRules);
    await appendsAgain(log);
  });

  it('to a command that is taken away while the log is in use is missed as an outage is', async () => {
    await setUser('hub', hubRules);
    const log = await openLog(urlOf('hub'));
    onTestFinished(() => log.close());
    await append(log);
    await command(server.url, 'ACL', 'SETUSER', 'hub', '-xadd');
    await expect(append(log)).rejects.toMatchObject({ code: 'unavailable' });
    await command(server.url, 'ACL', 'SETUSER', 'hub', '-evalsha');
    await expect(append(log)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('grant +evalsha'),
    });
    await command(server.url, 'ACL', 'SETUSER', 'hub', '+xadd', '+evalsha');
    await appendsAgain(log);
    expect(await readAll(log)).toHaveLength(2);
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
      expect(message).toMatch(/^conflict: /);
      expect(message).toContain(rule);
      expect(message).not.toContain(secret);
    }
    await setUser(
      'hub',
      hubRules.filter((rule) => rule !== '~events:ids'),
    );
    expect(await refusal(urlOf('hub'))).toMatch(/grant .*~events ~events:hub ~events:ids$/);
    expect(await command(server.url, 'DBSIZE')).toBe(0);
  });

  it('names all rights on the keys at once, those that are needed first too', async () => {
    const onKeys = hubRules.slice(hubRules.indexOf('+type'));
    await setUser(
      'hub',
      hubRules.filter((rule) => !onKeys.includes(rule)),
    );
    const message = await refusal(urlOf('hub'));
    expect(onKeys.filter((rule) => !message.includes(rule))).toEqual([]);
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
    'rediss://u:secret@h/0?ca=/no/such/file',
    'redis://u:secret@h/0?ca=cert.pem',
    'redis://u:secret%@h',
    'redis://u:se/secret@h',
    'redis://u?secret@h',
    'redis://u:se#secret@h',
  ])('refuses %s before it connects', async (url) => {
    const message = await refusal(url);
    expect(message).toMatch(/^invalid: EVENT_HUB_LOG is no usable Redis URL/);
    expect(message).not.toContain('secret');
  });
});

describeWith('a connection by TLS', 'openssl', (openssl) => {
  describeWithOwnEngines('to Redis', ['redis'], () => {
    it('trusts the certificates that the URL names and no others, and shows the one that it names', async () => {
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

      const warned = vi.fn();
      process.on('warning', warned);
      onTestFinished(() => void process.off('warning', warned));
      const url = `rediss://localhost:${port}`;
      await expect(openLog(url)).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringMatching(/certificate/),
      });
      for (const host of ['localhost', '127.0.0.1']) {
        const log = await openLog(`rediss://${host}:${port}?ca=${certificate}`);
        await log.append([{ events: [anEvent()], atomic: false }]);
        await log.close();
      }
      expect(await command(server.url, 'XLEN', 'events')).toBe(2);

      // As Redis has it by default: who shows no certificate that it trusts is not let in.
      await command(server.url, 'CONFIG', 'SET', 'tls-auth-clients', 'yes');
      await expect(openLog(`${url}?ca=${certificate}`)).rejects.toMatchObject({
        code: 'unavailable',
      });
      const shown = await openLog(`${url}?ca=${certificate}&cert=${certificate}&key=${key}`);
      await shown.append([{ events: [anEvent()], atomic: false }]);
      await shown.close();
      expect(await command(server.url, 'XLEN', 'events')).toBe(3);
      expect(warned).not.toHaveBeenCalled();
    });
  });
});
