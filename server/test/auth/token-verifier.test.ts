import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Action } from '../../src/auth/caller.ts';
import {
  createTokenVerifier,
  looksLikeToken,
  type TokenVerifier,
} from '../../src/auth/token-verifier.ts';
import type { TokenKeysPlace, TokenSettings } from '../../src/auth/tokens/token-settings.ts';
import { HubError } from '../../src/base/errors.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { type ManualClock, manualClock } from '../support/manual-clock.ts';
import { signToken, signWithSecret } from '../support/signing-key.ts';
import { goodClaims, nowS, tokenSettings, tokensNow } from '../support/token-claims.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';
import { hostileTokens, keys, published } from './hostile-tokens.ts';

let issuer: TokenIssuer;
beforeAll(async () => {
  issuer = await startTokenIssuer(published);
});
afterAll(() => issuer.close());

const opened: TokenVerifier[] = [];
afterEach(async () => {
  for (const verifier of opened.splice(0)) await verifier.close();
});

function verifierOf(
  changes: Partial<TokenSettings> = {},
  clock: ManualClock = manualClock(tokensNow),
): TokenVerifier {
  const place: TokenKeysPlace = { kind: 'url', url: issuer.keysUrl };
  const settings = { ...tokenSettings, keys: place, ...changes };
  const verifier = createTokenVerifier(settings, { clock, logger: silentLogger });
  opened.push(verifier);
  return verifier;
}

async function refusalOf(verifier: TokenVerifier, token: string): Promise<HubError> {
  try {
    await verifier.verify(token);
  } catch (reason) {
    if (reason instanceof HubError) return reason;
    throw reason;
  }
  throw new Error('the token was accepted');
}

describe('a good token', () => {
  it.each(['RS256', 'ES256', 'EdDSA'] as const)('is accepted with %s', async (algorithm) => {
    const key = { RS256: keys.rsa, ES256: keys.ec, EdDSA: keys.ed }[algorithm];
    const token = signToken(key, goodClaims({ client_id: 'shop' }));
    expect(looksLikeToken(token)).toBe(true);
    expect(await verifierOf().verify(token)).toEqual({
      issuer: tokenSettings.issuer,
      subject: 'till-7',
      name: 'shop',
      scopes: new Set(['events:write']),
      expiresAtMs: tokensNow + 3_600_000 + 60_000,
    });
  });

  it('is accepted with HS256 where there is a secret', async () => {
    const secret = 'thirty-two bytes are just enough';
    const verifier = verifierOf({ keys: { kind: 'secret', secret } });
    const token = signWithSecret(secret, goodClaims());
    expect((await verifier.verify(token)).subject).toBe('till-7');
    const other = signWithSecret(`${secret}.`, goodClaims());
    expect((await refusalOf(verifier, other)).code).toBe('unauthenticated');
    const withKey = signToken(keys.rsa, goodClaims());
    expect(String((await refusalOf(verifier, withKey)).cause)).toContain('algorithm');
  });

  it.each([
    ['no type', goodClaims(), { typ: undefined }],
    ['the type JWT', goodClaims(), { typ: 'JWT' }],
    ['its type in full', goodClaims(), { typ: 'application/at+jwt' }],
    ['the hash of a certificate', goodClaims(), { x5t: 'x' }],
    ['ours among its audiences', goodClaims({ aud: ['a', tokenSettings.audience] }), {}],
    ['an exp that is just over', goodClaims({ exp: nowS - 59 }), {}],
    ['an nbf and an iat just ahead', goodClaims({ nbf: nowS + 60, iat: nowS + 60 }), {}],
    ['claims that nobody asks for', goodClaims({ email: 'a@b.example', groups: [{}] }), {}],
  ])('may have %s', async (_, claims, header) => {
    const token = signToken(keys.rsa, claims, header);
    expect((await verifierOf().verify(token)).subject).toBe('till-7');
  });

  it('needs no kid where one key fits', async () => {
    const token = signToken(keys.ec, goodClaims(), { kid: undefined });
    expect((await verifierOf().verify(token)).subject).toBe('till-7');
  });

  it.each([
    [{ client_id: 'shop', azp: 'other' }, 'till-7', 'shop'],
    [{ azp: 'shop' }, 'till-7', 'shop'],
    [{}, 'till-7', 'till-7'],
    [{ sub: undefined, azp: 'shop' }, 'shop', 'shop'],
    [{ sub: 'Jörg 🛒' }, 'Jörg 🛒', 'Jörg 🛒'],
  ])('with %j is that of %s, and named %s', async (changes, subject, name) => {
    const token = signToken(keys.rsa, goodClaims(changes));
    expect(await verifierOf().verify(token)).toMatchObject({ subject, name });
  });

  it('is refused with an algorithm that the settings leave out', async () => {
    const verifier = verifierOf({ algorithms: new Set(['ES256']) });
    expect((await verifier.verify(signToken(keys.ec, goodClaims()))).subject).toBe('till-7');
    const refusal = await refusalOf(verifier, signToken(keys.rsa, goodClaims()));
    expect(String(refusal.cause)).toContain('algorithm');
  });
});

