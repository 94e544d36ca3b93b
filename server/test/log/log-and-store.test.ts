import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NewEvent } from '../../src/event/event.ts';
import { hasSameContent } from '../../src/event/event.ts';
import { withGroupCommit } from '../../src/log/group-commit.ts';
import { openSqliteLog } from '../../src/log/sqlite/sqlite-log.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { anEvent } from '../support/build-event.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { readAll } from './event-log.suite.ts';

const noon = Date.UTC(2026, 5, 30, 12, 0, 0);

/** Few ids, so that duplicates and conflicts are common. */
const eventArbitrary = fc
  .record({
    id: fc.integer({ min: 1, max: 12 }),
    amount: fc.constantFrom(0n, 1n, 999_999_999_999_999_999n),
    eventType: fc.constantFrom('purchase', 'refund'),
    minute: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ id, amount, eventType, minute }) =>
    anEvent({ id: `id-${id}`, amount, eventType, timestamp: noon + minute * 60_000 + 17 }),
  );

const groupArbitrary = fc.record({
  events: fc.array(eventArbitrary, { minLength: 1, maxLength: 6 }),
  atomic: fc.boolean(),
});

const commandArbitrary = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ append: fc.array(groupArbitrary, { minLength: 1, maxLength: 4 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ reopen: true as const }) },
  { weight: 2, arbitrary: fc.record({ remove: fc.integer({ min: 1, max: 5 }) }) },
);

/** What a log and its store should hold, in the plainest way. */
class Model {
  readonly events: NewEvent[] = [];
  /** How many of the first ones retention has removed. */
  removed = 0;

  append(events: readonly NewEvent[], atomic: boolean): readonly string[] {
    const added: NewEvent[] = [];
    const statuses = events.map((event) => {
      const first = [...this.events, ...added].find(({ id }) => id === event.id);
      if (first === undefined) {
        added.push(event);
        return 'accepted';
      }
      return hasSameContent(first, event) ? 'duplicate' : 'conflict';
    });
    if (atomic && statuses.includes('conflict')) {
      return statuses.map((status) => (status === 'conflict' ? status : 'not_stored'));
    }
    this.events.push(...added);
    return statuses;
  }

  /** Never the newest. */
  remove(limit: number): number {
    const count = Math.max(0, Math.min(limit, this.events.length - this.removed - 1));
    this.removed += count;
    return count;
  }

  total(): bigint {
    return this.events.reduce((sum, { amount }) => sum + amount, 0n);
  }
}

describe('log and store in one file', () => {
  it('agree with a plain model over any appends, removals and restarts', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(commandArbitrary, { minLength: 1, maxLength: 8 }),
        async (commands) => {
          const folder = temporaryFolder();
          const url = `sqlite:${folder.path}/hub.db`;
          const open = async () => ({
            log: withGroupCommit(await openSqliteLog(url, { exclusive: true })),
            store: await openSqliteStore(url, { exclusive: true }),
          });
          let { log, store } = await open();
          const close = async () => {
            await log.close();
            await store.close();
          };
          try {
            const model = new Model();
            for (const command of commands) {
              if ('reopen' in command) {
                await close();
                ({ log, store } = await open());
                continue;
              }
              if ('remove' in command) {
                const cut = { receivedBefore: noon * 2 };
                const removal = await store.removeOldest('0', cut, command.remove);
                expect(removal?.events ?? 0).toBe(model.remove(command.remove));
                continue;
              }
              const outcomes = await log.append(command.append);
              const expected = command.append.map(({ events, atomic }) =>
                model.append(events, atomic),
              );
              expect(outcomes.map((group) => group.map(({ status }) => status))).toEqual(expected);
            }
            const ids = (await readAll(log)).map(({ event }) => event.id);
            expect(ids).toEqual(model.events.slice(model.removed).map(({ id }) => id));
            const { buckets } = await store.aggregate({ from: 0, to: noon * 2, filter: {} });
            expect(buckets.reduce((sum, { total }) => sum + total, 0n)).toBe(model.total());
            expect(await store.verify()).toEqual([]);
          } finally {
            await close();
            folder.remove();
          }
        },
      ),
      { numRuns: 25 },
    );
  });
});
