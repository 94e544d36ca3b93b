import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeWithOwnEngines } from '../support/needed-program.ts';
import { anInput, get, postEvents } from '../support/rest-calls.ts';
import { openNewest, type StallableReader, transports } from './rig/stallable-readers.ts';
import { placeStandard, type StandardPlace } from './rig/standard-place.ts';

/** Near the most that one may have, and compressed hundreds of times. */
const metadata = { note: 'x'.repeat(15_000) };
/** More of them than a process has memory for: `npm start` gives it a heap of 256 MiB. */
const large = 18_000;
/** What comes before them lets nobody expect them. */
const ordinary = 3_000;
const count = ordinary + large;
const batchEvents = 250;
/** Of each transport. */
const stalledEach = 8;
/** With the newest thousand each they have seen more than a process has memory for. */
const quiet = 24;

const logs = ['redis', 'kafka'] as const;

describe.each(logs)('events of 15 KB that repeat themselves, on %s', (log) => {
  describeWithOwnEngines('in processes that have little memory', [log, 'mongo'], () => {
    let place: StandardPlace;
    let readers: StallableReader[];
    beforeEach(async () => {
      readers = [];
      place = await placeStandard({ log });
      await place.start();
    }, 180_000);
    afterEach(async () => {
      for (const reader of readers) reader.close();
      await place.remove();
    });

    const open = (transport: string) => {
      const reader = transports[transport]?.(place, 'start');
      if (reader === undefined) throw new Error(`no transport ${transport}`);
      readers.push(reader);
      return reader;
    };

    it('are taken, given out to who reads and to who does not, and archived from a backlog', async () => {
      await place.service('readers').kill();
      const sent = await fill(place);
      for (const transport of Object.keys(transports)) {
        for (let each = 0; each < stalledEach; each += 1) {
          const stalled = open(transport);
          await stalled.hasSeen(1);
          stalled.pause();
        }
      }
      await place.service('readers').start();
      // Of each of the two processes that give them out.
      const all = ['sse', 'grpc'].map(open);
      for (const reader of all) {
        await reader.hasSeen(count);
        expect(new Set(reader.seen.map(({ id }) => id))).toEqual(sent);
      }
      await expect.poll(() => counted(place), { timeout: 120_000 }).toBe(count);
      for (let each = 0; each < quiet; each += 1) {
        const reader = openNewest(place, 1_000);
        readers.push(reader);
        await reader.hasSeen(1_000);
      }
      expect(place.ended()).toEqual([]);
    }, 240_000);
  });
});

async function fill(place: StandardPlace): Promise<ReadonlySet<string>> {
  const sent = new Set<string>();
  await send(place, sent, ordinary, () => ({ note: randomBytes(300).toString('base64') }));
  await send(place, sent, count, () => metadata);
  return sent;
}

/** Until so many were sent in all. */
async function send(
  { url }: StandardPlace,
  sent: Set<string>,
  until: number,
  metadataOf: () => Readonly<Record<string, string>>,
): Promise<void> {
  const lane = async () => {
    while (sent.size < until) {
      const batch = Array.from({ length: batchEvents }, (_, index) =>
        anInput({ user_id: `u${index % 100}`, metadata: metadataOf() }),
      );
      for (const { id } of batch) sent.add(String(id));
      expect((await postEvents(url, batch)).status).toBe(201);
    }
  };
  await Promise.all(Array.from({ length: 4 }, lane));
}

async function counted({ url }: StandardPlace): Promise<number> {
  return (await get(url, '/aggregates?minutes=60')).json.event_count;
}
