import { join } from 'node:path';
import type { Settings } from '../../src/config/settings.ts';
import { parseEventTypes } from '../../src/event/event-rules.ts';

/** A hub of its own on free ports of loopback, with its data in `folder`. */
export function testSettings(folder: string, overrides: Partial<Settings> = {}): Settings {
  const url = `sqlite:${join(folder, 'event-hub.db')}`;
  return {
    http: { host: '127.0.0.1', port: 0, trustedProxies: [], corsOrigins: [] },
    grpc: { host: '127.0.0.1', port: 0 },
    metrics: undefined,
    metricsAmounts: false,
    tracing: undefined,
    auth: { tokens: undefined },
    tls: undefined,
    log: url,
    store: url,
    logKeepMs: 60 * 60 * 1000,
    retentionMs: undefined,
    roles: new Set(['http', 'grpc', 'readers']),
    eventTypes: parseEventTypes('purchase:+,return:-,refund:-'),
    defaultCurrency: 'XXX',
    maxFutureMs: 24 * 60 * 60 * 1000,
    logLevel: 'silent',
    autoMigrate: true,
    allowWeakDurability: false,
    allowAnonymous: false,
    accessGraceMs: 5_000,
    rateLimit: noRateLimit,
    streams: { perAccount: 100 },
    ...overrides,
  };
}

/** As it is unless somebody sets it. */
export const noRateLimit: Settings['rateLimit'] = {
  accountRequests: 0,
  accountEvents: 0,
  addressRequests: 0,
  addressEvents: 0,
  burstMs: 2_000,
};
