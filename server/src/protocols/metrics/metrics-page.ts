import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import type { Distribution, Gauge, Telemetry } from '../../base/telemetry.ts';

export interface MetricsPage {
  readonly contentType: string;
  print(): Promise<string>;
}

/** The hub's counts and the process's own, in the text format of Prometheus. */
export function createMetricsPage(telemetry: Telemetry, version: string): MetricsPage {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
  const add = (name: string, help: string, type: MetricType, read: Read) =>
    registry.registerMetric(metric(`event_hub_${name}`, help, type, read));

  add('build_info', 'The version of the hub.', 'gauge', () => [{ labels: { version }, value: 1 }]);
  add('events_total', 'Events by what became of them.', 'counter', () =>
    labelled(telemetry.events, ['protocol', 'event_type', 'result']),
  );
  add('late_events_total', lateHelp, 'counter', () => labelled(telemetry.late, ['event_type']));
  const { amounts } = telemetry;
  if (amounts !== undefined) {
    add('amounts_total', amountsHelp, 'counter', () =>
      labelled(amounts, ['event_type', 'currency']),
    );
  }
  add('ingest_duration_seconds', 'From the call of publish to its answer.', 'histogram', () =>
    durationsBy('protocol', telemetry.ingest),
  );
  add('append_duration_seconds', 'One commit of the log.', 'histogram', () =>
    histogram(telemetry.append, {}, secondsPerMs),
  );
  add('commit_events', 'Events that one commit of the log had.', 'histogram', () =>
    histogram(telemetry.commitSizes, {}, 1),
  );
  add('delivery_duration_seconds', deliveryHelp, 'histogram', () =>
    durationsBy('transport', telemetry.delivery),
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

/** prom-client's own that are gauges and are named like counters. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

const lateHelp =
  'Accepted events whose own minute had been reported before: they are counted in it all the same.';
const amountsHelp =
  'Amounts of accepted events in whole units, approximate (binary floating point): for exact sums ask /aggregates.';
const deliveryHelp =
  'Of live events: from the log, which gives out what is durable, until the transport has taken them.';

const secondsPerMs = 1 / 1_000;

type Read = () => readonly Sample[] | Promise<readonly Sample[]>;

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
function metric(name: string, help: string, type: MetricType, read: Read): Metric {
  const get = async () => ({
    name,
    help,
    type,
    aggregator: 'sum',
    values: (await read()).map(({ labels, value, suffix }) => ({
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

function durationsBy(label: string, durations: ReadonlyMap<string, Distribution>): Sample[] {
  return [...durations].flatMap(([value, each]) =>
    histogram(each, { [label]: value }, secondsPerMs),
  );
}

/** `unit` is what one of the distribution's is in that of the metric. */
function histogram(
  { edges, buckets, count, sum }: Distribution,
  labels: Readonly<Record<string, string>>,
  unit: number,
): Sample[] {
  let cumulated = 0;
  const upTo = edges.map((edge, i) => {
    cumulated += buckets[i] ?? 0;
    return { labels: { ...labels, le: edge * unit }, value: cumulated, suffix: '_bucket' };
  });
  return [
    ...upTo,
    { labels: { ...labels, le: '+Inf' }, value: count, suffix: '_bucket' },
    { labels, value: sum * unit, suffix: '_sum' },
    { labels, value: count, suffix: '_count' },
  ];
}

/** Without the gauge's value where that cannot be had now: the rest of the page does not wait for it. */
async function readGauge({ label, read }: Gauge): Promise<Sample[]> {
  const value = await Promise.resolve()
    .then(read)
    .catch(() => undefined);
  if (value === undefined) return [];
  if (typeof value === 'number') return [{ labels: {}, value }];
  return [...value].map(([key, each]) => ({ labels: { [label ?? 'of']: key }, value: each }));
}
