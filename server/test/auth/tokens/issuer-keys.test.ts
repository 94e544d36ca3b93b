import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { createTokenVerifier, type TokenVerifier } from '../../../src/auth/token-verifier.ts';
import type { TokenSettings } from '../../../src/auth/tokens/token-settings.ts';
import { HubError } from '../../../src/base/errors.ts';
import { createLogger } from '../../../src/base/logger.ts';
import { type ManualClock, manualClock } from '../../support/manual-clock.ts';
import { type SigningKey, signingKey, signToken } from '../../support/signing-key.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { goodClaims, tokenSettings, tokensNow } from '../../support/token-claims.ts';
import { away, startTokenIssuer, type TokenIssuer } from '../../support/token-issuer.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const first = signingKey('ES256', 'first');
const second = signingKey('EdDSA', 'second');
const DAY_MS = 24 * 60 * 60_000;

interface Bench {
  readonly issuer: TokenIssuer;
  readonly clock: ManualClock;
  readonly verifier: TokenVerifier;
  /** Lines of the log. */
  readonly lines: string[];
}

async function bench(settings: (issuer: TokenIssuer) => Partial<TokenSettings>): Promise<Bench> {
  const issuer = await startTokenIssuer([first]);
  ends.push(() => issuer.close());
  const lines: string[] = [];
  const logger = createLogger('info', { write: (line) => lines.push(line) });
  const clock = manualClock(tokensNow);
  const verifier = createTokenVerifier(
    { ...tokenSettings, keys: { kind: 'url', url: issuer.keysUrl }, ...settings(issuer) },
    { clock, logger },
  );
  ends.push(() => verifier.close());
  return { issuer, clock, verifier, lines };
}

const byUrl = () => bench(() => ({}));
const byDiscovery = () => bench(({ url }) => ({ issuer: url, keys: { kind: 'discovery' } }));

let made = 0;

/** A token like no other, so that no verdict on it is remembered. */
function token(key: SigningKey, changes: Readonly<Record<string, unknown>> = {}): string {
  made += 1;
  const exp = tokensNow / 1_000 + 30 * 24 * 3_600;
  return signToken(key, goodClaims({ exp, jti: made, ...changes }));
}

async function verdict(verifier: TokenVerifier, text: string): Promise<string> {
  try {
    await verifier.verify(text);
    return 'accepted';
  } catch (reason) {
    return HubError.from(reason).code;
  }
}

