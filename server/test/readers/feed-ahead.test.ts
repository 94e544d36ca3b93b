import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { type Cell, packEvent } from '../../src/engines/sqlite/event-rows.ts';
import {
  acquireSqliteEngine,
  releaseSqliteEngine,
} from '../../src/engines/sqlite/shared-engine.ts';
import { openSqliteLog } from '../../src/log/sqlite/sqlite-log.ts';
import { LiveFeed } from '../../src/readers/live-feed.ts';
import { someEvents } from '../support/build-event.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

it('a feed that begins while a commit is in the file and not yet heard of has all of it', async () => {
  const folder = temporaryFolder();
  const url = `sqlite:${join(folder.path, 'hub.db')}`;
  const options = { exclusive: true, keepMs: 0, allowWeakDurability: false };
  const log = await openSqliteLog(url, options);
  const engine = await acquireSqliteEngine({ url, exclusive: true });
  const feed = new LiveFeed({ log, clock: systemClock, logger: silentLogger });
  const [first, ahead, after] = [someEvents(20), someEvents(25), someEvents(5)];
  const append = (events: typeof first) => log.append([{ events, atomic: false }]);
  const leaving = new AbortController();
  try {
    const [appended = []] = await append(first);
    const last = appended.at(-1);
    if (last?.status !== 'accepted') throw new Error('nothing was appended');
    // The writer has it on disk, and its answer is on its way.
    const cells: Cell[] = [];
    for (const event of ahead) packEvent(event, cells);
    await engine.writer.call('append', cells, [ahead.length]);
    const seen: string[] = [];
    const batches = feed.subscribe({
      filter: {},
      from: last.position,
      follow: true,
      signal: leaving.signal,
    });
    for await (const { entries, caughtUp } of batches) {
      for (const { event } of entries) seen.push(event.id);
      if (caughtUp) await append(after);
      if (seen.at(-1) === after.at(-1)?.id) break;
    }
    expect(seen).toEqual([...ahead, ...after].map(({ id }) => id));
  } finally {
    leaving.abort();
    feed.close();
    await releaseSqliteEngine(engine);
    await log.close();
    folder.remove();
  }
});
