import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Decimal128, type Document, Int32, Long, MongoClient, ObjectId } from 'mongodb';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sharedMongo } from '../../support/engines/shared-engines.ts';
import { type NewPlace, newServers, settle } from '../../support/hub-places.ts';
import { describeWithEngines } from '../../support/needed-program.ts';
import { get } from '../../support/rest-calls.ts';
import { runCli } from '../../support/run-cli.ts';
import { Hubs, type PlacedHub } from './hubs.ts';

const id = '65a1b2c3d4e5f60718293a4b';

/** `event-hub import-prototype`, whose events lie in MongoDB. */
export function importingSuite(newPlace: NewPlace): void {
  describeWithEngines('event-hub import-prototype', ['mongo', 'redis'], () => {
    const hubs = new Hubs(newPlace);
    let hub: PlacedHub;
    let url: string;
    let client: MongoClient;

    beforeEach(async () => {
      hub = await hubs.start();
      url = await sharedMongo();
      client = new MongoClient(url);
    });
    afterEach(async () => {
      await client.db().dropDatabase();
      await client.close();
      await hubs.end();
    });

    const fill = (documents: readonly Document[]) =>
      client
        .db()
        .collection('events')
        .insertMany([...documents]);
    /** Until what it stored can be read. */
    const run = async (...more: readonly string[]) => {
      const flags = ['--from', url, '--url', hub.url, ...more];
      const result = await runCli(['import-prototype', ...flags]);
      await settle(hub.place);
      return result;
    };
    const event = async (eventId: string) => (await get(hub.url, `/events/${eventId}`)).json;

    it('takes the id, the shortest amount and the time as they are', async () => {
      await fill([aDocument({ _id: new ObjectId(id), amount: 150.75 })]);
      expect(await run('--assume-offset', 'Z')).toMatchObject({ code: 0 });
      expect(await event(id)).toMatchObject({
        id,
        user_id: 'user_1',
        event_type: 'purchase',
        amount: '150.75',
        currency: 'XXX',
        timestamp: '2024-01-15T10:30:00.123Z',
      });
    });

    it('reads every number and every time that the prototype can have written', async () => {
      const documents = [
        aDocument({ amount: 0.1 }),
        aDocument({ amount: new Int32(7) }),
        aDocument({ amount: Long.fromString('999999999999') }),
        aDocument({ amount: Decimal128.fromString('1.500000') }),
        aDocument({ timestamp: new Date(Date.UTC(2024, 0, 1)) }),
        aDocument({ timestamp: '2024-01-01 12:00:00' }),
        aDocument({ timestamp: '2024-01-01T12:00:00+05:00' }),
      ];
      await fill(documents);
      expect(await run('--assume-offset', '+03:00')).toMatchObject({ code: 0 });
      const stored = await Promise.all(documents.map(({ _id }) => event(String(_id))));
      expect(stored.slice(0, 4).map(({ amount }) => amount)).toEqual([
        '0.1',
        '7',
        '999999999999',
        '1.5',
      ]);
      expect(stored.slice(4).map(({ timestamp }) => timestamp)).toEqual([
        '2024-01-01T00:00:00.000Z',
        '2024-01-01T09:00:00.000Z',
        '2024-01-01T07:00:00.000Z',
      ]);
    });

    it('can be repeated: what is there is a duplicate', async () => {
      await fill(Array.from({ length: 1_200 }, () => aDocument()));
      const first = await run('--assume-offset', 'Z');
      expect(first.stderr).toContain('1200 stored, 0 duplicates, 0 refused');
      const second = await run('--assume-offset', 'Z', '--protocol', 'rest');
      expect(second.stderr).toContain('0 stored, 1200 duplicates, 0 refused');
      expect(second.code).toBe(0);
    });

    it('refuses a database without the collection, and takes an empty one', async () => {
      const missing = await run('--dry-run');
      expect(missing.code).toBe(2);
      expect(missing.stderr).toContain('has no collection "events": name the prototype');
      await client.db().createCollection('events');
      expect(await run('--dry-run')).toMatchObject({ code: 0 });
    });

    it('says what it refuses, by reason, dry or not, and sends the rest only when not dry', async () => {
      const good = aDocument({ timestamp: '2024-01-15T10:30:00Z' });
      const naive = aDocument();
      await fill([
        good,
        naive,
        aDocument(),
        aDocument({ amount: -5, timestamp: '2024-01-15T10:30:00Z' }),
        aDocument({ amount: Number.NaN }),
        aDocument({ timestamp: '' }),
        aDocument({ amout: 3, timestamp: '2024-01-15T10:30:00Z' }),
      ]);
      const file = join(hub.folder, 'refused.ndjson');
      const dry = await run('--dry-run', '--refused', file);
      expect(dry.code).toBe(1);
      expect(dry.stderr).toContain('1 would be sent, 6 refused; nothing was sent');
      expect(await event(String(good._id))).toMatchObject({ status: 404 });

      const lines = readFileSync(file, 'utf8').trim().split('\n');
      const refused = lines.map((line) => JSON.parse(line));
      expect(refused.map(({ reason }) => reason).sort()).toEqual([
        '/amount amount_negative',
        '/amount not_finite',
        '/amout unknown_field',
        '/timestamp offset_required',
        '/timestamp offset_required',
        '/timestamp required',
      ]);
      expect(refused[0]?.document._id).toEqual({ $oid: String(naive._id) });

      const real = await run();
      expect(real.code).toBe(1);
      expect(real.stderr).toContain('1 stored, 0 duplicates, 6 refused');
      expect(real.stderr).toMatch(/2 refused, \/timestamp offset_required: .*--assume-offset/);
      expect(real.stderr).toContain(String(naive._id));
      expect(await event(String(good._id))).toMatchObject({ id: String(good._id) });
    });

    it('takes missing times from the id and further fields as metadata where it is told to', async () => {
      await fill([aDocument({ _id: new ObjectId(id), timestamp: null, source: 'web', tries: 2 })]);
      const flags = ['--timestamp-from-id', '--extra-fields', 'metadata'];
      expect(await run(...flags)).toMatchObject({ code: 0 });
      const made = `${new ObjectId(id).getTimestamp().toISOString()}`;
      expect(await event(id)).toMatchObject({
        timestamp: made,
        metadata: { source: 'web', tries: 2 },
      });
    });

    it("refuses a hub's own database", async () => {
      const servers = new Hubs(newServers);
      const { store } = (await servers.start()).place;
      const result = await runCli(['import-prototype', '--from', store, '--url', hub.url]);
      await servers.end();
      expect(result.code).toBe(2);
      expect(result.stderr).toContain("is a hub's own database");
    });

    it('ends with 3 where nothing answers, and with 2 for what is no offset', async () => {
      await fill([aDocument()]);
      const noMongo = ['--from', 'mongodb://127.0.0.1:1/x', '--url', hub.url];
      expect(await runCli(['import-prototype', ...noMongo])).toMatchObject({ code: 3 });
      const noHub = ['--from', url, '--url', 'http://127.0.0.1:1', '--assume-offset', 'Z'];
      expect(await runCli(['import-prototype', ...noHub])).toMatchObject({ code: 3 });
      expect(await run('--assume-offset', 'Moscow')).toMatchObject({ code: 2 });
    });
  });
}

/** As the prototype writes one. */
function aDocument(fields: Document = {}): Document {
  return {
    _id: new ObjectId(),
    user_id: 'user_1',
    event_type: 'purchase',
    amount: 12.5,
    timestamp: '2024-01-15T10:30:00.123456',
    ...fields,
  };
}
