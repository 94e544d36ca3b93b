import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../src/base/limits.ts';
import { openEngines } from '../../src/main/engines.ts';
import { startHub } from '../../src/main.ts';
import { describeWith } from '../support/needed-program.ts';
import { anInput, get, postEvents } from '../support/rest-calls.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';
import { checkRun } from './rig/check-run.ts';
import { settle } from './rig/crash-run.ts';
import { everySender } from './rig/every-sender.ts';
import { startFollowers } from './rig/followers.ts';
import type { Answer, EventInput } from './rig/history.ts';
import {
  type HubAddress,
  type HubPlace,
  HubProcess,
  placeHub,
  runProgram,
} from './rig/hub-process.ts';
import { startLoad } from './rig/load.ts';
import { newestEvent, readKept } from './rig/read-stored.ts';

describe('a hub whose file may not grow any more', () => {
  let hub: TestHub;
  /** What was answered with success. */
  const stored: string[] = [];

  beforeAll(async () => {
    hub = await startTestHub({}, { pageCountMax: 120 });
    // Down to single events, so that no more of them fits.
    for (const size of [20, 5, 1]) while (await store(size));
  });

  async function store(size: number): Promise<boolean> {
    const batch = Array.from({ length: size }, () => aLongInput());
    const { status } = await postEvents(hub.url, batch);
    if (status === 201) stored.push(...batch.map(({ id }) => id));
    return status === 201;
  }

  afterAll(() => hub.remove());

  it('says unavailable and why, on every protocol', async () => {
    await expectRefusals(hub);
  });

  it('says when a retry makes sense, and names the ids', async () => {
    const batch = [aLongInput(), aLongInput(), aLongInput()];
    const answer = await postEvents(hub.url, batch);
    expect(answer).toMatchObject({
      status: 503,
      json: {
        code: 'unavailable',
        detail: expect.stringContaining('the disk is full'),
        ids: batch.map(({ id }) => id),
      },
    });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('is not ready, and says why', async () => {
    const { text } = await untilReadiness(hub.url, 503);
    expect(text).toContain('[-]log failed: the disk is full');
    expect((await get(hub.url, '/livez')).status).toBe(200);
  });

  it('has stored nothing of what it did not acknowledge, and reads go on', async () => {
    const { json } = await get(hub.url, '/events?limit=1000');
    expect(json.events.map((event: { id: string }) => event.id).toReversed()).toEqual(stored);
    const totals = await get(hub.url, '/aggregates?minutes=5');
    expect(totals.json.event_count).toBe(stored.length);
    const lines = await get(hub.url, '/events/stream?after=start&follow=false', {
      accept: 'application/x-ndjson',
    });
    expect(lines.text.trimEnd().split('\n')).toHaveLength(stored.length + 1);
  });

  it('goes on where it was when there is room again', async () => {
    const retried = aLongInput();
    expect((await postEvents(hub.url, retried)).status).toBe(503);
    await hub.stop();
    const larger = await startHub(hub.settings);
    expect((await postEvents(larger.url, retried)).status).toBe(201);
    expect((await postEvents(larger.url, retried)).status).toBe(200);
    expect((await get(larger.url, '/readyz')).status).toBe(200);
    await larger.stop();
    const engines = await openEngines(hub.settings, { exclusive: false });
    expect(await engines.store.verify()).toEqual([]);
    await engines.close();
    expect(readKept(join(hub.folder, 'event-hub.db'))).toMatchObject({ integrity: 'ok' });
  });
});

describeWith('a hub on a disk that is full', 'mount', () => {
  let disk: SmallDisk;
  let place: HubPlace;
  let hub: HubProcess;

  beforeAll(async () => {
    // More than the write-ahead log takes before it is written back: the load alone must not fill it.
    disk = mountSmallDisk(192);
    place = await placeHub(disk.path);
    hub = new HubProcess(place);
    await hub.ready;
  });

  afterAll(async () => {
    await hub.kill();
    disk.remove();
  });

  it('refuses, recovers alone as soon as there is room, and keeps every promise meanwhile', async () => {
    const load = startLoad(place, { seed: 'full', batchMax: 20 });
    const followers = startFollowers(place);
    for (let round = 0; round < 3; round += 1) {
      await untilMore(() => load.history.answers.success);
      disk.fill();
      await untilMore(() => load.history.answers.unknown);
      await expectRefusals(place);
      expect((await untilReadiness(place.url, 503)).text).toContain('the disk is full');
      expect(await newestEvent(place.url)).toBeDefined();
      disk.free();
      await untilReadiness(place.url, 200);
    }
    await load.stop();
    const evidence = await settle(place, followers, load.history);
    expect(await runProgram(['metrics', 'verify'], place)).toMatchObject({ code: 0 });
    // Of the sends that only looked at the refusals, every one may be stored: nobody knows them here.
    const verdict = checkRun({ ...evidence, kept: readKept(place.file) });
    const faults = verdict.faults.filter((fault) => !fault.includes(`of ${prober} `));
    expect(faults).toEqual([]);
    expect(verdict.lost).toBe(0);
  }, 120_000);

  it('can be killed there, and then starts as soon as there is room', async () => {
    disk.fill();
    await hub.kill();
    hub = new HubProcess(place);
    const exit = await Promise.race([hub.ready.then(() => undefined), hub.exited]);
    if (exit !== undefined) {
      expect(exit.code).not.toBe(0);
      expect(hub.stderr.trim().split('\n')).toHaveLength(1);
      expect(hub.stderr).toMatch(/disk|full|space/);
    }
    disk.free();
    if (exit !== undefined) {
      hub = new HubProcess(place);
      await hub.ready;
    }
    await untilReadiness(place.url, 200);
    expect((await postEvents(place.url, anInput({ id: 'after-the-kill' }))).status).toBe(201);
    expect(existsSync(place.file)).toBe(true);
  });
});

const prober = 'prober';

interface LongInput extends EventInput {
  readonly id: string;
}

/** Takes pages of its own. */
function aLongInput(): LongInput {
  return anInput({
    user_id: prober,
    metadata: { note: 'x'.repeat(limits.metadataBytes - 100) },
  }) as never;
}

/** Every protocol answers that it cannot say, because the disk is full. */
async function expectRefusals(hub: HubAddress): Promise<void> {
  for (const sender of everySender(hub)) {
    const inputs = Array.from({ length: Math.min(3, sender.eventsMax) }, () => aLongInput());
    const answers = await sender.send(inputs, false);
    sender.close();
    const expected = inputs.map(({ id }): Answer => {
      return { status: 'unknown', code: 'unavailable', id };
    });
    expect(answers, sender.name).toEqual(expected);
  }
}

async function untilReadiness(url: string, status: number): Promise<{ readonly text: string }> {
  for (;;) {
    const answer = await get(url, '/readyz?verbose');
    if (answer.status === status) return answer;
    await sleep(100);
  }
}

/** Until a count has grown by some. */
async function untilMore(count: () => number): Promise<void> {
  const wanted = count() + 50;
  while (count() < wanted) await sleep(20);
}
