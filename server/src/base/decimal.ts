/** A decimal number taken apart: its value is `digits` times ten to the power of `exponent`. */
export interface Decimal {
  readonly negative: boolean;
  /** Without leading and trailing zeros; empty for zero. */
  readonly digits: string;
  /** 0 for zero. */
  readonly exponent: number;
}

const ZERO = 0x30;
const decimalText = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** Takes apart a number in JSON's grammar, or what `String` makes of a finite number. */
export function toDecimal(source: string): Decimal {
  const [, sign = '', whole = '', fraction = '', power = '0'] = decimalText.exec(source) ?? [];
  const all = whole + fraction;
  let start = 0;
  while (all.charCodeAt(start) === ZERO) start += 1;
  let end = all.length;
  while (end > start && all.charCodeAt(end - 1) === ZERO) end -= 1;
  const digits = all.slice(start, end);
  return {
    negative: sign === '-',
    digits,
    exponent: digits === '' ? 0 : Number(power) - fraction.length + (all.length - end),
  };
}

/** Whether the value survives the way decimal, double, shortest decimal. */
export function survivesDouble(source: string): boolean {
  const value = Number(source);
  if (!Number.isFinite(value)) return false;
  const before = toDecimal(source);
  const after = toDecimal(String(value));
  return before.digits === after.digits && before.exponent === after.exponent;
}
