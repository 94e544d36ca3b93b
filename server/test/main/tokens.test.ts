import { afterEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/base/logger.ts';
import { openStream } from '../support/read-stream.ts';
import { signingKey, signToken } from '../support/signing-key.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';
import { goodClaims, tokenSettings } from '../support/token-claims.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const key = signingKey('ES256', 'key-1');

interface GuardedHub {
  readonly hub: TestHub;
  readonly issuer: TokenIssuer;
  readonly lines: string[];
}

async function startGuarded(): Promise<GuardedHub> {
  const issuer = await startTokenIssuer([key]);
  ends.push(() => issuer.close());
  const lines: string[] = [];
  const logger = createLogger('info', { write: (line) => lines.push(line) });
  const tokens = { ...tokenSettings, keys: { kind: 'url', url: issuer.keysUrl } } as const;
  const hub = await startTestHub({ auth: { tokens } }, { logger });
  ends.push(() => hub.remove());
  return { hub, issuer, lines };
}

/** Good from a minute ago to `lifeS` from now. */
function token(scope: string, lifeS = 3_600): string {
  const nowS = Math.floor(Date.now() / 1_000);
  return signToken(key, goodClaims({ scope, iat: nowS - 60, exp: nowS + lifeS }));
}

async function send({ url }: TestHub, credential?: string): Promise<number> {
  const headers = credential === undefined ? {} : { authorization: `Bearer ${credential}` };
  const response = await fetch(`${url}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ user_id: 'anna', event_type: 'purchase', amount: '1' }),
  });
  await response.arrayBuffer();
  return response.status;
}

describe('a hub with a token issuer', () => {
  it('serves nobody without a token, and with one what its scopes name', async () => {
    const { hub } = await startGuarded();
    expect(await send(hub)).toBe(401);
    expect(await send(hub, token('events:write'))).toBe(201);
    expect(await send(hub, token('writer'))).toBe(201);
    expect(await send(hub, token('events:read'))).toBe(403);
    expect(await send(hub, token('events:write', -61))).toBe(401);
  });

  it('answers 503 while there are no keys to judge by', async () => {
    const { hub, issuer } = await startGuarded();
    await issuer.close();
    expect(await send(hub, token('events:write'))).toBe(503);
  });

  it('says in its log why a token was refused, and nothing of the token', async () => {
    const { hub, lines } = await startGuarded();
    const hostile = signToken(key, goodClaims(), { alg: 'none' });
    expect(await send(hub, hostile)).toBe(401);
    const good = token('events:write');
    expect(await send(hub, good)).toBe(201);
    expect(lines.join('')).toContain('its algorithm is not allowed');
    for (const part of [...hostile.split('.'), ...good.split('.')]) {
      expect(lines.join('')).not.toContain(part);
    }
  });

  it('ends a stream when its token runs out', async () => {
    const { hub } = await startGuarded();
    // The hub has the keys to judge by before the time of the token begins to run.
    expect(await send(hub, token('events:write'))).toBe(201);
    // Taken for a minute after its exp: seven or eight seconds are left.
    const authorization = `Bearer ${token('events:read', -52)}`;
    const stream = await openStream(`${hub.url}/events/stream`, { authorization });
    expect(stream.response.status).toBe(200);
    expect((await stream.frame('error')).data).toContain('unauthenticated');
    expect(await stream.rest()).toEqual([]);
  });
});
