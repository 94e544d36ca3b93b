import type { Instant } from '../../base/clock.ts';
import type { Action } from '../caller.ts';

/** What a token proves. */
export interface VerifiedToken {
  readonly issuer: string;
  readonly subject: string;
  /** Of the client that got the token, for the audit line: `client_id`, `azp` or the subject. */
  readonly name: string;
  readonly scopes: ReadonlySet<Action>;
  /** From then on the token is refused: its `exp`, and the minute by which clocks may differ. */
  readonly expiresAtMs: Instant;
}
