import { HubError, invalid } from '../../base/errors.ts';
import { shown } from '../../event/faults.ts';

/** The parameters that a call takes; what is not named here is refused by name. */
export interface ParameterNames {
  /** Given at most once. */
  readonly single: readonly string[];
  /** Given any number of times. */
  readonly repeatable?: readonly string[];
}

/** A single parameter is a string, a repeatable one a list. */
export type Parameters = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Reads `a=1&b=2` as forms are encoded. Throws `unreadable` where the percent
 * encoding is broken, and `invalid` with the parameter's name as the pointer
 * for an unknown or repeated one.
 */
export function parseParameters(query: string, names: ParameterNames): Parameters {
  if (query === '') return none;
  const found: Record<string, string | string[]> = Object.create(null);
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1));
    if (names.repeatable?.includes(name)) {
      const values = found[name];
      if (Array.isArray(values)) values.push(value);
      else found[name] = [value];
    } else {
      if (!names.single.includes(name)) throw unknownParameter(name, names);
      if (found[name] !== undefined) {
        throw invalid(`/${name}`, 'repeated', `${name} is given more than once: give it once`);
      }
      found[name] = checkPlus(name, value);
    }
  }
  return found;
}

/** `true` or `false`; `otherwise` when the parameter is absent. */
export function flag(parameters: Parameters, name: string, otherwise: boolean): boolean {
  const value = parameters[name];
  if (value === undefined) return otherwise;
  if (value === 'true') return true;
  if (value === 'false') return false;
  throw invalid(`/${name}`, 'boolean', `${name} is not a truth value: use "true" or "false"`);
}

const none: Parameters = Object.freeze(Object.create(null));

function decode(text: string): string {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new HubError('unreadable', 'the query has a "%" that is no percent-encoded UTF-8');
  }
}

/** The one plus sign that people forget to encode is the offset's. */
function checkPlus(name: string, value: string): string {
  if ((name === 'from' || name === 'to') && /\d \d\d:\d\d$/.test(value)) {
    const detail = `${name} has a blank where its offset starts: in a URL write "+" as "%2B", or use "Z"`;
    throw invalid(`/${name}`, 'timestamp', detail);
  }
  return value;
}

function unknownParameter(name: string, names: ParameterNames): HubError {
  const known = [...names.single, ...(names.repeatable ?? [])];
  const pointer = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const take = known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`;
  return invalid(
    pointer,
    'unknown_parameter',
    `${shown(name)} is not a parameter of this call: ${take}`,
  );
}
