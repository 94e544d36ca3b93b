import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import type { NewEvent } from '../../src/event/event.ts';
import { cutOf } from '../../src/readers/remove-old-events.ts';
import { anEvent } from '../support/build-event.ts';
import { append, trimKafka, trimRedis } from '../support/fill-place.ts';
import { newServers, type Place, within } from '../support/hub-places.ts';
import { deleteTopic, removeTopic } from '../support/kafka-harness.ts';
import { createTopic } from '../support/kafka-topic.ts';
import { describeWithEngines } from '../support/needed-program.ts';
import { command } from '../support/redis-harness.ts';
import { get } from '../support/rest-calls.ts';
import { runCli } from '../support/run-cli.ts';
import { kafkaEngines } from '../support/server-settings.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** In what logs differ for an operator who loses one. */
interface LogKind {
  newPlace(): Promise<Place>;
  /** The log lets go of all that it may. */
  trim(url: string): Promise<void>;
  /** It is gone with all that it held, and an empty one is in its place. */
  makeAnew(url: string): Promise<void>;
  /** Places are times, so that what is left of the lost log lies before the new one and is still given. */
  readonly isTimed: boolean;
}

const kafka: LogKind = {
  newPlace: async () => {
    const { log, store } = await kafkaEngines();
    const destroy = async () => {
      await removeTopic(log);
      const client = new MongoClient(store);
      await client.db().dropDatabase();
      await client.close();
    };
    return { log, store, destroy };
  },
  trim: trimKafka,
  makeAnew: async (url) => {
    await deleteTopic(url);
    await createTopic(url);
  },
  isTimed: false,
};

const redis: LogKind = {
  newPlace: newServers,
  trim: trimRedis,
  makeAnew: async (url) => {
    const stream = new URL(url).searchParams.get('stream') ?? '';
    await command(url, 'DEL', stream, `${stream}:hub`, `${stream}:ids`);
  },
  isTimed: true,
};

const wholeWindow = 'from=2020-01-01T00:00:00Z&to=2099-01-01T00:00:00Z';

/** More than the newest entries that a Redis log always holds. */
const newCount = 150;
const oldCount = 400;
const removedCount = 250;

describeWithEngines(
  'a topic made anew after retention, once it is adopted',
  ['kafka', 'mongo'],
  () => {
    adoptedAfterRetention(kafka);
  },
);

describeWithEngines(
  'a stream made anew after retention, once it is adopted',
  ['redis', 'mongo'],
  () => {
    adoptedAfterRetention(redis);
  },
);

function adoptedAfterRetention({ newPlace, trim, makeAnew, isTimed }: LogKind): void {
  let place: Place;
  let hub: TestHub | undefined;
  beforeEach(async () => {
    place = await newPlace();
  });
  afterEach(async () => {
    await hub?.remove();
    await place.destroy();
  });

  const start = async () => {
    const { log, store } = place;
    hub = await startTestHub({ log, store });
  };
  const stop = async () => {
    await hub?.remove();
    hub = undefined;
  };
  /** One user's, so that all are in one shard and have one order. */
  const fill = async (count: number): Promise<readonly NewEvent[]> => {
    const events = Array.from({ length: count }, () => anEvent({ userId: 'anna' }));
    await append(place, events);
    await trim(place.log);
    return events;
  };
  const retain = async (count: number) =>
    await within(place, async ({ log, store }) => {
      for (const shard of await log.shards()) {
        const cut = await cutOf({ log, isEmbedded: false }, shard, Number.MAX_SAFE_INTEGER);
        if (cut !== undefined) await store.removeOldest(shard, cut, count);
      }
    });
  const stream = async (after: string) =>
    await get(hub?.url ?? '', `/events/stream?after=${after}&follow=false`, {
      accept: 'application/x-ndjson',
    });
  const history = async (after: string) => {
    const { text } = await stream(after);
    const lines = text.split('\n').filter((line) => line !== '');
    const given = lines.map((line) => JSON.parse(line));
    expect(given.pop()).toMatchObject({ control: 'caught-up' });
    return given;
  };
  const idsOf = (events: readonly { readonly id: string }[]) => events.map(({ id }) => id);

  it('has its history read from the store, from the start and from each place', async () => {
    await fill(oldCount);
    await retain(removedCount);
    await start();
    const [, old] = await history('start');
    await stop();
    await makeAnew(place.log);
    const flags = [`--log=${place.log}`, `--store=${place.store}`];
    const { stderr } = await runCli(['log', 'adopt', '--yes', ...flags]);
    expect(stderr).toContain('is read from its start');

    const events = await fill(newCount);
    await start();
    const all = (await history('start')).slice(-newCount);
    expect(idsOf(all)).toEqual(idsOf(events));
    for (const index of [0, 1, 20, newCount - 2, newCount - 1]) {
      const rest = await history(all[index].position);
      expect(idsOf(rest)).toEqual(idsOf(events.slice(index + 1)));
    }
    if (!isTimed) {
      expect(all.length).toBe((await history('start')).length);
      const { status, json } = await stream(old.position);
      expect([status, json.code, json.position]).toEqual([410, 'position_gone', 'start']);
    }
    const { json: total } = await get(hub?.url ?? '', `/aggregates?${wholeWindow}`);
    expect(total.event_count).toBe(oldCount + newCount);

    await stop();
    await retain(isTimed ? oldCount : 20);
    await start();
    const left = await history('start');
    const first = newCount - left.length;
    expect(first).toBeGreaterThan(1);
    expect(idsOf(left)).toEqual(idsOf(events.slice(first)));
    const { status, json: gone } = await stream(all[0].position);
    expect([status, gone.code]).toEqual([410, 'position_gone']);
    expect(idsOf(await history(gone.position))).toEqual(idsOf(left));
  });

  it('is copied with what only the lost one had', async () => {
    await fill(oldCount);
    await retain(removedCount);
    await makeAnew(place.log);
    const flags = [`--log=${place.log}`, `--store=${place.store}`];
    await runCli(['log', 'adopt', '--yes', ...flags]);
    await append(
      place,
      Array.from({ length: 20 }, () => anEvent({ userId: 'anna' })),
    );
    const folder = temporaryFolder();
    onTestFinished(folder.remove);
    const from = [`--from=${place.log}`, `--from-store=${place.store}`];
    const to = `--to=sqlite:${join(folder.path, 'hub.db')}`;
    for (const _ of ['once', 'again']) {
      const { stderr, code } = await runCli(['copy', ...from, to]);
      expect(stderr).toContain('counts and sums are equal');
      expect(code).toBe(0);
    }
  });
}
