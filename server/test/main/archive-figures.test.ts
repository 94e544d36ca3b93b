import { expect, it, onTestFinished } from 'vitest';
import { sharedKafka, sharedMongo } from '../support/engines/shared-engines.ts';
import { removeTopic } from '../support/kafka-harness.ts';
import { describeWithEngines } from '../support/needed-program.ts';
import { anInput, get, postEvents } from '../support/rest-calls.ts';
import { startTestHub } from '../support/start-test-hub.ts';

const patience = { timeout: 30_000, interval: 200 };

describeWithEngines('the figures of the archive on Kafka', ['kafka', 'mongo'], () => {
  it('have where log and archive are, by partition, and no lag once all is archived', async () => {
    const log = await sharedKafka();
    const hub = await startTestHub({ log, store: await sharedMongo() });
    onTestFinished(async () => {
      await hub.remove();
      await removeTopic(log);
    });
    const byShard = async (name: string) => {
      const { text } = await get(hub.url, '/metrics');
      const lines = text.matchAll(
        new RegExp(`^event_hub_${name}\\{shard="(\\d+)"\\} (\\d+)$`, 'gm'),
      );
      return new Map([...lines].map(([, shard = '', value]) => [shard, Number(value)]));
    };
    const sum = (values: ReadonlyMap<string, number>) =>
      [...values.values()].reduce((total, value) => total + value, 0);
    const users = Array.from({ length: 60 }, (_, index) => `user-${index}`);
    await postEvents(
      hub.url,
      users.map((user_id) => anInput({ user_id })),
    );
    await expect.poll(async () => sum(await byShard('archive_position')), patience).toBe(60);
    await expect.poll(async () => sum(await byShard('log_position')), patience).toBe(60);
    const [ends, archived] = [await byShard('log_position'), await byShard('archive_position')];
    expect(ends.size).toBeGreaterThan(1);
    for (const [shard, end] of ends) expect(archived.get(shard)).toBe(end);
    await expect
      .poll(async () => [...(await byShard('archive_lag_events')).values()], patience)
      .toEqual([0, 0, 0, 0, 0, 0]);
  });
});
