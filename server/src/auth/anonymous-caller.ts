import { HubError } from '../base/errors.ts';
import { type Action, actions, anonymousAccount, type Caller } from './caller.ts';

/** Everybody, while no key was ever made: may do everything. */
export class AnonymousCaller implements Caller {
  readonly name = 'anonymous';
  readonly account = anonymousAccount;
  readonly actions: ReadonlySet<Action> = new Set(actions);
  readonly eventTypes = undefined;
  readonly assertCurrent: () => void;
  readonly #ended = new AbortController();

  constructor(assertCurrent: () => void) {
    this.assertCurrent = assertCurrent;
  }

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** The first key was made. */
  end(): void {
    this.#ended.abort(new HubError('unauthenticated', 'a credential is needed from now on'));
  }
}
