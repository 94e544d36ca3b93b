import { systemClock } from '../base/clock.ts';
import { HubError } from '../base/errors.ts';
import type { Settings } from '../config/settings.ts';
import { Reads } from '../hub/reads.ts';
import { type Engines, openEngines, openStore } from '../main/engines.ts';
import type { EventStore } from '../store/event-store.ts';
import { CommandError, exitCode } from './exit-code.ts';

/**
 * The log and the store of the settings, beside a running hub or without one.
 * What cannot be opened is a matter of the settings: throws CommandError.
 */
export async function openHubEngines(settings: Settings): Promise<Engines> {
  return await opened(openEngines(settings, { exclusive: false }));
}

/** The store alone, which also answers while the log is away. Exclusive: while no hub runs on a file. */
export async function openHubStore(
  settings: Settings,
  options: { readonly exclusive: boolean } = { exclusive: false },
): Promise<EventStore> {
  return await opened(openStore(settings, options));
}

async function opened<T>(opening: Promise<T>): Promise<T> {
  try {
    return await opening;
  } catch (reason) {
    if (reason instanceof HubError && reason.code !== 'internal') {
      throw new CommandError(exitCode.usage, reason.message);
    }
    throw reason;
  }
}

/** The reads of the hub itself, so that a command gives the same answers. No command takes a position. */
export function readsOf(store: EventStore, settings: Settings): Reads {
  const log = {
    end: async () => undefined,
    isPosition: (text: string): text is never => false,
    placesIn: () => new Map(),
  };
  return new Reads({ log, store, clock: systemClock, rules: settings });
}
