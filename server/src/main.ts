import { identifyAnyone } from './auth/identify.ts';
import { type Clock, systemClock } from './base/clock.ts';
import { HubError } from './base/errors.ts';
import type { Finding } from './base/finding.ts';
import { Lifecycle } from './base/lifecycle.ts';
import { limits } from './base/limits.ts';
import { createLogger, type Logger } from './base/logger.ts';
import { createTelemetry, type Telemetry } from './base/telemetry.ts';
import type { Settings } from './config/settings.ts';
import { formatEventTypes } from './event/event-rules.ts';
import { createHub } from './hub/create-hub.ts';
import type { Hub } from './hub.ts';
import type { EventLog } from './log/event-log.ts';
import { withGroupCommit } from './log/group-commit.ts';
import { logAdapters } from './log/index.ts';
import { timed } from './log/timed.ts';
import { createHttpServer } from './protocols/http/create-http-server.ts';
import { protocols } from './protocols/index.ts';
import type { ProtocolHost } from './protocols/protocol.ts';
import { LiveFeed } from './readers/live-feed.ts';
import { startMinuteReport } from './readers/minute-report.ts';
import type { Agreement, EventStore } from './store/event-store.ts';
import { type StoreAdapter, storeAdapters } from './store/index.ts';
import { version } from './version.ts';

export interface HubOptions {
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** For tests of a full disk. */
  readonly pageCountMax?: number;
}

export interface RunningHub {
  readonly hub: Hub;
  /** `http://host:port` */
  readonly url: string;
  /** `host:port` */
  readonly grpcAddress: string;
  readonly durability: string;
  /** Readiness fails, work under way ends, streams close with a resumable position. Safe to call twice. */
  stop(): Promise<void>;
}

export interface Engines {
  readonly log: EventLog;
  readonly store: EventStore;
  close(): Promise<void>;
}

/** Configuration in, running hub out. Rejects with a HubError that says which setting to change. */
export async function startHub(settings: Settings, options: HubOptions = {}): Promise<RunningHub> {
  const clock = options.clock ?? systemClock;
  const logger = options.logger ?? createLogger(settings.logLevel);
  const lifecycle = new Lifecycle({ clock, logger, stopMs: limits.stopMs - 1_000 });
  try {
    return await compose(settings, {
      clock,
      logger,
      lifecycle,
      pageCountMax: options.pageCountMax,
    });
  } catch (reason) {
    await lifecycle.stop();
    throw reason;
  }
}

/** The log and the store alone. Exclusive: to serve from them; else to look at them beside a running hub. */
export async function openEngines(
  settings: Settings,
  { exclusive, pageCountMax }: { exclusive: boolean; pageCountMax?: number | undefined },
): Promise<Engines> {
  const options = { exclusive, ...(pageCountMax === undefined ? {} : { pageCountMax }) };
  const log = await adapterOf(logAdapters, settings.log).open(settings.log, options);
  try {
    const store = await adapterOf(storeAdapters, settings.store).open(settings.store, options);
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

/** Removes the events of a stopped hub for good. Rejects with `conflict` while one runs, `not_found` when there is nothing. */
export async function eraseEngines({ log, store }: Settings): Promise<void> {
  await adapterOf(logAdapters, log).erase(log);
  await adapterOf<StoreAdapter>(storeAdapters, store).erase(store);
}

/** What can be said of the engines without serving from them; changes nothing. */
export async function examineEngines({ log, store }: Settings): Promise<readonly Finding[]> {
  const findings = await adapterOf(logAdapters, log).examine(log);
  return [...findings, ...(await adapterOf<StoreAdapter>(storeAdapters, store).examine(store))];
}

interface Parts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
  readonly pageCountMax: number | undefined;
}

async function compose(settings: Settings, parts: Parts): Promise<RunningHub> {
  const { clock, logger, lifecycle } = parts;
  const telemetry = createTelemetry();
  const rules = settings;
  const engines = await openEngines(settings, {
    exclusive: true,
    pageCountMax: parts.pageCountMax,
  });
  const log = withGroupCommit(timed(engines.log, clock, telemetry));
  const { store } = engines;
  lifecycle.add('store', () => store.close());
  lifecycle.add('log', () => log.close());
  await agree(store, {
    eventTypes: formatEventTypes(rules.eventTypes),
    defaultCurrency: rules.defaultCurrency,
  });

  lifecycle.add('minute report', startMinuteReport({ store, clock, logger }));
  const feed = new LiveFeed({ log, clock, logger });
  addGauges(telemetry, log, feed);
  const stopping = new AbortController();
  const hub = createHub({
    log,
    store,
    feed,
    clock,
    logger,
    telemetry,
    rules,
    stopping: stopping.signal,
  });

  const http = createHttpServer({ ...settings.http, clock, logger, telemetry });
  const host: ProtocolHost = {
    hub,
    clock,
    logger,
    telemetry,
    http,
    identify: identifyAnyone,
    grpc: settings.grpc,
    version,
    stopping: stopping.signal,
  };
  const running = await startProtocols(host, lifecycle);
  const { durability } = await hub.health();
  lifecycle.add('live feed', () => feed.close());
  lifecycle.add('readiness', () => stopping.abort());
  return { hub, ...running, durability, stop: () => lifecycle.stop() };
}

/** Routes first, then the listening sockets, so that no request meets half a hub. */
async function startProtocols(
  host: ProtocolHost,
  lifecycle: Lifecycle,
): Promise<{ url: string; grpcAddress: string }> {
  let grpcAddress = '';
  for (const protocol of protocols) {
    const running = await protocol.start(host);
    lifecycle.add(protocol.name, () => running.stop());
    if (protocol.name === 'grpc') grpcAddress = running.address ?? '';
  }
  lifecycle.add('http', () => host.http.close());
  const address = await host.http.listen();
  const name = address.host.includes(':') ? `[${address.host}]` : address.host;
  return { url: `http://${name}:${address.port}`, grpcAddress };
}

/** All processes on one store take the same events for valid and count them alike. */
async function agree(store: EventStore, wanted: Agreement): Promise<void> {
  const kept = await store.agreement();
  if (kept === undefined) {
    await store.setAgreement(wanted);
    return;
  }
  for (const name of ['eventTypes', 'defaultCurrency'] as const) {
    if (kept[name] === wanted[name]) continue;
    const setting = name === 'eventTypes' ? 'EVENT_HUB_EVENT_TYPES' : 'EVENT_HUB_DEFAULT_CURRENCY';
    throw new HubError(
      'conflict',
      `${setting} is "${wanted[name]}" here and "${kept[name]}" in the store: set it to the latter, or take the new one over with \`event-hub config adopt\``,
    );
  }
}

function addGauges(telemetry: Telemetry, log: { waitingEvents(): number }, feed: LiveFeed): void {
  telemetry.addGauge({
    name: 'append_queue_events',
    help: 'Events that are accepted and wait for a commit.',
    read: () => log.waitingEvents(),
  });
  telemetry.addGauge({
    name: 'live_subscribers',
    help: 'Subscribers of the live feed over all transports.',
    read: () => feed.listeners,
  });
}

function adapterOf<A>(adapters: Readonly<Record<string, A>>, url: string): A {
  const scheme = url.slice(0, url.indexOf(':'));
  const adapter = adapters[scheme];
  if (adapter === undefined) {
    throw new HubError(
      'invalid',
      `there is no adapter for ${scheme}: URLs; there are ${Object.keys(adapters).join(', ')}`,
    );
  }
  return adapter;
}
