import { createHttpServer } from '../http/create-http-server.ts';
import { formatAddress } from '../http/format-address.ts';
import type { Exchange, Handler } from '../http/http-server.ts';
import { identifyRequest } from '../http/identify-request.ts';
import { send } from '../http/send.ts';
import type { Protocol, ProtocolHost, RunningProtocol } from '../protocol.ts';
import { getLiveness, getReadiness } from './health.ts';
import { getLogLevel, putLogLevel } from './log-level.ts';
import type { MetricsPage } from './metrics-page.ts';

/** Health, Prometheus and the log level, in every role. */
export const metricsProtocol: Protocol = {
  name: 'metrics',
  role: 'any',
  start: async (host) => {
    const readiness = getReadiness(host);
    host.http.route('GET', '/livez', getLiveness);
    host.http.route('GET', '/readyz', readiness);
    host.http.route('GET', '/healthz', readiness);
    const metrics = getMetrics(host);
    host.http.route('GET', '/metrics', async (exchange) => {
      host.hub.authorize(await identifyRequest(host, exchange.request), 'metrics:read');
      await metrics(exchange);
    });
    host.http.route('GET', '/log-level', getLogLevel(host));
    host.http.route('PUT', '/log-level', putLogLevel(host));
    return await servePort(host, metrics);
  },
};

function getMetrics(host: ProtocolHost): Handler {
  let page: Promise<MetricsPage> | undefined;
  return async (exchange: Exchange) => {
    // Loaded at the first scrape: a start does not wait for it.
    page ??= import('./metrics-page.ts').then((module) =>
      module.createMetricsPage(host.telemetry, host.version),
    );
    const { contentType, print } = await page;
    send(exchange, 200, contentType, await print(), { 'cache-control': 'no-store' });
  };
}

/** A port for metrics alone asks for no credential: who reaches it is the network's to say. */
async function servePort(host: ProtocolHost, metrics: Handler): Promise<RunningProtocol> {
  if (host.metrics === undefined) return { stop: async () => {} };
  const server = createHttpServer({ ...host, ...host.metrics });
  server.route('GET', '/metrics', metrics);
  const address = await server.listen();
  return { address: formatAddress(address), stop: () => server.close() };
}
