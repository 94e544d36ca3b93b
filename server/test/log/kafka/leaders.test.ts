import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { NewEvent } from '../../../src/event/event.ts';
import type { EventLog } from '../../../src/log/event-log.ts';
import { anEvent } from '../../support/build-event.ts';
import { type KafkaBrokers, startKafkaBrokers } from '../../support/engines/kafka-brokers.ts';
import { freshName } from '../../support/engines/shared-engines.ts';
import { openLog, withAdmin } from '../../support/kafka-harness.ts';
import { topicSettings } from '../../support/kafka-topic.ts';
import { describeWithBrokers } from '../../support/needed-program.ts';
import { readAll } from '../event-log.suite.ts';

/** Well over what a cluster takes to notice that a broker is gone, and to take it in again. */
const patience = { timeout: 60_000, interval: 50 };

describeWithBrokers('a topic on three brokers', () => {
  let cluster: KafkaBrokers;
  beforeAll(async () => {
    cluster = await startKafkaBrokers(3);
  }, 180_000);
  afterAll(() => cluster.remove());

  const opened = async () => {
    const url = `${cluster.url}/${freshName('events')}`;
    const log = await openLog(url);
    onTestFinished(() => log.close());
    return { url, log };
  };
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => anEvent({ userId: `user ${index % 30}` }));
  const append = async (log: EventLog, events: readonly NewEvent[]) =>
    (await log.append([{ events, atomic: false }])).flat();
  const leaders = async (url: string) => {
    const topic = new URL(url.replaceAll(/,[^/]*/g, '')).pathname.slice(1);
    const { topics } = await withAdmin(firstOf(url), (admin) =>
      admin.metadata({ topics: [topic], forceUpdate: true }),
    );
    return topics.get(topic)?.partitions.map(({ leader, isr }) => ({ leader, inSync: isr.length }));
  };
  const allInSync = (url: string) =>
    expect
      .poll(async () => (await leaders(url))?.every(({ inSync }) => inSync === 3), patience)
      .toBe(true);

  /** Appends as a client does, who sends again what failed, until told to stop. */
  const load = (log: EventLog) => {
    const acknowledged: NewEvent[] = [];
    const failures: unknown[] = [];
    let isOver = false;
    const done = (async () => {
      while (!isOver) {
        const events = many(60);
        for (;;) {
          const outcomes = await append(log, events).catch((reason) => {
            failures.push(reason);
            return [];
          });
          const isWhole = outcomes.every(({ status }) => status !== 'unknown');
          if (outcomes.length > 0 && isWhole) break;
          await systemClock.sleep(20);
        }
        acknowledged.push(...events);
      }
    })();
    const end = async () => {
      isOver = true;
      await done;
    };
    const more = async (events: number) => {
      const wanted = acknowledged.length + events;
      await expect.poll(() => acknowledged.length, patience).toBeGreaterThan(wanted);
    };
    return { acknowledged, failures, more, end };
  };
  const expectAllOnce = async (log: EventLog, acknowledged: readonly NewEvent[]) => {
    const entries = await readAll(log);
    const ids = entries.map(({ event }) => event.id);
    expect(new Set(ids)).toEqual(new Set(acknowledged.map(({ id }) => id)));
    for (const user of ['user 0', 'user 29']) {
      const sent = acknowledged.filter(({ userId }) => userId === user).map(({ id }) => id);
      const firsts = [...new Set(ids)].filter((id) => sent.includes(id));
      expect(firsts).toEqual(sent);
    }
  };

  it('is made with three copies, of which two must have an event before it is acknowledged', async () => {
    const { url, log } = await opened();
    expect(await topicSettings(firstOf(url))).toMatchObject({ 'min.insync.replicas': '2' });
    expect(new Set((await leaders(url))?.map(({ leader }) => leader)).size).toBe(3);
    const events = many(300);
    const outcomes = await append(log, events);
    expect(outcomes.map(({ status }) => status)).toEqual(events.map(() => 'accepted'));
    await expectAllOnce(log, events);
  }, 60_000);

  it('is written on without a failure while its brokers are restarted in good order, one after another', async () => {
    const { url, log } = await opened();
    await allInSync(url);
    const { acknowledged, failures, more, end } = load(log);
    await more(500);
    // The controller is one of them.
    for (const broker of cluster.brokers) {
      await broker.stop();
      await more(1_000);
      await broker.start();
      await allInSync(url);
      await more(500);
    }
    await end();
    expect(failures).toEqual([]);
    await expectAllOnce(log, acknowledged);
    const entries = await readAll(log);
    expect(entries).toHaveLength(acknowledged.length);
  }, 240_000);

  it('loses nothing that was acknowledged when a leader is killed, and works again by itself', async () => {
    const { url, log } = await opened();
    await allInSync(url);
    const { acknowledged, more, end } = load(log);
    await more(500);
    await cluster.brokers[2]?.kill();
    await more(1_000);
    await cluster.brokers[2]?.start();
    await allInSync(url);
    await more(500);
    await end();
    await expectAllOnce(log, acknowledged);
  }, 180_000);
});

/** For tools of the tests that know one broker. */
function firstOf(url: string): string {
  return url.replace(/,[^/]*/, '');
}