describe("the issuer's keys", () => {
  it('are asked for with the first token, once for all that come at once', async () => {
    const { issuer, verifier } = await byUrl();
    expect(issuer.asked).toEqual([]);
    const verdicts = Array.from({ length: 20 }, () => verdict(verifier, token(first)));
    expect(new Set(await Promise.all(verdicts))).toEqual(new Set(['accepted']));
    expect(issuer.asked).toEqual(['/jwks']);
  });

  it('are asked for again for an unknown one, every 30 s at the most', async () => {
    const { issuer, clock, verifier } = await byUrl();
    expect(await verdict(verifier, token(first))).toBe('accepted');
    issuer.keys = [first, second];
    await clock.advance(29_999);
    expect(await verdict(verifier, token(second))).toBe('unauthenticated');
    expect(issuer.asked).toHaveLength(1);
    await clock.advance(1);
    const storm = Array.from({ length: 50 }, (_, n) =>
      verdict(verifier, signToken(first, goodClaims(), { kid: `made-up-${n}` })),
    );
    expect(await verdict(verifier, token(second))).toBe('accepted');
    expect(new Set(await Promise.all(storm))).toEqual(new Set(['unauthenticated']));
    expect(await verdict(verifier, token(first))).toBe('accepted');
    expect(issuer.asked).toHaveLength(2);
  });

  it('are asked for again after ten minutes: one that is gone does not count any more', async () => {
    const { issuer, clock, verifier } = await byUrl();
    expect(await verdict(verifier, token(first))).toBe('accepted');
    issuer.keys = [second];
    await clock.advance(10 * 60_000 - 1);
    expect(await verdict(verifier, token(first))).toBe('accepted');
    expect(issuer.asked).toHaveLength(1);
    await clock.advance(1);
    expect(await verdict(verifier, token(first))).toBe('unauthenticated');
    expect(await verdict(verifier, token(second))).toBe('accepted');
    expect(issuer.asked).toHaveLength(2);
  });

  it('serve for a day while the issuer is away, and no longer', async () => {
    const { issuer, clock, verifier, lines } = await byUrl();
    expect(await verdict(verifier, token(first))).toBe('accepted');
    issuer.answer = away;
    await clock.advance(DAY_MS - 1);
    expect(await verdict(verifier, token(first))).toBe('accepted');
    expect(issuer.asked).toHaveLength(2);
    expect(lines.at(-1)).toContain('the keys of the token issuer cannot be had');
    await clock.advance(1);
    expect(await verdict(verifier, token(first))).toBe('unavailable');
    issuer.answer = undefined;
    await clock.advance(30_000);
    expect(await verdict(verifier, token(first))).toBe('accepted');
  });

  it('do not make tokens of an unknown key wait or pass while the issuer is away', async () => {
    const { issuer, clock, verifier } = await byUrl();
    expect(await verdict(verifier, token(first))).toBe('accepted');
    await issuer.close();
    await clock.advance(30_000);
    expect(await verdict(verifier, token(second))).toBe('unauthenticated');
    expect(await verdict(verifier, token(first))).toBe('accepted');
  });

  it('hold nobody up while an issuer that failed is tried again', async () => {
    const { issuer, clock, verifier } = await byUrl();
    expect(await verdict(verifier, token(first))).toBe('accepted');
    issuer.answer = away;
    await clock.advance(10 * 60_000);
    expect(await verdict(verifier, token(first))).toBe('accepted');
    issuer.answer = () => {};
    await clock.advance(1_000);
    expect(await verdict(verifier, token(first))).toBe('accepted');
    await expect.poll(() => issuer.asked).toHaveLength(3);
    expect(await verdict(verifier, token(first))).toBe('accepted');
  });

  it('are unavailable while there are none, with pauses between the tries', async () => {
    const { issuer, clock, verifier } = await byUrl();
    issuer.answer = away;
    const refusals = await Promise.allSettled([1, 2, 3].map(() => verifier.verify(token(first))));
    const codes = refusals.map((each) => each.status === 'rejected' && each.reason);
    expect(codes).toEqual([1, 2, 3].map(() => expect.objectContaining({ code: 'unavailable' })));
    expect(codes[0]).toMatchObject({ retryAfterS: 1 });
    expect(issuer.asked).toHaveLength(1);
    await clock.advance(999);
    expect(await verdict(verifier, token(first))).toBe('unavailable');
    expect(issuer.asked).toHaveLength(1);
    await clock.advance(1);
    await expect(verifier.verify(token(first))).rejects.toMatchObject({ retryAfterS: 2 });
    expect(issuer.asked).toHaveLength(2);
    issuer.answer = undefined;
    await clock.advance(2_000);
    expect(await verdict(verifier, token(first))).toBe('accepted');
  });

  it('name no key that is too weak, and the log says so', async () => {
    const { issuer, verifier, lines } = await byUrl();
    const weak = signingKey('weak', 'weak');
    issuer.keys = [first, weak, signingKey('secp256k1', 'other')];
    expect(await verdict(verifier, token(weak))).toBe('unauthenticated');
    expect(lines.join('')).toContain('key 2 of 3: 1024 bits are too weak: at least 2048');
    // Keys of other kinds are for others, and nothing to be warned of.
    expect(lines.join('')).not.toContain('key 3 of 3');
  });

  it('may all be withdrawn', async () => {
    const { issuer, clock, verifier } = await byUrl();
    expect(await verdict(verifier, token(first))).toBe('accepted');
    issuer.keys = [];
    await clock.advance(10 * 60_000);
    expect(await verdict(verifier, token(first))).toBe('unauthenticated');
  });
});

describe("the issuer's answer", () => {
  const jwks = JSON.stringify({ keys: [first.jwk] });
  it.each<[string, NonNullable<TokenIssuer['answer']>]>([
    ['is an error', (_, response) => response.writeHead(500).end(jwks)],
    [
      'leads elsewhere',
      (request, response) => {
        if (request.url === '/elsewhere') response.end(jwks);
        else response.writeHead(302, { location: '/elsewhere' }).end();
      },
    ],
    ['is too long', (_, response) => response.end(jwks.padEnd(256 * 1024 + 1))],
    [
      'is too long once it is unpacked',
      (_, response) => {
        const bomb = gzipSync(jwks.padEnd(16 * 1024 * 1024));
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
      },
    ],
    ['is no JSON', (_, response) => response.end('<html></html>')],
    ['is no key set', (_, response) => response.end('{"keys":{}}')],
    ['has keys twice', (_, response) => response.end(`{"keys":[],${jwks.slice(1)}`)],
    [
      'has too many keys',
      (_, response) => response.end(JSON.stringify({ keys: Array(101).fill(first.jwk) })),
    ],
    [
      'is cut',
      (request, response) => {
        response.writeHead(200, { 'content-length': 999 });
        response.write(jwks, () => request.socket.destroy());
      },
    ],
    ['is of no bytes', (_, response) => response.end()],
  ])('counts for nothing when it %s', async (_, answer) => {
    const { issuer, verifier } = await byUrl();
    issuer.answer = answer;
    expect(await verdict(verifier, token(first))).toBe('unavailable');
    expect(issuer.asked).toEqual(['/jwks']);
  });

  it.each(['headers', 'body'])('may take 5 s with its %s', async (part) => {
    const { issuer, clock, verifier, lines } = await byUrl();
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    issuer.answer = (_, response) => {
      if (part === 'body') response.writeHead(200).write(jwks.slice(0, 9));
      resolve();
    };
    const verifying = verdict(verifier, token(first));
    await begun;
    await clock.advance(4_999);
    expect(await Promise.race([verifying, Promise.resolve('waiting')])).toBe('waiting');
    await clock.advance(1);
    expect(await verifying).toBe('unavailable');
    expect(lines.join('')).toContain('it did not answer within 5000 ms');
  });

  it('is not waited for when the hub stops', async () => {
    const { issuer, verifier } = await byUrl();
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    issuer.answer = () => resolve();
    const verifying = verdict(verifier, token(first));
    await begun;
    await verifier.close();
    expect(await verifying).toBe('unavailable');
  });
});

