import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Event } from '../../src/event/event.ts';
import { csvHeader, eventToCsv } from '../../src/event/event-csv.ts';
import { eventToObject } from '../../src/event/event-json.ts';

const event: Event = {
  id: 'e1',
  userId: '=cmd("x"),y',
  eventType: 'purchase',
  amount: 150_750_000n,
  currency: 'EUR',
  timestamp: Date.UTC(2026, 5, 30, 10),
  receivedAt: Date.UTC(2026, 5, 30, 12),
  metadata: undefined,
};

describe('eventToCsv', () => {
  it('quotes free text and ends lines with CRLF', () => {
    expect(csvHeader + eventToCsv(event, '0-1')).toBe(
      'id,user_id,event_type,amount,currency,timestamp,metadata,received_at,position\r\n' +
        'e1,"=cmd(""x""),y",purchase,150.75,EUR,2026-06-30T10:00:00.000Z,,2026-06-30T12:00:00.000Z,"0-1"\r\n',
    );
  });

  it('reads back unchanged', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/\p{Cc}/u.test(text)),
        fc.option(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string())),
        (userId, metadata) => {
          const written: Event = {
            ...event,
            userId,
            metadata: metadata === null ? undefined : JSON.stringify(metadata),
          };
          const [row] = parse(csvHeader + eventToCsv(written, '0,1'), { columns: true });
          expect(row).toEqual({
            ...eventToObject(written, '0,1'),
            metadata: written.metadata ?? '',
          });
        },
      ),
    );
  });
});
