import { afterEach, beforeEach, expect, it } from 'vitest';
import { limits } from '../../src/base/limits.ts';
import { anInput, get, postEvents } from '../support/rest-calls.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { type HubPlace, HubProcess, placeHub } from './rig/hub-process.ts';

let folder: TemporaryFolder;
let place: HubPlace;
let hub: HubProcess;

beforeEach(async () => {
  folder = temporaryFolder();
  place = await placeHub(folder.path);
  hub = new HubProcess(place);
  await hub.ready;
});

afterEach(async () => {
  await hub.kill();
  folder.remove();
});

/** Nearly the longest body that is taken: events with nearly the largest metadata, not in Latin letters. */
function longBatch(batch: number): string {
  const metadata = { note: 'я'.repeat(8_100) };
  const events = Math.floor(limits.batchBodyBytes / 16_400) - 20;
  return Array.from({ length: events }, (_, index) =>
    JSON.stringify({
      id: `long-${batch}-${index}`,
      user_id: 'u1',
      event_type: 'purchase',
      amount: 1,
      metadata,
    }),
  ).join('\n');
}

it('stores the longest batches, many at once, or refuses them as overloaded, and lives', async () => {
  const bodies = Array.from({ length: 30 }, (_, batch) => longBatch(batch));
  const ndjson = { 'content-type': 'application/x-ndjson' };
  const answers = await Promise.all(bodies.map((body) => postEvents(place.url, body, ndjson)));
  const stored = answers.filter(({ status }) => status === 201);
  const refused = answers.filter(({ status }) => status === 503);
  expect(stored.length).toBeGreaterThan(0);
  expect(stored.length + refused.length).toBe(bodies.length);
  for (const { json } of refused) expect(json).toMatchObject({ code: 'overloaded' });

  expect((await postEvents(place.url, anInput())).status).toBe(201);
  const events = bodies[0]?.split('\n').length ?? 0;
  const totals = await get(place.url, '/aggregates?minutes=60');
  expect(totals.json).toMatchObject({ event_count: stored.length * events + 1 });
});
