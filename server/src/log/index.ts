import type { EventLog } from './event-log.ts';

export interface OpenLogOptions {
  /** Serve from it: hold it and make it when there is none. A command beside a running hub does neither. */
  readonly exclusive: boolean;
  /** Caps the size of an embedded file, for tests of a full disk. */
  readonly pageCountMax?: number;
}

/** Opens a log by its URL. Drivers load only when chosen. */
export interface LogAdapter {
  open(url: string, options: OpenLogOptions): Promise<EventLog>;
}

/** By the scheme of `EVENT_HUB_LOG`. A new log is one folder, one line here and one short test file. */
export const logAdapters = {
  sqlite: {
    open: async (url, options) =>
      (await import('./sqlite/sqlite-log.ts')).openSqliteLog(url, options),
  },
} as const satisfies Record<string, LogAdapter>;
