/** Upper edges of the duration buckets, in milliseconds; one more bucket takes the rest. */
export const durationBucketsMs: readonly number[] = [
  1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000,
];

/** The same for the events of one commit, up to the most that one may hold. */
export const commitSizeBuckets: readonly number[] = [
  1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000,
];

export type EventResult = 'accepted' | 'duplicate' | 'rejected' | 'not_stored' | 'unknown';

/** Whose limit refused a call, and a limit of what. */
export type LimitedBy = 'account' | 'address';
export type LimitedUnit = 'requests' | 'events' | 'streams';

/** By the value of one label where the gauge has one, else one number; undefined while there is none. */
export type Reading = number | ReadonlyMap<string, number> | undefined;

/** A value that is read when somebody asks for it, such as a queue's length. */
export interface Gauge {
  /** Without the prefix, with its unit: `append_queue_events`. */
  readonly name: string;
  readonly help: string;
  /** What rejects is left out of the page, and nothing else is. */
  readonly read: () => Reading | Promise<Reading>;
  readonly label?: string;
  /** It only grows: its name then ends in `_total`. */
  readonly grows?: boolean;
}

/** Observations per bucket (not cumulative; the last one takes what is over all edges), their number and their sum. */
export interface Distribution {
  /** The upper edge of each bucket but the last. */
  readonly edges: readonly number[];
  readonly buckets: readonly number[];
  readonly count: number;
  readonly sum: number;
}

export interface TelemetryOptions {
  /** Adds amounts up, as numbers of 53 bits. */
  readonly amounts?: boolean;
}

/**
 * The hub's own counts as plain numbers, so that an increment on the hot path
 * costs an addition; the metrics page reads them when it is asked for. Labels
 * are words of the hub (protocols, configured types, codes), never text that a
 * sender chose.
 */
export interface Telemetry {
  /** `eventType` is a configured type, or `unknown` for what could not be read. */
  countEvents(protocol: string, eventType: string, result: EventResult, n: number): void;
  /** One that was accepted after its own minute had been reported. */
  countLate(eventType: string): void;
  /** Of one accepted event, in millionths. Does nothing unless amounts are asked for. */
  addAmount(eventType: string, currency: string, micros: bigint): void;
  /** From the call of `publish` to its answer. */
  observeIngestMs(protocol: string, ms: number): void;
  /** One commit of the log, with as many events. */
  observeAppend(events: number, ms: number): void;
  /** Events that a live subscriber's transport took, so long after they were read out of the log, where only what is durable is. */
  observeDelivery(transport: string, events: number, ms: number): void;
  /** `route` is the route's pattern, never a path. */
  countRequest(method: string, route: string, status: number): void;
  /** The answer is called once, when the subscriber is gone. */
  subscriberOpened(transport: string): () => void;
  /** A subscriber that was ended by the hub, with the error code. */
  countSubscriberCut(transport: string, code: string): void;
  /** A call that a limit of an account or an address refused. */
  countRateLimited(by: LimitedBy, unit: LimitedUnit): void;
  /** Adds a value to the page; a second one with the same name takes the place of the first. */
  addGauge(gauge: Gauge): void;

  /** Keys are label values joined by a tab, in the order of the method's parameters. */
  readonly events: ReadonlyMap<string, number>;
  readonly late: ReadonlyMap<string, number>;
  /** In whole units, by type and currency; undefined unless asked for. */
  readonly amounts: ReadonlyMap<string, number> | undefined;
  readonly requests: ReadonlyMap<string, number>;
  readonly subscriberCuts: ReadonlyMap<string, number>;
  readonly subscribers: ReadonlyMap<string, number>;
  readonly rateLimited: ReadonlyMap<string, number>;
  readonly ingest: ReadonlyMap<string, Distribution>;
  readonly append: Distribution;
  readonly commitSizes: Distribution;
  readonly delivery: ReadonlyMap<string, Distribution>;
  readonly gauges: ReadonlyMap<string, Gauge>;
}

export function createTelemetry({ amounts: hasAmounts = false }: TelemetryOptions = {}): Telemetry {
  const events = new Map<string, number>();
  const late = new Map<string, number>();
  const amounts = hasAmounts ? new Map<string, number>() : undefined;
  const requests = new Map<string, number>();
  const subscriberCuts = new Map<string, number>();
  const subscribers = new Map<string, number>();
  const rateLimited = new Map<string, number>();
  const ingest = new Map<string, Counter>();
  const append = createCounter(durationBucketsMs);
  const commitSizes = createCounter(commitSizeBuckets);
  const delivery = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  return {
    countEvents: (protocol, eventType, result, n) =>
      add(events, `${protocol}\t${eventType}\t${result}`, n),
    countLate: (eventType) => add(late, eventType, 1),
    addAmount: (eventType, currency, micros) => {
      if (amounts !== undefined) add(amounts, `${eventType}\t${currency}`, Number(micros) / 1e6);
    },
    observeIngestMs: (protocol, ms) => observe(durationsOf(ingest, protocol), ms, 1),
    observeAppend: (events, ms) => {
      observe(append, ms, 1);
      observe(commitSizes, events, 1);
    },
    observeDelivery: (transport, events, ms) =>
      observe(durationsOf(delivery, transport), ms, events),
    countRequest: (method, route, status) => add(requests, `${method}\t${route}\t${status}`, 1),
    subscriberOpened: (transport) => {
      add(subscribers, transport, 1);
      let open = true;
      return () => {
        if (open) add(subscribers, transport, -1);
        open = false;
      };
    },
    countSubscriberCut: (transport, code) => add(subscriberCuts, `${transport}\t${code}`, 1),
    countRateLimited: (by, unit) => add(rateLimited, `${by}\t${unit}`, 1),
    addGauge: (gauge) => {
      gauges.set(gauge.name, gauge);
    },
    events,
    late,
    amounts,
    requests,
    subscriberCuts,
    subscribers,
    rateLimited,
    ingest,
    append,
    commitSizes,
    delivery,
    gauges,
  };
}

interface Counter extends Distribution {
  readonly buckets: number[];
  count: number;
  sum: number;
}

function createCounter(edges: readonly number[]): Counter {
  return { edges, buckets: new Array(edges.length + 1).fill(0), count: 0, sum: 0 };
}

function durationsOf(counters: Map<string, Counter>, key: string): Counter {
  let counter = counters.get(key);
  if (counter === undefined) {
    counter = createCounter(durationBucketsMs);
    counters.set(key, counter);
  }
  return counter;
}

function observe(counter: Counter, value: number, n: number): void {
  const { edges, buckets } = counter;
  let bucket = 0;
  while (bucket < edges.length && value > (edges[bucket] ?? 0)) bucket += 1;
  buckets[bucket] = (buckets[bucket] ?? 0) + n;
  counter.count += n;
  counter.sum += value * n;
}

function add(counts: Map<string, number>, key: string, n: number): void {
  counts.set(key, (counts.get(key) ?? 0) + n);
}
