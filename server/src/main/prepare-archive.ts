import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { Lifecycle } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Telemetry } from '../base/telemetry.ts';
import type { Tracing } from '../base/tracing.ts';
import type { Advice, HealthPart } from '../hub/health.ts';
import type { EventLog } from '../log/event-log.ts';
import { type ShardProgress, ShardReaders } from '../readers/shard-readers.ts';
import type { EventStore } from '../store/event-store.ts';
import { logEnds } from './add-gauges.ts';

export interface ArchiveParts {
  /** The bare one: what the archive reads, the log itself must hold. */
  readonly log: EventLog;
  readonly store: EventStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  readonly tracing: Tracing | undefined;
  readonly lifecycle: Lifecycle;
  /** The process is there for the archive, and not ready while that stands still. */
  readonly needed: boolean;
  /** What to do when it stands still. */
  readonly advice: Advice;
}

export interface PreparedArchive {
  readonly part: HealthPart;
  start(): void;
}

/** The archive readers of this process, which are still to be started, and how they do. */
export function prepareArchive(parts: ArchiveParts): PreparedArchive {
  const readers = new ShardReaders({ ...parts, holder: randomUUID() });
  addGauges(parts, readers);
  parts.lifecycle.add('archive', () => readers.stop());
  const part: HealthPart = {
    name: 'archive',
    needed: parts.needed,
    advice: parts.advice,
    check: async () => {
      if (readers.fault !== undefined) throw readers.fault;
      const { active, shards } = readers;
      if (active === 0) return 'waits for its turn';
      return shards === 1 ? 'reads the log' : `reads ${active} of ${shards} shards of the log`;
    },
  };
  return { part, start: () => readers.start() };
}

function addGauges({ telemetry, clock, log }: ArchiveParts, readers: ShardReaders): void {
  telemetry.addGauge({
    name: 'archive_active',
    help: 'Shards of the log that this process archives: 1 while it is the one that does, where the log is one.',
    read: () => readers.active,
  });
  const ends = logEnds(log, clock);
  telemetry.addGauge({
    name: 'archive_position',
    help: 'Entries up to which this process has archived each shard that it reads; absent where the log does not count them (Redis).',
    label: 'shard',
    read: () =>
      new Map(
        readers.progress.flatMap(({ shard, archived }) => {
          const count = archived === undefined ? undefined : log.countAt(archived);
          return count === undefined ? [] : [[shard, count] as const];
        }),
      ),
  });
  telemetry.addGauge({
    name: 'archive_lag_events',
    help: 'Entries of each shard that this process reads which are not archived. Where the log does not count its entries (Redis), only those that were read ahead: at least so many.',
    label: 'shard',
    read: async () => {
      const counts = await ends().catch(() => new Map<string, number>());
      return new Map(
        readers.progress.map((each) => [each.shard, lagOf(each, counts.get(each.shard), log)]),
      );
    },
  });
  telemetry.addGauge({
    name: 'archive_lag_seconds',
    help: 'Age of the oldest entry that this process has read and not archived; 0 when there is none.',
    read: () => secondsSince(clock, readers.oldestWaiting) ?? 0,
  });
  telemetry.addGauge({
    name: 'archive_last_seconds',
    help: 'Time since this process archived something; absent before the first.',
    label: 'archive',
    read: () =>
      new Map(
        [...readers.appliedAt].map(([name, at]) => [name, Math.max(0, clock.now() - at) / 1_000]),
      ),
  });
  telemetry.addGauge({
    name: 'archived_entries_total',
    help: 'Entries of the log by what became of them.',
    label: 'result',
    grows: true,
    read: () => new Map(Object.entries(readers.counts)),
  });
}

function lagOf(
  { archived, waitingEntries }: ShardProgress,
  end: number | undefined,
  log: EventLog,
): number {
  const count = archived === undefined ? 0 : log.countAt(archived);
  if (end === undefined || count === undefined) return waitingEntries;
  return Math.max(waitingEntries, end - count);
}

function secondsSince(clock: Clock, instant: number | undefined): number | undefined {
  return instant === undefined ? undefined : Math.max(0, clock.now() - instant) / 1_000;
}
