import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import type { NewEvent } from '../../../src/event/event.ts';
import type { EventLog } from '../../../src/log/event-log.ts';
import { withGroupCommit } from '../../../src/log/group-commit.ts';
import { partitionOf } from '../../../src/log/kafka/record-writer.ts';
import { anEvent } from '../../support/build-event.ts';
import { sharedKafka, sharedMongo } from '../../support/engines/shared-engines.ts';
import { openLog, removeTopic } from '../../support/kafka-harness.ts';
import { createTopic, durableTopicSettings, setTopic } from '../../support/kafka-topic.ts';
import { describeWithEngines } from '../../support/needed-program.ts';
import { anInput, postEvents } from '../../support/rest-calls.ts';
import { startTestHub } from '../../support/start-test-hub.ts';
import { positionOf, readAll } from '../event-log.suite.ts';

const partitions = 6;
/** A broker refuses a partition's batch that is larger, and takes the others of the same request. */
const batchBytesMax = 4_000;
const asUsual = { 'max.message.bytes': '1048588' };

/** Of a partition, by its number. */
function userIn(partition: number): string {
  for (let index = 0; ; index += 1) {
    const user = `user ${index}`;
    if (partitionOf(user, partitions) === partition) return user;
  }
}

const [good, bad] = [userIn(1), userIn(4)];
/** Not to be compressed to less. */
const tooLarge = () => ({ text: randomBytes(2 * batchBytesMax).toString('base64') });

describeWithEngines(
  'an answer of the broker that takes one partition and not another',
  ['kafka', 'mongo'],
  () => {
    let url: string;
    beforeEach(async () => {
      url = await sharedKafka();
      const settings = { ...durableTopicSettings, 'max.message.bytes': String(batchBytesMax) };
      await createTopic(url, settings, partitions);
    });
    afterEach(() => removeTopic(url));

    const opened = async () => {
      const log = await openLog(url, { allowWeakDurability: true });
      onTestFinished(() => log.close());
      return log;
    };
    const small = (userId: string) => anEvent({ userId });
    const large = () => anEvent({ userId: bad, metadata: JSON.stringify(tooLarge()) });
    const append = (log: EventLog, ...groups: readonly (readonly NewEvent[])[]) =>
      log.append(groups.map((events) => ({ events, atomic: false })));
    const tooLargeFault = expect.objectContaining({
      code: 'unavailable',
      retryAfterS: expect.any(Number),
      message: expect.stringContaining('MESSAGE_TOO_LARGE'),
    });
    const unknown = { status: 'unknown', reason: tooLargeFault };
    const accepted = { status: 'accepted', position: expect.any(String) };

    it('is success for the one, and for the other unknown until a retry, which writes each event once', async () => {
      const log = await opened();
      const groups = [[small(good)], [large()], [small(good), small(bad)], [small(good)]];
      const outcomes = await append(log, ...groups);
      expect(outcomes).toEqual([[accepted], [unknown], [accepted, unknown], [accepted]]);
      const written = [groups[0]?.[0], groups[2]?.[0], groups[3]?.[0]].map((event) => event?.id);
      expect((await readAll(log)).map(({ event }) => event.id)).toEqual(written);

      await setTopic(url, asUsual);
      await expect
        .poll(() => append(log, [large()]).catch((reason) => reason))
        .toEqual([[accepted]]);
      const again = await append(log, ...groups);
      expect(again.flat().map(({ status }) => status)).toEqual([
        'duplicate',
        'accepted',
        'duplicate',
        'accepted',
        'duplicate',
      ]);
      const first = outcomes
        .flat()
        .filter(({ status }) => status === 'accepted')
        .map(positionOf);
      const repeated = again
        .flat()
        .filter(({ status }) => status === 'duplicate')
        .map(positionOf);
      expect(repeated).toEqual(first);
      const entries = await readAll(log);
      const ids = groups.flat().map(({ id }) => id);
      const stored = entries.map(({ event }) => event.id).filter((id) => ids.includes(id));
      expect(stored.toSorted()).toEqual(ids.toSorted());
      const places = new Map(entries.map(({ event, position }) => [event.id, position]));
      expect(again.flat().map(positionOf)).toEqual(ids.map((id) => places.get(id)));
    });

    it('fails where nothing of it was taken', async () => {
      const log = await opened();
      await expect(append(log, [large()], [large(), small(bad)])).rejects.toEqual(tooLargeFault);
      expect(await readAll(log)).toEqual([]);
    });

    it('does not fail those who only share the commit', async () => {
      const log = withGroupCommit(await opened());
      const calls = [small(good), large(), small(good)].map((event) => append(log, [event]));
      expect(await Promise.all(calls)).toEqual([[[accepted]], [[unknown]], [[accepted]]]);
    });

    it('is no success for a client part of whose batch it is, who sends all of it again', async () => {
      const hub = await startTestHub({
        log: url,
        store: await sharedMongo(),
        allowWeakDurability: true,
      });
      onTestFinished(() => hub.remove());
      const batch = [anInput({ user_id: good }), anInput({ user_id: bad, metadata: tooLarge() })];
      const answer = await postEvents(hub.url, batch);
      expect(answer).toMatchObject({
        status: 503,
        json: { code: 'unavailable', ids: batch.map(({ id }) => id) },
      });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      await setTopic(url, asUsual);
      await expect
        .poll(async () => (await postEvents(hub.url, batch)).json)
        .toMatchObject({
          results: [{ status: 'duplicate' }, {}],
        });
      const { json } = await postEvents(hub.url, batch);
      expect(json).toMatchObject({ accepted: 0, duplicates: 2, rejected: 0 });
    });
  },
);
