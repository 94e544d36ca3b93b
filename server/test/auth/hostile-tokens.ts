import { createHmac, sign } from 'node:crypto';
import {
  assembleToken,
  base64url,
  type SigningKey,
  signingKey,
  signToken,
  signWithSecret,
} from '../support/signing-key.ts';
import { goodClaims, nowS, tokenSettings } from '../support/token-claims.ts';

/** Each is wrong in the one way that its name says: everything else about it is as in a good token. */
export interface HostileToken {
  readonly name: string;
  /** A part of the reason that the hub keeps for itself. */
  readonly reason: string;
  readonly token: string;
}

export const keys = {
  rsa: signingKey('RS256', 'rsa-1'),
  otherRsa: signingKey('RS256', 'rsa-2'),
  ec: signingKey('ES256', 'ec-1'),
  ed: signingKey('EdDSA', 'ed-1'),
};
const weak = signingKey('weak', 'weak-1');
const otherCurve = signingKey('secp256k1', 'k-1');
const encrypting = signingKey('RS256', 'enc-1');
const noOnes = signingKey('RS256', 'rsa-1');

/** What the issuer publishes, with some that must not be used. */
export const published: readonly Pick<SigningKey, 'jwk'>[] = [
  ...Object.values(keys),
  weak,
  otherCurve,
  { jwk: { ...encrypting.jwk, use: 'enc' } },
  { jwk: { kty: 'oct', k: base64url('a secret that everybody can read here'), kid: 'oct-1' } },
];

type Members = Readonly<Record<string, unknown>>;

const good = signToken(keys.rsa, goodClaims());
const goodEc = signToken(keys.ec, goodClaims());
const [goodHeader = '', goodPayload = '', goodSignature = ''] = good.split('.');
const pem = keys.rsa.publicKey.export({ type: 'spki', format: 'pem' });

