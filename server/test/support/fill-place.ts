import { expect } from 'vitest';
import { limits } from '../../src/base/limits.ts';
import { Archiving } from '../../src/cli/copy/archiving.ts';
import type { NewEvent } from '../../src/event/event.ts';
import { openKafkaLog } from '../../src/log/kafka/kafka-log.ts';
import { logShard } from '../../src/log/one-shard.ts';
import { openRedisLog } from '../../src/log/redis/redis-log.ts';
import { isEmbedded, openEngines } from '../../src/main/engines.ts';
import type { Place } from './hub-places.ts';
import { manualClock } from './manual-clock.ts';
import { command } from './redis-harness.ts';
import { testSettings } from './test-settings.ts';

const hourMs = 60 * 60_000;

/** Events with their times as they are, where no hub runs; stored when it resolves. */
export async function append(place: Place, sent: readonly NewEvent[]): Promise<void> {
  const { log, store } = place;
  const settings = testSettings('/', { log, store });
  const engines = await openEngines(settings, { exclusive: true });
  try {
    for (let at = 0; at < sent.length; at += limits.commitEvents) {
      await engines.log.append([
        { events: sent.slice(at, at + limits.commitEvents), atomic: false },
      ]);
    }
    if (isEmbedded(settings)) return;
    const archiving = new Archiving(engines);
    await archiving.settle(AbortSignal.timeout(30_000));
    await archiving.stop();
  } finally {
    await engines.close();
  }
}

/** A Redis log lets go of all but its newest entries, as an archive reader makes it when an hour has gone by. */
export async function trimRedis(url: string): Promise<void> {
  const [seconds = ''] = (await command(url, 'TIME')) as readonly string[];
  // So much later than whoever archived that what is archived now is remembered anew.
  const clock = manualClock(Number(seconds) * 1_000 + hourMs);
  const log = await openRedisLog(url, { exclusive: true, clock });
  const end = await log.end();
  if (end === undefined) throw new Error('there is nothing to trim');
  await log.trim(end);
  await clock.advance(2 * hourMs);
  await log.trim(end);
  expect(await log.trimmedTo(logShard)).toBeDefined();
  await log.close();
}

/** A log in Kafka lets go of all but the newest entry of each partition, as its archive readers make it in time. */
export async function trimKafka(url: string): Promise<void> {
  const clock = manualClock(Date.now());
  const log = await openKafkaLog(url, { exclusive: true, clock });
  const end = await log.end();
  if (end === undefined) throw new Error('there is nothing to trim');
  const places = [...log.placesIn(end).values()];
  for (const place of places) await log.trim(place);
  await clock.advance(2 * hourMs);
  for (const place of places) await log.trim(place);
  await log.close();
}
