import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { declaredSettings } from '../../src/config/declared-settings.ts';
import type { SettingsSources } from '../../src/config/given-settings.ts';
import { loadSettings } from '../../src/config/load.ts';
import { SettingsError } from '../../src/config/settings-error.ts';
import { type Identity, makeAuthority } from '../support/certificates.ts';
import { describeWith } from '../support/needed-program.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

describe('settings', () => {
  it('hold the documented defaults', () => {
    const { settings } = load({});
    expect(settings.http).toEqual({
      host: '127.0.0.1',
      port: 8000,
      trustedProxies: [],
      corsOrigins: [],
    });
    expect(settings.tls).toBeUndefined();
    expect(settings.grpc).toEqual({ host: '127.0.0.1', port: 50_051 });
    expect(settings.log).toBe('sqlite:/work/data/event-hub.db');
    expect(settings.store).toBe(settings.log);
    expect([...settings.roles]).toEqual(['http', 'grpc', 'readers']);
    expect([...settings.eventTypes]).toEqual([
      ['purchase', '+'],
      ['return', '-'],
      ['refund', '-'],
    ]);
    expect(settings.defaultCurrency).toBe('XXX');
    expect(settings.maxFutureMs).toBe(86_400_000);
    expect(settings.logLevel).toBe('info');
    expect(settings.allowWeakDurability).toBe(false);
    expect(settings.rateLimit).toEqual({
      accountRequests: 0,
      accountEvents: 0,
      addressRequests: 0,
      addressEvents: 0,
      burstMs: 2_000,
    });
    expect(settings.streams).toEqual({ perAccount: 100 });
  });

  it('take rates as whole numbers, and a burst of whole seconds', () => {
    const { rateLimit } = load({
      argv: ['--rate-limit-account-events', '500'],
      env: { EVENT_HUB_RATE_LIMIT_BURST: '1m' },
      file: aFile({ rateLimit: { addressRequests: 20 } }),
    }).settings;
    expect(rateLimit).toMatchObject({ accountEvents: 500, addressRequests: 20, burstMs: 60_000 });
    const names = ['RATE_LIMIT_ACCOUNT_REQUESTS', 'RATE_LIMIT_BURST', 'STREAMS_PER_ACCOUNT'];
    for (const value of ['-1', '0.5', '1e3', '1000001', '500ms', '1500ms', '2h', 'off']) {
      for (const name of names) {
        expect(() => load({ env: { [`EVENT_HUB_${name}`]: value } }), `${name}=${value}`).toThrow(
          SettingsError,
        );
      }
    }
  });

  it('have one name in three spellings', () => {
    const spellings = declaredSettings.map(({ path, env, flag }) => [path, env, flag]);
    expect(spellings).toContainEqual(['http.port', 'EVENT_HUB_HTTP_PORT', 'http-port']);
    expect(spellings).toContainEqual([
      'http.trustedProxies',
      'EVENT_HUB_HTTP_TRUSTED_PROXIES',
      'http-trusted-proxies',
    ]);
    expect(spellings).toContainEqual(['tls.clientCa', 'EVENT_HUB_TLS_CLIENT_CA', 'tls-client-ca']);
    expect(spellings).toContainEqual(['logLevel', 'EVENT_HUB_LOG_LEVEL', 'log-level']);
    expect(spellings).toContainEqual([
      'allowWeakDurability',
      'EVENT_HUB_ALLOW_WEAK_DURABILITY',
      'allow-weak-durability',
    ]);
  });

  it('prefer flags to the environment, the environment to the file, the file to PORT', () => {
    const file = aFile({ http: { port: 3 } });
    const env = { PORT: '4', EVENT_HUB_HTTP_PORT: '2' };
    const argv = ['--http-port', '1'];
    expect(load({ argv, env, file }).settings.http.port).toBe(1);
    expect(load({ env, file }).settings.http.port).toBe(2);
    expect(load({ env: { PORT: '4' }, file }).settings.http.port).toBe(3);
    expect(load({ env: { PORT: '4' } }).settings.http.port).toBe(4);
  });

  it('name the source of each value', () => {
    const { values } = load({
      argv: ['--log-level=warn'],
      env: { EVENT_HUB_MAX_FUTURE: '5m' },
      file: aFile({ defaultCurrency: 'EUR' }),
    });
    const sourceOf = (path: string) => values.find((each) => each.setting.path === path)?.source;
    expect(sourceOf('logLevel')).toBe('flag --log-level');
    expect(sourceOf('maxFuture')).toBe('env EVENT_HUB_MAX_FUTURE');
    expect(sourceOf('defaultCurrency')).toBe('file /etc/hub/event-hub.json');
    expect(sourceOf('http.port')).toBe('default');
  });

  it('take any roles on servers, over TLS and by service records too', () => {
    const env = {
      EVENT_HUB_LOG: 'rediss://user:secret@host:6380/1?stream=shop',
      EVENT_HUB_STORE: 'mongodb+srv://user:secr@et@host/event_hub',
      EVENT_HUB_ROLES: 'grpc,readers',
      EVENT_HUB_LOG_KEEP: '1d',
    };
    const { settings, values } = load({ env });
    expect(settings.log).toBe(env.EVENT_HUB_LOG);
    expect([...settings.roles]).toEqual(['grpc', 'readers']);
    expect(settings.logKeepMs).toBe(86_400_000);
    const shown = values.map(({ text }) => text);
    expect(shown).toContain('rediss://user:***@host:6380/1?stream=shop');
    expect(shown).toContain('mongodb+srv://user:***@host/event_hub');
  });

  it('read the URLs of engines from files, where they may hold passwords', () => {
    const env = { EVENT_HUB_LOG_FILE: 'log', EVENT_HUB_STORE_FILE: 'store' };
    const texts: Record<string, string> = {
      '/work/log': 'redis://:secret@host:6379\n',
      '/work/store': 'mongodb://u:secret@a,b/hub\n',
    };
    const { settings } = load({ env, readText: (path) => texts[path] ?? '' });
    expect(settings.log).toBe('redis://:secret@host:6379');
    expect(settings.store).toBe('mongodb://u:secret@a,b/hub');
  });

  it('take the host of gRPC from that of HTTP', () => {
    const env = { EVENT_HUB_HTTP_HOST: '0.0.0.0' };
    expect(load({ env }).settings.grpc.host).toBe('0.0.0.0');
    expect(load({ env, argv: ['--grpc-host', '::1'] }).settings.grpc.host).toBe('::1');
  });

  it('read lists, switches and durations in every source', () => {
    const env = { EVENT_HUB_EVENT_TYPES: 'sale:+, note', EVENT_HUB_MAX_FUTURE: '500ms' };
    const file = aFile({ roles: ['http', 'grpc', 'readers'], allowWeakDurability: true });
    const { settings } = load({ env, file });
    expect([...settings.eventTypes]).toEqual([
      ['sale', '+'],
      ['note', ''],
    ]);
    expect(settings.maxFutureMs).toBe(500);
    expect(settings.allowWeakDurability).toBe(true);
    expect(load({ file, argv: ['--no-allow-weak-durability'] }).settings.allowWeakDurability).toBe(
      false,
    );
  });

  it.each([
    ['24h', 86_400_000],
    ['30s', 30_000],
    ['5m', 300_000],
    ['500ms', 500],
    ['1d', 86_400_000],
  ])('read the duration %s', (text, ms) => {
    expect(load({ env: { EVENT_HUB_MAX_FUTURE: text } }).settings.maxFutureMs).toBe(ms);
  });

  it('count an empty variable as absent', () => {
    expect(load({ env: { EVENT_HUB_HTTP_PORT: '', PORT: '' } }).settings.http.port).toBe(8000);
  });
});

