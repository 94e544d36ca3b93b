import { HubError } from '../base/errors.ts';
import type { Action, Caller } from './identify.ts';

/** Rejects with `forbidden` when the caller may not do this. */
export function allow(caller: Caller, action: Action): void {
  if (!caller.actions.has(action)) {
    throw new HubError('forbidden', `${caller.name} may not do this: it lacks the scope ${action}`);
  }
}
