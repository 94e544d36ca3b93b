import { canonicalJson, InexactNumber, isJsonObject, jsonPointer } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { expectedObject, type Fault, type Faults, shown } from './faults.ts';
import { exceedsCodePoints, illFormed } from './field-rules.ts';

/**
 * Metadata as compact JSON with its keys sorted, or undefined after adding
 * what is wrong to `faults`. Nothing in it may change on the way to a store
 * and back: hence the rules for numbers, keys and NUL.
 */
export function parseMetadata(value: unknown, faults: Faults): string | undefined {
  if (!isJsonObject(value)) {
    faults.add('/metadata', expectedObject('metadata', value));
    return undefined;
  }
  const before = faults.count;
  checkValue(value, ['metadata'], faults);
  if (faults.count > before) return undefined;
  const text = canonicalJson(value);
  // A code unit takes three bytes at the most, so short texts need no count.
  if (text.length * 3 <= limits.metadataBytes) return text;
  const bytes = Buffer.byteLength(text);
  if (bytes <= limits.metadataBytes) return text;
  faults.add('/metadata', {
    code: 'metadata_too_large',
    detail: `metadata has ${bytes} bytes as compact JSON, at most ${limits.metadataBytes}`,
  });
  return undefined;
}

/** `path` leads to the value and is as long as its level. */
function checkValue(value: unknown, path: (string | number)[], faults: Faults): void {
  const fault = valueFault(value, path.length);
  if (fault !== undefined) {
    faults.add(jsonPointer(path), fault);
  } else if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      path.push(index);
      checkValue(value[index], path, faults);
      path.pop();
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      path.push(key);
      const wrongKey = keyFault(key);
      if (wrongKey !== undefined) faults.add(jsonPointer(path), wrongKey);
      checkValue(member, path, faults);
      path.pop();
    }
  }
}

/** What is wrong with a value, its members apart. */
function valueFault(value: unknown, level: number): Fault | undefined {
  if (typeof value === 'string') return textFault(value);
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : notFinite;
  if (value === null || typeof value === 'boolean') return undefined;
  if (value instanceof InexactNumber) return inexact(value);
  if (typeof value !== 'object') return notJson;
  return level > limits.metadataDepth ? tooDeep : undefined;
}

function textFault(text: string): Fault | undefined {
  if (text.includes('\0')) return nul;
  return text.isWellFormed() ? undefined : illFormed('metadata');
}

function keyFault(key: string): Fault | undefined {
  const problem = keyProblem(key);
  if (problem === undefined) return undefined;
  return { code: 'metadata_key', detail: `metadata has the key ${shown(key)}, ${problem}` };
}

function keyProblem(key: string): string | undefined {
  if (key === '') return 'which is empty: name it';
  if (exceedsCodePoints(key, limits.metadataKeyCodePoints)) {
    return `which is longer than ${limits.metadataKeyCodePoints} characters`;
  }
  if (key === '__proto__' || key === '_bsontype') return 'which is reserved: rename it';
  if (key.startsWith('$')) return 'which starts with "$": rename it';
  if (key.includes('.')) return 'which has a "." in it: rename it, or nest an object';
  if (key.includes('\0')) return 'which has a NUL character: remove it';
  if (!key.isWellFormed()) return 'which has half of a surrogate pair';
  return undefined;
}

const nul: Fault = {
  code: 'control_character',
  detail: 'metadata has a NUL character in a string: remove it',
};

const notJson: Fault = {
  code: 'metadata_value',
  detail: 'metadata takes objects, arrays, strings, numbers, true, false and null',
};

const tooDeep: Fault = {
  code: 'metadata_too_deep',
  detail: `metadata has more than ${limits.metadataDepth} levels: flatten it`,
};

const notFinite: Fault = {
  code: 'metadata_number',
  detail: 'metadata has a number that is not finite: send it as a string',
};

function inexact(number: InexactNumber): Fault {
  return {
    code: 'metadata_number',
    detail: `metadata has the number ${shown(number.source)}, which a double cannot hold: send it as a string`,
  };
}
