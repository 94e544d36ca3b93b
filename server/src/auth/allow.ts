import { HubError } from '../base/errors.ts';
import type { Action, Caller } from './caller.ts';

/** Throws `forbidden` when the caller may not do this, and what became of its credential when that has ended. */
export function allow(caller: Caller, action: Action): void {
  caller.assertCurrent();
  if (!caller.actions.has(action)) {
    throw new HubError('forbidden', `${caller.name} may not do this: it lacks the scope ${action}`);
  }
}
