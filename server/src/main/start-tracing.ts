import type { Clock } from '../base/clock.ts';
import type { Lifecycle } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Tracing } from '../base/tracing.ts';
import type { Settings } from '../config/settings.ts';
import { version } from '../version.ts';
import { placeOf } from './engines.ts';

interface TracingParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
}

/** Undefined where nobody asks for traces: then nothing of OpenTelemetry is loaded. */
export async function startTracing(
  settings: Settings,
  { clock, logger, lifecycle }: TracingParts,
): Promise<Tracing | undefined> {
  if (settings.tracing === undefined) return undefined;
  const { openTracing } = await import('../tracing/open-tracing.ts');
  const place = await placeOf(settings);
  const tracing = await openTracing({ ...settings.tracing, place, version, clock, logger });
  if (tracing === undefined) return undefined;
  lifecycle.add('traces', () => tracing.close());
  const { protocol, sampler } = settings.tracing;
  logger.info({ protocol, sampler: sampler.name }, 'sends traces');
  return tracing;
}
