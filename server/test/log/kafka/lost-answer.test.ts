import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { NewEvent } from '../../../src/event/event.ts';
import { anEvent } from '../../support/build-event.ts';
import { freshName } from '../../support/engines/shared-engines.ts';
import { type KafkaBehindProxy, startKafkaBehindProxy } from '../../support/kafka-behind-proxy.ts';
import { openLog } from '../../support/kafka-harness.ts';
import { describeWithOwnEngines } from '../../support/needed-program.ts';
import { readAll } from '../event-log.suite.ts';

describeWithOwnEngines('a record whose acknowledgement is lost on the way', ['kafka'], () => {
  let kafka: KafkaBehindProxy;
  beforeAll(async () => {
    kafka = await startKafkaBehindProxy();
  }, 120_000);
  afterAll(() => kafka.close());

  it('is sent again with its number, written once, and acknowledged where it was written', async () => {
    const { network, networkUrl, server } = kafka;
    const topic = freshName('events');
    const log = await openLog(`${networkUrl}/${topic}`);
    onTestFinished(() => log.close());
    const beside = await openLog(`${server.url}/${topic}`);
    onTestFinished(() => beside.close());
    const stored = async () => await readAll(beside);
    const append = async (...events: readonly NewEvent[]) =>
      (await log.append([{ events, atomic: false }])).flat();

    const [before, lost, after] = ['one', 'two', 'three'].map(() => anEvent({ userId: 'u' })) as [
      NewEvent,
      NewEvent,
      NewEvent,
    ];
    await append(before);
    network.onceSent(lost.id, () => network.drop('to-client'));
    const appending = append(lost);
    await expect.poll(async () => (await stored()).length).toBe(2);
    // In the header and in the value of the one record.
    expect(network.timesSent(lost.id)).toBe(2);
    network.heal();
    network.reset();
    const outcomes = [...(await appending), ...(await append(after))];

    const entries = await stored();
    expect(entries.map(({ event }) => event.id)).toEqual([before.id, lost.id, after.id]);
    expect(outcomes).toEqual(
      entries.slice(1).map(({ position }) => ({ status: 'accepted', position })),
    );
    expect(network.timesSent(lost.id)).toBe(4);
  }, 60_000);
});
