import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MongoClient } from 'mongodb';
import { expect, it, onTestFinished, type TestContext } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import { eventToLogJson } from '../../../src/event/event-json.ts';
import { ShardReaders } from '../../../src/readers/shard-readers.ts';
import { openMongoStore } from '../../../src/store/mongo/mongo-store.ts';
import { anEvent } from '../../support/build-event.ts';
import { engineFolder } from '../../support/engines/find-engine.ts';
import { sharedMongo } from '../../support/engines/shared-engines.ts';
import { topicOf, withAdmin } from '../../support/kafka-harness.ts';
import { describeWithEngines, leaveOut } from '../../support/needed-program.ts';
import { useKafkaLog } from '../../support/use-kafka-log.ts';

const run = promisify(execFile);
/** Runs a class of Kafka's own; `npm run engines -- --fetch` brings it. */
const tool = join(engineFolder(), 'kafka-tool');

describeWithEngines("Kafka's own tools", ['kafka', 'mongo'], () => {
  const topic = useKafkaLog();

  const runTool = async (context: TestContext, name: string, ...args: readonly string[]) => {
    if (!existsSync(tool)) leaveOut(context, `there is no ${tool}: \`npm run engines -- --fetch\``);
    const { stdout } = await run(tool, [
      name,
      '--bootstrap-server',
      new URL(topic.url).host,
      ...args,
    ]);
    return stdout.split('\n').filter((line) => line !== '');
  };
  const manyUsers = (count: number) =>
    Array.from({ length: count }, (_, index) => anEvent({ userId: `user ${index}` }));

  it('read the events as JSON, with their users as keys', async (context) => {
    const events = [...manyUsers(5), anEvent({ userId: 'ünï', metadata: '{"sku":"A 1"}' })];
    await topic.log.append([{ events, atomic: false }]);
    const properties = ['print.key=true', 'print.headers=true', 'print.timestamp=true'];
    const lines = await runTool(
      context,
      'org.apache.kafka.tools.consumer.ConsoleConsumer',
      ...[
        '--topic',
        topicOf(topic.url),
        '--from-beginning',
        '--max-messages',
        String(events.length),
      ],
      ...properties.flatMap((property) => ['--property', property]),
    );
    const expected = events.map((event) =>
      [
        `CreateTime:${event.receivedAt}`,
        `content-type:application/json,event_id:${event.id},event_type:purchase`,
        event.userId,
        eventToLogJson(event),
      ].join('\t'),
    );
    expect(lines.toSorted()).toEqual(expected.toSorted());
  });

  it('show how far the archive is in each partition, and how much waits', async (context) => {
    const storeUrl = await sharedMongo();
    const store = await openMongoStore(storeUrl, { exclusive: true, isLogSharded: true });
    onTestFinished(async () => {
      await store.close();
      const client = new MongoClient(storeUrl);
      await client.db().dropDatabase();
      await client.close();
    });
    await topic.log.append([{ events: manyUsers(60), atomic: false }]);
    const deps = { log: topic.log, store, clock: systemClock, logger: silentLogger };
    const readers = new ShardReaders({ ...deps, holder: 'reader' });
    readers.start();
    const groupId = `event-hub-${topicOf(topic.url)}`;
    const told = async () => {
      const [group] = await withAdmin(topic.url, (admin) =>
        admin.listConsumerGroupOffsets({ groups: [groupId] }),
      );
      const partitions = group?.topics[0]?.partitions ?? [];
      return partitions.reduce((sum, { committedOffset }) => sum + Number(committedOffset), 0);
    };
    await expect.poll(told).toBe(60);
    await readers.stop();
    const archived = await store.positions();
    const waiting = manyUsers(25);
    await topic.log.append([{ events: waiting, atomic: false }]);
    const lines = await runTool(
      context,
      'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
      ...['--describe', '--group', groupId],
    );
    const rows = lines.map((line) => line.trim().split(/\s+/)).filter(([name]) => name === groupId);
    const shown = rows.map(([, topic, partition, current]) => [topic, partition, Number(current)]);
    const expected = [...archived].map(([shard, position]) => [
      topicOf(topic.url),
      shard,
      Number(position.slice(5, 21)) + 1,
    ]);
    expect(shown.toSorted()).toEqual(expected.toSorted());
    const lag = rows.reduce((sum, row) => sum + Number(row[5]), 0);
    expect(lag).toBe(waiting.length);
  });
});
