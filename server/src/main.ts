import { randomUUID } from 'node:crypto';
import { limitedIdentify } from './auth/limited-identify.ts';
import { createRateLimits } from './auth/rate-limits.ts';
import { createTokenVerifier } from './auth/token-verifier.ts';
import { type Clock, systemClock } from './base/clock.ts';
import type { HubError } from './base/errors.ts';
import { Lifecycle } from './base/lifecycle.ts';
import { limits } from './base/limits.ts';
import { createLogger, type Logger } from './base/logger.ts';
import type { UpgradeOptions } from './base/migration.ts';
import { createTelemetry } from './base/telemetry.ts';
import type { Settings } from './config/settings.ts';
import { createHub } from './hub/create-hub.ts';
import type { Hub } from './hub.ts';
import { createAccess } from './main/access.ts';
import { addGauges } from './main/add-gauges.ts';
import { Admission } from './main/admission.ts';
import { composeEngines } from './main/compose-engines.ts';
import { openEngines } from './main/engines.ts';
import { startProtocols } from './main/start-protocols.ts';
import { watchTlsFiles } from './main/watch-tls-files.ts';
import { createHttpServer, type EdgeLimits } from './protocols/http/create-http-server.ts';
import type { ProtocolHost } from './protocols/protocol.ts';
import { LiveFeed } from './readers/live-feed.ts';
import { startMinuteReport } from './readers/minute-report.ts';
import { version } from './version.ts';

export interface HubOptions {
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** For tests of a full disk. */
  readonly pageCountMax?: number;
  /** For tests of a hub with a deliberate flaw; `openEngines` when absent. */
  readonly openEngines?: typeof openEngines;
  /** For tests of slow and many clients. */
  readonly edge?: Partial<EdgeLimits>;
}

export interface RunningHub {
  readonly hub: Hub;
  /** `http://host:port`, `https:` with TLS: in every role, with what the roles serve. */
  readonly url: string;
  /** `host:port`; empty where gRPC is not served. */
  readonly grpcAddress: string;
  /** `http://host:port` of the port that is for metrics alone; empty where there is none. */
  readonly metricsUrl: string;
  readonly durability: string;
  /** Who may come in, where that is everybody; else empty. */
  readonly openness: string;
  /** Resolves with the reason when it turns out later that the hub must not go on, as when an engine comes back as another. */
  readonly refused: Promise<HubError>;
  /** Readiness fails, work under way ends, streams close with a resumable position. Safe to call twice. */
  stop(): Promise<void>;
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
      open: options.openEngines ?? openEngines,
      edge: options.edge,
    });
  } catch (reason) {
    await lifecycle.stop();
    throw reason;
  }
}

interface Parts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
  readonly pageCountMax: number | undefined;
  readonly open: typeof openEngines;
  readonly edge: Partial<EdgeLimits> | undefined;
}

async function compose(settings: Settings, parts: Parts): Promise<RunningHub> {
  const { clock, logger, lifecycle, pageCountMax } = parts;
  const telemetry = createTelemetry({ amounts: settings.metricsAmounts });
  const tls = settings.tls && (await watchTlsFiles(settings.tls, { clock, logger }));
  lifecycle.add('certificates', () => tls?.stop());
  const opened = await parts.open(settings, {
    exclusive: true,
    pageCountMax,
    clock,
    onMigrated: migratedLine(logger),
  });
  const admission = new Admission({ clock, logger });
  const tokens =
    settings.auth.tokens && createTokenVerifier(settings.auth.tokens, { clock, logger });
  lifecycle.add('tokens', () => tokens?.close());
  const access = createAccess({ settings, keys: opened.store.keys, tokens, clock, logger });
  const engines = await composeEngines({
    settings,
    access,
    engines: opened,
    admission,
    clock,
    logger,
    lifecycle,
    telemetry,
  });
  const { log, store } = engines;
  const feed = new LiveFeed({ log, clock, logger });
  const stopping = new AbortController();
  const shared = { clock, logger, telemetry, stopping: stopping.signal };
  const rateLimits = createRateLimits(settings.rateLimit, { clock, telemetry });
  const hub = createHub({
    ...shared,
    ...engines,
    feed,
    rules: settings,
    rateLimits,
    streamsPerAccount: settings.streams.perAccount,
  });
  addGauges({ telemetry, hub, log, store, feed, clock, settings });
  const host: ProtocolHost = {
    ...shared,
    hub,
    http: createHttpServer({
      ...settings.http,
      clock,
      logger,
      telemetry,
      rateLimits,
      tls,
      edge: parts.edge,
    }),
    anyHostName: access.anyHostName,
    identify: limitedIdentify(access.identify, rateLimits),
    rateLimits,
    grpc: {
      ...settings.grpc,
      connectionsMax: parts.edge?.connectionsMax ?? limits.connectionsMax,
    },
    metrics: settings.metrics,
    tls,
    version,
  };
  let stopReport = async () => {};
  lifecycle.add('minute report', () => stopReport());
  const running = await startProtocols(host, settings.roles, lifecycle);
  // Last of all: a hub that cannot listen must not begin to read and to report.
  engines.startReaders();
  if (settings.roles.has('readers')) {
    stopReport = startMinuteReport({ store, clock, logger, holder: randomUUID() });
  }
  const { durability } = await hub.health();
  lifecycle.add('live feed', () => feed.close());
  lifecycle.add('readiness', () => stopping.abort());
  const { refused } = admission;
  const openness = access.describe();
  return { hub, ...running, durability, openness, refused, stop: () => lifecycle.stop() };
}

function migratedLine(logger: Logger): UpgradeOptions['onDone'] {
  return ({ version: schemaVersion, description }, store) =>
    logger.info(
      { store, schema_version: schemaVersion },
      `the store was brought to version ${schemaVersion}: ${description}`,
    );
}
