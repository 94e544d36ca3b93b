import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExportFile } from '../../src/cli/export/export-file.ts';
import { runExport } from '../../src/cli/export/run-export.ts';
import { openHubStore, readsOf } from '../../src/cli/open-engines.ts';
import { logShard } from '../../src/log/one-shard.ts';
import type { EventStore } from '../../src/store/event-store.ts';
import { anInput, postEvents } from '../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

let hub: TestHub;
let store: EventStore;
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = temporaryFolder();
  hub = await startTestHub();
  const events = Array.from({ length: 3_500 }, () => anInput({ metadata: { note: 'a,"b"' } }));
  for (let sent = 0; sent < events.length; sent += 500) {
    expect((await postEvents(hub.url, events.slice(sent, sent + 500))).status).toBe(201);
  }
  store = await openHubStore(hub.settings);
});
afterAll(async () => {
  await store.close();
  await hub.remove();
  folder.remove();
});

describe('an export', () => {
  it.each(['ndjson', 'csv'] as const)(
    'that is interrupted after every page is the same %s as one that is not',
    async (format) => {
      const broken = join(folder.path, `broken.${format}`);
      // 3,500 events are four pages; each of these runs is interrupted after one.
      for (let page = 1; page <= 4; page += 1) {
        expect(await exportOnce(broken, format, AbortSignal.abort())).toBe(false);
      }
      expect(await exportOnce(broken, format, new AbortController().signal)).toBe(true);
      const whole = join(folder.path, `whole.${format}`);
      expect(await exportOnce(whole, format, new AbortController().signal)).toBe(true);
      expect(readFileSync(broken, 'utf8')).toBe(readFileSync(whole, 'utf8'));
      expect(readdirSync(folder.path).filter((name) => name.includes('unfinished'))).toEqual([]);
    },
  );

  it('ends where something else writes to its file', async () => {
    const path = join(folder.path, 'shared.ndjson');
    const first = ExportFile.open(path, 'all', false);
    const second = ExportFile.open(path, 'all', false);
    await first.append('one\n');
    await second.append('two\n');
    expect(() => first.keep({ events: 1 })).toThrow('something else writes');
    expect(() => second.finish(false)).toThrow('something else writes');
    expect(readdirSync(folder.path)).not.toContain('shared.ndjson');
  });

  // The last one: what it removes is not there for the others.
  it('goes on with what is left where retention has removed the event at which it was broken off', async () => {
    const path = join(folder.path, 'overtaken.csv');
    expect(await exportOnce(path, 'csv', AbortSignal.abort())).toBe(false);
    const cut = { receivedBefore: Date.now() + 60_000 };
    expect(await store.removeOldest(logShard, cut, 1_200)).toMatchObject({ events: 1_200 });
    expect(await exportOnce(path, 'csv', new AbortController().signal)).toBe(true);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\r\n');
    // A head, the page that was written before, and all that is left.
    expect(lines).toHaveLength(1 + 1_000 + 2_300);
    expect(new Set(lines).size).toBe(lines.length);
  });
});

/** One run of the command's work; whether it came to the end. */
async function exportOnce(
  path: string,
  format: 'ndjson' | 'csv',
  signal: AbortSignal,
): Promise<boolean> {
  const file = ExportFile.open(path, format, false);
  const reads = readsOf(store, hub.settings);
  const whole = await runExport({
    reads,
    request: {},
    format,
    file,
    onPlace: () => undefined,
    signal,
  });
  if (whole) file.finish(false);
  return whole;
}
