import { systemClock } from '../base/clock.ts';
import { HubError } from '../base/errors.ts';
import type { Settings } from '../config/settings.ts';
import { Reads } from '../hub/reads.ts';
import { type Engines, openEngines } from '../main/engines.ts';
import { CommandError, exitCode } from './exit-code.ts';

/**
 * The log and the store of the settings, beside a running hub or without one.
 * What cannot be opened is a matter of the settings: throws CommandError.
 */
export async function openHubEngines(
  settings: Settings,
  options: { readonly exclusive: boolean } = { exclusive: false },
): Promise<Engines> {
  try {
    return await openEngines(settings, options);
  } catch (reason) {
    if (reason instanceof HubError && reason.code !== 'internal') {
      throw new CommandError(exitCode.usage, reason.message);
    }
    throw reason;
  }
}

/** The reads of the hub itself, so that a command gives the same answers. */
export function readsOf({ log, store }: Engines, settings: Settings): Reads {
  return new Reads({ log, store, clock: systemClock, rules: settings });
}
