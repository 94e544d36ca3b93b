import type { Clock } from '../base/clock.ts';
import { keptFor } from '../base/kept-for.ts';
import { limits } from '../base/limits.ts';
import type { Telemetry } from '../base/telemetry.ts';
import { within } from '../base/within.ts';
import { schemeOf } from '../config/engine-urls.ts';
import type { Settings } from '../config/settings.ts';
import type { Hub } from '../hub.ts';
import type { EventLog } from '../log/event-log.ts';
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
}

/** How many entries each shard of the log has had, where the log counts them. */
export function logEnds(
  log: Pick<EventLog, 'end' | 'placesIn' | 'countAt'>,
  clock: Clock,
): () => Promise<ReadonlyMap<string, number>> {
  return keptFor(clock, limits.logEndEveryMs, async () => {
    const end = await within(clock, limits.healthProbeMs, log.end(), 'no answer about the end');
    const counts = new Map<string, number>();
    if (end === undefined) return counts;
    for (const [shard, position] of log.placesIn(end)) {
      const count = log.countAt(position);
      if (count !== undefined) counts.set(shard, count);
    }
    return counts;
  });
}
