import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { Lifecycle } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Telemetry } from '../base/telemetry.ts';
import type { HealthPart } from '../hub/health.ts';
import { type EventLog, logShard } from '../log/event-log.ts';
import { Archive } from '../readers/archive.ts';
import { ProjectionRunner } from '../readers/projection.ts';
import type { EventStore } from '../store/event-store.ts';

export interface ArchiveParts {
  /** The bare one: what the archive reads, the log itself must hold. */
  readonly log: EventLog;
  readonly store: EventStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  readonly lifecycle: Lifecycle;
  /** The process is there for the archive, and not ready while that stands still. */
  readonly needed: boolean;
}

export interface PreparedArchive {
  readonly part: HealthPart;
  start(): void;
}

/** The archive reader of this process, which is still to be started, and how it does. */
export function prepareArchive(parts: ArchiveParts): PreparedArchive {
  const archive = new Archive({ ...parts, shard: logShard });
  const runner = new ProjectionRunner({ ...parts, projection: archive, holder: randomUUID() });
  addGauges(parts, archive, runner);
  parts.lifecycle.add('archive', () => runner.stop());
  const part: HealthPart = {
    name: 'archive',
    needed: parts.needed,
    check: async () => {
      if (runner.fault !== undefined) throw runner.fault;
      return runner.isActive ? 'reads the log' : 'waits for its turn';
    },
  };
  return { part, start: () => runner.start() };
}

function addGauges(
  { telemetry, clock }: ArchiveParts,
  archive: Archive,
  runner: ProjectionRunner,
): void {
  telemetry.addGauge({
    name: 'archive_active',
    help: '1 while this process is the one that archives.',
    read: () => (runner.isActive ? 1 : 0),
  });
  telemetry.addGauge({
    name: 'archive_lag_seconds',
    help: 'Age of the oldest entry that this process has read and not archived; 0 when there is none.',
    read: () => secondsSince(clock, runner.oldestWaiting) ?? 0,
  });
  telemetry.addGauge({
    name: 'archive_last_seconds',
    help: 'Time since this process archived something; absent before the first.',
    label: 'archive',
    read: () => {
      const seconds = secondsSince(clock, archive.appliedAt);
      return new Map(seconds === undefined ? [] : [[archive.name, seconds]]);
    },
  });
  telemetry.addGauge({
    name: 'archived_entries_total',
    help: 'Entries of the log by what became of them.',
    label: 'result',
    grows: true,
    read: () => new Map(Object.entries(archive.counts)),
  });
}

function secondsSince(clock: Clock, instant: number | undefined): number | undefined {
  return instant === undefined ? undefined : Math.max(0, clock.now() - instant) / 1_000;
}
