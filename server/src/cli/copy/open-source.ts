import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { maskPasswords } from '../../config/mask-passwords.ts';
import type { Settings } from '../../config/settings.ts';
import { withTrimmedHistory } from '../../log/trimmed-history.ts';
import { type Engines, isEmbedded, openEngines, openLog, openStore } from '../../main/engines.ts';
import { type EventStore, leasePrefixes } from '../../store/event-store.ts';
import { Archiving } from './archiving.ts';
import type { SourceUrls } from './copy-urls.ts';
import { assertWhole, readLog, readStore, type Source } from './source.ts';

export interface SourceOptions {
  readonly urls: SourceUrls;
  /** For what the URLs do not say. */
  readonly settings: Settings;
  /** Rejects with `conflict` while a hub works on it; a file is held meanwhile, so that none begins to. */
  readonly alone: boolean;
}

/** Opens what `--from` names. */
export async function openSource({ urls, settings, alone }: SourceOptions): Promise<Source> {
  const { log, store } = urls;
  // Success is not answered out of it, so its durability does not matter.
  const base = { ...settings, allowWeakDurability: true };
  if (log !== undefined && store !== undefined) {
    return await openPair({ ...base, log, store }, alone);
  }
  if (log !== undefined) return await openLogAlone({ ...base, log }, alone);
  if (store !== undefined) return await openStoreAlone({ ...base, store }, alone);
  throw new Error('a source is a log, a store, or both');
}

async function openPair(settings: Settings, alone: boolean): Promise<Source> {
  const embedded = isEmbedded(settings);
  let engines = await openEngines(settings, { exclusive: false });
  if (embedded && alone) {
    // It is there: to hold it makes nothing new.
    await engines.close();
    engines = await openEngines(settings, { exclusive: true });
  }
  try {
    if (alone && !embedded) await assertNoHub(engines.store);
    return embedded ? embeddedSource(settings, engines) : pairSource(settings, engines);
  } catch (reason) {
    await engines.close();
    throw reason;
  }
}

function embeddedSource(settings: Settings, { log, store, close }: Engines): Source {
  return {
    name: maskPasswords(settings.log),
    store,
    read: (after, signal) => readLog(log, after, signal),
    placeOf: async (id) => (await store.get(id))?.position,
    mark: () => markOf(log, store),
    settle: async () => undefined,
    close,
  };
}

function pairSource(settings: Settings, { log, store, close }: Engines): Source {
  return {
    name: maskPasswords(settings.log),
    store,
    read: (after, signal) => readLog(withTrimmedHistory(log, store), after, signal),
    readStored: (signal) => readStore(store, undefined, signal),
    placeOf: async (id) => (await store.get(id))?.position,
    mark: () => markOf(log, store),
    settle: async (signal) => {
      const archiving = new Archiving({ log, store });
      try {
        await archiving.settle(signal);
      } finally {
        await archiving.stop();
      }
    },
    close,
  };
}

/** Retention writes too. */
async function markOf(log: Engines['log'], store: EventStore): Promise<string> {
  const { removedEvents } = await store.retained();
  return `${removedEvents} ${(await log.end()) ?? ''}`;
}

async function openLogAlone(settings: Settings, alone: boolean): Promise<Source> {
  const log = await openLog(settings, { exclusive: false });
  const name = maskPasswords(settings.log);
  try {
    if (alone) await assertFilled(log, name);
  } catch (reason) {
    await log.close();
    throw reason;
  }
  return {
    name,
    store: undefined,
    read: async function* (after, signal) {
      if (after === undefined) await assertWhole(log, name);
      yield* readLog(log, after, signal);
    },
    placeOf: async () => undefined,
    mark: async () => (await log.end()) ?? '',
    settle: async () => undefined,
    close: () => log.close(),
  };
}

/** A misspelt name would be copied as a hub without events; what is followed may have none yet. */
async function assertFilled(log: Engines['log'], name: string): Promise<void> {
  if ((await log.end()) !== undefined) return;
  throw new HubError(
    'invalid',
    `${name} has no log with an event in it: see that the URL names the right one`,
  );
}

async function openStoreAlone(settings: Settings, alone: boolean): Promise<Source> {
  const store = await openStore(settings, { exclusive: false });
  try {
    if (alone) await assertNoHub(store);
  } catch (reason) {
    await store.close();
    throw reason;
  }
  return {
    name: maskPasswords(settings.store),
    store,
    read: (after, signal) => readStore(store, after, signal),
    placeOf: async (id) => (await store.get(id))?.listKey,
    mark: async () => {
      const { removedEvents } = await store.retained();
      return [removedEvents, ...[...(await store.positions())].map(String).sort()].join(' ');
    },
    settle: async () => undefined,
    close: () => store.close(),
  };
}

/** A hub that runs shows itself: each process, whatever its role, and who archives in its place. */
async function assertNoHub(store: EventStore): Promise<void> {
  const { process, archive } = leasePrefixes;
  const names = await Promise.all([process, archive].map((prefix) => store.leaseNames(prefix)));
  if (names.flat().length > 0) {
    throw new HubError(
      'conflict',
      `a hub runs on the source (one that was killed counts as running for ${limits.mongoProcessTtlMs / 1_000} s): stop it, or copy beside it with --follow`,
    );
  }
}
