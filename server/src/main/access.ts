import { Audit } from '../auth/audit.ts';
import { ExpirySignals } from '../auth/expiry-signals.ts';
import { createIdentify, type Identify } from '../auth/identify.ts';
import { KeyRing } from '../auth/key-ring.ts';
import { TokenCaller } from '../auth/token-caller.ts';
import type { TokenVerifier, VerifiedToken } from '../auth/token-verifier.ts';
import type { Clock } from '../base/clock.ts';
import { HubError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { isLoopback } from '../base/loopback.ts';
import type { Settings } from '../config/settings.ts';
import type { HealthPart } from '../hub/health.ts';
import type { KeyStore } from '../store/key-store.ts';
import { healthAdvice } from './health-advice.ts';

export interface AccessParts {
  readonly settings: Settings;
  readonly keys: KeyStore;
  readonly tokens: TokenVerifier | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Who may come in, as this process decides it. */
export interface HubAccess {
  readonly identify: Identify;
  /** Looks it up for the first time. Rejects with `invalid` where the hub would be open to others without anybody having said so. */
  admit(): Promise<void>;
  /** Whether a caller without a credential may call the hub by any name, as where somebody said that it is open. */
  readonly anyHostName: boolean;
  /** For the start line: `open: no keys made`, or nothing. */
  describe(): string;
  /** Whether anybody can be let in now. */
  readonly part: HealthPart;
  stop(): Promise<void>;
}

export function createAccess({ settings, keys, tokens, clock, logger }: AccessParts): HubAccess {
  const audit = new Audit({ logger, clock });
  const exposed = exposedAddress(settings);
  const isOpen = tokens === undefined && (exposed === undefined || settings.allowAnonymous);
  const ring = new KeyRing({
    keys,
    clock,
    audit,
    anonymous: isOpen ? 'served' : nobodyWithoutCredential(),
    graceMs: settings.accessGraceMs,
  });
  const expiries = new ExpirySignals(clock);
  const callerOfToken = (token: VerifiedToken) => new TokenCaller(token, clock, expiries);
  const isClosed = () => ring.isClosed === true || tokens !== undefined;
  return {
    anyHostName: exposed !== undefined || settings.allowAnonymous,
    identify: createIdentify({ ring, tokens, audit, callerOfToken }),
    admit: async () => {
      await ring.begin();
      if (settings.allowAnonymous && isClosed()) {
        logger.warn('EVENT_HUB_ALLOW_ANONYMOUS has no effect: keys were made, or tokens are taken');
      }
      if (exposed !== undefined && !settings.allowAnonymous && !isClosed()) throw openTo(exposed);
    },
    describe: () => {
      if (isClosed()) return '';
      return isOpen ? 'open to everybody who reaches it: no keys were made' : '';
    },
    part: {
      name: 'access',
      needed: tokens === undefined,
      advice: healthAdvice(settings).access,
      check: async () => {
        ring.assertFresh();
        return isClosed() ? 'by key or token' : 'open';
      },
    },
    stop: () => ring.stop(),
  };
}

/** `http.host 0.0.0.0`, where others than this machine can reach what the roles serve. */
function exposedAddress({ http, grpc, roles }: Settings): string | undefined {
  if (!isLoopback(http.host)) return `EVENT_HUB_HTTP_HOST is ${http.host}`;
  if (roles.has('grpc') && !isLoopback(grpc.host)) return `EVENT_HUB_GRPC_HOST is ${grpc.host}`;
  return undefined;
}

function openTo(exposed: string): HubError {
  return new HubError(
    'invalid',
    `${exposed}, which others can reach, and no key was ever made: make one with \`event-hub keys create --name NAME --scopes events:write,events:read,aggregates:read\`, name a token issuer with EVENT_HUB_AUTH_ISSUER, or serve everybody with EVENT_HUB_ALLOW_ANONYMOUS=true`,
  );
}

/** After `keys reopen` under a running hub, or before the first look of one that others can reach. */
function nobodyWithoutCredential(): HubError {
  return new HubError('unauthenticated', 'nobody is served here without a credential', {
    cause: 'no credential',
  });
}
