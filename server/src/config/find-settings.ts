import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { commandLineEnv } from './command-line-env.ts';
import { environment } from './environment.ts';
import { type LoadedSettings, loadSettings } from './load.ts';
import { SettingsError } from './settings-error.ts';
import { type SettingsFile, settingsFileName } from './settings-file.ts';

/**
 * The settings of this process: its variables, the file that `--config` or
 * EVENT_HUB_CONFIG names or else event-hub.json in the working folder, and the
 * given flags. Throws SettingsError.
 */
export function findSettings(argv: readonly string[], configFlag?: string): LoadedSettings {
  const env = environment();
  const workingFolder = process.cwd();
  return loadSettings({
    argv,
    env,
    file: findFile(workingFolder, configFlag, env[commandLineEnv.config]),
    workingFolder,
    readText: (path) => readFileSync(path, 'utf8'),
  });
}

function findFile(
  workingFolder: string,
  flag: string | undefined,
  variable: string | undefined,
): SettingsFile | undefined {
  const named = flag ?? (variable || undefined);
  const path = resolve(workingFolder, named ?? settingsFileName);
  try {
    return { path, text: readFileSync(path, 'utf8') };
  } catch (reason) {
    const isMissing = (reason as NodeJS.ErrnoException).code === 'ENOENT';
    if (isMissing && named === undefined) return undefined;
    const source =
      flag !== undefined
        ? 'flag --config'
        : named !== undefined
          ? `env ${commandLineEnv.config}`
          : 'file';
    const why = isMissing ? 'there is no such file' : (reason as Error).message;
    throw new SettingsError([`${source} ${path}: ${why}`]);
  }
}