describe('a hostile token', () => {
  let verifier: TokenVerifier;
  beforeAll(async () => {
    const settings = { ...tokenSettings, keys: { kind: 'url', url: issuer.keysUrl } } as const;
    const deps = { clock: manualClock(tokensNow), logger: silentLogger };
    verifier = createTokenVerifier(settings, deps);
    issuer.asked.length = 0;
    await verifier.verify(signToken(keys.rsa, goodClaims()));
  });
  afterAll(() => verifier.close());

  it.each(hostileTokens)('is refused: $name', async ({ reason, token }) => {
    const refusal = await refusalOf(verifier, token);
    expect(refusal.code).toBe('unauthenticated');
    expect(refusal.message).toBe(
      'the credential is unknown, revoked or has run out: send a valid key or token',
    );
    expect(String(refusal.cause)).toContain(reason);
    for (const part of token.split('.').filter((each) => each.length > 8)) {
      expect(inspect(refusal, { depth: 9 })).not.toContain(part);
    }
    expect((await refusalOf(verifier, token)).code).toBe('unauthenticated');
  });

  it('does not make the hub ask the issuer again', async () => {
    await Promise.all(hostileTokens.map(({ token }) => refusalOf(verifier, token)));
    expect(issuer.asked).toEqual(['/jwks']);
    expect((await verifier.verify(signToken(keys.rsa, goodClaims()))).subject).toBe('till-7');
  });

  it.each([keys.rsa, keys.ec, keys.ed].map((key) => ({ key, algorithm: key.algorithm })))(
    'is every good one of $algorithm with one character changed',
    async ({ key }) => {
      const token = signToken(key, goodClaims());
      const characters = [
        ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ é\n',
      ];
      await fc.assert(
        fc.asyncProperty(
          fc.nat({ max: token.length - 1 }),
          fc.constantFrom(...characters),
          async (at, character) => {
            fc.pre(token[at] !== character);
            const changed = token.slice(0, at) + character + token.slice(at + 1);
            expect((await refusalOf(verifier, changed)).code).toBe('unauthenticated');
          },
        ),
        // The last character of each part carries the bits that no byte takes.
        {
          numRuns: 300,
          examples: characters.flatMap((character) =>
            ['.', undefined].map((end): [number, string] => [
              end === undefined ? token.length - 1 : token.lastIndexOf(end) - 1,
              character,
            ]),
          ),
        },
      );
    },
  );

  it('is any text that nobody signed', async () => {
    const part = fc.oneof(
      fc.base64String().map((text) => text.replace(/=+$/, '')),
      fc.json().map((text) => Buffer.from(text).toString('base64url')),
      fc.string({ unit: 'binary' }),
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 5 }).map((each) => each.join('.')),
    );
    await fc.assert(
      fc.asyncProperty(text, async (token) => {
        expect((await refusalOf(verifier, token)).code).toBe('unauthenticated');
      }),
    );
  });
});