export const hostileTokens: readonly HostileToken[] = [
  ...of('its algorithm is not allowed', {
    'alg none with a good signature': signToken(keys.rsa, goodClaims(), { alg: 'none' }),
    'alg None': signToken(keys.rsa, goodClaims(), { alg: 'None' }),
    'alg NONE': signToken(keys.rsa, goodClaims(), { alg: 'NONE' }),
    'no alg': signToken(keys.rsa, goodClaims(), { alg: undefined }),
    'alg null': signToken(keys.rsa, goodClaims(), { alg: null }),
    'alg as an array': signToken(keys.rsa, goodClaims(), { alg: ['RS256'] }),
    'alg in lower case': signToken(keys.rsa, goodClaims(), { alg: 'rs256' }),
    'alg with a blank': signToken(keys.rsa, goodClaims(), { alg: 'RS256 ' }),
    'alg with a homoglyph': signToken(keys.rsa, goodClaims(), { alg: 'RЅ256' }),
    'alg of an object': signToken(keys.rsa, goodClaims(), { alg: 'constructor' }),
    'HS256 with the public key as PEM': signWithSecret(pem, goodClaims(), { kid: 'rsa-1' }),
    'HS256 with the public key as JWK': signWithSecret(JSON.stringify(keys.rsa.jwk), goodClaims(), {
      kid: 'rsa-1',
    }),
    'HS256 with the public key as DER': signWithSecret(
      keys.rsa.publicKey.export({ type: 'spki', format: 'der' }),
      goodClaims(),
    ),
    'HS256 with a published secret': signWithSecret(
      'a secret that everybody can read here',
      goodClaims(),
      { kid: 'oct-1' },
    ),
    RS512: assembleToken(
      JSON.stringify({ alg: 'RS512', kid: 'rsa-1' }),
      JSON.stringify(goodClaims()),
      (text) => sign('sha512', Buffer.from(text), keys.rsa.privateKey),
    ),
  }),
  ...of('it is not signed', {
    'alg none without a signature': unsigned({ alg: 'none' }),
    'alg RS256 without a signature': unsigned({ alg: 'RS256', kid: 'rsa-1' }),
    'alg none without a type': `${base64url('{"alg":"none"}')}.${goodPayload}.`,
  }),
  ...of('its key is not among those of the issuer', {
    'an unknown kid': signToken(keys.rsa, goodClaims(), { kid: 'rsa-9' }),
    'a kid like a path': signToken(keys.rsa, goodClaims(), { kid: '../../../../dev/null' }),
    'a kid like a query': signToken(keys.rsa, goodClaims(), { kid: "' UNION SELECT 'x" }),
    'an empty kid': signToken(keys.rsa, goodClaims(), { kid: '' }),
    'a kid in other letters': signToken(keys.rsa, goodClaims(), { kid: 'rsa-１' }),
    'the kid of a key of another kind': signToken(keys.rsa, goodClaims(), { kid: 'ec-1' }),
    'the algorithm of another kind': signToken(keys.ec, goodClaims(), { kid: 'rsa-1' }),
    'a key of 1024 bits': signToken(weak, goodClaims()),
    'a key on another curve': signToken(otherCurve, goodClaims()),
    'a key for encryption': signToken(encrypting, goodClaims()),
  }),
  ...of('it does not say which key', {
    'no kid where several keys fit': signToken(keys.rsa, goodClaims(), { kid: undefined }),
  }),
  ...of('its kid is no text', {
    'a kid of a number': signToken(keys.rsa, goodClaims(), { kid: 1 }),
    'a kid of null': signToken(keys.rsa, goodClaims(), { kid: null }),
  }),
  ...of('its signature does not hold', {
    'a key of its own under a known kid': signToken(noOnes, goodClaims()),
    'a key of the issuer under the kid of another': signToken(keys.otherRsa, goodClaims(), {
      kid: 'rsa-1',
    }),
    'the signature of another token': `${goodHeader}.${base64url(JSON.stringify(goodClaims({ sub: 'admin' })))}.${goodSignature}`,
    'a signature that is cut': withSignature(
      good,
      Buffer.from(goodSignature, 'base64url').subarray(0, -1),
    ),
    'a signature with a byte more': `${goodHeader}.${goodPayload}.${base64url(Buffer.concat([Buffer.from(goodSignature, 'base64url'), Buffer.of(0)]))}`,
    'ES256 in DER': assembleToken(
      JSON.stringify({ alg: 'ES256', kid: 'ec-1' }),
      JSON.stringify(goodClaims()),
      (text) => sign('sha256', Buffer.from(text), keys.ec.privateKey),
    ),
    'ES256 of zeros': withSignature(goodEc, Buffer.alloc(64)),
    'ES256 of no bytes that it needs': withSignature(goodEc, Buffer.alloc(1)),
    'EdDSA of zeros': withSignature(signToken(keys.ed, goodClaims()), Buffer.alloc(64)),
    'HMAC under the name of RS256': assembleToken(
      JSON.stringify({ alg: 'RS256', kid: 'rsa-1' }),
      JSON.stringify(goodClaims()),
      (text) => createHmac('sha256', pem).update(text).digest(),
    ),
  }),
  ...each('it is from another issuer', (iss) => goodClaims({ iss }), {
    'no iss': undefined,
    'an iss that ours begins with': tokenSettings.issuer.slice(0, -1),
    'an iss that begins with ours': `${tokenSettings.issuer}.attacker.example`,
    'an iss with a slash more': `${tokenSettings.issuer}/`,
    'an iss in upper case': tokenSettings.issuer.toUpperCase(),
    'an iss with a homoglyph': tokenSettings.issuer.replace('o', 'о'),
    'an iss of an array': [tokenSettings.issuer],
  }),
  ...each('it is for another audience', (aud) => goodClaims({ aud }), {
    'no aud': undefined,
    'an aud that ours begins with': tokenSettings.audience.slice(0, -1),
    'an aud that begins with ours': `${tokenSettings.audience}.attacker.example`,
    'an aud in other case': tokenSettings.audience.replace('hub', 'Hub'),
    'an aud of an array without ours': ['https://other.example', `${tokenSettings.audience}/`],
    'an aud of an empty array': [],
    'an aud of an array with more than texts': [tokenSettings.audience, 7],
    'an aud of an object': { [tokenSettings.audience]: true },
    'an aud of two in one text': `https://other.example ${tokenSettings.audience}`,
  }),
  ...of('it has no exp', { 'no exp': signToken(keys.rsa, goodClaims({ exp: undefined })) }),
  ...of('it has expired', {
    'an exp of yesterday': signToken(keys.rsa, goodClaims({ exp: nowS - 86_400 })),
    'an exp of a minute ago': signToken(keys.rsa, goodClaims({ exp: nowS - 60 })),
    'an exp of zero': signToken(keys.rsa, goodClaims({ exp: 0 })),
  }),
  ...each('its exp is no', (exp) => goodClaims({ exp }), {
    'an exp of text': String(nowS + 3_600),
    'an exp with decimals': nowS + 0.5,
    'an exp of null': null,
    'an exp of true': true,
    'an exp in milliseconds': (nowS + 3_600) * 1_000,
    'a huge exp': 1e20,
    'a negative exp': -1,
  }),
  ...of('its exp is no whole number', {
    'an exp beyond a double': payload(
      `{"exp":1e400,${JSON.stringify(goodClaims()).slice(1)}`.replace(/,"exp":\d+/, ''),
    ),
  }),
  ...of('lies ahead', {
    'an nbf in two minutes': signToken(keys.rsa, goodClaims({ nbf: nowS + 120 })),
    'an iat in two minutes': signToken(keys.rsa, goodClaims({ iat: nowS + 120 })),
  }),
  ...of('is no whole number', {
    'an nbf of text': signToken(keys.rsa, goodClaims({ nbf: 'now' })),
    'an iat of text': signToken(keys.rsa, goodClaims({ iat: 'now' })),
  }),
  ...of('its header has', {
    'crit of what nobody knows': signToken(keys.rsa, goodClaims(), {
      crit: ['https://attacker.example'],
      'https://attacker.example': true,
    }),
    'an empty crit': signToken(keys.rsa, goodClaims(), { crit: [] }),
    'an unencoded payload': signToken(keys.rsa, goodClaims(), { crit: ['b64'], b64: true }),
    'an unencoded payload without crit': signToken(keys.rsa, goodClaims(), { b64: false }),
    'a key of its own': signToken(noOnes, goodClaims(), { jwk: noOnes.jwk }),
    "the issuer's key as its own": signToken(keys.rsa, goodClaims(), { jwk: keys.rsa.jwk }),
    'a jku of its own': signToken(noOnes, goodClaims(), { jku: 'https://attacker.example/jwks' }),
    'an x5u of its own': signToken(noOnes, goodClaims(), { x5u: 'https://attacker.example/x' }),
    'an x5c of its own': signToken(noOnes, goodClaims(), { x5c: ['MIIB'] }),
    'a zip': signToken(keys.rsa, goodClaims(), { zip: 'DEF' }),
    'an enc': signToken(keys.rsa, goodClaims(), { enc: 'A256GCM' }),
  }),
  ...of('it has not the three parts', {
    nothing: '',
    'one part': goodPayload,
    'two parts': `${goodHeader}.${goodPayload}`,
    'four parts': `${good}.${goodSignature}`,
    'five parts, as JWE has them': `${base64url('{"alg":"dir","enc":"A256GCM"}')}..aXY.Y2lwaGVy.dGFn`,
    'a JWS as JSON': JSON.stringify({ protected: goodHeader, payload: goodPayload }),
    'padded base64': `${goodHeader}.${goodPayload}.${goodSignature}==`,
    'the alphabet of base64': good.replace(/\.[^.]+$/, '.+/+/'),
    'a blank before it': ` ${good}`,
    'a line end after it': `${good}\n`,
    'a line end within': `${goodHeader}.\n${goodPayload}.${goodSignature}`,
    'a word joiner within': `${goodHeader}\u2060.${goodPayload}.${goodSignature}`,
    'a full-width dot': good.replaceAll('.', '．'),
    'Bearer before it': `Bearer ${good}`,
  }),
  ...of('its base64url is not exact', {
    'bits after the last byte': withTrailingBits(goodEc),
    'a character too many': `${goodHeader}.${goodPayload}.${'A'.repeat(5)}`,
  }),
  ...of('it is too long', {
    'a megabyte': `${goodHeader}.${'A'.repeat(1_000_000)}.${goodSignature}`,
    'a byte more than 8 KiB': signToken(keys.rsa, goodClaims({ pad: 'x'.repeat(8_192) })),
  }),
  ...of('its header cannot be read', {
    'a header with alg twice': header('{"alg":"none","alg":"RS256","kid":"rsa-1"}'),
    'a header with alg twice, once escaped': header('{"alg":"RS256","\\u0061lg":"none"}'),
    'a header that is no JSON': header('alg=RS256'),
    'a header with a byte order mark': header('\ufeff{"alg":"RS256","kid":"rsa-1"}'),
    'a header with __proto__': header('{"__proto__":{"alg":"RS256"},"alg":"RS256"}'),
  }),
  ...of('its header is no JSON object', { 'a header of an array': header('["RS256"]') }),
  ...of('its payload cannot be read', {
    'claims with aud twice': payload(
      `{"aud":"https://other.example",${JSON.stringify(goodClaims()).slice(1)}`,
    ),
    'claims with __proto__': payload(
      `{"__proto__":{"scope":"admin"},${JSON.stringify(goodClaims()).slice(1)}`,
    ),
    'claims that are not UTF-8': payload(
      Buffer.from(JSON.stringify(goodClaims({ sub: 'J\xf6rg' })), 'latin1'),
    ),
    'claims that go on': payload(`${JSON.stringify(goodClaims())}{}`),
    'claims of a hundred levels': payload(
      `{"a":${'['.repeat(100)}${']'.repeat(100)},${JSON.stringify(goodClaims()).slice(1)}`,
    ),
    'a token in a token': payload(good),
  }),
  ...of('its payload is no JSON object', {
    'claims of an array': payload(`[${JSON.stringify(goodClaims())}]`),
    'claims of text': payload(JSON.stringify(JSON.stringify(goodClaims()))),
  }),
  ...of('its content is no set of claims', {
    'a token in a token that says so': signToken(keys.rsa, goodClaims(), { cty: 'JWT' }),
  }),
  ...of('its type is not that', {
    'a logout token': signToken(keys.rsa, goodClaims(), { typ: 'logout+jwt' }),
    'a proof of possession': signToken(keys.rsa, goodClaims(), { typ: 'dpop+jwt' }),
    'a type of another text': signToken(keys.rsa, goodClaims(), { typ: 'JWT ' }),
    'a type of null': signToken(keys.rsa, goodClaims(), { typ: null }),
    'a type of an array': signToken(keys.rsa, goodClaims(), { typ: ['JWT'] }),
  }),
  ...of('it does not say whose it is', {
    'no sub and no client': signToken(keys.rsa, goodClaims({ sub: undefined })),
  }),
  ...each('its sub is no name', (sub) => goodClaims({ sub }), {
    'an empty sub': '',
    'a sub of a number': 7,
    'a sub of an array': ['till-7'],
    'a sub with a line end': 'till-7\n{"level":30,"msg":"all is well"}',
    'a sub with an escape': '\u001b[2Jtill-7',
    'a sub with half a character': 'till-\ud800',
    'a sub of 257 characters': 'x'.repeat(257),
  }),
  ...each('its scopes or roles', (scope) => goodClaims({ scope }), {
    'scopes of an object': { 'events:write': true },
    'scopes of a number': 1,
    'scopes of true': true,
    'scopes in an array with an array': [['admin']],
    'scopes in an array with null': ['events:write', null],
  }),
  ...of('its scopes or roles', {
    'roles of an object': signToken(keys.rsa, goodClaims({ roles: { admin: true } })),
  }),
  ...of('it is bound to a key', {
    'a token that is bound to a key': signToken(keys.rsa, goodClaims({ cnf: { jkt: 'x' } })),
  }),
];

function of(reason: string, tokens: Readonly<Record<string, string>>): readonly HostileToken[] {
  return Object.entries(tokens).map(([name, token]) => ({ name, reason, token }));
}

/** One claim with each of these values. */
function each(
  reason: string,
  claims: (value: unknown) => Members,
  values: Members,
): readonly HostileToken[] {
  return Object.entries(values).map(([name, value]) => ({
    name,
    reason,
    token: signToken(keys.rsa, claims(value)),
  }));
}

function unsigned(members: Members): string {
  return assembleToken(JSON.stringify(members), JSON.stringify(goodClaims()), () => Buffer.of());
}

function header(text: string): string {
  return assembleToken(text, JSON.stringify(goodClaims()), keys.rsa.signature);
}

function payload(content: string | Uint8Array): string {
  return assembleToken(JSON.stringify({ alg: 'RS256', kid: 'rsa-1' }), content, keys.rsa.signature);
}

function withSignature(token: string, signature: Uint8Array): string {
  return token.replace(/[^.]*$/, base64url(signature));
}

/** 64 bytes leave four bits of their last character unused: the same bytes in another spelling. */
function withTrailingBits(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(token.at(-1) ?? '');
  return token.slice(0, -1) + alphabet[last + 1];
}
