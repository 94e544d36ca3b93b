import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
import type { NewEvent } from '../../../src/event/event.ts';
import type { EventLog } from '../../../src/log/event-log.ts';
import type { OpenLogOptions } from '../../../src/log/index.ts';
import { eraseKafka } from '../../../src/log/kafka/erase-kafka.ts';
import { examineKafka } from '../../../src/log/kafka/examine-kafka.ts';
import { weaknessesOf } from '../../../src/log/kafka/topic-settings.ts';
import { watched } from '../../../src/log/watched.ts';
import { anEvent } from '../../support/build-event.ts';
import { sharedKafka } from '../../support/engines/shared-engines.ts';
import {
  deleteTopic,
  openLog,
  removeTopic,
  topicOf,
  withAdmin,
} from '../../support/kafka-harness.ts';
import {
  consume,
  createTopic,
  durableTopicSettings,
  growTopic,
  produce,
  recordOf,
  setTopic,
  topicSettings,
} from '../../support/kafka-topic.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { describeWithEngines } from '../../support/needed-program.ts';
import { positionOf, readAll } from '../event-log.suite.ts';

const weak = [
  ['retention.ms', '604800000'],
  ['retention.bytes', '1073741824'],
  ['unclean.leader.election.enable', 'true'],
  ['flush.messages', '9223372036854775807'],
  ['max.message.bytes', '1000'],
] as const;

