import fc from 'fast-check';
import type { EventFields } from '../drivers/protocol-driver.ts';

/** A valid event, and how it must be read back. */
export interface ValidEvent {
  readonly fields: EventFields;
  readonly readBack: EventFields;
}

/** Events with every field in every form that the contract takes, without an id. */
export const validEvent: fc.Arbitrary<ValidEvent> = fc
  .record({
    user_id: kept(userId()),
    event_type: kept(fc.constantFrom('purchase', 'return', 'refund')),
    amount: amount(),
    currency: orAbsent(kept(fc.constantFrom('EUR', 'USD', 'JPY', 'KWD', 'XXX')), 'XXX'),
    timestamp: timestamp(),
    metadata: orAbsent(kept(metadata()), undefined),
  })
  .map((parts) => ({
    fields: fieldsOf(parts, ({ sent }) => sent),
    readBack: fieldsOf(parts, ({ back }) => back),
  }));

/** One event with one or more faults that every protocol can express, without an id where that is well. */
export const mutatedEvent: fc.Arbitrary<EventFields> = fc
  .tuple(validEvent, fc.array(mutation(), { minLength: 1, maxLength: 3 }))
  .map(([{ fields }, changes]) => Object.assign({}, fields, ...changes));

interface Part {
  readonly sent: unknown;
  readonly back: unknown;
}

type Parts = Readonly<Record<string, Part>>;

function fieldsOf(parts: Parts, of: (part: Part) => unknown): EventFields {
  const entries = Object.entries(parts).map(([name, part]) => [name, of(part)]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** A value that comes back as it was sent. */
function kept(values: fc.Arbitrary<unknown>): fc.Arbitrary<Part> {
  return values.map((value) => ({ sent: value, back: value }));
}

function orAbsent(part: fc.Arbitrary<Part>, back: unknown): fc.Arbitrary<Part> {
  return fc.oneof({ weight: 3, arbitrary: part }, fc.constant({ sent: undefined, back }));
}

function text(maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: 'binary', maxLength });
}

function userId(): fc.Arbitrary<string> {
  return fc
    .string({ unit: 'binary', minLength: 1, maxLength: 256 })
    .map((id) => id.replaceAll(/\p{Cc}/gu, '_'));
}

function amount(): fc.Arbitrary<Part> {
  const exact = fc
    .bigInt({ min: 0n, max: 999_999_999_999_000_000n })
    .map((micros) => ({ sent: decimal(micros), back: shortest(decimal(micros)) }));
  const padded = exact.map(({ back }) => ({ sent: padZeros(back), back }));
  const number = fc
    .tuple(fc.nat({ max: 999_999_999 }), fc.integer({ min: 0, max: 999_999 }))
    .map(([units, decimals]) => shortest(`${units}.${String(decimals).padStart(6, '0')}`))
    .map((back) => ({ sent: Number(back), back }));
  return fc.oneof(exact, padded, number);
}

function decimal(micros: bigint): string {
  const digits = micros.toString().padStart(7, '0');
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
}

function shortest(amountText: string): string {
  return amountText.replace(/\.?0+$/, '');
}

function padZeros(amountText: string): string {
  const [, decimals = ''] = amountText.split('.');
  if (decimals === '') return `${amountText}.0`;
  return decimals.length < 6 ? `${amountText}0` : amountText;
}

