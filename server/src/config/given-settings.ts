import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type DeclaredSetting, declaredSettings } from './declared-settings.ts';
import { readSettingsFile, type SettingsFile } from './settings-file.ts';
import { suggestion } from './suggestion.ts';

export interface SettingsSources {
  /** Flags of settings only: `--http-port 8000`. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly file: SettingsFile | undefined;
  /** Absolute; where relative paths start when there is no file. */
  readonly workingFolder: string;
  /** Reads the file that a `..._FILE` variable names; throws when it cannot. */
  readonly readText: (path: string) => string;
}

/** What somebody set, and where. */
export interface Given {
  readonly value: unknown;
  /** `flag --http-port`, `env EVENT_HUB_HTTP_PORT`, `file /path/event-hub.json, http.port`. */
  readonly source: string;
  /** Its value is not known, and that was said: what follows from it is not to be judged. */
  readonly isUnread?: boolean;
}

/** By the setting's path. */
export type GivenSettings = ReadonlyMap<string, Given>;

/** The first of flag, variable, file and fallback variable. An empty variable counts as absent. */
export function gatherSettings(sources: SettingsSources, faults: string[]): GivenSettings {
  const given = new Map<string, Given>();
  const flags = readFlags(sources.argv, faults);
  const inFile =
    sources.file === undefined
      ? new Map<string, unknown>()
      : readSettingsFile(sources.file, faults);
  for (const setting of declaredSettings) {
    const flag = flags.get(setting.flag);
    const variable = readVariable(setting, sources, faults);
    if (flag !== undefined) {
      given.set(setting.path, { value: flag, source: `flag --${setting.flag}` });
    } else if (variable !== undefined) {
      given.set(setting.path, variable);
    } else if (inFile.has(setting.path)) {
      const source = `file ${sources.file?.path}, ${setting.path}`;
      given.set(setting.path, { value: inFile.get(setting.path), source });
    } else if (setting.fallbackEnv !== undefined) {
      const value = sources.env[setting.fallbackEnv];
      if (value) given.set(setting.path, { value, source: `env ${setting.fallbackEnv}` });
    }
  }
  return given;
}

/** The options of `parseArgs` that stand for the settings. */
export const settingFlags = Object.fromEntries(
  declaredSettings.map(({ flag, standsAlone }) => [
    flag,
    { type: standsAlone ? ('boolean' as const) : ('string' as const) },
  ]),
);

function readFlags(argv: readonly string[], faults: string[]): ReadonlyMap<string, unknown> {
  const { tokens } = parseArgs({
    args: [...argv],
    options: settingFlags,
    strict: false,
    allowNegative: true,
    tokens: true,
  });
  const flags = new Map<string, unknown>();
  for (const token of tokens) {
    if (token.kind === 'positional') faults.push(`unexpected argument ${token.value}`);
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    const setting = declaredSettings.find((each) => each.flag === name);
    const isNegated = rawName !== `--${name}`;
    if (setting === undefined || (isNegated && !setting.standsAlone)) {
      const known = declaredSettings.map((each) => `--${each.flag}`);
      faults.push(`unknown flag ${rawName}${suggestion(rawName, known, '--')}`);
    } else if (setting.standsAlone) {
      flags.set(name, value ?? !isNegated);
    } else if (value === undefined || (!token.inlineValue && value.startsWith('--'))) {
      faults.push(`flag ${rawName}: a value is missing; expected ${setting.expected}`);
    } else {
      flags.set(name, value);
    }
  }
  return flags;
}

function readVariable(
  setting: DeclaredSetting,
  { env, file, workingFolder, readText }: SettingsSources,
  faults: string[],
): Given | undefined {
  const value = env[setting.env];
  const fileVariable = `${setting.env}_FILE`;
  const path = setting.secret ? env[fileVariable] : undefined;
  if (!path) return value ? { value, source: `env ${setting.env}` } : undefined;
  if (value) {
    faults.push(`env ${setting.env} and env ${fileVariable} are both set: keep one`);
    return { value: undefined, source: `env ${setting.env}`, isUnread: true };
  }
  const folder = file === undefined ? workingFolder : dirname(file.path);
  try {
    return { value: readText(resolve(folder, path)).trim(), source: `env ${fileVariable}` };
  } catch (reason) {
    const why = reason instanceof Error ? reason.message : String(reason);
    faults.push(`env ${fileVariable}: the file cannot be read: ${why}`);
    return { value: undefined, source: `env ${fileVariable}`, isUnread: true };
  }
}
