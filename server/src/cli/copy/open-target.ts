import { silentLogger } from '../../base/logger.ts';
import type { Settings } from '../../config/settings.ts';
import { withKnownIds } from '../../log/known-ids.ts';
import { type Engines, isEmbedded, openEngines } from '../../main/engines.ts';
import { Archiving } from './archiving.ts';
import type { CopyTarget } from './copy-events.ts';

export interface Target extends CopyTarget {
  /** Resolves when the store has what the log has. */
  settle(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Opens what `--to` names, made where there is none, as a hub would that serves from it. */
export async function openTarget(settings: Settings): Promise<Target> {
  const engines = await openEngines(settings, { exclusive: true });
  try {
    await Promise.all([engines.log.check(), engines.store.check()]);
  } catch (reason) {
    await engines.close();
    throw reason;
  }
  if (isEmbedded(settings)) return { ...engines, settle: async () => undefined };
  return archivedTarget(engines);
}

function archivedTarget({ log, store, close }: Engines): Target {
  const archiving = new Archiving({ log, store });
  const knowing = withKnownIds(log, { store, logger: silentLogger });
  archiving.start();
  return {
    store,
    log: knowing,
    settle: (signal) => archiving.settle(signal),
    close: async () => {
      await archiving.stop();
      await close();
    },
  };
}
