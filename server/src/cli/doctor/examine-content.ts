import { formatInstant, systemClock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import type { Finding } from '../../base/finding.ts';
import type { Settings } from '../../config/settings.ts';
import { formatEventTypes } from '../../event/event-rules.ts';
import type { Position } from '../../log/event-log.ts';
import { type Engines, isEmbedded, openEngines } from '../../main/engines.ts';
import { assertStoreContinues } from '../../readers/continuity.ts';
import type { EventStore } from '../../store/event-store.ts';

/** Whether the store agrees with the settings and with the clock, and what waits for a look. */
export async function examineContent(settings: Settings): Promise<readonly Finding[]> {
  try {
    const engines = await openEngines(settings, { exclusive: false });
    try {
      const { durability } = await engines.log.check();
      return [
        { state: 'ok', name: 'log', detail: durability },
        ...(isEmbedded(settings) ? [] : [await examineContinuity(engines)]),
        ...(await examineAgreement(engines.store, settings)),
        ...(await examineNewest(engines.store)),
        ...(await examineLeftovers(engines.store)),
      ];
    } finally {
      await engines.close();
    }
  } catch (reason) {
    if (!(reason instanceof HubError)) throw reason;
    if (reason.code === 'not_found') return [];
    return [{ state: 'fail', name: 'engine', detail: reason.message }];
  }
}

/** Whether the log is the one that the store was filled from. */
async function examineContinuity({ log, store }: Engines): Promise<Finding> {
  const name = 'continuity';
  try {
    const places = new Map<string, Position>();
    for (const shard of await log.shards()) {
      const position = await assertStoreContinues(log, store, shard);
      if (position !== undefined) places.set(shard, position);
    }
    const position = log.positionAt(places);
    const detail =
      position === undefined
        ? 'the store has read nothing of the log yet'
        : `the log goes on where the store stands, at ${position}`;
    return { state: 'ok', name, detail };
  } catch (reason) {
    if (!(reason instanceof HubError)) throw reason;
    return { state: 'fail', name, detail: reason.message };
  }
}

async function examineAgreement(
  store: EventStore,
  settings: Settings,
): Promise<readonly Finding[]> {
  const kept = await store.agreement();
  if (kept === undefined) return [];
  const eventTypes = formatEventTypes(settings.eventTypes);
  if (kept.eventTypes === eventTypes && kept.defaultCurrency === settings.defaultCurrency) {
    return [{ state: 'ok', name: 'agreement', detail: `event types ${eventTypes}` }];
  }
  const detail = `the store has event types ${kept.eventTypes} and default currency ${kept.defaultCurrency}, the settings ${eventTypes} and ${settings.defaultCurrency}: set them alike, or \`event-hub config adopt\``;
  return [{ state: 'fail', name: 'agreement', detail }];
}

/** Events from the future mean that a clock is, or was, wrong. */
async function examineNewest(store: EventStore): Promise<readonly Finding[]> {
  const { events } = await store.find({ filter: {}, order: 'desc', limit: 1 });
  const newest = events[0]?.event.receivedAt;
  if (newest === undefined) return [{ state: 'ok', name: 'events', detail: 'none yet' }];
  const taken = `the newest was taken at ${formatInstant(newest)}`;
  if (newest <= systemClock.now()) return [{ state: 'ok', name: 'events', detail: taken }];
  const detail = `${taken}, which is still to come by this clock: set the clock (NTP)`;
  return [{ state: 'warn', name: 'clock', detail }];
}

async function examineLeftovers(store: EventStore): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  if ((await store.conflicts(1)).length > 0) {
    const detail = 'some entries came with a known id: see `event-hub events --conflicts`';
    findings.push({ state: 'warn', name: 'conflicts', detail });
  }
  if ((await store.unreadableEntries(1)).length > 0) {
    const detail = 'some entries could not be read: see `event-hub events --unreadable`';
    findings.push({ state: 'warn', name: 'unreadable', detail });
  }
  return findings;
}
