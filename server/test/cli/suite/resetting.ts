import { afterEach, describe, expect, it } from 'vitest';
import { jsonLines, runCli } from '../../support/run-cli.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';

let hub: TestHub | undefined;

/** `event-hub reset`. */
export function resettingSuite(): void {
  describe('event-hub reset', () => {
    afterEach(async () => {
      await hub?.remove();
      hub = undefined;
    });

    it('empties a stopped hub only with --yes, and never a running one', async () => {
      hub = await startTestHub();
      const { log, store } = hub.settings;
      const { url } = hub;
      expect((await runCli(['generate', '--count=10', `--url=${url}`])).code).toBe(0);
      const running = await runCli(['reset', '--yes', `--log=${log}`]);
      expect(running.code).toBe(2);
      expect(running.stderr).toContain('another hub runs on');
      await hub.stop();
      expect((await runCli(['reset', `--log=${log}`])).code).toBe(2);
      expect(await count(log)).toBe(10);
      const done = await runCli(['reset', '--yes', `--log=${log}`]);
      expect(done).toEqual({ code: 0, stdout: '', stderr: `${log} is empty\n` });
      expect((await runCli(['reset', '--yes', `--log=${log}`])).code).toBe(0);
      const restarted = await startTestHub({ log, store });
      expect(await count(log)).toBe(0);
      await restarted.remove();
    });
  });
}

async function count(log: string): Promise<number> {
  return jsonLines(await runCli(['events', '--all', `--log=${log}`])).length;
}
