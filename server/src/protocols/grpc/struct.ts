import { HubError } from '../../base/errors.ts';
import type { Json } from '../../base/json.ts';
import type { Struct, StructValue } from './messages.ts';

/**
 * A Struct as a plain object. Its depth is bounded: the decoder refuses
 * messages more than 100 deep, which is 50 levels here. Throws `unreadable`
 * for a Value that holds nothing, or a null that is none.
 */
export function structToJson(struct: Struct): Readonly<Record<string, Json>> {
  const object = emptyObject();
  const fields = struct.fields;
  for (const key of Object.keys(fields)) {
    const value = fields[key];
    if (value !== undefined) object[key] = valueToJson(value);
  }
  return object;
}

/** The other way, for the metadata of a stored event: canonical JSON text of an object. */
export function structFromText(text: string): Struct {
  return structFromJson(JSON.parse(text) as Record<string, Json>);
}

function valueToJson(value: StructValue): Json {
  switch (value.kind) {
    case 'stringValue':
      return value.stringValue ?? '';
    case 'numberValue':
      return value.numberValue ?? 0;
    case 'boolValue':
      return value.boolValue ?? false;
    case 'structValue':
      return structToJson(value.structValue ?? { fields: {} });
    case 'listValue':
      return (value.listValue?.values ?? []).map(valueToJson);
    case 'nullValue':
      // The enum is open on the wire; another number would come back as 0.
      if (value.nullValue !== 0)
        throw new HubError('unreadable', 'a null_value must be NULL_VALUE');
      return null;
    default:
      throw new HubError('unreadable', 'a Value in metadata holds nothing: set one of its kinds');
  }
}

function structFromJson(object: Readonly<Record<string, Json>>): Struct {
  const fields = emptyObject<StructValue>();
  for (const [key, value] of Object.entries(object)) fields[key] = valueFromJson(value);
  return { fields };
}

function valueFromJson(value: Json): StructValue {
  if (value === null) return { nullValue: 0 };
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number') return { numberValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (Array.isArray(value)) return { listValue: { values: value.map(valueFromJson) } };
  return { structValue: structFromJson(value as Readonly<Record<string, Json>>) };
}

/** Without a prototype, so that a key such as `__proto__` is a key. */
function emptyObject<T = Json>(): Record<string, T> {
  return Object.create(null);
}
