import { Backoff } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { Logger } from '../../base/logger.ts';
import type { KeyOrigin } from './key-origin.ts';
import { RefusedToken } from './refused-token.ts';
import type { TokenHeader } from './token-header.ts';
import type { TokenAlgorithm } from './token-settings.ts';
import { readKeySet, type VerificationKey } from './verification-keys.ts';

interface Loaded {
  readonly bytes: Uint8Array;
  readonly keys: readonly VerificationKey[];
}

/**
 * The issuer's public keys. They are asked for when they are first needed,
 * again when they are no longer fresh, and for a key that is not among them;
 * what many tokens need at once is asked for once. While the issuer does not
 * answer, the last keys serve, for a day at the most.
 */
export class IssuerKeys {
  readonly #origin: KeyOrigin;
  readonly #algorithms: ReadonlySet<TokenAlgorithm>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #backoff = new Backoff(limits.issuerRetryFirstMs, limits.issuerRetryMaxMs);
  readonly #closing = new AbortController();
  #loaded: Loaded | undefined;
  #loadedAtMs = 0;
  #triedAtMs = 0;
  /** After failures: not before then. */
  #retryAtMs = 0;
  #isFailing = false;
  #loading: Promise<void> | undefined;

  constructor(
    origin: KeyOrigin,
    algorithms: ReadonlySet<TokenAlgorithm>,
    deps: { readonly clock: Clock; readonly logger: Logger },
  ) {
    this.#origin = origin;
    this.#algorithms = algorithms;
    this.#clock = deps.clock;
    this.#logger = deps.logger;
  }

  /**
   * The one key that a header means: the one it names, or the only one for its
   * algorithm. Rejects with RefusedToken when there is none or it is not clear
   * which, with `unavailable` when no keys can be had.
   */
  async find(header: TokenHeader<TokenAlgorithm>): Promise<VerificationKey> {
    let found = meant(await this.#current(), header);
    if (found.length === 0 && this.#mayLookAgain()) {
      await this.#load();
      found = meant(this.#loaded?.keys ?? [], header);
    }
    const [key, other] = found;
    if (key === undefined) throw new RefusedToken('its key is not among those of the issuer');
    if (other !== undefined) throw new RefusedToken('it does not say which key it is signed with');
    return key;
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the hub is stopping'));
    await this.#loading;
  }

  async #current(): Promise<readonly VerificationKey[]> {
    const now = this.#clock.monotonicMs();
    const ageMs = now - this.#loadedAtMs;
    if (this.#loaded === undefined || ageMs >= limits.issuerKeysStaleMs) {
      this.#loaded = undefined;
      if (this.#loading !== undefined || now >= this.#retryAtMs) await this.#load();
    } else if (ageMs >= this.#origin.freshMs && now >= this.#retryAtMs) {
      const loading = this.#load();
      // An issuer that is away holds up one round of requests, and no others after it.
      if (!this.#isFailing) await loading;
    }
    if (this.#loaded === undefined) throw this.#unavailable();
    return this.#loaded.keys;
  }

  /** Anybody can name keys that do not exist: that must not become a storm at the issuer. */
  #mayLookAgain(): boolean {
    if (this.#loading !== undefined) return true;
    return this.#clock.monotonicMs() - this.#triedAtMs >= this.#origin.cooldownMs;
  }

  /** Never rejects: what comes of it is in the state. */
  #load(): Promise<void> {
    this.#loading ??= this.#loadOnce().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #loadOnce(): Promise<void> {
    const { name } = this.#origin;
    this.#triedAtMs = this.#clock.monotonicMs();
    try {
      const bytes = await this.#origin.load(this.#closing.signal);
      if (this.#loaded === undefined || Buffer.compare(this.#loaded.bytes, bytes) !== 0) {
        const { keys, faults } = await readKeySet(bytes, this.#algorithms);
        this.#loaded = { bytes, keys };
        const facts = {
          issuerKeys: name,
          keys: keys.map(({ id, algorithm }) => ({ id, algorithm })),
        };
        this.#logger.info(facts, 'the keys of the token issuer are loaded');
        for (const fault of faults)
          this.#logger.warn({ issuerKeys: name, fault }, 'a key is not used');
      }
      this.#loadedAtMs = this.#clock.monotonicMs();
      this.#retryAtMs = 0;
      this.#isFailing = false;
      this.#backoff.reset();
    } catch (reason) {
      this.#isFailing = true;
      this.#retryAtMs = this.#clock.monotonicMs() + this.#backoff.next();
      if (this.#closing.signal.aborted) return;
      const facts = { err: reason, issuerKeys: name, hasKeys: this.#loaded !== undefined };
      this.#logger.warn(facts, 'the keys of the token issuer cannot be had');
    }
  }

  #unavailable(): HubError {
    const waitMs = this.#retryAtMs - this.#clock.monotonicMs();
    return new HubError(
      'unavailable',
      'the keys of the token issuer cannot be had: try again later',
      { retryAfterS: Math.max(1, Math.ceil(waitMs / 1_000)) },
    );
  }
}

function meant(
  keys: readonly VerificationKey[],
  { algorithm, keyId }: TokenHeader<TokenAlgorithm>,
): readonly VerificationKey[] {
  const fitting = keys.filter((key) => key.algorithm === algorithm);
  return keyId === undefined ? fitting : fitting.filter(({ id }) => id === keyId);
}