describe('what faces the network', () => {
  it('is given as lists of proxies and origins', () => {
    const env = {
      EVENT_HUB_HTTP_TRUSTED_PROXIES: '10.0.0.0/8, ::1',
      EVENT_HUB_HTTP_CORS_ORIGINS: 'https://shop.example, http://localhost:3000',
    };
    const { http } = load({ env }).settings;
    expect(http.trustedProxies).toEqual([
      { address: '10.0.0.0', prefixBits: 8, family: 'ipv4' },
      { address: '::1', prefixBits: 128, family: 'ipv6' },
    ]);
    expect(http.corsOrigins).toEqual(['https://shop.example', 'http://localhost:3000']);
    const file = aFile({ http: { corsOrigins: ['*'], trustedProxies: ['192.0.2.1'] } });
    expect(load({ file }).settings.http.corsOrigins).toEqual(['*']);
  });

  it.each([
    ['10.0.0.0/33', "'10.0.0.0/33' is none"],
    ['10.0.0.1,proxy.local', "'proxy.local' is none"],
    ['10.0.0.1,', "'' is none"],
  ])('names the proxy that is none: %s', (text, why) => {
    const [fault] = faultsOf({ env: { EVENT_HUB_HTTP_TRUSTED_PROXIES: text } });
    expect(fault).toContain('env EVENT_HUB_HTTP_TRUSTED_PROXIES: expected IP addresses');
    expect(fault).toContain(why);
  });

  it.each([
    'shop.example',
    'https://shop.example/',
    'https://Shop.example',
    'https://shop.example:443',
    'https://*.shop.example',
    'https://user@shop.example',
    'null',
    'file:///x',
    '*,https://shop.example',
  ])('refuses an origin that no browser sends, or * beside others: %s', (text) => {
    const [fault] = faultsOf({ env: { EVENT_HUB_HTTP_CORS_ORIGINS: text } });
    expect(fault).toMatch(/^env EVENT_HUB_HTTP_CORS_ORIGINS: expected origins/);
  });
});

