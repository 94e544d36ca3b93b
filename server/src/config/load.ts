import { dirname } from 'node:path';
import type { z } from 'zod';
import { commandLineEnv, envPrefix } from './command-line-env.ts';
import { type DeclaredSetting, declaredSettings } from './declared-settings.ts';
import { resolveEngineUrls, schemeOf } from './engine-urls.ts';
import {
  type Given,
  type GivenSettings,
  gatherSettings,
  type SettingsSources,
} from './given-settings.ts';
import { shownValue } from './mask-passwords.ts';
import { retentionFault } from './retention.ts';
import type { ParsedSettings } from './schema.ts';
import { roles, type Settings } from './settings.ts';
import { SettingsError } from './settings-error.ts';
import { suggestion } from './suggestion.ts';
import { resolveTls } from './tls-settings.ts';
import { resolveTokenSettings } from './token-settings.ts';
import { readTracingSettings } from './tracing-settings.ts';

/** One setting as it holds. */
export interface SettingValue {
  readonly setting: DeclaredSetting;
  /** As one would set it, with passwords masked. */
  readonly text: string;
  /** `flag --http-port`, `env EVENT_HUB_HTTP_PORT`, `file /path/event-hub.json`, `default`. */
  readonly source: string;
}

export interface LoadedSettings {
  readonly settings: Settings;
  /** In the order of the schema. */
  readonly values: readonly SettingValue[];
  /** Such as a variable that looks like a setting's and is none. */
  readonly warnings: readonly string[];
}

/**
 * Flags before variables before the file before defaults. An empty variable
 * counts as absent. Throws SettingsError with every fault there is.
 */
export function loadSettings(sources: SettingsSources): LoadedSettings {
  const faults: string[] = [];
  const given = gatherSettings(sources, faults);
  const parsed = new Map<string, unknown>();
  for (const setting of declaredSettings) {
    const found = given.get(setting.path);
    if (found?.isUnread === true) continue;
    const result = setting.schema.safeParse(found?.value);
    if (result.success) parsed.set(setting.path, result.data);
    else faults.push(faultOf(setting, found, result.error));
  }
  const folder = sources.file === undefined ? sources.workingFolder : dirname(sources.file.path);
  const complete = completeSettings(parsed, given, { ...sources, folder }, faults);
  if (complete === undefined || faults.length > 0) throw new SettingsError(faults);
  const warnings = unknownVariables(sources.env);
  return {
    settings: { ...complete, tracing: readTracingSettings(sources.env, warnings) },
    values: declaredSettings.map((setting) => describe(setting, given, complete)),
    warnings,
  };
}

function faultOf(setting: DeclaredSetting, given: Given | undefined, error: z.ZodError): string {
  const source = given?.source ?? `setting ${setting.path}`;
  const value = given?.value;
  const text = typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
  const why = error.issues.find(
    (issue) => issue.code === 'custom' && issue.message !== 'Invalid input',
  );
  const shown = shownValue(setting.secret, text);
  return `${source}: expected ${setting.expected}, got ${shown}${why ? ` (${why.message})` : ''}`;
}

/** What has a name of the hub's own. */
type UntracedSettings = Omit<Settings, 'tracing'>;

