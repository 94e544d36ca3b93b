import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HubError } from '../../src/base/errors.ts';
import { parseJson } from '../../src/base/json.ts';
import { readOutgoingEvent } from '../../src/cli/clients/outgoing-event.ts';

describe('an outgoing event', () => {
  it('keeps the text of an event that has an id', () => {
    const text = '{ "id":"a", "amount": 1.50, "user_id":"u" }';
    expect(readOutgoingEvent(text)).toMatchObject({ id: 'a', source: text });
  });

  it('gets an id in front of what was written, so that a retry is one', () => {
    const { id, source } = readOutgoingEvent('{"amount": 1.50}');
    expect(source).toBe(`{"id":"${id}","amount": 1.50}`);
    expect(readOutgoingEvent('{}').source).toMatch(/^\{"id":"[0-9a-f-]{36}"\}$/);
    expect(readOutgoingEvent('{"id":null,"user_id":"u"}').source).toMatch(
      /^\{"id":"[0-9a-f-]{36}","user_id":"u"\}$/,
    );
  });

  it('drops what a hub sets, and nothing else', () => {
    const text =
      '{"id":"a","amount":1e2,"received_at":"x","position":"y","metadata":{"position":1}}';
    expect(JSON.parse(readOutgoingEvent(text).source)).toEqual({
      id: 'a',
      amount: 100,
      metadata: { position: 1 },
    });
  });

  it('keeps the digits of every number', () => {
    const text =
      '{"id":"a","position":"p","amount":12345678901234567890.123,"metadata":{"n":0.10}}';
    const { source } = readOutgoingEvent(text);
    expect(source).toContain('12345678901234567890.123');
  });

  it('is one line', () => {
    expect(readOutgoingEvent('{"id":"a",\n"user_id":"u"}').source).toBe('{"id":"a","user_id":"u"}');
  });

  it.each(['[]', '5', '"text"', 'null', '{', '{"a":1,"a":2}'])('is not %s', (text) => {
    expect(() => readOutgoingEvent(text)).toThrow(HubError);
  });

  it('says the same as its source, whatever else it holds', () => {
    const member = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(member, (members) => {
        const text = JSON.stringify({ id: 'a', metadata: members });
        try {
          parseJson(text);
        } catch {
          return; // Keys that the hub never takes.
        }
        expect(parseJson(readOutgoingEvent(text).source)).toEqual(parseJson(text));
      }),
    );
  });
});
