import { describe, expect, it } from 'vitest';
import { HubError } from '../../src/base/errors.ts';
import type { AppendGroup, EventLog } from '../../src/log/event-log.ts';
import { groupCommitDefaults, withGroupCommit } from '../../src/log/group-commit.ts';
import { anEvent, someEvents } from '../support/build-event.ts';
import { sqliteLogHarness } from '../support/sqlite-harness.ts';
import { eventLogSuite, readAll } from './event-log.suite.ts';

eventLogSuite('on SQLite with group commit', () => sqliteLogHarness((log) => withGroupCommit(log)));

/** A real log whose commits can be held, watched and made to fail. */
async function watchedLog() {
  const harness = await sqliteLogHarness();
  const log = await harness.open();
  const commits: number[] = [];
  let gate: Promise<void> = Promise.resolve();
  let fail: ((groups: readonly AppendGroup[]) => Error | undefined) | undefined;
  const watched: EventLog = {
    ...log,
    append: async (groups) => {
      commits.push(groups.reduce((sum, { events }) => sum + events.length, 0));
      await gate;
      const error = fail?.(groups);
      if (error !== undefined) throw error;
      return await log.append(groups);
    },
  };
  return {
    log: watched,
    commits,
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    failWhen: (rule: typeof fail) => {
      fail = rule;
    },
    destroy: async () => {
      await log.close();
      await harness.destroy();
    },
  };
}

const single = (changes = {}) => [{ events: [anEvent(changes)], atomic: false }];

describe('group commit', () => {
  it('lets calls that arrive while a commit runs share the next one', async () => {
    const watched = await watchedLog();
    const release = watched.hold();
    const log = withGroupCommit(watched.log, { ...groupCommitDefaults, commitsMax: 1 });
    const first = log.append(single());
    await expect.poll(() => watched.commits).toEqual([1]);
    const rest = Array.from({ length: 40 }, () => log.append(single()));
    release();
    await Promise.all([first, ...rest]);
    expect(watched.commits).toEqual([1, 40]);
    await watched.destroy();
  });

  it('answers overloaded when its queue is full, and has stored nothing of that call', async () => {
    const watched = await watchedLog();
    const release = watched.hold();
    const log = withGroupCommit(watched.log, {
      ...groupCommitDefaults,
      commitsMax: 1,
      queueEventsMax: 10,
    });
    const first = log.append(single());
    await expect.poll(() => watched.commits).toEqual([1]);
    const waiting = log.append([{ events: someEvents(8), atomic: false }]);
    const refused = someEvents(3);
    await expect(log.append([{ events: refused, atomic: false }])).rejects.toMatchObject({
      code: 'overloaded',
    });
    release();
    await Promise.all([first, waiting]);
    const stored = new Set((await readAll(log)).map(({ event }) => event.id));
    expect(stored.size).toBe(9);
    expect(refused.some(({ id }) => stored.has(id))).toBe(false);
    await watched.destroy();
  });

  it('does not let one caller’s fault fail a stranger', async () => {
    const watched = await watchedLog();
    const release = watched.hold();
    watched.failWhen((groups) =>
      groups.some(({ events }) => events.some(({ userId }) => userId === 'poison'))
        ? new Error('this cannot be bound')
        : undefined,
    );
    const log = withGroupCommit(watched.log, { ...groupCommitDefaults, commitsMax: 1 });
    const first = log.append(single());
    await expect.poll(() => watched.commits).toEqual([1]);
    const good = [log.append(single()), log.append(single())];
    const bad = log.append(single({ userId: 'poison' }));
    const refused = expect(bad).rejects.toThrow('this cannot be bound');
    release();
    await Promise.all([first, ...good, refused]);
    expect(await readAll(log)).toHaveLength(3);
    await watched.destroy();
  });

  it('fails all callers of a commit when the engine does, and goes on after', async () => {
    const watched = await watchedLog();
    let broken = true;
    watched.failWhen(() => (broken ? new HubError('unavailable', 'the disk is full') : undefined));
    const log = withGroupCommit(watched.log);
    const outcomes = await Promise.allSettled([log.append(single()), log.append(single())]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    broken = false;
    await log.append(single());
    expect(await readAll(log)).toHaveLength(1);
    await watched.destroy();
  });

  it('finishes what waits before it closes', async () => {
    const harness = await sqliteLogHarness();
    const log = withGroupCommit(await harness.open());
    const appends = Array.from({ length: 20 }, () => log.append(single()));
    await log.close();
    const outcomes = await Promise.all(appends);
    expect(outcomes.flat(2).every(({ status }) => status === 'accepted')).toBe(true);
    await harness.destroy();
  });
});