describeWith('the files of TLS', 'openssl', (openssl) => {
  let folder: TemporaryFolder;
  let one: Identity;
  let other: Identity;
  beforeAll(() => {
    folder = temporaryFolder();
    one = makeAuthority(openssl, folder.path, 'one');
    other = makeAuthority(openssl, folder.path, 'other');
    return () => folder.remove();
  });
  const readText = (path: string) => readFileSync(path, 'utf8');

  it("are found from the settings' folder on", () => {
    const env = { EVENT_HUB_TLS_CERT: 'one.crt', EVENT_HUB_TLS_CLIENT_CA: './other.crt' };
    const argv = ['--tls-key', one.keyPath];
    const { settings, values } = load({ env, argv, readText, workingFolder: folder.path });
    expect(settings.tls).toEqual({
      cert: one.certPath,
      key: one.keyPath,
      clientCa: other.certPath,
    });
    expect(values.find(({ setting }) => setting.path === 'tls.cert')?.text).toBe(one.certPath);
  });

  it.each<[Record<string, string>, string]>([
    [{ CERT: 'one.crt' }, 'env EVENT_HUB_TLS_CERT: needs tls.key beside it'],
    [{ KEY: 'one.key' }, 'env EVENT_HUB_TLS_KEY: needs tls.cert beside it'],
    [{ CLIENT_CA: 'one.crt' }, 'env EVENT_HUB_TLS_CLIENT_CA: needs tls.cert and tls.key beside it'],
    [{ CERT: 'one.crt', KEY: 'other.key' }, 'other.key is not the key of the certificate'],
    [{ CERT: 'one.crt', KEY: 'one.crt' }, 'one.crt is no private key in PEM'],
    [{ CERT: 'one.key', KEY: 'one.key' }, 'one.key is no certificate in PEM'],
    [{ CERT: 'one.crt', KEY: 'one.key', CLIENT_CA: 'one.key' }, 'one.key is no certificate in PEM'],
    [{ CERT: 'one.crt', KEY: 'no.key' }, 'env EVENT_HUB_TLS_KEY: the file cannot be read: ENOENT'],
  ])('are refused with the source and the reason: %j', (files, why) => {
    const env = Object.fromEntries(
      Object.entries(files).map(([name, file]) => [`EVENT_HUB_TLS_${name}`, file]),
    );
    const faults = faultsOf({ env, readText, workingFolder: folder.path });
    expect(faults).toEqual([expect.stringMatching(/^env EVENT_HUB_TLS_/)]);
    expect(faults[0]).toContain(why);
  });

  it('are refused with a key that has a passphrase', () => {
    const path = join(folder.path, 'locked.key');
    const locked = ['pkey', '-in', one.keyPath, '-aes256', '-passout', 'pass:1234', '-out', path];
    execFileSync(openssl, locked, { stdio: 'pipe' });
    const env = { EVENT_HUB_TLS_CERT: one.certPath, EVENT_HUB_TLS_KEY: path };
    expect(faultsOf({ env, readText })).toEqual([
      `env EVENT_HUB_TLS_KEY: ${path} has a passphrase: the hub takes a key without one`,
    ]);
  });
});

describe('the paths in settings', () => {
  it("start at the file's folder, else at the working folder", () => {
    const argv = ['--log', 'sqlite:./x.db'];
    expect(load({ argv }).settings.log).toBe('sqlite:/work/x.db');
    expect(load({ argv, file: aFile({}) }).settings.log).toBe('sqlite:/etc/hub/x.db');
    expect(load({ argv: ['--log', 'sqlite:///var/x.db'] }).settings.log).toBe('sqlite:/var/x.db');
  });
});

