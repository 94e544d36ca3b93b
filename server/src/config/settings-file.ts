import { HubError } from '../base/errors.ts';
import { InexactNumber, isJsonObject, type Json, parseJson } from '../base/json.ts';
import { declaredSettings } from './declared-settings.ts';
import { suggestion } from './suggestion.ts';

/** Its name in the working folder. */
export const settingsFileName = 'event-hub.json';

export interface SettingsFile {
  /** Absolute; relative paths in settings start at its folder. */
  readonly path: string;
  readonly text: string;
}

/** The file's values by their paths, such as `http.port`. Faults name the file and the key. */
export function readSettingsFile(
  file: SettingsFile,
  faults: string[],
): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>();
  let content: Json;
  try {
    content = parseJson(file.text);
  } catch (reason) {
    faults.push(`file ${file.path}: ${HubError.from(reason).message}`);
    return values;
  }
  if (isJsonObject(content)) collect(file.path, content, '', values, faults);
  else faults.push(`file ${file.path}: expected one JSON object with the settings`);
  return values;
}

function collect(
  file: string,
  object: { readonly [key: string]: Json },
  parent: string,
  values: Map<string, unknown>,
  faults: string[],
): void {
  for (const [key, value] of Object.entries(object)) {
    const path = parent === '' ? key : `${parent}.${key}`;
    const isGroup = paths.some((known) => known.startsWith(`${path}.`));
    if (paths.includes(path)) {
      if (value !== null) values.set(path, value instanceof InexactNumber ? value.source : value);
    } else if (isGroup && isJsonObject(value)) {
      collect(file, value, path, values, faults);
    } else if (isGroup) {
      faults.push(`file ${file}, ${path}: expected an object with ${membersOf(path)}`);
    } else {
      faults.push(`file ${file}: unknown key ${path}${suggestion(path, paths)}`);
    }
  }
}

const paths = declaredSettings.map((setting) => setting.path);

function membersOf(group: string): string {
  const members = paths.filter((path) => path.startsWith(`${group}.`));
  return members.map((path) => path.slice(group.length + 1)).join(', ');
}
