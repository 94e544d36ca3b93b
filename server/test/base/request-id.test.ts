import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requestIdFrom } from '../../src/base/request-id.ts';

const made = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const none = { requestId: undefined, traceparent: undefined };

/** Of what may stand in an id and what must not. */
const text = fc.string({ unit: fc.constantFrom('a', '0', '-', ' ', '\r', '\n', '{', 'ü', '\0') });

describe('request id', () => {
  it.each([
    'a',
    '7f3c',
    '0192f3a1-7f3c-7000-8000-000000000000',
    'Root=1-67891233-abcdef',
    'x'.repeat(128),
  ])('is the one that is given: %s', (requestId) => {
    expect(requestIdFrom({ requestId, traceparent: `00-${traceId}-00f067aa0ba902b7-01` })).toBe(
      requestId,
    );
  });

  it.each([
    `00-${traceId}-00f067aa0ba902b7-00`,
    `00-${traceId}-00f067aa0ba902b7-01`,
    `cc-${traceId}-00f067aa0ba902b7-01-what-comes-later`,
  ])('is that of the trace where no other is given: %s', (traceparent) => {
    expect(requestIdFrom({ ...none, traceparent })).toBe(traceId);
    expect(requestIdFrom({ requestId: 'two words', traceparent })).toBe(traceId);
  });

  it.each([
    '',
    traceId,
    `ff-${traceId}-00f067aa0ba902b7-01`,
    `00-${traceId}-00f067aa0ba902b7-01-more`,
    `00-${traceId.toUpperCase()}-00f067aa0ba902b7-01`,
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId}-00f067aa0ba902b7`,
  ])('is made where the trace is none: %s', (traceparent) => {
    expect(requestIdFrom({ ...none, traceparent })).toMatch(made);
  });

  it('repeats nothing that could write a line or a header of its own', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const id = requestIdFrom({ requestId: a, traceparent: b });
        expect(id).toMatch(/^[A-Za-z0-9._~:+/=-]{1,128}$/);
      }),
    );
  });

  it('is never made twice', () => {
    const ids = Array.from({ length: 100 }, () => requestIdFrom(none));
    expect(new Set(ids).size).toBe(100);
  });
});