describe('faults in settings', () => {
  it('are reported all at once, each with its source', () => {
    const faults = faultsOf({
      argv: ['--grpc-port', '70000', '--htp-port=1'],
      env: { EVENT_HUB_HTTP_PORT: 'abc', EVENT_HUB_DEFAULT_CURRENCY: 'eur' },
      file: aFile({ logLevel: 'loud', http: { prot: 1 }, grpc: 5, unknown: 1 }),
    });
    expect(faults).toEqual([
      'unknown flag --htp-port; did you mean --http-port?',
      'file /etc/hub/event-hub.json: unknown key http.prot; did you mean http.port?',
      'file /etc/hub/event-hub.json, grpc: expected an object with host, port',
      'file /etc/hub/event-hub.json: unknown key unknown',
      "env EVENT_HUB_HTTP_PORT: expected a port 0-65535, got 'abc'",
      "flag --grpc-port: expected a port 0-65535, got '70000'",
      "env EVENT_HUB_DEFAULT_CURRENCY: expected an ISO 4217 code in upper case, such as EUR, got 'eur'",
      "file /etc/hub/event-hub.json, logLevel: expected one of trace, debug, info, warn, error, fatal, silent, got 'loud'",
    ]);
  });

  it('name a log that is no URL', () => {
    expect(faultsOf({ env: { EVENT_HUB_LOG: './data/x.db' } })).toEqual([
      "env EVENT_HUB_LOG: expected a URL such as sqlite:./data/event-hub.db, redis://host:6379 or mongodb://host/event_hub, got './data/x.db'",
    ]);
  });

  it.each(['sqlite::memory:', 'sqlite://data/x.db', 'sqlite:./folder/'])(
    'refuse %s, which is no file',
    (url) => {
      expect(faultsOf({ env: { EVENT_HUB_LOG: url } })[0]).toMatch(
        /^env EVENT_HUB_LOG: expected the path of a file/,
      );
    },
  );

  it('name the supported pairs of engines', () => {
    expect(faultsOf({ argv: ['--log', 'amqp://host'] })[0]).toMatch(
      /^flag --log: amqp: .*supported: log and store as sqlite with sqlite/,
    );
    expect(faultsOf({ argv: ['--store', 'mongodb://host/x'] })[0]).toMatch(
      /^flag --store: mongodb: does not go with a sqlite log; supported: /,
    );
    expect(faultsOf({ argv: ['--store', 'sqlite:./other.db'] })[0]).toMatch(
      /^flag --store: with SQLite the log and the store are one file/,
    );
  });

  it('name the supported pairs of engines beside Redis', () => {
    const log = { EVENT_HUB_LOG: 'redis://host:6379' };
    expect(faultsOf({ env: log })[0]).toMatch(
      /^setting store: needed beside a redis log; supported: .*redis with mongodb/,
    );
    expect(faultsOf({ env: { ...log, EVENT_HUB_STORE: 'sqlite:./x.db' } })[0]).toMatch(
      /^env EVENT_HUB_STORE: sqlite: does not go with a redis log; supported: /,
    );
  });

  it('refuse a log that forgets before a request is over', () => {
    expect(faultsOf({ env: { EVENT_HUB_LOG_KEEP: '59m' } })).toEqual([
      "env EVENT_HUB_LOG_KEEP: expected a duration of 1h or more, such as 1h, 24h or 7d, got '59m'",
    ]);
  });

  it('keep everything unless a retention is set', () => {
    expect(load({}).settings.retentionMs).toBeUndefined();
    expect(load({ env: { EVENT_HUB_RETENTION: 'off' } }).settings.retentionMs).toBeUndefined();
    const { settings } = load({ argv: ['--retention=400d'] });
    expect(settings.retentionMs).toBe(400 * 86_400_000);
  });

  it('refuse a retention that would touch minutes to come, or what the log still holds', () => {
    const retention = (text: string, env = {}) =>
      faultsOf({ env: { EVENT_HUB_RETENTION: text, ...env } });
    for (const text of ['23h', '0', '-1d', 'on', '1.5d']) {
      expect(retention(text)).toEqual([
        `env EVENT_HUB_RETENTION: expected off, or a duration of 1d or more, such as 30d or 400d, got '${text}'`,
      ]);
    }
    expect(retention('47h')).toEqual([
      "env EVENT_HUB_RETENTION: expected at least 2d, got '47h': events may lie 1d ahead (EVENT_HUB_MAX_FUTURE), and a minute that is not over for a day must not lose one",
    ]);
    expect(retention('8d', { EVENT_HUB_LOG_KEEP: '174h' })).toEqual([
      "env EVENT_HUB_RETENTION: expected at least 198h, got '8d': the log keeps entries for 174h (EVENT_HUB_LOG_KEEP), and must not hold what the store has removed",
    ]);
    const least = { EVENT_HUB_LOG_KEEP: '7d', EVENT_HUB_MAX_FUTURE: '0s' };
    const { settings } = load({ env: { EVENT_HUB_RETENTION: '8d', ...least } });
    expect(settings.retentionMs).toBe(8 * 86_400_000);
  });

  it('refuse fewer roles than all with SQLite', () => {
    expect(faultsOf({ env: { EVENT_HUB_ROLES: 'http' } })[0]).toMatch(
      /^env EVENT_HUB_ROLES: with SQLite one process does everything/,
    );
    expect(faultsOf({ env: { EVENT_HUB_ROLES: 'web' } })[0]).toMatch(
      /^env EVENT_HUB_ROLES: expected a list/,
    );
  });

  it('name a flag without its value', () => {
    expect(faultsOf({ argv: ['--http-port'] })).toEqual([
      'flag --http-port: a value is missing; expected a port 0-65535',
    ]);
  });

  it('say what is wrong with the file itself', () => {
    const text = '{"http": {"port": 1}, "http": {}}';
    expect(faultsOf({ file: { path: '/x/event-hub.json', text } })[0]).toMatch(
      /^file \/x\/event-hub.json: .*twice/,
    );
    expect(faultsOf({ file: { path: '/x/event-hub.json', text: '[]' } })).toHaveLength(1);
  });

  it('never come as anything but SettingsError, whatever is set', () => {
    const name = fc.constantFrom(...declaredSettings.map(({ env }) => env));
    fc.assert(
      fc.property(fc.dictionary(name, fc.string()), fc.string(), (env, text) => {
        try {
          load({ env, file: { path: '/x/event-hub.json', text } });
        } catch (reason) {
          expect(reason).toBeInstanceOf(SettingsError);
        }
      }),
    );
  });
});

