import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { Lifecycle } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Settings } from '../config/settings.ts';
import type { EventLog } from '../log/event-log.ts';
import { Retention } from '../readers/retention.ts';
import type { EventStore } from '../store/event-store.ts';
import { isEmbedded } from './engines.ts';

export interface RetentionParts {
  readonly settings: Settings;
  /** The bare one: what it has removed itself is not given out by the store either. */
  readonly log: EventLog;
  readonly store: EventStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
}

/** The answer starts it; does nothing where everything is kept, and in processes that do not read. */
export function prepareRetention(parts: RetentionParts): () => void {
  const { settings, lifecycle } = parts;
  const { retentionMs } = settings;
  if (retentionMs === undefined || !settings.roles.has('readers')) return () => undefined;
  const retention = new Retention({
    ...parts,
    retentionMs,
    isEmbedded: isEmbedded(settings),
    holder: randomUUID(),
  });
  lifecycle.add('retention', () => retention.stop());
  return () => retention.start();
}
