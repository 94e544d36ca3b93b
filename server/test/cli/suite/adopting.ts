import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../../support/run-cli.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/temporary-folder.ts';

let folder: TemporaryFolder;
let hub: TestHub | undefined;

/** `event-hub config adopt`. */
export function adoptingSuite(): void {
  describe('event-hub config adopt', () => {
    beforeEach(() => {
      folder = temporaryFolder();
    });
    afterEach(async () => {
      await hub?.remove();
      hub = undefined;
      folder.remove();
    });

    it('does not adopt under a running hub, nor where no hub was', async () => {
      hub = await startTestHub();
      const running = await runCli(['config', 'adopt', `--log=${hub.settings.log}`]);
      expect(running.code).toBe(2);
      expect(running.stderr).toContain('another hub runs on');
      const nowhere = await runCli(['config', 'adopt'], { folder: folder.path });
      expect(nowhere.code).toBe(2);
      expect(nowhere.stderr).toContain('there is no hub at');
      expect(readdirSync(folder.path)).toEqual([]);
    });
  });
}
