import type { Action, Caller } from './caller.ts';
import { anonymousAccount } from './caller.ts';
import type { Identify } from './identify.ts';
import type { RateLimits } from './rate-limits.ts';

/**
 * `identify`, with the requests counted: those of an address before anything is
 * done with what they carry, so that guessing costs the hub next to nothing,
 * and those of an account once it is known. Without limits a caller with a
 * credential stays as it is; one without gets its address, which is all that
 * its streams can be counted by.
 */
export function limitedIdentify(identify: Identify, rateLimits: RateLimits | undefined): Identify {
  if (rateLimits === undefined) {
    return (presented, address) => {
      const found = identify(presented, address);
      return found instanceof Promise
        ? found.then((caller) => addressedWhereNeeded(caller, address))
        : addressedWhereNeeded(found, address);
    };
  }
  return (presented, address, known) => {
    rateLimits.takeRequestFrom(address);
    const admit = (found: Caller): Caller => {
      const caller = new AddressedCaller(found, address);
      known?.(caller);
      rateLimits.takeRequestOf(caller);
      return caller;
    };
    const found = identify(presented, address);
    return found instanceof Promise ? found.then(admit) : admit(found);
  };
}

function addressedWhereNeeded(caller: Caller, address: string): Caller {
  return caller.account === anonymousAccount ? new AddressedCaller(caller, address) : caller;
}

/** A caller, and where this call of it comes from. */
class AddressedCaller implements Caller {
  readonly name: string;
  readonly account: string;
  readonly address: string;
  readonly actions: ReadonlySet<Action>;
  readonly eventTypes: ReadonlySet<string> | undefined;
  readonly #caller: Caller;

  constructor(caller: Caller, address: string) {
    this.name = caller.name;
    this.account = caller.account;
    this.address = address;
    this.actions = caller.actions;
    this.eventTypes = caller.eventTypes;
    this.#caller = caller;
  }

  /** Asked for only by what lives on: a token's is timed from then on. */
  get ended(): AbortSignal {
    return this.#caller.ended;
  }

  assertCurrent(): void {
    this.#caller.assertCurrent();
  }
}
