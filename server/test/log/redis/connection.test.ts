import { afterAll, afterEach, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import type { NewEvent } from '../../../src/event/event.ts';
import type { EventLog, ReadOptions } from '../../../src/log/event-log.ts';
import { anEvent, someEvents } from '../../support/build-event.ts';
import { type CutProxy, startCutProxy } from '../../support/cut-proxy.ts';
import { type RedisServer, startRedisServer } from '../../support/engines/redis-server.ts';
import { describeWithOwnEngines } from '../../support/needed-program.ts';
import { command, openLog } from '../../support/redis-harness.ts';
import { readAll } from '../event-log.suite.ts';

/** Well over what one unanswered command and the way back take. */
const patience = { timeout: 20_000, interval: 20 };

describeWithOwnEngines('the connections of a log in Redis', ['redis'], () => {
  let server: RedisServer;
  let proxy: CutProxy;
  let log: EventLog;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.remove());
  beforeEach(async () => {
    await command(server.url, 'FLUSHALL');
    proxy = await startCutProxy(server.port);
    log = await openLog(`redis://127.0.0.1:${proxy.port}`);
  });
  afterEach(async () => {
    await log.close();
    await proxy.close();
  });

  const append = (...events: readonly NewEvent[]) => log.append([{ events, atomic: false }]);
  const ids = (events: readonly { readonly id: string }[]) => events.map(({ id }) => id);
  const stored = async () => ids((await readAll(log)).map(({ event }) => event));
  const works = () =>
    expect.poll(() => append(anEvent()).then(() => 'yes', String), patience).toBe('yes');

  /** Collects what a follower sees, until the test ends. */
  const follow = (from: ReadOptions['from']) => {
    const abort = new AbortController();
    const seen: string[] = [];
    const options = { from, follow: true, limit: 10, signal: abort.signal };
    const reading = (async () => {
      for await (const batch of log.read(options)) seen.push(...ids(batch.map((e) => e.event)));
    })();
    onTestFinished(async () => {
      abort.abort();
      await reading.catch(() => undefined);
    });
    return { abort, seen, reading };
  };

  it('send nothing again when one is lost after the command went out', async () => {
    const events = [anEvent({ id: 'sent-once-1' }), anEvent({ id: 'sent-once-2' })];
    proxy.onceSent('sent-once-1', () => proxy.reset());
    await expect(append(...events)).rejects.toMatchObject({
      code: 'unavailable',
      retryAfterS: expect.any(Number),
    });
    await works();
    expect(proxy.timesSent('sent-once-1')).toBe(1);
    expect((await stored()).filter((id) => id === 'sent-once-1').length).toBeLessThanOrEqual(1);
  });

  it('take a retry of a lost answer for a duplicate', async () => {
    const event = anEvent({ id: 'answer-lost' });
    proxy.onceSent('answer-lost', () => proxy.drop('to-client'));
    await expect(append(event)).rejects.toMatchObject({ code: 'unavailable' });
    proxy.heal();
    await works();
    expect(await append(event)).toMatchObject([[{ status: 'duplicate' }]]);
    expect((await stored()).filter((id) => id === 'answer-lost')).toHaveLength(1);
  });

  it('are given up when no answer comes, and replaced', async () => {
    server.pause();
    const lost = append(anEvent());
    await expect(lost).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('did not answer'),
    });
    server.resume();
    await works();
  });

  it('refuse at once while there is none', async () => {
    proxy.drop('to-server');
    proxy.reset();
    await expect
      .poll(() => append(anEvent()).catch((reason: Error) => reason.message), patience)
      .toMatch(/lost|cannot be reached/);
    proxy.heal();
    await works();
  });

  it('come back by themselves after Redis was killed, with everything acknowledged', async () => {
    const events = someEvents(50);
    await append(...events);
    await server.kill();
    await expect(append(anEvent())).rejects.toMatchObject({ code: 'unavailable' });
    await expect(log.check()).rejects.toMatchObject({ code: 'unavailable' });
    await server.start();
    await works();
    await log.check();
    expect((await stored()).slice(0, 50)).toEqual(ids(events));
  });

  it('let a follower go on without a gap or a repeat', async () => {
    const { seen } = follow('start');
    const sent: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      const events = someEvents(30);
      await expect.poll(() => append(...events).then(() => 'yes', String), patience).toBe('yes');
      sent.push(...ids(events));
      if (round % 2 === 0) proxy.reset();
      if (round === 3) await server.restart();
    }
    await expect.poll(() => seen.length, patience).toBe(sent.length);
    expect(seen).toEqual(sent);
  });

  it('stop a follower whose log was replaced behind the break', async () => {
    await append(...someEvents(3));
    const end = await log.end();
    const { seen, reading } = follow('start');
    await expect.poll(() => seen.length, patience).toBe(3);
    await command(server.url, 'FLUSHALL');
    proxy.reset();
    await expect(reading).rejects.toMatchObject({ code: 'position_gone' });
    await expect
      .poll(() => append(anEvent()).then(() => 'yes', String), patience)
      .toContain('log adopt');
    await expect
      .poll(() => readAll(log, end).catch((reason: { code: string }) => reason.code), patience)
      .toBe('position_gone');
  });

  it('stop a follower whose log was flushed under it', async () => {
    await append(...someEvents(3));
    const { seen, reading } = follow('start');
    await expect.poll(() => seen.length, patience).toBe(3);
    await command(server.url, 'FLUSHALL');
    await expect(reading).rejects.toMatchObject({ code: 'position_gone' });
  });

  it('notice a log that went back to an older state', async () => {
    await append(...someEvents(3));
    // As a backup from before the last event would be: the same log, without its newest entry.
    const [[newest] = ['']] = (await command(
      server.url,
      'XREVRANGE',
      'events',
      '+',
      '-',
      'COUNT',
      '1',
    )) as [string][];
    await command(server.url, 'XDEL', 'events', newest);
    proxy.reset();
    await expect
      .poll(() => append(anEvent()).then(() => 'yes', String), patience)
      .toContain('log adopt');
  });

  it('are apart for each follower, so that none waits behind another', async () => {
    const followers = [follow('end'), follow('end'), follow('end')];
    // Their starts are fixed before this answer.
    await readAll(log);
    const event = anEvent();
    await append(event);
    for (const { seen } of followers) await expect.poll(() => seen, patience).toEqual([event.id]);
  });

  it('end with the signal, also while they wait in Redis', async () => {
    const clients = async () =>
      String(await command(server.url, 'CLIENT', 'LIST')).split('cmd=xread').length - 1;
    const { abort, reading } = follow('start');
    await expect.poll(clients, patience).toBe(1);
    abort.abort();
    await reading;
    await expect.poll(clients, patience).toBe(0);
  });

  it('end with the log, which says so to a follower', async () => {
    const { reading } = follow('start');
    await readAll(log);
    const ended = expect(reading).rejects.toMatchObject({ code: 'unavailable' });
    await log.close();
    await ended;
    await expect
      .poll(async () => String(await command(server.url, 'CLIENT', 'LIST')), patience)
      .not.toContain('cmd=xread');
    await expect(append(anEvent())).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('refuse to open where no server is, naming it without its password', async () => {
    const refused = await openLog('redis://hub:secret@127.0.0.1:1/2?stream=x').catch(
      (reason: Error) => reason,
    );
    expect(refused).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('redis://127.0.0.1:1/2'),
    });
    expect(String(refused)).not.toContain('secret');
  });
});
