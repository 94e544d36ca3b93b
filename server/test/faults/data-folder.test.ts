import { copyFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anInput, get, postEvents } from '../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';
import { everySender } from './rig/every-sender.ts';
import { readKept } from './rig/read-stored.ts';

let hub: TestHub;
let file = '';

beforeEach(async () => {
  hub = await startTestHub();
  file = join(hub.folder, 'event-hub.db');
});

afterEach(() => hub.remove());

/** What people and scripts do to the data of a running hub, and how they undo it. */
const mishaps: Readonly<Record<string, () => () => void>> = {
  'whose folder is renamed, with a file in its place': () => {
    renameSync(hub.folder, `${hub.folder}.away`);
    writeFileSync(hub.folder, 'a file');
    return () => {
      rmSync(hub.folder);
      renameSync(`${hub.folder}.away`, hub.folder);
    };
  },
  'whose database file is removed': () => moveAway(file),
  'whose database file is replaced by a copy': () => {
    copyFileSync(file, `${file}.copy`);
    const putBack = moveAway(file);
    renameSync(`${file}.copy`, file);
    return putBack;
  },
  'whose write-ahead log is removed': () => moveAway(`${file}-wal`),
  'whose write-ahead log is replaced by a copy': () => {
    copyFileSync(`${file}-wal`, `${file}.copy`);
    const putBack = moveAway(`${file}-wal`);
    renameSync(`${file}.copy`, `${file}-wal`);
    return putBack;
  },
  'whose lock file is removed': () => moveAway(`${file}.lock`),
};

describe.each(Object.entries(mishaps))('a running hub %s', (_, happen) => {
  it('answers no success from then on, on any protocol, until it is put back; then it goes on', async () => {
    const before = anInput();
    expect((await postEvents(hub.url, before)).status).toBe(201);
    const putBack = happen();
    const during = anInput();
    const answer = await postEvents(hub.url, during);
    expect(answer).toMatchObject({
      status: 503,
      json: { code: 'unavailable', ids: [during.id], detail: expect.stringMatching(changed) },
    });
    for (const sender of everySender(hub)) {
      const [{ status, code } = {}] = await sender.send([anInput() as never], false);
      expect({ status, code }, sender.name).toEqual({ status: 'unknown', code: 'unavailable' });
      sender.close();
    }
    expect((await untilReadiness(503)).text).toMatch(changed);
    putBack();
    await untilReadiness(200);
    // Whether it was stored when the file was elsewhere is open; a retry is safe.
    expect((await postEvents(hub.url, during)).json.status).toMatch(/^(success|duplicate)$/);
    expect((await postEvents(hub.url, before)).json.status).toBe('duplicate');
    expect((await postEvents(hub.url, anInput())).status).toBe(201);
    await hub.stop();
    const { rows, integrity } = readKept(file);
    expect(integrity).toBe('ok');
    expect(rows.map(({ id }) => id)).toEqual(expect.arrayContaining([before.id, during.id]));
  });
});

const changed = /was (removed|replaced) under the running hub: put it back, or restart the hub/;

function moveAway(path: string): () => void {
  renameSync(path, `${path}.away`);
  return () => renameSync(`${path}.away`, path);
}

async function untilReadiness(status: number): Promise<{ readonly text: string }> {
  for (;;) {
    const answer = await get(hub.url, '/readyz?verbose');
    if (answer.status === status) return answer;
    await sleep(100);
  }
}
