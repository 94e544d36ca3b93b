import { expect } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
import { postEvents } from '../../support/rest-calls.ts';
import { failureOf, type ProtocolDriver } from '../drivers/protocol-driver.ts';
import { type BadInputHost, type CheckRow, eventText, freshId } from './rows.ts';

/** 70, 71, 73, 74 and 77 to 83: the same id again, batches and lines. */
export const batchRows: readonly CheckRow[] = [
  onEach(70, 'the same id with the same content', async ({ ledger, drivers }, driver) => {
    const sent = anEvent();
    const { position } = await driver.send(sent);
    for (const other of drivers.all) {
      expect(await other.send(sent)).toEqual({ status: 'duplicate', id: sent.id, position });
    }
    await ledger.took(sent.id);
  }),
  onEach(71, 'the same id with another amount', async ({ ledger, drivers }, driver) => {
    const sent = anEvent();
    await driver.send(sent);
    for (const other of drivers.all) {
      const failure = await failureOf(other.send({ ...sent, amount: 2 }));
      expect(failure.code).toBe('conflict');
    }
    await ledger.took(sent.id);
  }),
  onEach(73, 'the same id twice in one batch', async ({ ledger }, driver) => {
    const sent = anEvent();
    const { results } = await driver.sendBatch([sent, sent, { ...sent, amount: 2 }]);
    expect(results.map(({ status }) => status)).toEqual(['success', 'duplicate', 'rejected']);
    await ledger.took(sent.id);
  }),
  onEach(74, 'the same id over 50 connections at once', async ({ ledger }, driver) => {
    const sent = anEvent();
    const answers = await Promise.all(Array.from({ length: 50 }, () => driver.send(sent)));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(49).fill('duplicate'), 'success']);
    await ledger.took(sent.id);
  }),
  onEach(77, 'one bad of 50', async ({ ledger }, driver) => {
    const events = Array.from({ length: 50 }, () => anEvent());
    const bad = events.map((event, index) => (index === 25 ? { ...event, amount: -1 } : event));
    const { accepted, rejected, results } = await driver.sendBatch(bad);
    expect([accepted, rejected]).toEqual([49, 1]);
    expect(results[25]).toMatchObject({ index: 25, status: 'rejected', id: events[25]?.id });
    for (const [index, { id }] of events.entries()) if (index !== 25) await ledger.took(id);
  }),
  onEach(77, 'one bad of 50, atomic', async (_, driver) => {
    const events = Array.from({ length: 50 }, () => anEvent());
    const bad = events.map((event, index) => (index === 25 ? { ...event, amount: -1 } : event));
    const { accepted, rejected, results } = await driver.sendBatch(bad, { atomic: true });
    expect([accepted, rejected]).toEqual([0, 1]);
    expect(results.filter(({ status }) => status === 'not_stored')).toHaveLength(49);
  }),
  status(77, 'one bad of two', [eventText(), eventText({ amount: '-1' })], '', 207),
  status(
    77,
    'one bad of two, atomic',
    [eventText(), eventText({ amount: '-1' })],
    '?atomic=true',
    422,
  ),
  status(77, 'none bad of two', [eventText(), eventText()], '', 201),
  status(78, 'two bad of two', ['{}', eventText({ amount: '-1' })], '', 422),
  onEach(78, 'all bad', async (_, driver) => {
    const { accepted, rejected } = await driver.sendBatch([
      { ...anEvent(), amount: -1 },
      { ...anEvent(), currency: 'eur' },
    ]);
    expect([accepted, rejected]).toEqual([0, 2]);
  }),
  onEach(79, 'an empty batch', async (_, driver) => {
    const failure = await failureOf(driver.sendBatch([]));
    expect(failure).toMatchObject({ code: 'invalid', errors: [{ code: 'empty_batch' }] });
  }),
  {
    n: 79,
    is: 'an empty array and no lines',
    check: async ({ hub }) => {
      expect((await postEvents(hub.url, '[]')).status).toBe(422);
      expect((await postEvents(hub.url, ' [ ] ')).status).toBe(422);
      expect((await postEvents(hub.url, '', lines)).status).toBe(422);
      expect((await postEvents(hub.url, '\n \r\n', lines)).status).toBe(422);
    },
  },
  ndjson(81, 'no line end at the end', (first, second) => `${first}\n${second}`, [
    'success',
    'success',
  ]),
  ndjson(
    82,
    'CRLF and blank lines',
    (first, second) => `\r\n${first}\r\n \t\n\n${second}\r\n\r\n`,
    ['success', 'success'],
  ),
  ndjson(83, 'a line that is cut off', (first, second) => `${first}\n${second.slice(0, -5)}\n`, [
    'success',
    'rejected unreadable',
  ]),
  ndjson(
    83,
    'a line that is no JSON before a good one',
    (first, second) => `nonsense\n${first}\n{}{}\n${second}`,
    ['rejected unreadable', 'success', 'rejected unreadable', 'success'],
  ),
  ndjson(
    83,
    'a line that is too long',
    (first, second) => `${first}\n"${'x'.repeat(limits.singleBodyBytes)}"\n${second}`,
    ['success', 'rejected too_large', 'success'],
  ),
  ndjson(
    83,
    'a line that is no UTF-8',
    (first, second) =>
      Buffer.concat([
        Buffer.from(`${first}\n{"a":"`),
        Buffer.from([0xff]),
        Buffer.from(`"}\n${second}`),
      ]),
    ['success', 'rejected unreadable', 'success'],
  ),
  ndjson(83, 'a line that is an array', (first, second) => `[${first}]\n${second}`, [
    'rejected invalid',
    'success',
  ]),
  ...['[', '[{}', '[{},', '[{}}', '[{}]]', '[{}]x', '[{},]', '[,{}]', '["a]'].map((text) => ({
    n: 83,
    is: `the broken array ${text}`,
    check: async ({ hub }: BadInputHost) => {
      const { status: found, json } = await postEvents(hub.url, text);
      expect([found, json.code]).toEqual([400, 'unreadable']);
    },
  })),
];

