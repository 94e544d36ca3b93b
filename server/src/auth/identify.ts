import { HubError } from '../base/errors.ts';
import { isApiKey } from './api-key.ts';
import type { Audit } from './audit.ts';
import { type Caller, refusedCredential } from './caller.ts';
import type { KeyRing } from './key-ring.ts';
import type { TokenVerifier, VerifiedToken } from './token-verifier.ts';

/** What a request carries, whichever protocol it came by. */
export interface Presented {
  /** Of `Authorization: Bearer <credential>`; another scheme is none. */
  readonly bearer: string | undefined;
  /** Of `X-API-Key`. */
  readonly apiKey: string | undefined;
}

/**
 * Turns what was presented into a caller. Fails with `unauthenticated` for what
 * does not hold and for nothing where something is needed, `unreadable` for two
 * credentials at once, `unavailable` while it cannot be looked up, and
 * `rate_limited`; `known` is told the caller before its own limits are looked at.
 */
export type Identify = (
  presented: Presented,
  address: string,
  known?: (caller: Caller) => void,
) => Caller | Promise<Caller>;

export interface IdentifyDeps {
  readonly ring: KeyRing;
  /** Undefined where no issuer is configured. */
  readonly tokens: TokenVerifier | undefined;
  readonly audit: Audit;
  readonly callerOfToken: (token: VerifiedToken) => Caller;
}

export function createIdentify({ ring, tokens, audit, callerOfToken }: IdentifyDeps): Identify {
  const ofToken = async (token: string, verifier: TokenVerifier): Promise<Caller> => {
    return callerOfToken(await verifier.verify(token));
  };
  const find = (credential: string | undefined): Caller | Promise<Caller> => {
    if (credential === undefined) return ring.anonymous();
    if (isApiKey(credential)) return ring.callerOf(credential);
    if (tokens === undefined) throw refusedCredential('neither an API key nor a token is expected');
    return ofToken(credential, tokens);
  };
  return (presented, address) => {
    const refuse = (reason: unknown): never => {
      const error = HubError.from(reason);
      if (error.code === 'unauthenticated') audit.refused(address, error);
      throw error;
    };
    try {
      const found = find(theOne(presented));
      return found instanceof Promise ? found.catch(refuse) : found;
    } catch (reason) {
      return refuse(reason);
    }
  };
}

function theOne({ bearer, apiKey }: Presented): string | undefined {
  if (bearer !== undefined && apiKey !== undefined) {
    throw new HubError(
      'unreadable',
      'two credentials came at once: send either Authorization or X-API-Key',
    );
  }
  return bearer ?? apiKey;
}
