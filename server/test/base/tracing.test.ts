import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatTraceparent,
  isSampled,
  parseTraceContext,
  spanIdOf,
  traceFields,
  traceIdOf,
} from '../../src/base/tracing.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const good = `00-${traceId}-${spanId}-01`;

const hex = (digits: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: digits, maxLength: digits })
    .map((each) => each.join(''))
    .filter((text) => !/^0+$/.test(text));

describe('a trace context', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(hex(32), hex(16), fc.boolean(), (trace, span, sampled) => {
        const found = parseTraceContext(formatTraceparent(trace, span, sampled));
        if (found === undefined) throw new Error('a traceparent of the hub is one');
        expect([traceIdOf(found), spanIdOf(found), isSampled(found)]).toEqual([
          trace,
          span,
          sampled,
        ]);
        expect(traceFields(found)).toEqual({ trace_id: trace, span_id: span });
      }),
    );
  });

  it('is none where the text is none, whatever it is', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (traceparent, tracestate) => {
        expect(parseTraceContext(traceparent, tracestate)).toBeUndefined();
      }),
    );
  });

  it.each([
    ['no trace', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['no span', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['the version that there never is', `ff-${traceId}-${spanId}-01`],
    ['more than version 00 has', `${good}-more`],
    ['upper case', good.toUpperCase()],
    ['less', good.slice(0, -1)],
    ['two of them', `${good}, ${good}`],
    ['blanks around it', ` ${good} `],
    ['an endless one', `01-${traceId}-${spanId}-01-${'a'.repeat(300)}`],
  ])('is none: %s', (_, traceparent) => {
    expect(parseTraceContext(traceparent)).toBeUndefined();
  });

  it('of a later version is taken as far as it is known', () => {
    expect(parseTraceContext(`cc-${traceId}-${spanId}-03-what-ever`)).toEqual({
      traceparent: good,
      tracestate: undefined,
    });
  });

  it.each([
    ['congo=t61rcWkgMzE,rojo=00f067aa0ba902b7', true],
    ['a=1', true],
    ['', false],
    [`a=${'x'.repeat(511)}`, false],
    ['a=line\nbreak', false],
    [undefined, false],
  ])('keeps what others added where it may be passed on: %j', (tracestate, isKept) => {
    const kept = isKept ? tracestate : undefined;
    expect(parseTraceContext(good, tracestate)).toEqual({ traceparent: good, tracestate: kept });
  });
});
