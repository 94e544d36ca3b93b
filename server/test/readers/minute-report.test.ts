import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { openSqliteLog } from '../../src/log/sqlite/sqlite-log.ts';
import { reportMinutes, startMinuteReport } from '../../src/readers/minute-report.ts';
import { minuteOf } from '../../src/event/minute.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { someEvents } from '../support/build-event.ts';
import { manualClock } from '../support/manual-clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** A store in which something was just counted, and a logger that keeps its lines. */
async function countedHub() {
  const folder = temporaryFolder();
  const url = `sqlite:${folder.path}/hub.db`;
  const log = await openSqliteLog(url, { exclusive: true });
  const store = await openSqliteStore(url, { exclusive: true });
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const close = async () => {
    await log.close();
    await store.close();
    folder.remove();
  };
  return { log, store, logger, lines, close };
}

describe('minute report', () => {
  it('logs one line for a minute that counted something, with late events and sums', async () => {
    const hub = await countedHub();
    const now = Date.now();
    await hub.log.append([
      { events: someEvents(2, { timestamp: now, amount: 1_500_000n }), atomic: false },
      {
        events: someEvents(1, { timestamp: now - 600_000, eventType: 'refund', amount: 250_000n }),
        atomic: false,
      },
    ]);
    const clock = manualClock(minuteOf(Date.now()) + 2 * 60_000 + 5_000);
    await reportMinutes({ ...hub, clock });
    const events = hub.lines.reduce((sum, line) => sum + Number(line.events), 0);
    const late = hub.lines.reduce((sum, line) => sum + Number(line.late_events), 0);
    expect([events, late]).toEqual([3, 1]);
    expect(hub.lines.flatMap((line) => line.sums)).toEqual([
      { event_type: 'purchase', currency: 'EUR', events: 2, total: '3' },
      { event_type: 'refund', currency: 'EUR', events: 1, total: '0.25' },
    ]);
    await hub.close();
  });

  it('waits until five seconds after the end of the minute', async () => {
    const hub = await countedHub();
    await hub.log.append([{ events: someEvents(1), atomic: false }]);
    const clock = manualClock(minuteOf(Date.now()) + 2 * 60_000 + 4_999);
    // The minute may have turned while the event was counted: then it is not over yet either way.
    const [counted] = await hub.store.countedMinutes(Number.MAX_SAFE_INTEGER);
    await reportMinutes({ ...hub, clock: manualClock((counted?.minute ?? 0) + 60_000 + 4_999) });
    expect(hub.lines).toEqual([]);
    await reportMinutes({ ...hub, clock });
    expect(hub.lines).toHaveLength(1);
    await hub.close();
  });

  it('reports a minute once, also after a restart', async () => {
    const hub = await countedHub();
    await hub.log.append([{ events: someEvents(1), atomic: false }]);
    const clock = manualClock(minuteOf(Date.now()) + 3 * 60_000);
    await reportMinutes({ ...hub, clock });
    await reportMinutes({ ...hub, clock });
    expect(hub.lines).toHaveLength(1);
    await hub.close();
  });

  it('is the work of one process of all on the store', async () => {
    const hub = await countedHub();
    await hub.log.append([{ events: someEvents(1), atomic: false }]);
    const clock = manualClock(minuteOf(Date.now()) + 3 * 60_000);
    const other = await hub.store.acquireLease('minute report', 'other', 60_000);
    const stop = startMinuteReport({ ...hub, clock, holder: 'this' });
    await clock.advance(2 * 60_000);
    expect(hub.lines).toEqual([]);
    if (other !== undefined) await hub.store.releaseLease(other);
    // It asks for the lease in time of its own: what it does when comes with the minutes after.
    const linesLater = async () => {
      await clock.advance(60_000);
      return hub.lines.length;
    };
    await expect.poll(linesLater).toBe(1);
    await linesLater();
    await stop();
    expect(hub.lines).toHaveLength(1);
    await hub.close();
  });
});
