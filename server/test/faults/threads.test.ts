import { randomInt } from 'node:crypto';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Random } from '../../src/cli/generate/random.ts';
import {
  acquireSqliteEngine,
  releaseSqliteEngine,
} from '../../src/engines/sqlite/shared-engine.ts';
import type { SqliteEngine } from '../../src/engines/sqlite/sqlite-engine.ts';
import { anInput, get, postEvents } from '../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';
import { checkRun } from './rig/check-run.ts';
import { settle } from './rig/crash-run.ts';
import { SseFollower, startFollowers } from './rig/followers.ts';
import { startLoad } from './rig/load.ts';
import { newestEvent, readKept } from './rig/read-stored.ts';

let hub: TestHub;
/** The one that the hub serves from. */
let engine: SqliteEngine;

beforeEach(async () => {
  hub = await startTestHub();
  engine = await acquireSqliteEngine({ url: hub.settings.log, exclusive: true });
});

afterEach(async () => {
  await releaseSqliteEngine(engine);
  await hub.remove();
});

describe('a hub whose threads die under load', () => {
  const deaths = {
    'the writer': () => [engine.writer],
    'the reader': () => [engine.reader],
    'both at once': () => [engine.writer, engine.reader],
  };

  it.each(Object.entries(deaths))(
    'keeps every promise when it is %s',
    async (_, victims) => {
      const seed = String(randomInt(1_000_000));
      const random = new Random(seed);
      const load = startLoad(hub, { seed, batchMax: 50 });
      const followers = startFollowers(hub);
      for (let death = 0; death < 12; death += 1) {
        await sleep(random.integer(20, 300));
        await Promise.all(victims().map((thread) => thread.kill()));
      }
      await load.stop();
      const evidence = await settle(hub, followers, load.history);
      await releaseSqliteEngine(engine);
      await hub.stop();
      const kept = readKept(join(hub.folder, 'event-hub.db'));
      const verdict = checkRun({ ...evidence, kept });
      expect(verdict.faults, `seed ${seed}`).toEqual([]);
      expect(verdict.acknowledged).toBeGreaterThan(100);
    },
    120_000,
  );
});

describe('an event whose answer died with the writer', () => {
  it('names its ids, also those that the hub made, so that a retry is a duplicate or the first', async () => {
    let unknown = 0;
    for (let round = 0; round < 40 && unknown === 0; round += 1) {
      const { id: _, ...input } = anInput();
      const [answer] = await Promise.all([postEvents(hub.url, input), killSoon(round)]);
      if (answer.status === 201) continue;
      unknown += 1;
      expect(answer).toMatchObject({ status: 503, json: { code: 'unavailable' } });
      const [id] = answer.json.ids;
      const retry = await untilAnswered({ ...input, id });
      expect(['success', 'duplicate']).toContain(retry.status);
      expect((await get(hub.url, `/events/${id}?at_least=${retry.position}`)).status).toBe(200);
    }
    expect(unknown).toBe(1);
  });

  it('is on the live feed all the same, and nobody has to send another one for that', async () => {
    const follower = new SseFollower(hub).start();
    for (let round = 0; round < 15; round += 1) {
      await Promise.all([postEvents(hub.url, anInput()), killSoon(round)]);
      const newest = await newestEvent(hub.url);
      if (newest !== undefined) expect(await follower.sees([newest.id], 10_000)).toBe(true);
    }
    await follower.stop();
  }, 60_000);
});

describe('a writer that is started anew', () => {
  it('does not take another file for the one that is gone', async () => {
    await untilAnswered(anInput());
    const file = join(hub.folder, 'event-hub.db');
    renameSync(file, `${file}.away`);
    await engine.writer.kill();
    const answer = await postEvents(hub.url, anInput());
    expect(answer).toMatchObject({ status: 503, json: { code: 'unavailable' } });
    expect(answer.json.detail).toContain('was removed under the running hub');
    renameSync(`${file}.away`, file);
    expect(await untilAnswered(anInput())).toMatchObject({ status: 'success' });
  });
});

/** Sooner or later within the time of a commit, by the round. */
async function killSoon(round: number): Promise<void> {
  await sleep(round % 8);
  await engine.writer.kill();
}

async function untilAnswered(input: object): Promise<{ status: string; position: string }> {
  for (;;) {
    const { status, json } = await postEvents(hub.url, input);
    if (status < 300) return json;
    await sleep(20);
  }
}
