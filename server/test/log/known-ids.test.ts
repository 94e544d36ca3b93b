import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import type { NewEvent } from '../../src/event/event.ts';
import type { EventLog, LogEntry } from '../../src/log/event-log.ts';
import { withKnownIds } from '../../src/log/known-ids.ts';
import { logShard } from '../../src/log/one-shard.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { anEvent, someEvents } from '../support/build-event.ts';
import { sqliteLogHarness } from '../support/sqlite-harness.ts';
import { openSqlitePair, type SqlitePair } from '../support/sqlite-pair.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { eventLogSuite } from './event-log.suite.ts';

describe('known ids', () => {
  let pair: SqlitePair;
  let log: EventLog;
  let lines: string[];

  beforeEach(async () => {
    pair = await openSqlitePair();
    lines = [];
    const logger = pino({ base: null }, { write: (line) => lines.push(JSON.parse(line).msg) });
    log = withKnownIds(pair.log, { store: pair.store, logger });
  });
  afterEach(() => pair.remove());

  /** In the store, and not in the log: as after it was trimmed. */
  const store = async (events: readonly NewEvent[]) => {
    const entries = events.map((event, index): LogEntry => {
      const sequence = String(9_000 + index).padStart(16, '0');
      return { shard: logShard, position: `${sequence}-${logId}-00000000` as never, event };
    });
    await pair.store.record(logShard, entries);
  };
  let logId: string;
  beforeEach(async () => {
    await pair.log.append([{ events: [anEvent()], atomic: false }]);
    logId = (await pair.log.end())?.split('-')[1] ?? '';
  });
  const append = async (events: readonly NewEvent[], atomic = false) => {
    const [outcomes = []] = await log.append([{ events, atomic }]);
    return outcomes.map(({ status }) => status);
  };
  const size = async () => {
    let count = 0;
    const { signal } = new AbortController();
    const read = pair.log.read({ from: 'start', follow: false, limit: 100, signal });
    for await (const batch of read) count += batch.length;
    return count - 1;
  };

  it('answers a forgotten id as a duplicate with the first position, and other content as a conflict', async () => {
    const [known, fresh] = [anEvent(), anEvent()];
    await store([known]);
    const [outcomes = []] = await log.append([
      { events: [known, fresh, { ...known, amount: 1n }], atomic: false },
    ]);
    const position = (await pair.store.get(known.id))?.position;
    expect(outcomes[0]).toEqual({ status: 'duplicate', position });
    expect(outcomes[1]).toMatchObject({ status: 'accepted' });
    expect(outcomes[2]).toEqual({ status: 'conflict' });
    expect(await size()).toBe(1);
  });

  it('writes nothing of an atomic group with a forgotten id in conflict, and the other groups all the same', async () => {
    const known = anEvent();
    await store([known]);
    const answers = await log.append([
      { events: [anEvent(), { ...known, amount: 1n }, known], atomic: true },
      { events: [anEvent()], atomic: true },
      { events: [known, anEvent()], atomic: true },
    ]);
    expect(answers.map((group) => group.map(({ status }) => status))).toEqual([
      ['not_stored', 'conflict', 'not_stored'],
      ['accepted'],
      ['duplicate', 'accepted'],
    ]);
    expect(await size()).toBe(2);
  });

  it('answers nothing of an atomic group as stored when the log finds the conflict', async () => {
    const [forgotten, remembered] = [anEvent(), anEvent()];
    await store([forgotten]);
    await append([remembered]);
    expect(await append([forgotten, { ...remembered, amount: 1n }, anEvent()], true)).toEqual([
      'not_stored',
      'conflict',
      'not_stored',
    ]);
  });

  it('are not asked for where the hub made the id', async () => {
    const known = anEvent({ idMadeByHub: true });
    await store([known]);
    expect(await append([known])).toEqual(['accepted']);
  });

  it('do not stop ingest when the store cannot say, and that is said once', async () => {
    await pair.store.close();
    expect(await append(someEvents(3))).toEqual(['accepted', 'accepted', 'accepted']);
    expect(await append(someEvents(1))).toEqual(['accepted']);
    expect(lines).toHaveLength(1);
  });
});

eventLogSuite('with known ids', async () => {
  const folder = temporaryFolder();
  const url = `sqlite:${folder.path}/store.db`;
  const store = await openSqliteStore(url, { exclusive: true });
  const harness = await sqliteLogHarness((log) =>
    withKnownIds(log, { store, logger: silentLogger }),
  );
  const destroy = async () => {
    await store.close();
    folder.remove();
    await harness.destroy();
  };
  return { ...harness, destroy };
});
