import { type Clock, systemClock } from '../base/clock.ts';
import { HubError } from '../base/errors.ts';
import type { FileBackups } from '../base/file-backups.ts';
import type { Finding } from '../base/finding.ts';
import type { MigrationPlan, MigrationStep, UpgradeOptions } from '../base/migration.ts';
import type { MessagingPlace } from '../base/tracing.ts';
import { schemeOf } from '../config/engine-urls.ts';
import type { Settings } from '../config/settings.ts';
import { openAwaited } from '../log/awaited-log.ts';
import type { EventLog } from '../log/event-log.ts';
import { type LogAdapter, logAdapters } from '../log/index.ts';
import { watched } from '../log/watched.ts';
import type { EventStore } from '../store/event-store.ts';
import { type StoreAdapter, storeAdapters } from '../store/index.ts';

export interface Engines {
  readonly log: EventLog;
  readonly store: EventStore;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** To serve from them; else to look at them beside a running hub. */
  readonly exclusive: boolean;
  readonly pageCountMax?: number | undefined;
  readonly clock?: Clock;
  /** Told of each step that brought the store up to date. */
  readonly onMigrated?: UpgradeOptions['onDone'];
}

/** The log and the store alone. To serve, a server among them may be away: its calls reject with `unavailable` until it is there. */
export async function openEngines(settings: Settings, options: OpenOptions): Promise<Engines> {
  const log = await openLog(settings, options);
  try {
    const store = await openStore(settings, options);
    return {
      log,
      store,
      close: async () => void (await Promise.all([log.close(), store.close()])),
    };
  } catch (reason) {
    await log.close();
    throw reason;
  }
}

/** For who reads a log without its store. */
export async function openLog(settings: Settings, options: OpenOptions): Promise<EventLog> {
  const open = () =>
    adapterOf(logAdapters, settings.log).open(settings.log, {
      ...given(settings, options),
      keepMs: settings.logKeepMs,
      allowWeakDurability: settings.allowWeakDurability,
    });
  if (!options.exclusive || isEmbedded(settings)) return await open();
  const { clock = systemClock } = options;
  return await openAwaited(async () => watched(await open(), clock), clock);
}

/** For who only reads what is stored. */
export async function openStore(settings: Settings, options: OpenOptions): Promise<EventStore> {
  const { isSharded = false } = adapterOf<LogAdapter>(logAdapters, settings.log);
  return await adapterOf<StoreAdapter>(storeAdapters, settings.store).open(settings.store, {
    ...given(settings, options),
    isLogSharded: isSharded,
  });
}

/** The log writes the store in its own append: there is nothing to archive, and nothing that one has and the other has not. */
export function isEmbedded({ log, store }: Pick<Settings, 'log' | 'store'>): boolean {
  return adapterOf<StoreAdapter>(storeAdapters, store).recordedByLog === schemeOf(log);
}

/**
 * Removes the events of a stopped hub for good. Rejects with `conflict` while one
 * runs, `not_found` when there is nothing in either engine; what one of them
 * refuses is left in both.
 */
export async function eraseEngines(settings: Settings): Promise<void> {
  const { log, store } = settings;
  const eraseLog = () => adapterOf(logAdapters, log).erase(log);
  if (isEmbedded(settings)) return await eraseLog();
  let inLog = false;
  const eraseLogFirst = async () => {
    inLog = await erased(eraseLog);
  };
  // The log goes in one step, between the look at the store and the removal there.
  const { erase } = adapterOf<StoreAdapter>(storeAdapters, store);
  const inStore = await erased(() => erase(store, eraseLogFirst));
  if (!inStore) await eraseLogFirst();
  if (!inStore && !inLog) throw new HubError('not_found', 'neither engine has a hub');
}

/** Whether there was something: what a broken-off removal has left is removed by the next. */
async function erased(erase: () => Promise<void>): Promise<boolean> {
  try {
    await erase();
    return true;
  } catch (reason) {
    if (reason instanceof HubError && reason.code === 'not_found') return false;
    throw reason;
  }
}

/** What can be said of the engines without serving from them; changes nothing. */
export async function examineEngines({ log, store }: Settings): Promise<readonly Finding[]> {
  const findings = await adapterOf(logAdapters, log).examine(log);
  return [...findings, ...(await adapterOf<StoreAdapter>(storeAdapters, store).examine(store))];
}

/** What traces call the log. */
export async function placeOf({ log }: Settings): Promise<MessagingPlace> {
  return await adapterOf<LogAdapter>(logAdapters, log).placeOf(log);
}

/** Whole copies of a hub that is one file; undefined where it is on servers. */
export async function backupsOf(settings: Settings): Promise<FileBackups | undefined> {
  if (!isEmbedded(settings)) return undefined;
  return await adapterOf<LogAdapter>(logAdapters, settings.log).backups?.();
}

/** What brings the store at the URL up to date; changes nothing. Rejects as `StoreAdapter` says. */
export async function planMigration(store: string): Promise<MigrationPlan> {
  return await adapterOf<StoreAdapter>(storeAdapters, store).planMigration(store);
}

export async function migrateStore(
  store: string,
  onBegin: (step: MigrationStep) => void,
): Promise<readonly MigrationStep[]> {
  return await adapterOf<StoreAdapter>(storeAdapters, store).migrate(store, onBegin);
}

function given(
  { autoMigrate }: Settings,
  { exclusive, pageCountMax, clock, onMigrated = () => undefined }: OpenOptions,
) {
  return {
    exclusive,
    upgrade: { allowed: autoMigrate, onDone: onMigrated },
    ...(pageCountMax === undefined ? {} : { pageCountMax }),
    ...(clock === undefined ? {} : { clock }),
  };
}

function adapterOf<A>(adapters: Readonly<Record<string, A>>, url: string): A {
  const scheme = schemeOf(url);
  const adapter = adapters[scheme];
  if (adapter === undefined) {
    throw new HubError(
      'invalid',
      `there is no adapter for ${scheme}: URLs; there are ${Object.keys(adapters).join(', ')}`,
    );
  }
  return adapter;
}