describe('the scopes of a token', () => {
  const everything: readonly Action[] = [
    'events:write',
    'events:read',
    'aggregates:read',
    'metrics:read',
    'admin',
  ];
  it.each<[string, Record<string, unknown>, readonly Action[]]>([
    ['words', { scope: 'openid events:read  metrics:read' }, ['events:read', 'metrics:read']],
    ['an array', { scope: ['events:read', 'profile'] }, ['events:read']],
    ['nothing', { scope: undefined }, []],
    ['null', { scope: null }, []],
    ['an empty text', { scope: '' }, []],
    ['other letters', { scope: 'EVENTS:READ events:*' }, []],
    ['names of objects', { scope: 'constructor __proto__ toString' }, []],
    ['the role writer', { scope: '', roles: ['writer'] }, ['events:write']],
    ['the role reader', { scope: '', roles: 'reader' }, ['events:read', 'aggregates:read']],
    ['the role admin', { scope: '', roles: ['admin'] }, everything],
    ['a role among the scopes', { scope: 'reader' }, ['events:read', 'aggregates:read']],
    ['admin among the scopes', { scope: 'admin' }, everything],
    ['a scope among the roles', { scope: '', roles: ['events:write'] }, []],
    ['both', { scope: 'metrics:read', roles: 'writer' }, ['metrics:read', 'events:write']],
  ])('come from %s', async (_, claims, scopes) => {
    const token = signToken(keys.ed, goodClaims(claims));
    expect((await verifierOf().verify(token)).scopes).toEqual(new Set(scopes));
  });

  it.each<[string, Record<string, unknown>, readonly Action[]]>([
    ['realm_access.roles', { realm_access: { roles: ['writer', 'x'] } }, ['events:write']],
    ['a.b.c', { a: { b: { c: 'writer' } } }, ['events:write']],
    ['https://shop.example/roles', { 'https://shop.example/roles': ['writer'] }, ['events:write']],
    ['realm_access.roles', { realm_access: 'roles' }, []],
    ['realm_access.roles', { realm_access: null }, []],
    ['realm_access.constructor', { realm_access: {} }, []],
    ['__proto__.roles', {}, []],
  ])('follow the roles at %s of %j', async (rolesClaim, claims, scopes) => {
    const token = signToken(keys.ed, goodClaims({ scope: '', ...claims }));
    expect((await verifierOf({ rolesClaim }).verify(token)).scopes).toEqual(new Set(scopes));
  });

  it('come from the claim that the settings name, and from no other', async () => {
    const verifier = verifierOf({ scopesClaim: 'permissions' });
    const token = signToken(keys.ed, goodClaims({ scope: 'admin', permissions: ['events:read'] }));
    expect((await verifier.verify(token)).scopes).toEqual(new Set(['events:read']));
  });
});

describe('a token that was verified', () => {
  it('is not verified again within a minute', async () => {
    const clock = manualClock(tokensNow);
    const verifier = verifierOf({}, clock);
    const token = signToken(keys.rsa, goodClaims());
    const first = await verifier.verify(token);
    await clock.advance(59_999);
    expect(await verifier.verify(token)).toBe(first);
    await clock.advance(1);
    const later = await verifier.verify(token);
    expect(later).not.toBe(first);
    expect(later).toEqual(first);
  });

  it('is refused from a minute after its exp on', async () => {
    const clock = manualClock(tokensNow);
    const verifier = verifierOf({}, clock);
    const token = signToken(keys.rsa, goodClaims({ exp: nowS - 30 }));
    const { expiresAtMs } = await verifier.verify(token);
    await clock.advance(29_999);
    expect((await verifier.verify(token)).subject).toBe('till-7');
    await clock.advance(1);
    expect(clock.now()).toBe(expiresAtMs);
    expect(String((await refusalOf(verifier, token)).cause)).toContain('it has expired');
  });

  it('is forgotten when a thousand others came after it', async () => {
    const secret = 'thirty-two bytes are just enough';
    const verifier = verifierOf({ keys: { kind: 'secret', secret } });
    const tokens = Array.from({ length: 1_001 }, (_, n) =>
      signWithSecret(secret, goodClaims({ jti: n })),
    );
    const [first = '', second = ''] = tokens;
    const before = [await verifier.verify(first), await verifier.verify(second)];
    for (const token of tokens.slice(2)) await verifier.verify(token);
    expect(await verifier.verify(second)).toBe(before[1]);
    expect(await verifier.verify(first)).not.toBe(before[0]);
  });
});

describe('what looks like a token', () => {
  it.each([
    [signToken(keys.ed, goodClaims()), true],
    ['e30.e30.', true],
    ['eh_live_a1b2c3d4_0123456789_abcdef', false],
    ['a.b', false],
    ['a.b.c.d', false],
    ['a.b=.c', false],
    ['', false],
    ['..', false],
  ])('%s: %s', (text, looks) => {
    expect(looksLikeToken(text)).toBe(looks);
  });
});