describeWithEngines('a topic', ['kafka'], () => {
  let url: string;
  beforeEach(async () => {
    url = await sharedKafka();
  });
  afterEach(() => removeTopic(url));

  const open = async (options: Partial<OpenLogOptions> = {}) => {
    const log = await openLog(url, options);
    onTestFinished(() => log.close());
    return log;
  };
  const append = async (log: EventLog, ...events: readonly NewEvent[]) =>
    (await log.append([{ events, atomic: false }])).flat();
  const conflict = (message: RegExp) => ({
    code: 'conflict',
    message: expect.stringMatching(message),
  });
  const unavailable = (message: RegExp) => ({
    code: 'unavailable',
    message: expect.stringMatching(message),
  });

  it('is made with six partitions that keep everything, each answer waiting for the disk', async () => {
    const log = await open();
    expect(await topicSettings(url)).toMatchObject(durableTopicSettings);
    expect(await log.shards()).toEqual(['0', '1', '2', '3', '4', '5']);
    expect((await log.check()).durability).toMatch(/acks=all with flush\.messages=1: on the disk/);
  });

  it('is made by a hub that serves, and by no other', async () => {
    await expect(open({ exclusive: false })).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('event-hub serve'),
    });
    expect(await withAdmin(url, (admin) => admin.listTopics())).not.toContain(topicOf(url));
    await open();
    await open({ exclusive: false });
  });

  it('is made once when many hubs start at the same time', async () => {
    const logs = await Promise.all([open(), open(), open()]);
    for (const log of logs) await append(log, anEvent());
    for (const log of logs) expect(await readAll(log)).toHaveLength(3);
  });

  it('that was made with settings as durable and other partitions is taken as it is', async () => {
    await createTopic(url, durableTopicSettings, 2);
    const log = await open();
    expect(await log.shards()).toEqual(['0', '1']);
    expect((await log.check()).durability).not.toContain('WEAK');
  });

  it.each(weak)(
    'with %s %s is refused by that name, or served when weak is allowed',
    async (name, value) => {
      await createTopic(url, { ...durableTopicSettings, [name]: value });
      await expect(open()).rejects.toMatchObject(
        conflict(new RegExp(`${name} is .*EVENT_HUB_ALLOW_WEAK_DURABILITY`)),
      );
      expect(await examineKafka(url)).toContainEqual({
        state: 'fail',
        name: 'durability',
        detail: expect.stringContaining(`${name} is`),
      });
      const log = await open({ allowWeakDurability: true });
      await append(log, anEvent());
      expect((await log.check()).durability).toMatch(new RegExp(`WEAK: .*${name} is`));
    },
  );

  it("with a broker's own defaults is refused by the name of every weak setting at once", async () => {
    await createTopic(url, {});
    const { message } = await open().then(
      () => ({ message: 'it opened' }),
      (reason: Error) => reason,
    );
    for (const name of ['retention.ms is', 'flush.messages is not 1']) {
      expect(message).toContain(name);
    }
  });

  it.each(['compact', 'compact,delete'])(
    'with cleanup.policy=%s is refused, whatever is allowed',
    async (policy) => {
      await createTopic(url, { ...durableTopicSettings, 'cleanup.policy': policy });
      for (const allowWeakDurability of [false, true]) {
        await expect(open({ allowWeakDurability })).rejects.toMatchObject(
          conflict(/compacts \(cleanup\.policy\)/),
        );
      }
    },
  );

  it('with records that no hub wrote is refused and left as it is', async () => {
    await createTopic(url);
    const value = JSON.stringify({ id: 'a', user_id: 'u1', amount: 5 });
    await produce(url, [{ value, key: 'u1', partition: 3, headers: { 'content-type': 'text' } }]);
    const refusal = conflict(/records in partition 3, which no hub wrote: choose another topic/);
    await expect(open()).rejects.toMatchObject(refusal);
    await expect(open({ exclusive: false })).rejects.toMatchObject(refusal);
    await expect(eraseKafka(url)).rejects.toMatchObject(refusal);
    expect(await consume(url, 1)).toMatchObject([{ value }]);
  });

  it('that is weakened under a hub makes its check and then its appends reject, until it is mended', async () => {
    const log = await open();
    await append(log, anEvent());
    await setTopic(url, { 'retention.ms': '1000000' });
    const refusal = unavailable(/retention\.ms is 1000000, not -1/);
    await expect.poll(() => log.check().catch((reason) => reason)).toMatchObject(refusal);
    await expect(append(log, anEvent())).rejects.toMatchObject(refusal);
    await setTopic(url, { 'retention.ms': '-1' });
    await expect.poll(() => log.check().then(() => 'good', String)).toBe('good');
    expect(await append(log, anEvent())).toMatchObject([{ status: 'accepted' }]);
    expect(await readAll(log)).toHaveLength(2);
  });

  it('that starts to compact under a hub makes its check and then its appends reject', async () => {
    const log = await open({ allowWeakDurability: true });
    await append(log, anEvent());
    await setTopic(url, { 'cleanup.policy': 'compact' });
    await expect.poll(() => log.check().then(() => 'good', String)).toContain('compacts');
    await expect(append(log, anEvent())).rejects.toMatchObject({ code: 'unavailable' });
    await setTopic(url, { 'cleanup.policy': 'delete' });
    await expect.poll(() => log.check().then(() => 'good', String)).toBe('good');
    expect(await append(log, anEvent())).toMatchObject([{ status: 'accepted' }]);
  });

  it('that is deleted and made again under a hub takes no appends and gives nothing of it', async () => {
    const log = await open();
    const [first] = await append(log, anEvent());
    await deleteTopic(url);
    await createTopic(url);
    await produce(url, [recordOf(anEvent())]);
    const refusal = unavailable(/deleted and made again.*event-hub log adopt/);
    await expect(log.check()).rejects.toMatchObject(refusal);
    await expect(append(log, anEvent())).rejects.toMatchObject(refusal);
    for (const from of ['start', positionOf(first)] as const) {
      await expect(readAll(log, from)).rejects.toMatchObject({ code: 'position_gone' });
    }
    const next = await open();
    expect(await readAll(next)).toHaveLength(1);
    await expect(readAll(next, positionOf(first))).rejects.toMatchObject({ code: 'position_gone' });
    await next.check();
  });

  it('that is made again while appends fail is not taken for the old one', async () => {
    const log = await open();
    await append(log, anEvent());
    await deleteTopic(url);
    await expect(append(log, anEvent())).rejects.toMatchObject({ code: 'unavailable' });
    await createTopic(url);
    await expect(append(log, anEvent())).rejects.toMatchObject(
      unavailable(/deleted and made again.*event-hub log adopt/),
    );
    expect(await readAll(await open())).toEqual([]);
  });

  it('that is deleted under a hub is not made again by its appends', async () => {
    const log = await open();
    await append(log, anEvent());
    await deleteTopic(url);
    await expect(append(log, anEvent())).rejects.toMatchObject({ code: 'unavailable' });
    await expect(log.check()).rejects.toMatchObject(unavailable(/no topic .* any more/));
    expect(await withAdmin(url, (admin) => admin.listTopics())).not.toContain(topicOf(url));
  });

  it('that has grown takes no appends, and its old positions are gone', async () => {
    const log = await open();
    const [first] = await append(log, anEvent());
    await growTopic(url, 8);
    const refusal = unavailable(/has 8 partitions now, and had 6: run `event-hub log adopt`/);
    await expect.poll(() => log.check().catch((reason) => reason)).toMatchObject(refusal);
    await expect(append(log, anEvent())).rejects.toMatchObject(refusal);
    const next = await open();
    expect(await next.shards()).toHaveLength(8);
    await expect(readAll(next, positionOf(first))).rejects.toMatchObject({
      code: 'position_gone',
      message: expect.stringContaining('6 partitions, and this has 8'),
    });
    await append(next, anEvent());
    expect(await readAll(next)).toHaveLength(2);
  });

  it('is looked at by a running hub that nobody asks, which ends its readers and appends', async () => {
    const clock = manualClock(Date.UTC(2026, 5, 30));
    const log = watched(await open({ clock }), clock);
    await append(log, anEvent());
    const { signal } = new AbortController();
    const read = log.read({ from: 'start', follow: true, limit: 10, signal });
    const following = (async () => {
      for await (const _ of read);
    })();
    await growTopic(url, 8);
    await clock.advance(limits.continuityEveryMs);
    await expect(following).rejects.toMatchObject({
      code: 'position_gone',
      message: expect.stringContaining('has 8 partitions now'),
    });
    await expect(append(log, anEvent())).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('shows its events to any consumer, keyed by user', async () => {
    const log = await open();
    const [one, two] = [
      anEvent({ id: 'order-1', userId: 'ünï', metadata: '{"sku":"A 1"}' }),
      anEvent({ id: 'order-2', amount: 5n, eventType: 'refund' }),
    ];
    await append(log, one, two);
    const records = (await consume(url, 2)).toSorted((a, b) => (a.value < b.value ? -1 : 1));
    const times = {
      timestamp: '2026-06-30T10:00:00.000Z',
      received_at: '2026-06-30T10:00:01.000Z',
    };
    const rest = { currency: 'EUR', ...times };
    expect(records.map(({ value }) => JSON.parse(value))).toEqual([
      {
        ...{ id: 'order-1', user_id: 'ünï', event_type: 'purchase', amount: '150.75' },
        ...{ metadata: { sku: 'A 1' }, ...rest },
      },
      { id: 'order-2', user_id: 'u1', event_type: 'refund', amount: '0.000005', ...rest },
    ]);
    const json = { 'content-type': 'application/json' };
    expect(records).toMatchObject([
      { key: 'ünï', headers: { ...json, event_id: 'order-1', event_type: 'purchase' } },
      { key: 'u1', headers: { ...json, event_id: 'order-2', event_type: 'refund' } },
    ]);
    expect(records.map(({ timestamp }) => timestamp)).toEqual([one.receivedAt, two.receivedAt]);
  });

  it('holds the events of a user in one partition, in their order, compressed or not', async () => {
    const users = ['u1', 'u2', 'u3', 'u4', 'u5'];
    const events = Array.from({ length: 300 }, (_, index) =>
      anEvent({ id: `e${index}`, userId: users[index % users.length] ?? '' }),
    );
    for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
      const log = await openLog(`${url}?compression=${compression}`);
      const ids = events.map((event) => ({ ...event, id: `${compression}-${event.id}` }));
      await append(log, ...ids);
      await log.close();
    }
    const records = await consume(url, 5 * events.length);
    for (const user of users) {
      const own = records.filter(({ key }) => key === user);
      expect(new Set(own.map(({ partition }) => partition)).size).toBe(1);
      const expected = ['none', 'gzip', 'snappy', 'lz4', 'zstd'].flatMap((compression) =>
        events.filter(({ userId }) => userId === user).map(({ id }) => `${compression}-${id}`),
      );
      expect(own.map(({ headers }) => headers.event_id)).toEqual(expected);
    }
  });
});

describe('the settings of a topic', () => {
  it('need not wait for the disk where every answer is on two brokers', () => {
    const partition = { leader: 1, replicas: 2, inSync: 2 };
    const settings = new Map(
      Object.entries({
        ...durableTopicSettings,
        'flush.messages': '9223372036854775807',
        'min.insync.replicas': '2',
        'max.message.bytes': '1048588',
      }),
    );
    expect(weaknessesOf({ id: '', partitions: [partition] }, settings)).toEqual([]);
    const three = { ...partition, replicas: 3 };
    expect(weaknessesOf({ id: '', partitions: [three] }, settings)).toEqual([]);
    const one = new Map(settings).set('min.insync.replicas', '1');
    expect(weaknessesOf({ id: '', partitions: [three] }, one)).toEqual([
      expect.stringContaining('min.insync.replicas is 1'),
    ]);
    expect(weaknessesOf({ id: '', partitions: [partition] }, one)).toEqual([
      expect.stringContaining('flush.messages is not 1, with 2 replica(s)'),
    ]);
  });
});
