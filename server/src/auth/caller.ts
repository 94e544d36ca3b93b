import { HubError } from '../base/errors.ts';

/** What may be done, as the scopes of keys and tokens name it. `admin` includes every other. */
export const actions = [
  'events:write',
  'events:read',
  'aggregates:read',
  'metrics:read',
  'admin',
] as const;
export type Action = (typeof actions)[number];

/** Who asks, as far as a credential tells. */
export interface Caller {
  /** For people, in answers and audit lines: `anonymous`, `key shop`, `token alice`. */
  readonly name: string;
  /** The same for every call with the same credential: what limits are counted by. */
  readonly account: string;
  /** Where the call comes from; absent where nothing is counted by it. */
  readonly address?: string;
  readonly actions: ReadonlySet<Action>;
  /** The only types of events that it may send and see; undefined for all. */
  readonly eventTypes: ReadonlySet<string> | undefined;
  /** Aborted, with a HubError as the reason, when the credential is revoked or runs out: its live streams end. */
  readonly ended: AbortSignal;
  /**
   * Throws what a new call with the credential would meet now: a connection that
   * outlives its credential may do nothing more.
   */
  assertCurrent(): void;
}

/** Of everybody without a credential: they are told apart by their addresses only. */
export const anonymousAccount = 'anonymous';

/** Who calls what needs no credential: may do nothing. */
export const nobody: Caller = {
  name: 'nobody',
  account: 'nobody',
  actions: new Set(),
  eventTypes: undefined,
  ended: new AbortController().signal,
  assertCurrent: () => undefined,
};

/** `admin` for all. */
export function expandScopes(scopes: Iterable<Action>): ReadonlySet<Action> {
  const granted = new Set(scopes);
  return granted.has('admin') ? new Set(actions) : granted;
}

/** The one sentence for every credential that does not hold, so that nothing is told about others. */
export function refusedCredential(cause?: unknown): HubError {
  return new HubError(
    'unauthenticated',
    'the credential is unknown, revoked or has run out: send a valid key or token',
    cause === undefined ? {} : { cause },
  );
}
