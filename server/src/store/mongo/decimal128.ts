import { Decimal128 } from 'mongodb';
import { toDecimal } from '../../base/decimal.ts';
import { limits } from '../../base/limits.ts';
import { formatAmount } from '../../event/money.ts';

/** Millionths as MongoDB's decimal, which has 34 digits: sums of amounts stay exact in it. */
export function toDecimal128(micros: bigint): Decimal128 {
  return Decimal128.fromString(formatAmount(micros));
}

/** The same back. Throws for what is no number of millionths: the hub never wrote that. */
export function fromDecimal128(value: Decimal128): bigint {
  const text = value.toString();
  const { negative, digits, exponent } = toDecimal(text);
  const scale = exponent + limits.amountDecimals;
  if (!/^-?\d/.test(text) || scale < 0) throw new Error(`${text} is no amount of the hub`);
  const micros = digits === '' ? 0n : BigInt(digits) * 10n ** BigInt(scale);
  return negative ? -micros : micros;
}
