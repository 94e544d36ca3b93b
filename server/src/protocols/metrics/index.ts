import type { Exchange } from '../http/http-server.ts';
import { identifyRequest } from '../http/identify-request.ts';
import { send } from '../http/send.ts';
import type { Protocol } from '../protocol.ts';
import { getLiveness, getReadiness } from './health.ts';
import type { MetricsPage } from './metrics-page.ts';

/** Health and Prometheus, in every role. */
export const metricsProtocol: Protocol = {
  name: 'metrics',
  role: 'any',
  start: async (host) => {
    const readiness = getReadiness(host);
    host.http.route('GET', '/livez', getLiveness);
    host.http.route('GET', '/readyz', readiness);
    host.http.route('GET', '/healthz', readiness);
    let page: Promise<MetricsPage> | undefined;
    host.http.route('GET', '/metrics', async (exchange: Exchange) => {
      host.hub.authorize(await identifyRequest(host, exchange.request), 'metrics:read');
      // Loaded at the first scrape: a start does not wait for it.
      page ??= import('./metrics-page.ts').then((module) =>
        module.createMetricsPage(host.telemetry, host.version),
      );
      const { contentType, print } = await page;
      send(exchange, 200, contentType, await print(), { 'cache-control': 'no-store' });
    });
    return { stop: async () => {} };
  },
};
