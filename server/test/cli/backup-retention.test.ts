import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Position } from '../../src/log/event-log.ts';
import type { EventStore } from '../../src/store/event-store.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { newFile } from '../support/hub-places.ts';
import { anInput, postEvents } from '../support/rest-calls.ts';
import { type CliResult, runCli } from '../support/run-cli.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { freePorts, Hubs, type PlacedHub } from './suite/hubs.ts';

const hubs = new Hubs(newFile);
let hub: PlacedHub;
let folder: TemporaryFolder;
let copy: string;

beforeEach(async () => {
  folder = temporaryFolder();
  copy = join(folder.path, 'copy.db');
  hub = await hubs.start();
});
afterEach(async () => {
  await hubs.end();
  folder.remove();
});

describe('a backup of a hub that removes what is old', () => {
  it('carries what stays of removed events: repeats are told apart, totals and refusals stay', async () => {
    const inputs = Array.from({ length: 5 }, (_, index) =>
      anInput({ timestamp: `2026-06-30T12:0${index}:30Z` }),
    );
    await postEvents(hub.url, inputs);
    await hub.stop();
    const before = await withStore(async (store) => {
      const cut = { receivedBefore: Date.UTC(2100, 0, 1) };
      await store.removeOldest('0', cut, 3);
      return [await store.retained(), await store.aggregate(allMinutes)] as const;
    });
    const made = await done('backup', '--to', copy);
    expect(made.stderr).toMatch(/2 events up to .* \(and records of 3 that retention removed\)/);
    const { stdout } = await runCli(['doctor', ...freePorts, ...hub.place.flags]);
    expect(stdout).toContain('2 events, 3 more removed by retention');
    await done('reset', '--yes');
    await done('restore', '--from', copy);
    const after = await withStore(async (store) => {
      const retained = await store.retained();
      const floor = retained.floors.get('0') as Position;
      expect(await store.entriesAfter('0', floor, 10)).toHaveLength(2);
      const insideFrozen = { ...allMinutes, from: allMinutes.from + 1 };
      await expect(store.aggregate(insideFrozen)).rejects.toMatchObject({ code: 'invalid' });
      return [retained, await store.aggregate(allMinutes)] as const;
    });
    expect(after[0]).toMatchObject({ removedEvents: 3, frozenMinutes: 3 });
    expect([...after[0].floors.values()].map(placeInLog)).toEqual(
      [...before[0].floors.values()].map(placeInLog),
    );
    expect(after[1].buckets).toEqual(before[1].buckets);
    hub = await hubs.restart(hub);
    const changed = { ...inputs[1], amount: '11' };
    const answer = await postEvents(hub.url, [inputs[0], changed, inputs[4]]);
    const statuses = answer.json.results.map((result: { status: string }) => result.status);
    expect(statuses).toEqual(['duplicate', 'rejected', 'duplicate']);
    await done('metrics', 'verify');
  });
});

async function done(...args: readonly string[]): Promise<CliResult> {
  const result = await runCli([...args, ...hub.place.flags]);
  expect(result).toMatchObject({ code: 0 });
  return result;
}

const allMinutes = {
  from: Date.UTC(2026, 5, 30, 12),
  to: Date.UTC(2026, 5, 30, 13),
  filter: {},
};

/** Of a hub that is stopped. */
async function withStore<T>(use: (store: EventStore) => Promise<T>): Promise<T> {
  const store = await openSqliteStore(hub.place.store, { exclusive: true });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** A position but for the identity of the log. */
function placeInLog(position: string): readonly (string | undefined)[] {
  const [sequence, , fingerprint] = position.split('-');
  return [sequence, fingerprint];
}
