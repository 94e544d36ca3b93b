import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fingerprintOfText } from '../../src/event/fingerprint.ts';

it('is the CRC-32 of the text in UTF-8, as 8 hex digits', () => {
  const text = fc.oneof(fc.string({ unit: 'binary-ascii' }), fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(text, (each) => {
      const digits = crc32(Buffer.from(each)).toString(16).padStart(8, '0');
      expect(fingerprintOfText(each)).toBe(digits);
    }),
  );
});

it('is what it always was, because positions are kept for ever', () => {
  expect(fingerprintOfText('123456789')).toBe('cbf43926');
  expect(fingerprintOfText('')).toBe('00000000');
});