describe('warnings', () => {
  it('name variables that look like settings, with the nearest', () => {
    const env = {
      EVENT_HUB_HTP_PORT: '1',
      EVENT_HUB_URL: 'x',
      EVENT_HUB_GRPC_URL: 'x',
      EVENT_HUB_CONFIG: 'x',
    };
    expect(load({ env }).warnings).toEqual([
      'env EVENT_HUB_HTP_PORT is no setting and does nothing; did you mean EVENT_HUB_HTTP_PORT?',
    ]);
  });
});

describe('secrets', () => {
  it('are read from the file that a variable names', () => {
    const env = { EVENT_HUB_LOG_FILE: 'secret.txt' };
    const readText = (path: string) => (path === '/work/secret.txt' ? 'sqlite:./s.db\n' : '');
    const { settings, values } = load({ env, readText });
    expect(settings.log).toBe('sqlite:/work/s.db');
    expect(values.find((each) => each.setting.path === 'log')?.source).toBe(
      'env EVENT_HUB_LOG_FILE',
    );
  });

  it('are refused when they are set twice or cannot be read', () => {
    const both = { EVENT_HUB_LOG: 'sqlite:./a.db', EVENT_HUB_LOG_FILE: 'x' };
    expect(faultsOf({ env: both })).toEqual([
      'env EVENT_HUB_LOG and env EVENT_HUB_LOG_FILE are both set: keep one',
    ]);
    const unread = { EVENT_HUB_LOG_FILE: 'x', EVENT_HUB_STORE: 'mongodb://h/hub' };
    expect(faultsOf({ env: unread })).toEqual([
      'env EVENT_HUB_LOG_FILE: the file cannot be read: no such file',
    ]);
  });

  it('are masked in faults', () => {
    const [fault] = faultsOf({ argv: ['--log', 'Redis://user:hunter2@host:6379'] });
    expect(fault).not.toContain('hunter2');
    expect(fault).toContain('user:***@host');
  });
});

function load(sources: Partial<SettingsSources>) {
  return loadSettings({
    argv: [],
    env: {},
    file: undefined,
    workingFolder: '/work',
    readText: () => {
      throw new Error('no such file');
    },
    ...sources,
  });
}

function faultsOf(sources: Partial<SettingsSources>): readonly string[] {
  try {
    load(sources);
  } catch (reason) {
    if (reason instanceof SettingsError) return reason.faults;
    throw reason;
  }
  return [];
}

function aFile(content: unknown) {
  return { path: '/etc/hub/event-hub.json', text: JSON.stringify(content) };
}