describe('keys that are found by discovery', () => {
  const from = ({ url }: TokenIssuer) => token(first, { iss: url });
  const another = 'is of another issuer than';
  const unsafe = 'names a jwks_uri that is not used: it must';

  it('are where the issuer says', async () => {
    const { issuer, verifier } = await byDiscovery();
    expect(await verdict(verifier, from(issuer))).toBe('accepted');
    expect(issuer.asked).toEqual(['/.well-known/openid-configuration', '/jwks']);
  });

  it('are found from an issuer with a slash at its end', async () => {
    const { issuer, verifier } = await bench(({ url }) => ({
      issuer: `${url}/`,
      keys: { kind: 'discovery' },
    }));
    issuer.metadata = { issuer: `${issuer.url}/` };
    expect(await verdict(verifier, token(first, { iss: `${issuer.url}/` }))).toBe('accepted');
  });

  it.each<[string, (url: string) => Record<string, unknown>, string]>([
    ['is of another issuer', () => ({ issuer: 'https://other.example' }), another],
    ['is of an issuer with a slash more', (url) => ({ issuer: `${url}/` }), another],
    ['names no issuer', () => ({ issuer: undefined }), another],
    ['names keys on plain http', () => ({ jwks_uri: 'http://keys.example/jwks' }), unsafe],
    ['names keys in a file', () => ({ jwks_uri: 'file:///etc/passwd' }), unsafe],
    ['names keys for a user', (url) => ({ jwks_uri: url.replace('//', '//a:b@') }), unsafe],
    ['names no keys', () => ({ jwks_uri: undefined }), 'names no jwks_uri'],
  ])('are not found where the document %s', async (_, metadata, why) => {
    const { issuer, verifier, lines } = await byDiscovery();
    issuer.metadata = metadata(issuer.url);
    expect(await verdict(verifier, from(issuer))).toBe('unavailable');
    expect(issuer.asked).toEqual(['/.well-known/openid-configuration']);
    expect(lines.join('')).toContain(why);
  });
});

describe('keys in a file', () => {
  async function inFile() {
    const folder = temporaryFolder();
    ends.push(() => folder.remove());
    const path = join(folder.path, 'jwks.json');
    const write = (...keys: readonly SigningKey[]) =>
      writeFileSync(path, JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));
    return { path, write, ...(await bench(() => ({ keys: { kind: 'file', path } }))) };
  }

  it('are read again when the file changes, every 5 s at the most', async () => {
    const { write, clock, verifier } = await inFile();
    write(first);
    expect(await verdict(verifier, token(first))).toBe('accepted');
    write(second);
    await clock.advance(4_999);
    expect(await verdict(verifier, token(second))).toBe('unauthenticated');
    expect(await verdict(verifier, token(first))).toBe('accepted');
    await clock.advance(1);
    expect(await verdict(verifier, token(second))).toBe('accepted');
    expect(await verdict(verifier, token(first))).toBe('unauthenticated');
  });

  it('are those from before while the file is broken or away', async () => {
    const { path, write, clock, verifier, lines } = await inFile();
    write(first);
    expect(await verdict(verifier, token(first))).toBe('accepted');
    writeFileSync(path, '{"keys":[');
    await clock.advance(5_000);
    expect(await verdict(verifier, token(first))).toBe('accepted');
    expect(lines.at(-1)).toContain('cannot be had');
    await rm(path);
    await clock.advance(5_000);
    expect(await verdict(verifier, token(first))).toBe('accepted');
    write(second);
    await clock.advance(5_000);
    expect(await verdict(verifier, token(second))).toBe('accepted');
  });

  it('are unavailable until there is a file', async () => {
    const { write, clock, verifier } = await inFile();
    expect(await verdict(verifier, token(first))).toBe('unavailable');
    write(first);
    await clock.advance(1_000);
    expect(await verdict(verifier, token(first))).toBe('accepted');
  });
});