/** Undefined when something is missing because it had a fault. */
function completeSettings(
  parsed: ReadonlyMap<string, unknown>,
  given: GivenSettings,
  { folder, readText }: Pick<SettingsSources, 'readText'> & { readonly folder: string },
  faults: string[],
): UntracedSettings | undefined {
  const value = nest(parsed);
  const sourceOf = (path: string) => given.get(path)?.source ?? `setting ${path}`;
  const isWhole = declaredSettings.every(
    ({ path }) => !path.startsWith('auth.') || parsed.has(path),
  );
  const auth = isWhole ? resolveTokenSettings(value.auth, folder) : undefined;
  if (auth !== undefined && 'fault' in auth) {
    faults.push(`${sourceOf(`auth.${auth.faultOf}`)}: ${auth.fault}`);
  }
  const tls = resolveTls(value.tls ?? {}, { folder, sourceOf, readText, faults });
  if (!parsed.has('log') || !parsed.has('store')) return undefined;
  const urls = resolveEngineUrls(value.log, value.store, folder);
  if ('fault' in urls) {
    faults.push(`${sourceOf(urls.faultOf)}: ${urls.fault}`);
    return undefined;
  }
  const isEmbedded = schemeOf(urls.log) === 'sqlite';
  if (isEmbedded && parsed.has('roles') && value.roles.size < roles.length) {
    const needed = roles.join(',');
    faults.push(`${sourceOf('roles')}: with SQLite one process does everything: set ${needed}`);
  }
  if (parsed.size < declaredSettings.length || auth === undefined || 'fault' in auth) {
    return undefined;
  }
  const { retention, maxFuture, logKeep } = value;
  if (retention !== undefined) {
    const tooShort = retentionFault(retention, { maxFutureMs: maxFuture, logKeepMs: logKeep });
    if (tooShort !== undefined) faults.push(`${sourceOf('retention')}: ${tooShort}`);
  }
  return {
    http: {
      ...value.http,
      trustedProxies: value.http.trustedProxies ?? [],
      corsOrigins: value.http.corsOrigins ?? [],
    },
    grpc: { host: value.grpc.host ?? value.http.host, port: value.grpc.port },
    metrics:
      value.metrics.port === undefined
        ? undefined
        : { host: value.metrics.host ?? value.http.host, port: value.metrics.port },
    metricsAmounts: value.metrics.amounts,
    auth,
    tls,
    log: urls.log,
    store: urls.store,
    logKeepMs: value.logKeep,
    retentionMs: value.retention,
    roles: value.roles,
    eventTypes: value.eventTypes,
    defaultCurrency: value.defaultCurrency,
    maxFutureMs: value.maxFuture,
    logLevel: value.logLevel,
    autoMigrate: value.autoMigrate,
    allowWeakDurability: value.allowWeakDurability,
    allowAnonymous: value.allowAnonymous,
    accessGraceMs: value.accessGrace,
    rateLimit: rateLimitOf(value.rateLimit),
    streams: value.streams,
  };
}

function rateLimitOf({ burst, ...rates }: ParsedSettings['rateLimit']): Settings['rateLimit'] {
  return { ...rates, burstMs: burst };
}

/** `http.port` becomes the member `port` of `http`. Every leaf has been through its own part of the schema. */
function nest(parsed: ReadonlyMap<string, unknown>): ParsedSettings {
  const root: Record<string, unknown> = {};
  for (const [path, value] of parsed) {
    const names = path.split('.');
    const leaf = names.pop() ?? path;
    let group = root;
    for (const name of names) {
      group[name] ??= {};
      group = group[name] as Record<string, unknown>;
    }
    group[leaf] = value;
  }
  return root as ParsedSettings;
}

function describe(
  setting: DeclaredSetting,
  given: GivenSettings,
  settings: UntracedSettings,
): SettingValue {
  const source = given.get(setting.path)?.source.replace(/, [^,]*$/, '') ?? 'default';
  const text = textOf(setting, given, settings);
  const secret = given.has(setting.path) && setting.secret;
  return { setting, source, text: shownValue(secret, text) };
}

function textOf(
  setting: DeclaredSetting,
  given: GivenSettings,
  settings: UntracedSettings,
): string {
  if (setting.path === 'log') return settings.log;
  if (setting.path === 'store') return settings.store;
  if (setting.path === 'grpc.host') return settings.grpc.host;
  if (setting.path === 'metrics.host') return settings.metrics?.host ?? settings.http.host;
  if (setting.path === 'tls.cert' && settings.tls) return settings.tls.cert;
  if (setting.path === 'tls.key' && settings.tls) return settings.tls.key;
  if (setting.path === 'tls.clientCa' && settings.tls?.clientCa) return settings.tls.clientCa;
  const value = given.get(setting.path)?.value ?? setting.defaultText;
  return Array.isArray(value) ? value.join(',') : String(value);
}

function unknownVariables(env: SettingsSources['env']): string[] {
  const known = new Set<string>(Object.values(commandLineEnv));
  for (const { env: name, secret } of declaredSettings) {
    known.add(name);
    if (secret) known.add(`${name}_FILE`);
  }
  return Object.keys(env)
    .filter((name) => name.startsWith(envPrefix) && !known.has(name))
    .sort()
    .map(
      (name) => `env ${name} is no setting and does nothing${suggestion(name, known, envPrefix)}`,
    );
}
