import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { NewEvent } from '../../../src/event/event.ts';
import type { Appended, EventLog, ReadOptions } from '../../../src/log/event-log.ts';
import { examineKafka } from '../../../src/log/kafka/examine-kafka.ts';
import { anEvent } from '../../support/build-event.ts';
import { type KafkaServer, startKafkaServer } from '../../support/engines/kafka-server.ts';
import { freshName } from '../../support/engines/shared-engines.ts';
import { openLog, removeTopic } from '../../support/kafka-harness.ts';
import { describeWithOwnEngines } from '../../support/needed-program.ts';
import { readAll } from '../event-log.suite.ts';

/** Well over what a broker takes to start and one unanswered request. */
const patience = { timeout: 60_000, interval: 50 };
/** How long an answer may take of a broker that gives none. */
const answerMsMax = 15_000;

describeWithOwnEngines('a log whose broker', ['kafka'], () => {
  let server: KafkaServer;
  let url: string;
  let log: EventLog;
  let endFollower = async () => {};
  beforeAll(async () => {
    server = await startKafkaServer();
  }, 120_000);
  afterAll(() => server.remove());
  beforeEach(async () => {
    url = `${server.url}/${freshName('events')}`;
    log = await openLog(url);
  });
  afterEach(async () => {
    // Also where a test that froze it has failed.
    server.resume();
    await endFollower();
    endFollower = async () => {};
    await log.close();
    await removeTopic(url);
  });

  const append = async (...events: readonly NewEvent[]) =>
    (await log.append([{ events, atomic: false }])).flat();
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => anEvent({ userId: `user ${index % 20}` }));
  const idsOf = (events: readonly { readonly id: string }[]) => events.map(({ id }) => id);
  const statusesOf = (outcomes: readonly Appended[]) => outcomes.map(({ status }) => status);
  const stored = async () => (await readAll(log)).map(({ event }) => event.id);
  const works = () =>
    expect.poll(() => append(anEvent()).then(() => 'yes', String), patience).toBe('yes');
  const unavailable = { code: 'unavailable', retryAfterS: expect.any(Number) };
  /** It is refused as unavailable, and soon. */
  const refusedSoon = async (work: () => Promise<unknown>) => {
    const start = systemClock.monotonicMs();
    await expect(work()).rejects.toMatchObject(unavailable);
    expect(systemClock.monotonicMs() - start).toBeLessThan(answerMsMax);
  };
  /** Collects what the follower sees; how it ends is told when the test ends. */
  const follow = (from: ReadOptions['from']) => {
    const abort = new AbortController();
    const seen: string[] = [];
    const options = { from, follow: true, limit: 10, signal: abort.signal };
    const reading = (async () => {
      for await (const batch of log.read(options)) seen.push(...idsOf(batch.map((e) => e.event)));
    })();
    reading.catch(() => undefined);
    endFollower = async () => {
      abort.abort();
      await reading;
    };
    return seen;
  };

  it('is dead refuses everything within seconds, and works again by itself when it is back', async () => {
    const before = many(30);
    await append(...before);
    await server.kill();
    await refusedSoon(() => append(anEvent()));
    await refusedSoon(() => append(anEvent()));
    await refusedSoon(() => log.check());
    await refusedSoon(() => readAll(log));
    await refusedSoon(() => openLog(url));
    expect(await examineKafka(url)).toMatchObject([{ state: 'fail', name: 'kafka' }]);
    await server.start();
    await works();
    await log.check();
    const after = many(30);
    await append(...after);
    expect(await stored()).toEqual(expect.arrayContaining([...idsOf(before), ...idsOf(after)]));
  }, 180_000);

  it('is killed under load has all that it acknowledged, and is followed on without loss or repeat', async () => {
    const seen = follow('start');
    const acknowledged: NewEvent[] = [];
    let isKilled = false;
    const appending = (async () => {
      while (!isKilled || acknowledged.length === 0) {
        const events = many(20);
        await append(...events).then(
          () => acknowledged.push(...events),
          (reason) => {
            expect(reason).toMatchObject(unavailable);
            isKilled = true;
          },
        );
      }
    })();
    await expect.poll(() => acknowledged.length, patience).toBeGreaterThan(200);
    await server.kill();
    await appending;
    await server.start();
    await works();
    const ids = await stored();
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(expect.arrayContaining([...idsOf(acknowledged)]));
    for (const user of ['user 0', 'user 7']) {
      const own = new Set(idsOf(acknowledged.filter(({ userId }) => userId === user)));
      expect(ids.filter((id) => own.has(id))).toEqual([...own]);
    }
    await expect.poll(() => seen.length, patience).toBe(ids.length);
    expect(seen.toSorted()).toEqual(ids.toSorted());
  }, 180_000);

  it('is frozen refuses appends within seconds, and goes on when it is resumed', async () => {
    const seen = follow('start');
    const first = many(20);
    await append(...first);
    await expect.poll(() => seen.length, patience).toBe(20);
    server.pause();
    const [lost, other] = [anEvent(), anEvent()];
    // That the second one is a conflict is not known before the first one is stored.
    const conflicting = [lost, { ...lost, amount: 1n }];
    await Promise.all(conflicting.map((event) => refusedSoon(() => append(event))));
    await refusedSoon(() => append(other));
    await refusedSoon(() => log.check());
    server.resume();
    await works();
    // What was refused may be there or not; a retry is safe, and it is there then.
    const retried = () => append(lost, other).then(statusesOf, String);
    const told = expect.stringMatching(/^(accepted|duplicate)$/);
    await expect.poll(retried, patience).toEqual([told, told]);
    const all = await stored();
    expect(all).toEqual(expect.arrayContaining([...idsOf(first), lost.id, other.id]));
    await expect.poll(() => seen.length, patience).toBe(all.length);
    expect(seen.toSorted()).toEqual(all.toSorted());
  }, 180_000);
});
