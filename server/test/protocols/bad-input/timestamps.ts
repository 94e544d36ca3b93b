import type { Answer, EventRow } from './rows.ts';

/** 48 to 66: times. Only RFC 3339 with an offset is read, and nothing is moved. */
export const timestampRows: readonly EventRow[] = [
  {
    ...time(48, '2026-06-30T10:00:00', refusal('offset_required')),
    says: 'timestamp has no offset: add "Z" for UTC or an offset such as "+03:00"',
  },
  time(48, '2026-06-30T10:00:00.123', refusal('offset_required')),
  time(49, '2026-06-30', refusal('timestamp_format')),
  time(49, '20260630T100000Z', refusal('timestamp_format')),
  time(50, '2026-06-30T10:00:00+02:00', { timestamp: '2026-06-30T08:00:00.000Z' }),
  time(51, '2026-06-30T10:00:00+0530', refusal('timestamp_format')),
  time(51, '2026-06-30T10:00:00+05', refusal('timestamp_format')),
  time(52, '2026-06-30T10:00:00-00:00', { timestamp: '2026-06-30T10:00:00.000Z' }),
  time(53, '2026-06-30T10:00:00+14:00', { timestamp: '2026-06-29T20:00:00.000Z' }),
  time(53, '2026-06-30T10:00:00-14:00', { timestamp: '2026-07-01T00:00:00.000Z' }),
  ...['+14:01', '-14:01', '+23:59', '+24:00', '+05:60', '+99:99', '−02:00'].map((offset) =>
    time(53, `2026-06-30T10:00:00${offset}`, refusal('timestamp_format')),
  ),
  time(54, '2026-06-30t10:00:00z', { timestamp: '2026-06-30T10:00:00.000Z' }),
  time(55, '2026-06-30 10:00:00Z', refusal('timestamp_format')),
  ...[' 2026-06-30T10:00:00Z', '2026-06-30T10:00:00Z ', '2026-06-30T10:00:00Z\n'].map((text) =>
    time(56, text, refusal('timestamp_format')),
  ),
  time(57, '2026-06-30T23:59:60Z', refusal('leap_second_unsupported')),
  time(57, '2016-12-31T23:59:60Z', refusal('leap_second_unsupported')),
  time(58, '2026-06-30T24:00:00Z', refusal('timestamp_format')),
  time(58, '2026-06-30T10:60:00Z', refusal('timestamp_format')),
  ...[
    '2026-02-30',
    '2026-02-29',
    '1900-02-29',
    '2026-04-31',
    '2026-13-01',
    '2026-00-10',
    '2026-06-00',
  ].map((date) => time(59, `${date}T10:00:00Z`, refusal('timestamp_format'))),
  time(59, '2024-02-29T10:00:00Z', { timestamp: '2024-02-29T10:00:00.000Z' }),
  time(59, '2000-02-29T10:00:00Z', { timestamp: '2000-02-29T10:00:00.000Z' }),
  time(60, '0000-01-01T00:00:00Z', refusal('timestamp_too_old')),
  time(60, '9999-12-31T23:59:59Z', refusal('timestamp_in_future')),
  ...['-000001-01-01', '+010000-01-01', '10000-01-01', '26-06-30'].map((date) =>
    time(60, `${date}T00:00:00Z`, refusal('timestamp_format')),
  ),
  time(61, '2026-06-30T10:00:00.123999999Z', { timestamp: '2026-06-30T10:00:00.123Z' }),
  time(61, '2026-06-30T10:00:00.1Z', { timestamp: '2026-06-30T10:00:00.100Z' }),
  time(61, '2026-06-30T10:00:00.1234567890Z', refusal('timestamp_format')),
  time(61, '2026-06-30T10:00:00.Z', refusal('timestamp_format')),
  time(61, '2026-06-30T10:00:00,5Z', refusal('timestamp_format')),
  time(62, '2026-06-30T23:59:59.9999999Z', { timestamp: '2026-06-30T23:59:59.999Z' }),
  // Also when the hour ends between here and the check.
  time(63, fromNow(26), refusal('timestamp_in_future')),
  time(63, fromNow(365 * 24), refusal('timestamp_in_future')),
  // The clocks of senders may be ahead by up to a day.
  time(63, fromNow(23), { timestamp: fromNow(23) }),
  time(64, '1999-12-31T23:59:59.999Z', refusal('timestamp_too_old')),
  time(64, '2000-01-01T00:59:59+01:00', refusal('timestamp_too_old')),
  time(64, '2000-01-01T00:00:00Z', { timestamp: '2000-01-01T00:00:00.000Z' }),
  ...['1', '1751277600', 'June 30 2026', 'now', '2026-W27-2', '2026-181T10:00:00Z'].map((text) =>
    time(65, text, refusal('timestamp_format')),
  ),
  ...['1751277600', '1751277600000', '1.5', 'true', '{}', '{"$date":1}'].map((text) => ({
    n: 65,
    is: `the timestamp ${text}`,
    fields: { timestamp: text },
    answer: refusal('expected_string'),
  })),
  time(65, '', refusal('empty')),
  { n: 66, is: 'no timestamp', fields: { timestamp: null }, answer: {} },
  { n: 66, is: 'the timestamp null', fields: { timestamp: 'null' }, answer: {} },
];

function time(n: number, text: string, answer: Answer): EventRow {
  const timestamp = JSON.stringify(text);
  return { n, is: `the timestamp ${timestamp}`, fields: { timestamp }, answer };
}

function refusal(fault: string): Answer {
  return ['invalid', '/timestamp', fault];
}

/** The names of the tests must not change with the time of day. */
function fromNow(hours: number): string {
  const hour = 3_600_000;
  return new Date((Math.floor(Date.now() / hour) + hours) * hour).toISOString();
}
