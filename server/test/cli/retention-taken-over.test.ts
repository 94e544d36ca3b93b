import { MongoClient } from 'mongodb';
import { afterEach, expect, it } from 'vitest';
import { limits } from '../../src/base/limits.ts';
import { minuteMs } from '../../src/event/minute.ts';
import { leasePrefixes } from '../../src/store/event-store.ts';
import { anEvent, someEvents } from '../support/build-event.ts';
import { append, trimRedis } from '../support/fill-place.ts';
import { type ModePlace, newServers } from '../support/hub-places.ts';
import { describeWithEngines } from '../support/needed-program.ts';
import { jsonLines, startCli } from '../support/run-cli.ts';

const dayMs = 24 * 60 * minuteMs;
/** Of many parts, so that it is not over when it has begun. */
const oldCount = 60 * limits.retentionEvents;

describeWithEngines('event-hub retention apply', ['redis', 'mongo'], () => {
  let place: ModePlace;
  let client: MongoClient;
  afterEach(async () => {
    await client.close();
    await place.destroy();
  });

  it('says what it has removed, also when another takes its turn away', async () => {
    place = await newServers();
    client = new MongoClient(place.store);
    const first = Date.now() - 300 * dayMs;
    const old = Array.from({ length: oldCount }, (_, index) => {
      const at = first + index * 1_000;
      return anEvent({ timestamp: at, receivedAt: at });
    });
    await append(place, [...old, ...someEvents(150, { receivedAt: Date.now() })]);
    await trimRedis(place.log);

    const words = ['retention', 'apply', '--older-than=100d', '--yes', '--output=ndjson'];
    const applying = startCli([...words, ...place.flags]);
    await expect.poll(removedEvents, { interval: 5 }).toBeGreaterThan(0);
    const other = { holder: 'other', expires_at: new Date(Date.now() + minuteMs) };
    await client
      .db()
      .collection<{ _id: string; epoch: number }>('leases')
      .updateOne({ _id: leasePrefixes.retention }, { $set: other, $inc: { epoch: 1 } });
    const { code, stdout, stderr } = await applying.result;

    const events = await removedEvents();
    expect(events).toBeLessThan(oldCount);
    expect(code).toBe(1);
    expect(jsonLines({ stdout })).toMatchObject([{ shard: '0', events }]);
    expect(stderr).toContain(`${events} events were removed\n`);
    expect(stderr).toContain('"audit":"retention_applied"');
    expect(stderr).toMatch(/another process has begun|is not held any more/);
  });

  const removedEvents = async () => {
    const hub = client.db().collection<{ _id: string; removed_events: number }>('hub');
    return (await hub.findOne({ _id: 'retention' }))?.removed_events ?? 0;
  };
});
