import { createHash } from 'node:crypto';
import type { Clock, Instant } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import type { VerifiedToken } from './verified-token.ts';

interface Remembered {
  readonly token: VerifiedToken;
  readonly untilMs: Instant;
}

/**
 * Tokens that were verified a moment ago, so that not every request costs a
 * signature. By their hashes: a token itself is never kept.
 */
export class VerifiedTokens {
  readonly #clock: Clock;
  readonly #byHash = new Map<string, Remembered>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(text: string): VerifiedToken | undefined {
    const remembered = this.#byHash.get(hash(text));
    return remembered !== undefined && this.#clock.now() < remembered.untilMs
      ? remembered.token
      : undefined;
  }

  add(text: string, token: VerifiedToken): void {
    const key = hash(text);
    const untilMs = Math.min(token.expiresAtMs, this.#clock.now() + limits.tokenVerifiedMs);
    this.#byHash.delete(key);
    this.#byHash.set(key, { token, untilMs });
    if (this.#byHash.size <= limits.tokensVerified) return;
    const [oldest] = this.#byHash.keys();
    if (oldest !== undefined) this.#byHash.delete(oldest);
  }
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
