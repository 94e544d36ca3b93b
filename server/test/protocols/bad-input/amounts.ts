import { type Acceptance, type Answer, type EventRow, eventText } from './rows.ts';

/** 1 to 20: amounts and currencies. */
export const amountRows: readonly EventRow[] = [
  // A double that is no number is refused as a value; JSON has no word for it.
  ...['NaN', 'Infinity', '-Infinity'].map((text) => ({
    ...amount(1, text, ['unreadable', '', 'invalid_json']),
    asMessage: messageWith(Number(text)),
    grpc: refusal('amount_format'),
  })),
  amount(2, '"NaN"', refusal('amount_format')),
  amount(2, '"Infinity"', refusal('amount_format')),
  amount(3, '1e400', refusal('amount_range')),
  amount(4, '1e-400', refusal('amount_precision')),
  amount(4, '1e-7', refusal('amount_precision')),
  amount(5, '-0', { amount: '0' }),
  amount(5, '-0.0', { amount: '0' }),
  amount(5, '"-0"', refusal('amount_format')),
  {
    ...amount(6, '0.30000000000000004', refusal('amount_precision')),
    says: 'amount has 17 decimals, at most 6: round it, then send it as a string',
  },
  amount(6, '"0.1234567"', refusal('amount_precision')),
  amount(6, '0.123456', { amount: '0.123456' }),
  // The minor units of a currency are not enforced.
  accepted(7, { amount: '1.005', currency: '"EUR"' }, { amount: '1.005', currency: 'EUR' }),
  accepted(8, { amount: '12.5', currency: '"JPY"' }, { amount: '12.5', currency: 'JPY' }),
  amount(9, '1234567890123456789', refusal('amount_range')),
  amount(9, '"1234567890123456789"', refusal('amount_range')),
  amount(9, '999999999999', { amount: '999999999999' }),
  amount(9, '"999999999999.000001"', refusal('amount_range')),
  amount(10, '9007199254740993', refusal('amount_range')),
  {
    ...amount(10, '9007199254.740993', refusal('amount_digits')),
    says: 'send it as a string',
  },
  amount(10, '"9007199254.740993"', { amount: '9007199254.740993' }),
  {
    n: 10,
    is: 'a number in metadata that a double cannot hold',
    fields: { metadata: '{"a":[9007199254740993]}' },
    answer: ['invalid', '/metadata/a/0', 'metadata_number'],
    asMessage: false,
  },
  amount(11, '"12.50"', { amount: '12.5' }),
  ...['12,50', '1 000', '$5', '0x10', ' 5', '5 ', '+5', '٣', '', '1e2', '.5', '1.', '01', '½'].map(
    (text) => amount(12, JSON.stringify(text), refusal('amount_format')),
  ),
  amount(13, '1E2', { amount: '100' }),
  amount(13, '1.5e+3', { amount: '1500' }),
  amount(13, '"1E2"', refusal('amount_format')),
  ...['-1', '-0.01', '"-1"'].map((text) => ({
    ...amount(14, text, refusal('amount_negative')),
    says: 'amount is negative: send it as a positive amount, its type makes it count as minus',
  })),
  {
    n: 15,
    is: 'a refund of -10',
    fields: { event_type: '"refund"', amount: '-10' },
    answer: refusal('amount_negative'),
  },
  ...['true', 'false', '[]', '[1]', '{}', '{"$numberDecimal":"1"}'].map((text) =>
    amount(16, text, refusal('amount_format')),
  ),
  amount(16, 'null', refusal('required')),
  { n: 17, is: 'no amount', fields: { amount: null }, answer: refusal('required') },
  amount(18, '0', { amount: '0' }),
  amount(18, '"0.000"', { amount: '0' }),
  ...['eur', 'EU', '€', 'EURO', ' EUR', 'ZZZ', 'DEM'].map((text) =>
    currency(JSON.stringify(text), ['invalid', '/currency', 'currency_unknown']),
  ),
  currency('""', ['invalid', '/currency', 'empty']),
  currency('978', ['invalid', '/currency', 'expected_string']),
  // "No currency" is a code of ISO 4217, and the default.
  currency('"XXX"', { currency: 'XXX' }),
  currency('null', {}),
  accepted(19, { currency: null }, {}),
  accepted(
    20,
    { event_type: '"refund"', amount: '1000000' },
    { event_type: 'refund', amount: '1000000' },
  ),
];

function amount(n: number, text: string, answer: Answer): EventRow {
  return { n, is: `the amount ${text}`, fields: { amount: text }, answer };
}

function currency(text: string, answer: Answer): EventRow {
  return { n: 19, is: `the currency ${text}`, fields: { currency: text }, answer };
}

function accepted(n: number, fields: Record<string, string | null>, answer: Acceptance): EventRow {
  return { n, is: `taken: ${eventText(fields)}`, fields, answer };
}

function refusal(fault: string): Answer {
  return ['invalid', '/amount', fault];
}

function messageWith(double: number) {
  return { id: '$ID', user_id: 'u1', event_type: 'purchase', amount: double };
}
