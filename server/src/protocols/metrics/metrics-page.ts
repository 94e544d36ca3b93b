import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import {
  type Durations,
  durationBucketsMs,
  type Gauge,
  type Telemetry,
} from '../../base/telemetry.ts';

export interface MetricsPage {
  readonly contentType: string;
  print(): Promise<string>;
}

/** The hub's counts and the process's own, in the text format of Prometheus. */
export function createMetricsPage(telemetry: Telemetry, version: string): MetricsPage {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const add = (name: string, help: string, type: MetricType, read: () => readonly Sample[]) =>
    registry.registerMetric(metric(`event_hub_${name}`, help, type, read));

  add('build_info', 'The version of the hub.', 'gauge', () => [{ labels: { version }, value: 1 }]);
  add('events_total', 'Events by what became of them.', 'counter', () =>
    labelled(telemetry.events, ['protocol', 'event_type', 'result']),
  );
  add('ingest_duration_seconds', 'From the call of publish to its answer.', 'histogram', () =>
    [...telemetry.ingest].flatMap(([protocol, durations]) => histogram(durations, { protocol })),
  );
  add('append_duration_seconds', 'One commit of the log.', 'histogram', () =>
    histogram(telemetry.append, {}),
  );
  add('http_requests_total', 'HTTP requests by route and status.', 'counter', () =>
    labelled(telemetry.requests, ['method', 'route', 'status']),
  );
  add('subscribers', 'Open live streams.', 'gauge', () =>
    labelled(telemetry.subscribers, ['transport']),
  );
  add('subscriber_cuts_total', 'Live streams that the hub ended.', 'counter', () =>
    labelled(telemetry.subscriberCuts, ['transport', 'code']),
  );
  add('rate_limited_total', 'Calls that a limit of an account or address refused.', 'counter', () =>
    labelled(telemetry.rateLimited, ['by', 'unit']),
  );
  return {
    contentType: registry.contentType,
    print: async () => {
      for (const gauge of telemetry.gauges.values()) {
        if (registry.getSingleMetric(`event_hub_${gauge.name}`) !== undefined) continue;
        const type = gauge.grows === true ? 'counter' : 'gauge';
        add(gauge.name, gauge.help, type, () =>
          readGauge(telemetry.gauges.get(gauge.name) ?? gauge),
        );
      }
      return registry.metrics();
    },
  };
}

type MetricType = 'counter' | 'gauge' | 'histogram';

interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Where it is not the metric's own: `..._bucket`. */
  readonly suffix?: string;
}

/**
 * A metric that is read when it is scraped. prom-client's own classes want to
 * be told every increment; its registry needs only a name and `get`.
 */
function metric(
  name: string,
  help: string,
  type: MetricType,
  read: () => readonly Sample[],
): Metric {
  const get = async () => ({
    name,
    help,
    type,
    aggregator: 'sum',
    values: read().map(({ labels, value, suffix }) => ({
      labels,
      value,
      ...(suffix === undefined ? {} : { metricName: `${name}${suffix}` }),
    })),
  });
  return { name, help, get } as unknown as Metric;
}

function labelled(counts: ReadonlyMap<string, number>, names: readonly string[]): Sample[] {
  return [...counts].map(([key, value]) => {
    const values = key.split('\t');
    return { value, labels: Object.fromEntries(names.map((name, i) => [name, values[i] ?? ''])) };
  });
}

function histogram(durations: Durations, labels: Readonly<Record<string, string>>): Sample[] {
  let count = 0;
  const buckets = durationBucketsMs.map((edgeMs, i) => {
    count += durations.buckets[i] ?? 0;
    return { labels: { ...labels, le: edgeMs / 1000 }, value: count, suffix: '_bucket' };
  });
  return [
    ...buckets,
    { labels: { ...labels, le: '+Inf' }, value: durations.count, suffix: '_bucket' },
    { labels, value: durations.sumMs / 1000, suffix: '_sum' },
    { labels, value: durations.count, suffix: '_count' },
  ];
}

function readGauge({ label, read }: Gauge): Sample[] {
  const value = read();
  if (typeof value === 'number') return [{ labels: {}, value }];
  return [...value].map(([key, each]) => ({ labels: { [label ?? 'of']: key }, value: each }));
}
