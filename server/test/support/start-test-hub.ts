import type { Settings } from '../../src/config/settings.ts';
import { type HubOptions, type RunningHub, startHub } from '../../src/main.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { testSettings } from './test-settings.ts';

export interface TestHub extends RunningHub {
  readonly settings: Settings;
  /** Where its data is. */
  readonly folder: string;
  /** Stops the hub and removes its data. */
  remove(): Promise<void>;
}

/** The whole hub, as `event-hub serve` starts it, on free ports and a folder of its own. */
export async function startTestHub(
  overrides: Partial<Settings> = {},
  options: HubOptions = {},
): Promise<TestHub> {
  const folder = temporaryFolder();
  const settings = testSettings(folder.path, overrides);
  try {
    const running = await startHub(settings, options);
    const remove = async () => {
      await running.stop();
      folder.remove();
    };
    return { ...running, settings, folder: folder.path, remove };
  } catch (reason) {
    folder.remove();
    throw reason;
  }
}
