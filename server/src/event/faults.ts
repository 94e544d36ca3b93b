import { type ErrorDetail, HubError } from '../base/errors.ts';
import { InexactNumber } from '../base/json.ts';
import { limits } from '../base/limits.ts';

/** Why one value is refused: a machine word, and a sentence that begins with the field's name. */
export interface Fault {
  readonly code: string;
  readonly detail: string;
}

/** Collects what is wrong with one input, so that a sender hears of everything at once. */
export class Faults {
  count = 0;
  private details: ErrorDetail[] | undefined;

  /** Beyond the faults that are named, one is counted only: a function that makes it is not called. */
  add(pointer: string, fault: Fault | (() => Fault)): void {
    this.count += 1;
    this.details ??= [];
    if (this.details.length === limits.errorDetails) return;
    const { code, detail } = typeof fault === 'function' ? fault() : fault;
    this.details.push({ pointer, code, detail });
  }

  /** Throws `invalid` when anything was added: the first fault is the message, the details list them. */
  check(): void {
    const details = this.details;
    if (details === undefined) return;
    const others = this.count - 1;
    const more = others === 0 ? '' : ` (and ${others} more)`;
    throw new HubError('invalid', `${details[0]?.detail ?? ''}${more}`, { details });
  }
}

/** A refused value in a message: quoted, escaped, and cut when long. */
export function shown(text: string): string {
  const cut = text.length > limits.echoedCharacters;
  return JSON.stringify(cut ? `${text.slice(0, limits.echoedCharacters)}…` : text);
}

/** The fault of a value that has the wrong type. */
export function expectedString(name: string, value: unknown): Fault {
  return { code: 'expected_string', detail: `${name} must be a string, not ${typeName(value)}` };
}

export function expectedObject(name: string, value: unknown): Fault {
  return {
    code: 'expected_object',
    detail: `${name} must be a JSON object, not ${typeName(value)}`,
  };
}

export function required(name: string): Fault {
  return { code: 'required', detail: `${name} is required` };
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (value instanceof InexactNumber) return 'a number';
  if (typeof value === 'object') return 'an object';
  return `a ${typeof value}`;
}
