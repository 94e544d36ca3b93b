import { createClient } from '@redis/client';
import { MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readScopes } from '../../src/auth/tokens/token-scopes.ts';
import { blocksOf, readDocument } from '../support/document-steps.ts';
import { freshName, sharedMongo, sharedRedis } from '../support/engines/shared-engines.ts';
import { codeIn, tablesOf } from '../support/markdown-tables.ts';
import { describeWith, describeWithEngines } from '../support/needed-program.ts';
import { readYaml } from '../support/read-yaml.ts';
import { ReaderTerminals } from '../support/reader-terminals.ts';
import { get, postEvents } from '../support/rest-calls.ts';
import { startTestHub } from '../support/start-test-hub.ts';

const english = readDocument('docs/from-the-prototype.md');
const russian = readDocument('docs/from-the-prototype.ru.md');
const [rows = [], asked = []] = tablesOf(english);
const commands = rows.map(([, here = '']) => codeIn(here)[0] ?? '');
const ofDocker = commands.filter((command) => command.startsWith('docker '));
const others = commands.filter((command) => !command.startsWith('docker '));
const [atTheOld = '', importing = ''] = blocksOf(english).map(({ text }) => text.trim());

/** What a row's command must print, by what the row calls it in the prototype. */
const prints: Readonly<Record<string, RegExp>> = {
  'POST /events': /^\{"status":"success","id":"[0-9a-f-]{36}","position":".+"\}$/,
  sendEvent: /^\{"data":\{"sendEvent":\{"status":"success","id":"[0-9a-f-]{36}"\}\}\}$/,
  lastEvents: /"lastEvents":\[\{"id":".+","userId":"u1","eventType":"purchase","amount":150.75,/,
  aggregatedMetrics:
    /"totalAmount":150.75,"netAmount":150.75,"eventCount":1,"timeWindow":"last_5_minutes"/,
  'python grpc_client.py': /"status":"success"/,
  SendEvent: /^first answer: success\nsecond answer: duplicate\n(last 5 minutes: .+\n)+followed: /,
  'python event_generator.py': /sent +stored[\s\S]*\n +100 +100 /,
};

describe('docs/from-the-prototype', () => {
  it('has the same rows and commands in both languages', () => {
    const codes = (text: string) =>
      tablesOf(text).map((table) => table.map((row) => row.map(codeIn)));
    expect(codes(russian)).toEqual(codes(english));
    expect(blocksOf(russian)).toEqual(blocksOf(english));
  });

  it('has a check for each row', () => {
    const checked = rows.filter(([, here = '']) => !here.startsWith('`docker '));
    const habits = checked.map(([habit = '']) => codeIn(habit)[0]);
    expect(habits).toEqual(Object.keys(prints));
    expect(ofDocker.length + others.length).toBe(rows.length);
  });

  it('says what came of the list of the prototype', async () => {
    const [access, kafka, prometheus, api] = asked.map((row) => row.join(' '));
    const roles = codeIn(access ?? '');
    expect(roles).toEqual(['writer', 'reader', 'admin']);
    for (const role of roles) {
      const places = { scopesClaim: 'scope', rolesClaim: 'roles' };
      expect(readScopes({ roles: [role] }, places).size).toBeGreaterThan(0);
    }
    expect(kafka).toContain('operate.md#the-scale-mode');
    const hub = await startTestHub();
    for (const path of [...codeIn(prometheus ?? ''), ...codeIn(api ?? '')]) {
      expect((await get(hub.url, path)).status).toBe(200);
    }
    await hub.remove();
  });
});

describe('a row of it', () => {
  let terminals: ReaderTerminals;
  beforeAll(async () => {
    terminals = await ReaderTerminals.open();
  });
  afterAll(() => terminals?.close());

  it.each(others)('works: %s', async (command) => {
    const row = rows.find(([, here = '']) => codeIn(here)[0] === command);
    const expected = prints[codeIn(row?.[0] ?? '')[0] ?? ''];
    const { stdout, stderr } = await terminals.run(command);
    expect(stdout + stderr).toMatch(expected ?? /never/);
  });

  it('of a timestamp without an offset is refused, as the page says', async () => {
    const [command = ''] = others;
    const { stdout } = await terminals.run(command.replace('10:30:00Z', '10:30:00'));
    expect(stdout).toContain('"code":"offset_required"');
  });
});

describeWith('a row of Docker', 'python', (python) => {
  it.for(ofDocker)('fits compose.yaml: %s', (command, context) => {
    const { services } = readYaml(context, python, 'deploy/compose.yaml') as {
      services: Record<string, { build?: object; environment?: Record<string, string> }>;
    };
    const [, , verb, ...rest] = command.split(' ');
    if (verb === 'up') {
      expect(Object.values(services).some(({ build }) => build !== undefined)).toBe(true);
      expect(Object.keys(services)).toHaveLength(5);
      return;
    }
    const service = verb === 'logs' ? rest.at(-1) : rest[0];
    expect(['logs', 'exec']).toContain(verb);
    expect(Object.keys(services)).toContain(service);
    if (verb === 'logs')
      expect(services[service ?? '']?.environment?.EVENT_HUB_ROLES).toBe('readers');
  });
});

describeWithEngines('what lies in the engines', ['redis', 'mongo'], () => {
  it('is as the rows of XRANGE and of the collection say', async () => {
    const [redis, stream] = [await sharedRedis(), freshName('events')];
    const store = await sharedMongo();
    const hub = await startTestHub({ log: `${redis}/0?stream=${stream}`, store });
    await postEvents(hub.url, { id: 'order-1', user_id: 'u1', event_type: 'purchase', amount: 7 });
    const client = new MongoClient(store);
    const find = () => client.db().collection('events').find().toArray();
    await expect
      .poll(find)
      .toMatchObject([{ _id: 'order-1', amount: { _bsontype: 'Decimal128' } }]);
    expect((await find())[0]?.received_at).toBeInstanceOf(Date);
    const raw = createClient({ url: redis });
    await raw.connect();
    const xrange = commands.find((command) => command.includes('XRANGE'))?.split('redis-cli ')[1];
    const args = xrange?.replace('events', stream).split(' ') ?? [];
    const [entry] = (await raw.sendCommand(args)) as unknown as [string, string[]][];
    const fields = entry?.[1].filter((_, at) => at % 2 === 0);
    const row = rows.find(([habit = '']) => habit.includes('XRANGE'));
    expect(fields).toEqual(codeIn(row?.[2] ?? ''));
    await hub.remove();
    await raw.sendCommand(['DEL', stream, `${stream}:hub`, `${stream}:ids`]);
    await raw.close();
    await client.db().dropDatabase();
    await client.close();
  });

  it('of the prototype is never taken over, and can be brought over', async () => {
    const redis = `${await sharedRedis()}/0?stream=${freshName('events')}`;
    const url = await sharedMongo();
    const client = new MongoClient(url);
    const [_id, timestamp] = [new ObjectId(), '2024-01-15T10:30:00'];
    const old = { _id, user_id: 'u1', event_type: 'purchase', amount: 150.75, timestamp };
    await client.db().collection('events').insertOne(old);
    const here = (command: string) =>
      command
        .replace('redis://localhost:6379', `'${redis}'`)
        .replace('mongodb://localhost/event_hub', `'${url}'`);

    const terminals = await ReaderTerminals.open();
    const refused = terminals.run(here(atTheOld));
    await expect(refused).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('carries no mark of the hub'),
    });
    expect((await terminals.run(here(importing))).stderr).toContain('1 stored');
    expect((await terminals.run(here(importing))).stderr).toContain('1 duplicate');
    const { json } = await get(terminals.url, `/events/${_id}`);
    expect(json).toMatchObject({ amount: '150.75', timestamp: '2024-01-15T10:30:00.000Z' });
    await terminals.close();
    await client.db().dropDatabase();
    await client.close();
  });
});
