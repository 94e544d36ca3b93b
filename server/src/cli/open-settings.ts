import { findSettings } from '../config/find-settings.ts';
import type { LoadedSettings } from '../config/load.ts';
import type { SettingFlags } from './command.ts';
import type { Terminal } from './terminal.ts';

/** The hub's settings for a command; what is odd about them is said on stderr. Throws SettingsError. */
export function openSettings(
  { argv, file }: SettingFlags,
  terminal: Pick<Terminal, 'err'>,
): LoadedSettings {
  const loaded = findSettings(argv, file);
  for (const warning of loaded.warnings) terminal.err(`event-hub: warning: ${warning}`);
  return loaded;
}
