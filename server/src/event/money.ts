import { toDecimal } from '../base/decimal.ts';
import { InexactNumber } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import type { Fault } from './faults.ts';

/** Money is a bigint of millionths: 150.75 is 150_750_000n. */
const MICROS_PER_UNIT = 10n ** BigInt(limits.amountDecimals);
export const microsPerUnit = Number(MICROS_PER_UNIT);
const microsMax = limits.amountUnitsMax * MICROS_PER_UNIT;

/**
 * An amount as millionths, or why it is refused. Takes numbers (by their
 * shortest decimal, which is also how a protobuf double is taken), decimal
 * text, and the reader's InexactNumber. Never rounds.
 */
export function parseAmount(value: unknown): bigint | Fault {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return notAnAmount;
    return quickMicros(value) ?? fromNumberText(String(value));
  }
  if (typeof value === 'string') return fromText(value);
  if (value instanceof InexactNumber) return fromNumberText(value.source);
  return notAnAmount;
}

/** Plain decimal text without trailing zeros: `150.75`, `0`, `-3.5`. */
export function formatAmount(micros: bigint): string {
  if (micros < 0n) return `-${formatAmount(-micros)}`;
  const text = micros.toString().padStart(limits.amountDecimals + 1, '0');
  const point = text.length - limits.amountDecimals;
  let end = text.length;
  while (end > point && text.charCodeAt(end - 1) === ZERO) end -= 1;
  return end === point ? text.slice(0, point) : `${text.slice(0, point)}.${text.slice(point, end)}`;
}

/** The nearest double, for the wires that have a field for one. */
export function amountToNumber(micros: bigint): number {
  return Number(formatAmount(micros));
}

const ZERO = 0x30;
const plainDecimal = /^(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/;

const notAnAmount: Fault = {
  code: 'amount_format',
  detail: 'amount must be a number or a decimal string, such as 150.75 or "150.75"',
};
const notPlain: Fault = {
  code: 'amount_format',
  detail:
    'amount must be a plain decimal such as "150.75": digits and a point, without sign, blanks or exponent',
};
const negative: Fault = {
  code: 'amount_negative',
  detail: 'amount is negative: send it as a positive amount, its type makes it count as minus',
};

/**
 * The millionths of most amounts: those of up to 15 digits, which a double
 * tells apart. Undefined leaves it to the long way.
 */
export function quickMicros(value: number): bigint | undefined {
  const micros = Math.round(value * microsPerUnit);
  if (micros < 0 || micros >= microsInDouble) return undefined;
  // One correctly rounded division gives the value back: no decimal was lost.
  return micros / microsPerUnit === value ? BigInt(micros) : undefined;
}

const microsInDouble = 10 ** limits.amountNumberDigits;

function fromText(text: string): bigint | Fault {
  if (!plainDecimal.test(text)) {
    const isNegative = text.startsWith('-') && plainDecimal.test(text.slice(1));
    return isNegative && toDecimal(text).digits !== '' ? negative : notPlain;
  }
  if (text.length <= limits.amountNumberDigits) {
    const micros = quickMicros(Number(text));
    if (micros !== undefined) return micros;
  }
  const decimal = toDecimal(text);
  return scale(decimal.digits, decimal.exponent);
}

function fromNumberText(source: string): bigint | Fault {
  const decimal = toDecimal(source);
  if (decimal.negative && decimal.digits !== '') return negative;
  const micros = scale(decimal.digits, decimal.exponent);
  if (typeof micros !== 'bigint' || decimal.digits.length <= limits.amountNumberDigits) {
    return micros;
  }
  return {
    code: 'amount_digits',
    detail: `amount has ${decimal.digits.length} significant digits, a number holds ${limits.amountNumberDigits} for sure: send it as a string`,
  };
}

/** `digits` times ten to the power of `exponent` as millionths. */
function scale(digits: string, exponent: number): bigint | Fault {
  const decimals = -exponent;
  if (decimals > limits.amountDecimals) {
    return {
      code: 'amount_precision',
      detail: `amount has ${decimals > 1000 ? 'over 1000' : decimals} decimals, at most ${limits.amountDecimals}: round it, then send it as a string`,
    };
  }
  // Looked at before the number is built: an exponent can ask for any length.
  if (digits.length + exponent > unitDigitsMax) return tooLarge;
  const micros = BigInt(digits) * 10n ** BigInt(exponent + limits.amountDecimals);
  return micros > microsMax ? tooLarge : micros;
}

const unitDigitsMax = String(limits.amountUnitsMax).length;
const tooLarge: Fault = {
  code: 'amount_range',
  detail: `amount is above ${limits.amountUnitsMax}: split it into several events`,
};
