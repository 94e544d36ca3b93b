import { vi } from 'vitest';
import type { Settings } from '../../../src/config/settings.ts';
import { readTracingSettings } from '../../../src/config/tracing-settings.ts';

/**
 * What the hub reads out of these variables, which are this process's from now
 * on: the exporter looks at them by itself. `vi.unstubAllEnvs` takes them back.
 */
export function tracedBy(variables: Readonly<Record<string, string>>): Pick<Settings, 'tracing'> {
  const env = { OTEL_BSP_SCHEDULE_DELAY: '10', ...variables };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const warnings: string[] = [];
  const tracing = readTracingSettings(env, warnings);
  if (warnings.length > 0) throw new Error(warnings.join('; '));
  return { tracing };
}
