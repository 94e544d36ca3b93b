import { Decimal128 } from 'mongodb';
import { toDecimal } from '../../base/decimal.ts';
import { limits } from '../../base/limits.ts';
import { formatAmount } from '../../event/money.ts';

/** Millionths as MongoDB's decimal, which has 34 digits: sums of amounts stay exact in it. */
export function toDecimal128(micros: bigint): Decimal128 {
  if (micros < 0n || micros >= unsignedLongEnd) return Decimal128.fromString(formatAmount(micros));
  let coefficient = micros;
  let exponent = -limits.amountDecimals;
  // As people write it: without trailing zeros behind the point.
  while (exponent < 0 && coefficient % 10n === 0n) {
    coefficient /= 10n;
    exponent += 1;
  }
  // IEEE 754-2008: 15 bits of exponent above 113 bits of coefficient. Several times faster than by its text.
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, coefficient, true);
  view.setUint32(12, (exponent + exponentBias) << 17, true);
  return new Decimal128(bytes);
}

const unsignedLongEnd = 1n << 64n;
const exponentBias = 6176;

/** The same back. Throws for what is no number of millionths: the hub never wrote that. */
export function fromDecimal128(value: Decimal128): bigint {
  const text = value.toString();
  const { negative, digits, exponent } = toDecimal(text);
  const scale = exponent + limits.amountDecimals;
  if (!/^-?\d/.test(text) || scale < 0) throw new Error(`${text} is no amount of the hub`);
  const micros = digits === '' ? 0n : BigInt(digits) * 10n ** BigInt(scale);
  return negative ? -micros : micros;
}
