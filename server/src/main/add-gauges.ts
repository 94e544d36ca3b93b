import type { Clock } from '../base/clock.ts';
import { keptFor } from '../base/kept-for.ts';
import { limits } from '../base/limits.ts';
import type { Telemetry } from '../base/telemetry.ts';
import { within } from '../base/within.ts';
import { schemeOf } from '../config/engine-urls.ts';
import type { Settings } from '../config/settings.ts';
import type { Hub } from '../hub.ts';
import type { EventLog, Places } from '../log/event-log.ts';
import type { GroupCommitLog } from '../log/group-commit.ts';
import type { LiveFeed } from '../readers/live-feed.ts';
import type { EventStore } from '../store/event-store.ts';

export interface GaugeParts {
  readonly telemetry: Telemetry;
  readonly hub: Hub;
  readonly log: GroupCommitLog;
  readonly store: EventStore;
  readonly feed: LiveFeed;
  readonly clock: Clock;
  readonly settings: Settings;
}

/** What every process shows of itself and its engines. Engines are asked when the page is, and only so often. */
export function addGauges(parts: GaugeParts): void {
  const { telemetry, log, feed } = parts;
  telemetry.addGauge({
    name: 'append_queue_events',
    help: 'Events that are accepted and wait for a commit.',
    read: () => log.waitingEvents(),
  });
  telemetry.addGauge({
    name: 'live_subscribers',
    help: 'Subscribers of the live feed over all transports.',
    read: () => feed.listeners,
  });
  addHealthGauges(parts);
  addEngineGauges(parts);
}

function addHealthGauges({ telemetry, hub }: GaugeParts): void {
  telemetry.addGauge({
    name: 'ready',
    help: '1 while /readyz says that the process is ready, else 0.',
    read: async () => ((await hub.health()).ready ? 1 : 0),
  });
  telemetry.addGauge({
    name: 'part_up',
    help: 'By part of the process, such as the log and the store: 1 while it is well, else 0.',
    label: 'part',
    read: async () => {
      const { parts } = await hub.health();
      return new Map(parts.map(({ name, ok }) => [name, ok ? 1 : 0]));
    },
  });
}

function addEngineGauges({ telemetry, log, store, clock, settings }: GaugeParts): void {
  const ends = logEnds(log, clock);
  telemetry.addGauge({
    name: 'log_position',
    help: 'Entries that each shard of the log has had since it began; absent where the log does not count them (Redis).',
    label: 'shard',
    read: ends,
  });
  const sizeBytes = keptFor(clock, limits.storeSizeEveryMs, () =>
    within(clock, limits.healthProbeMs, store.sizeBytes(), 'no answer about the size'),
  );
  const kind = schemeOf(settings.store);
  telemetry.addGauge({
    name: 'store_bytes',
    help: 'What the store takes on its disk: the file with its write-ahead log, or data and indexes of the database. Read once a minute.',
    label: 'store',
    read: async () => new Map([[kind, await sizeBytes()]]),
  });
  addRetentionGauges({ telemetry, log, store, clock });
}

/** Of all that retention ever did in the store, whoever did it. */
function addRetentionGauges({
  telemetry,
  log,
  store,
  clock,
}: Pick<GaugeParts, 'telemetry' | 'log' | 'store' | 'clock'>): void {
  const retained = keptFor(clock, limits.storeSizeEveryMs, () =>
    within(clock, limits.healthProbeMs, store.retained(), 'no answer about what was removed'),
  );
  telemetry.addGauge({
    name: 'removed_events_total',
    help: 'Events that retention has removed from the store. Read once a minute, like the next two.',
    grows: true,
    read: async () => (await retained()).removedEvents,
  });
  telemetry.addGauge({
    name: 'frozen_totals',
    help: 'Minutes whose totals cannot be recomputed, because retention removed an event of theirs.',
    read: async () => (await retained()).frozenMinutes,
  });
  telemetry.addGauge({
    name: 'floor_position',
    help: 'Entries of each shard up to which retention has removed all; absent before, and where the log does not count its entries (Redis).',
    label: 'shard',
    read: async () => countsOf(log, (await retained()).floors),
  });
}

/** None for a place of a log that this one took the place of. */
function countsOf(
  log: Pick<EventLog, 'countAt' | 'ownPlace'>,
  places: Places,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [shard, position] of places) {
    const own = log.ownPlace(position);
    const count = own && log.countAt(own);
    if (count !== undefined) counts.set(shard, count);
  }
  return counts;
}

/** How many entries each shard of the log has had, where the log counts them. */
export function logEnds(
  log: Pick<EventLog, 'end' | 'placesIn' | 'countAt' | 'ownPlace'>,
  clock: Clock,
): () => Promise<ReadonlyMap<string, number>> {
  return keptFor(clock, limits.logEndEveryMs, async () => {
    const end = await within(clock, limits.healthProbeMs, log.end(), 'no answer about the end');
    return end === undefined ? new Map() : countsOf(log, log.placesIn(end));
  });
}