/** With an offset, up to nine decimals and letters of either case; absent is the hub's own time. */
function timestamp(): fc.Arbitrary<Part> {
  const written = fc
    .record({
      instant: fc.date({
        min: new Date('2000-01-02'),
        max: new Date('2026-01-01'),
        noInvalidDate: true,
      }),
      offset: fc.integer({ min: -14 * 60, max: 14 * 60 }),
      digits: fc.integer({ min: 0, max: 9 }),
      lower: fc.boolean(),
    })
    .map(({ instant, offset, digits, lower }) => {
      const local = new Date(instant.getTime() + offset * 60_000).toISOString();
      const decimals = `${local.slice(20, 23)}456789`.slice(0, digits);
      const sent = `${local.slice(0, 19)}${digits === 0 ? '' : `.${decimals}`}${offsetText(offset)}`;
      const kept = decimals.slice(0, 3).padEnd(3, '0');
      const back = `${instant.toISOString().slice(0, 20)}${kept}Z`;
      return { sent: lower ? sent.toLowerCase() : sent, back };
    });
  return fc.oneof(
    { weight: 3, arbitrary: written },
    fc.constant({ sent: undefined, back: undefined }),
  );
}

function offsetText(minutes: number): string {
  if (minutes === 0) return 'Z';
  const two = (number: number) => String(number).padStart(2, '0');
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

function metadata(): fc.Arbitrary<Record<string, unknown>> {
  const key = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 20 })
    .map((name) => name.replaceAll(/[.\0]/g, '_').replace(/^\$/, '_'))
    .filter((name) => name !== '__proto__' && name !== '_bsontype');
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      fc.constantFrom(null, true, false),
      text(20).map((each) => each.replaceAll('\0', '_')),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((each) => each + 0),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  return fc.dictionary(key, value, { maxKeys: 5, noNullPrototype: true });
}

/** Wrong, or just at the edge of what is right. */
function mutation(): fc.Arbitrary<EventFields> {
  const words = text(12).filter((word) => word !== '');
  const inMetadata = fc.oneof(
    fc.constantFrom('$a', 'a.b', '_bsontype', 'a\0', '', 'x'.repeat(129)).map((key) => ({
      [key]: 1,
    })),
    fc.constantFrom('\0', 'a\0b', 'x'.repeat(16 * 1024)).map((value) => ({ deep: [{ value }] })),
    fc.integer({ min: 14, max: 18 }).map(nested),
    fc.integer({ min: 16_350, max: 16_400 }).map((length) => ({ a: 'x'.repeat(length) })),
  );
  return fc.oneof(
    fc.oneof(words, fc.constantFrom('stream', 'a'.repeat(129), '-a', 'ü')).map((id) => ({ id })),
    fc.oneof(words, fc.constantFrom('\u0085', 'é'.repeat(257))).map((user_id) => ({ user_id })),
    fc.oneof(words, fc.constantFrom('Purchase', 'purchase ')).map((event_type) => ({ event_type })),
    fc.oneof(words, fc.constantFrom('eur', 'EU', '€', 'XXX')).map((currency) => ({ currency })),
    amountText().map((each) => ({ amount: each })),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((each) => ({ amount: each })),
    timestampText().map((each) => ({ timestamp: each })),
    inMetadata.map((each) => ({ metadata: each })),
    fc.constantFrom('user_id', 'event_type', 'amount').map((name) => ({ [name]: undefined })),
  );
}

function nested(levels: number): Record<string, unknown> {
  return levels === 1 ? {} : { a: nested(levels - 1) };
}

function amountText(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.string({ unit: fc.constantFrom(...'0159.,-+eE '), minLength: 1, maxLength: 8 }),
    fc.constantFrom('NaN', '1e2', '999999999999.000001', '0.0000010', '0.0000001', '٣'),
    fc.bigInt({ min: -1_000_000n, max: 10n ** 19n }).map((micros) => decimal(micros)),
  );
}

/** A good time with one character changed, put in or taken out. */
function timestampText(): fc.Arbitrary<string> {
  const good = '2026-02-28T23:59:59.123Z';
  const place = fc.nat({ max: good.length });
  const character = fc.constantFrom(...'0123456789-:.TtZz+ ');
  return fc.tuple(place, fc.nat({ max: 1 }), fc.option(character)).map(([at, taken, put]) => {
    return good.slice(0, at) + (put ?? '') + good.slice(at + taken);
  });
}
