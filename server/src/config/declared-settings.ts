import { z } from 'zod';
import { envPrefix } from './command-line-env.ts';
import { type SettingMeta, settingMeta, settingsSchema } from './schema.ts';

/** One setting and the names by which it can be set. */
export interface DeclaredSetting extends SettingMeta {
  /** `http.port`, as in the file. */
  readonly path: string;
  /** `EVENT_HUB_HTTP_PORT`. */
  readonly env: string;
  /** `http-port`, without the dashes. */
  readonly flag: string;
  readonly schema: z.ZodType;
}

/** In the order of the schema. */
export const declaredSettings: readonly DeclaredSetting[] = [...declare(settingsSchema, [])];

function* declare(schema: z.ZodObject, path: readonly string[]): Generator<DeclaredSetting> {
  for (const [name, part] of Object.entries(schema.shape)) {
    const place = [...path, name];
    if (part instanceof z.ZodObject) {
      yield* declare(part, place);
      continue;
    }
    const type = part as z.ZodType;
    const meta = settingMeta.get(type);
    if (meta === undefined) throw new Error(`the setting ${place.join('.')} is not described`);
    const words = place.flatMap(wordsOf);
    yield {
      ...meta,
      path: place.join('.'),
      env: envPrefix + words.join('_').toUpperCase(),
      flag: words.join('-'),
      schema: type,
    };
  }
}

/** `defaultCurrency` as `default`, `currency`. */
function wordsOf(name: string): readonly string[] {
  return name.split(/(?=[A-Z])/).map((word) => word.toLowerCase());
}