const lines = { 'content-type': 'application/x-ndjson' };

function anEvent() {
  return { id: freshId(), user_id: 'u1', event_type: 'purchase', amount: 1 };
}

/** Over each of the three protocols. */
function onEach(
  n: number,
  is: string,
  check: (host: BadInputHost, driver: ProtocolDriver) => Promise<void>,
): CheckRow {
  return {
    n,
    is,
    check: async (host) => {
      for (const driver of host.drivers.all) await check(host, driver);
    },
  };
}

/** A REST batch by its status. */
function status(
  n: number,
  is: string,
  events: readonly string[],
  query: string,
  expected: number,
): CheckRow {
  return {
    n,
    is,
    check: async ({ hub, ledger }) => {
      const ids = events.map(() => freshId());
      const texts = events.map((text, index) => text.replace('$ID', ids[index] ?? ''));
      const answer = await postEvents(hub.url, `[${texts.join(',')}]`, {}, query);
      expect(answer.status).toBe(expected);
      for (const { status: each, id } of answer.json.results) {
        if (each === 'success') await ledger.took(id);
      }
    },
  };
}

/** Lines around two good events, and what becomes of each line. */
function ndjson(
  n: number,
  is: string,
  make: (first: string, second: string) => string | Buffer,
  expected: readonly string[],
): CheckRow {
  return {
    n,
    is,
    check: async ({ hub, ledger }) => {
      const [first, second] = [freshId(), freshId()];
      const body = make(eventText().replace('$ID', first), eventText().replace('$ID', second));
      const { json } = await postEvents(hub.url, body, lines);
      const found = json.results.map((each: { status: string; error?: { code: string } }) =>
        each.error === undefined ? each.status : `${each.status} ${each.error.code}`,
      );
      expect(found).toEqual(expected);
      for (const { status: each, id } of json.results)
        if (each === 'success') await ledger.took(id);
    },
  };
}
