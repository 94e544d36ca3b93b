import { describe, expect, it } from 'vitest';
import type { SettingsSources } from '../../src/config/given-settings.ts';
import { type LoadedSettings, loadSettings } from '../../src/config/load.ts';
import { SettingsError } from '../../src/config/settings-error.ts';

const issuer = 'https://issuer.example/realms/shop';
const audience = 'event-hub';
const secret = 'thirty-two bytes are just enough';

describe('the settings of tokens', () => {
  it('take no tokens unless an issuer is named', () => {
    expect(load({}).settings.auth).toEqual({ tokens: undefined });
  });

  it('find the keys by discovery, and have the documented defaults', () => {
    const { tokens } = load({ ISSUER: issuer, AUDIENCE: audience }).settings.auth;
    expect(tokens).toEqual({
      issuer,
      audience,
      keys: { kind: 'discovery' },
      algorithms: new Set(['RS256', 'ES256', 'EdDSA']),
      scopesClaim: 'scope',
      rolesClaim: 'roles',
    });
  });

  it.each([
    ['https://keys.example/jwks', { kind: 'url', url: 'https://keys.example/jwks' }],
    ['http://127.0.0.1:8080/jwks', { kind: 'url', url: 'http://127.0.0.1:8080/jwks' }],
    ['http://[::1]:8080/jwks', { kind: 'url', url: 'http://[::1]:8080/jwks' }],
    ['keys/jwks.json', { kind: 'file', path: '/work/keys/jwks.json' }],
    ['/etc/hub/jwks.json', { kind: 'file', path: '/etc/hub/jwks.json' }],
  ])('take the keys from %s', (JWKS, keys) => {
    // With keys elsewhere the issuer is a name like any other.
    const { tokens } = load({ ISSUER: 'our-issuer', AUDIENCE: audience, JWKS }).settings.auth;
    expect(tokens?.keys).toEqual(keys);
  });

  it('take a secret, in a variable or a file', () => {
    const names = { ISSUER: 'our-issuer', AUDIENCE: audience };
    const keys = { kind: 'secret', secret };
    expect(load({ ...names, SECRET: secret }).settings.auth.tokens?.keys).toEqual(keys);
    const fromFile = load({ ...names, SECRET_FILE: 'secret' }, () => `${secret}\n`);
    expect(fromFile.settings.auth.tokens?.keys).toEqual(keys);
  });

  it('take fewer algorithms and other claims', () => {
    const { tokens } = load({
      ISSUER: issuer,
      AUDIENCE: audience,
      ALGORITHMS: 'ES256, EdDSA',
      SCOPES_CLAIM: 'permissions',
      ROLES_CLAIM: 'realm_access.roles',
    }).settings.auth;
    expect(tokens).toMatchObject({ scopesClaim: 'permissions', rolesClaim: 'realm_access.roles' });
    expect([...(tokens?.algorithms ?? [])]).toEqual(['ES256', 'EdDSA']);
  });

  it('show nothing of a secret, however it was given', () => {
    const env = { ISSUER: 'our-issuer', AUDIENCE: audience };
    const shown = [
      load({ ...env, SECRET: secret }),
      load({ ...env, SECRET_FILE: 'secret' }, () => secret),
      load(env, undefined, ['--auth-secret', secret]),
    ].map(({ values }) => values.find(({ setting }) => setting.path === 'auth.secret')?.text);
    expect(shown).toEqual(['***', '***', '***']);
    const without = load({ ISSUER: issuer, AUDIENCE: audience }).values;
    expect(without.find(({ setting }) => setting.path === 'auth.secret')?.text).toBe('none');
  });
});

