import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

let folder: TemporaryFolder;

beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

describe('event-hub serve', () => {
  it('names a log that is no URL, in one line', async () => {
    const env = { EVENT_HUB_LOG: './data/hub.db' };
    const result = await runCli(['serve'], { folder: folder.path, env });
    expect(result).toEqual({
      code: 2,
      stdout: '',
      stderr:
        "event-hub: env EVENT_HUB_LOG: expected a URL such as sqlite:./data/event-hub.db, redis://host:6379 or mongodb://host/event_hub, got './data/hub.db'\n",
    });
  });
});
