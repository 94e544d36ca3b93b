import { Decimal128 } from 'mongodb';
import { toDecimal } from '../../base/decimal.ts';
import { limits } from '../../base/limits.ts';
import { formatAmount, microsPerUnit } from '../../event/money.ts';

/** Millionths as MongoDB's decimal, which has 34 digits: sums of amounts stay exact in it. */
export function toDecimal128(micros: bigint): Decimal128 {
  if (micros < 0n || micros > largestSafe) return Decimal128.fromString(formatAmount(micros));
  let coefficient = Number(micros);
  let decimals = coefficient % microsPerUnit;
  let exponent = -limits.amountDecimals;
  // As people write it: without trailing zeros behind the point.
  while (exponent < 0 && decimals % 10 === 0) {
    coefficient /= 10;
    decimals /= 10;
    exponent += 1;
  }
  // IEEE 754-2008: 15 bits of exponent above 113 bits of coefficient. Several times faster than by its text.
  const bytes = new Uint8Array(16);
  write32(bytes, 0, coefficient % wordEnd);
  write32(bytes, 4, Math.floor(coefficient / wordEnd));
  write32(bytes, 12, (exponent + exponentBias) << 17);
  return new Decimal128(bytes);
}

/** Byte by byte: a view of its own would cost every event memory outside the heap. */
function write32(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word;
  bytes[at + 1] = word >>> 8;
  bytes[at + 2] = word >>> 16;
  bytes[at + 3] = word >>> 24;
}

const largestSafe = BigInt(Number.MAX_SAFE_INTEGER);
const wordEnd = 2 ** 32;
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
