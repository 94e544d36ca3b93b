import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { openSource } from '../../src/cli/copy/open-source.ts';
import { openTarget } from '../../src/cli/copy/open-target.ts';
import { runCopy } from '../../src/cli/copy/run-copy.ts';
import type { Source } from '../../src/cli/copy/source.ts';
import { openRedisLog } from '../../src/log/redis/redis-log.ts';
import { eraseEngines } from '../../src/main/engines.ts';
import { someEvents } from '../support/build-event.ts';
import { append, trimRedis } from '../support/fill-place.ts';
import { type Place, within } from '../support/hub-places.ts';
import { describeWithEngines } from '../support/needed-program.ts';
import { command } from '../support/redis-harness.ts';
import { runCli } from '../support/run-cli.ts';
import { serverEngines } from '../support/server-settings.ts';
import { startTestHub } from '../support/start-test-hub.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { testSettings } from '../support/test-settings.ts';
import { copyArgs, stored } from './copy.suite.ts';

describeWithEngines('event-hub copy from Redis or MongoDB', ['redis', 'mongo'], () => {
  let folder: TemporaryFolder;
  let source: Place;
  let target: Place;

  beforeEach(async () => {
    folder = temporaryFolder();
    const url = `sqlite:${join(folder.path, 'hub.db')}`;
    target = { log: url, store: url, destroy: async () => undefined };
    const engines = await serverEngines();
    const destroy = () => eraseEngines(testSettings('/', engines));
    source = { ...engines, destroy };
  });
  afterEach(async () => {
    await source.destroy().catch(() => undefined);
    folder.remove();
  });

  const copyFrom = (url: string) => runCli(['copy', '--from', url, '--to', target.log]);

  it.each(['readers', 'http'] as const)(
    'is refused while a hub of the role %s runs there',
    async (role) => {
      const { log, store } = source;
      const hub = await startTestHub({ log, store, roles: new Set([role]) });
      onTestFinished(() => hub.remove());
      for (const args of [
        copyArgs(source, target),
        ['copy', '--from', store, '--to', target.log],
      ]) {
        const result = await runCli(args);
        expect(result).toMatchObject({ code: 2 });
        expect(result.stderr).toContain('a hub runs on the source');
      }
      await hub.stop();
      expect(await runCli(copyArgs(source, target))).toMatchObject({ code: 0 });
    },
  );

  it('takes what the log has removed from the store, in order', async () => {
    const sent = someEvents(150);
    await append(source, sent);
    await trimRedis(source.log);
    const alone = await copyFrom(source.log);
    expect(alone.code).toBe(2);
    expect(alone.stderr).toContain('--from-store');
    expect(await runCli(copyArgs(source, target))).toMatchObject({ code: 0 });
    expect((await stored(target)).map(({ id }) => id)).toEqual(sent.map(({ id }) => id));
  });

  it('copies a store alone in its order', async () => {
    const sent = someEvents(1_500);
    await append(source, sent);
    expect(await copyFrom(source.store)).toMatchObject({ code: 0 });
    expect((await stored(target)).map(({ id }) => id)).toEqual(sent.map(({ id }) => id));
    expect((await copyFrom(source.store)).stderr).toContain('0 events copied');
  });

  it('copies a log alone, what cannot be read in it included', async () => {
    const sent = someEvents(5);
    await append(source, sent);
    const stream = new URL(source.log).searchParams.get('stream') ?? '';
    await command(source.log, 'XADD', stream, '*', 'note', 'hello');
    const copied = await copyFrom(source.log);
    expect(copied).toMatchObject({ code: 0 });
    expect(await copyFrom(source.log)).toMatchObject({ code: 0 });
    expect((await stored(target)).map(({ id }) => id)).toEqual(sent.map(({ id }) => id));
    const unreadable = await within(target, ({ store }) => store.unreadableEntries(10));
    expect(unreadable).toHaveLength(1);
    expect(unreadable[0]?.raw).toContain('hello');
  });

  it('is refused of a log alone that is not there', async () => {
    const { code, stderr } = await copyFrom(source.log);
    expect(code).toBe(2);
    expect(stderr).toContain('has no log with an event in it');
    expect(existsSync(target.log.replace('sqlite:', ''))).toBe(false);
  });

  it('is refused while the log grows', async () => {
    await append(source, someEvents(3));
    const settings = testSettings('/', target);
    const urls = { log: source.log, store: source.store };
    const opened = await openSource({ urls, settings, alone: true });
    const growing: Source = {
      ...opened,
      read: async function* (after, signal) {
        yield* opened.read(after, signal);
        await append(source, someEvents(1));
      },
    };
    const destination = await openTarget(settings);
    const run = { source: growing, target: destination, follow: false, clock: systemClock };
    const state = { added: 0, known: 0, conflicts: 0, unreadable: 0, total: undefined, phase: '' };
    const signal = new AbortController().signal;
    await expect(runCopy({ ...run, signal, say: () => undefined }, state)).rejects.toThrow(
      /takes writes: .* --follow/,
    );
    await Promise.all([opened.close(), destination.close()]);
  });

  it('completes the store of the source first, where its hub was stopped before', async () => {
    await append(source, someEvents(3));
    const log = await openRedisLog(source.log, { exclusive: true });
    await log.append([{ events: someEvents(4), atomic: false }]);
    await log.close();
    const { code, stderr } = await runCli(copyArgs(source, target));
    expect(stderr).toContain('7 events copied');
    expect(code).toBe(0);
  });
});
