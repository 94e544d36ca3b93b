import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { eraseRedis } from '../../../src/log/redis/erase-redis.ts';
import { examineRedis } from '../../../src/log/redis/examine-redis.ts';
import { anEvent, someEvents } from '../../support/build-event.ts';
import { freshName, sharedRedis } from '../../support/engines/shared-engines.ts';
import { describeWithEngines } from '../../support/needed-program.ts';
import { command, openLog } from '../../support/redis-harness.ts';
import { positionOf, readAll } from '../event-log.suite.ts';

describeWithEngines('the upkeep of a log in Redis', ['redis'], () => {
  let server: string;
  let stream: string;
  let url: string;

  beforeEach(async () => {
    server = await sharedRedis();
    stream = freshName('events');
    url = `${server}/0?stream=${stream}`;
  });
  afterEach(async () => {
    await command(server, 'DEL', stream, `${stream}:hub`, `${stream}:ids`);
  });

  const keys = () => command(server, 'EXISTS', stream, `${stream}:hub`, `${stream}:ids`);
  const open = async (options = {}) => {
    const log = await openLog(url, options);
    onTestFinished(() => log.close());
    return log;
  };

  it('erases everything, and the next log is another one', async () => {
    const first = await open();
    const [appended] = (await first.append([{ events: [anEvent()], atomic: false }])).flat();
    await first.close();
    await expect.poll(() => eraseRedis(url).then(() => 'done', String)).toBe('done');
    expect(await keys()).toBe(0);
    const second = await open();
    await second.append([{ events: someEvents(2), atomic: false }]);
    await expect(readAll(second, positionOf(appended))).rejects.toMatchObject({
      code: 'position_gone',
    });
  });

  it('erases nothing while a hub runs on it', async () => {
    const log = await open();
    await log.append([{ events: [anEvent()], atomic: false }]);
    await expect(eraseRedis(url)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('stop it first'),
    });
    expect(await keys()).toBe(3);
    expect(await examineRedis(url)).toContainEqual({
      state: 'ok',
      name: 'hubs',
      detail: '1 running on the log',
    });
  });

  it('does not take a command beside a hub for one', async () => {
    const hub = await open();
    await hub.append([{ events: [anEvent()], atomic: false }]);
    await hub.close();
    const beside = await open({ exclusive: false });
    expect(await readAll(beside)).toHaveLength(1);
    await expect.poll(() => eraseRedis(url).then(() => 'done', String)).toBe('done');
  });

  it('finds nothing to erase where no log is', async () => {
    await expect(eraseRedis(url)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('erases nothing that no hub made', async () => {
    await command(server, 'XADD', stream, '*', 'a', 'b');
    await expect(eraseRedis(url)).rejects.toMatchObject({ code: 'conflict' });
    expect(await keys()).toBe(1);
    expect(await examineRedis(url)).toContainEqual({
      state: 'fail',
      name: 'stream',
      detail: expect.stringContaining('no hub made'),
    });
  });

  it('examines a server without changing anything', async () => {
    const findings = await examineRedis(url);
    expect(findings.map(({ name }) => name)).toEqual([
      ...['redis', 'durability', 'memory', 'rights', 'stream', 'hubs', 'clock'],
    ]);
    expect(findings.filter(({ state }) => state === 'fail')).toEqual([]);
    expect(await keys()).toBe(0);
    const log = await open();
    await log.append([{ events: someEvents(3), atomic: false }]);
    const stream = (await examineRedis(url)).find(({ name }) => name === 'stream');
    expect(stream?.detail).toMatch(/has 3 entries, nothing trimmed/);
  });

  it('examines a server that is not there', async () => {
    expect(await examineRedis('redis://:secret@127.0.0.1:1')).toEqual([
      { state: 'fail', name: 'redis', detail: expect.stringMatching(/^((?!secret).)*$/) },
    ]);
  });

  it('reads beside a hub without a right to write', async () => {
    const hub = await open();
    await hub.append([{ events: someEvents(3), atomic: false }]);
    const name = freshName('reader');
    const rules = ['on', '>pw', `~${stream}`, `~${stream}:*`, '-@all', '+type', '+hmget'];
    await command(server, 'ACL', 'SETUSER', name, ...rules, '+xrange', '+xrevrange', '+xread');
    onTestFinished(() => command(server, 'ACL', 'DELUSER', name).then(() => undefined));
    const reader = await openLog(url.replace('redis://', `redis://${name}:pw@`), {
      exclusive: false,
    });
    onTestFinished(() => reader.close());
    expect(await readAll(reader)).toHaveLength(3);
    await expect(reader.check()).rejects.toMatchObject({ code: 'unavailable' });
  });
});