describe('faults in the settings of tokens', () => {
  const prefix = 'env EVENT_HUB_AUTH_';
  it.each<[string, Record<string, string>, readonly string[]]>([
    ['no audience', { ISSUER: issuer }, ['ISSUER: needs the audience of the tokens beside it']],
    ['no issuer', { AUDIENCE: audience }, ['AUDIENCE: needs the issuer of the tokens beside it']],
    ['keys alone', { JWKS: 'jwks.json' }, ['JWKS: needs the issuer of the tokens beside it']],
    ['a secret alone', { SECRET: secret }, ['SECRET: needs the issuer of the tokens beside it']],
    [
      'a secret without an audience',
      { SECRET: secret, ISSUER: issuer },
      ['ISSUER: needs the audience of the tokens beside it'],
    ],
    [
      'a secret beside keys',
      { SECRET: secret, ISSUER: issuer, AUDIENCE: audience, JWKS: 'jwks.json' },
      ['SECRET: does not go with auth.jwks'],
    ],
    [
      'a secret that is too short',
      { SECRET: 'hunter2-hunter2-hunter2-hunter2', ISSUER: issuer, AUDIENCE: audience },
      ['SECRET: expected a secret of at least 32 bytes, got ***'],
    ],
    [
      'an issuer on plain http',
      { ISSUER: 'http://issuer.example', AUDIENCE: audience },
      ['ISSUER: cannot be asked for its keys: it must start with https:'],
    ],
    [
      'an issuer that is no URL',
      { ISSUER: 'our-issuer', AUDIENCE: audience },
      ['ISSUER: cannot be asked for its keys: it is no URL'],
    ],
    [
      'keys on plain http',
      { ISSUER: issuer, AUDIENCE: audience, JWKS: 'http://localhost.example/jwks' },
      ['JWKS: it must start with https:'],
    ],
    [
      'keys by another scheme',
      { ISSUER: issuer, AUDIENCE: audience, JWKS: 'ftp://issuer.example/jwks' },
      ['JWKS: it must start with https:'],
    ],
    [
      'keys for a user',
      { ISSUER: issuer, AUDIENCE: audience, JWKS: 'https://a:b@issuer.example/jwks' },
      ['JWKS: it must name no user and no password'],
    ],
    [
      'algorithms that are not offered',
      { ISSUER: issuer, AUDIENCE: audience, ALGORITHMS: 'RS256,HS256' },
      ["ALGORITHMS: expected a list of RS256, ES256, EdDSA, got 'RS256,HS256'"],
    ],
    [
      'the algorithm none',
      { ISSUER: issuer, AUDIENCE: audience, ALGORITHMS: 'none' },
      ["ALGORITHMS: expected a list of RS256, ES256, EdDSA, got 'none'"],
    ],
    [
      'a name with a blank',
      { ISSUER: issuer, AUDIENCE: 'event hub' },
      ['AUDIENCE: expected a name or a URL without blanks, exactly as it stands in tokens, got'],
    ],
  ])('name their source: %s', (_, env, expected) => {
    const faults = faultsOf(env);
    expect(faults).toEqual(expected.map((text) => expect.stringContaining(prefix + text)));
    expect(faults.join()).not.toMatch(/hunter2|thirty-two/);
  });

  it('are reported beside those of other settings', () => {
    const faults = faultsOf({ ISSUER: issuer }, { EVENT_HUB_HTTP_PORT: 'x', EVENT_HUB_LOG: 'x:y' });
    expect(faults.map((fault) => fault.slice(0, fault.indexOf(':')))).toEqual([
      'env EVENT_HUB_HTTP_PORT',
      'env EVENT_HUB_AUTH_ISSUER',
      'env EVENT_HUB_LOG',
    ]);
  });
});

/** Variables without what all those of tokens begin with. */
function load(
  auth: Readonly<Record<string, string>>,
  readText: SettingsSources['readText'] = () => '',
  argv: readonly string[] = [],
  others: Readonly<Record<string, string>> = {},
): LoadedSettings {
  const variables = Object.entries(auth).map(([name, value]) => [`EVENT_HUB_AUTH_${name}`, value]);
  const env = { ...others, ...Object.fromEntries(variables) };
  return loadSettings({ argv, env, file: undefined, workingFolder: '/work', readText });
}

function faultsOf(
  auth: Readonly<Record<string, string>>,
  others: Readonly<Record<string, string>> = {},
): readonly string[] {
  try {
    load(auth, undefined, [], others);
  } catch (reason) {
    if (reason instanceof SettingsError) return reason.faults;
    throw reason;
  }
  return [];
}
