import { newApiKey } from '../../src/auth/api-key.ts';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import type { Settings } from '../../src/config/settings.ts';
import { openEngines } from '../../src/main/engines.ts';
import { startTestHub, type TestHub } from './start-test-hub.ts';

export interface KeyedHub<Name extends string> extends TestHub {
  /** The text of each key, by its name. */
  readonly keys: Readonly<Record<Name, string>>;
}

/** A hub with a key for each name, all of which may do everything, from its start. */
export async function startKeyedHub<Name extends string>(
  names: readonly Name[],
  overrides: Partial<Settings> = {},
  { clock = systemClock }: { readonly clock?: Clock } = {},
): Promise<KeyedHub<Name>> {
  const made = names.map((name) => ({ name, ...newApiKey() }));
  const hub = await startTestHub(overrides, {
    clock,
    openEngines: async (settings, options) => {
      const engines = await openEngines(settings, options);
      for (const { id, hash, name } of made) {
        await engines.store.keys.add(
          {
            id,
            hash,
            name,
            scopes: ['admin'],
            eventTypes: undefined,
            createdAt: clock.now(),
            expiresAt: undefined,
            revokedAt: undefined,
            lastUsedAt: undefined,
          },
          0,
        );
      }
      return engines;
    },
  });
  const keys = Object.fromEntries(made.map(({ name, text }) => [name, text]));
  return { ...hub, keys: keys as Record<Name, string> };
}
