/** Upper edges of the duration buckets, in milliseconds; one more bucket takes the rest. */
export const durationBucketsMs: readonly number[] = [
  1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000,
];

export type EventResult = 'accepted' | 'duplicate' | 'rejected' | 'not_stored' | 'unknown';

/** Whose limit refused a call, and a limit of what. */
export type LimitedBy = 'account' | 'address';
export type LimitedUnit = 'requests' | 'events' | 'streams';

/** A value that is read when somebody asks for it, such as a queue's length. */
export interface Gauge {
  /** Without the prefix, with its unit: `append_queue_events`. */
  readonly name: string;
  readonly help: string;
  /** By the value of one label where `label` is given, else one number. */
  readonly read: () => number | ReadonlyMap<string, number>;
  readonly label?: string;
  /** It only grows: its name then ends in `_total`. */
  readonly grows?: boolean;
}

/** Counts of calls per bucket (not cumulative), their number and their sum. */
export interface Durations {
  readonly buckets: readonly number[];
  readonly count: number;
  readonly sumMs: number;
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
  /** From the call of `publish` to its answer. */
  observeIngestMs(protocol: string, ms: number): void;
  /** One commit of the log. */
  observeAppendMs(ms: number): void;
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
  readonly requests: ReadonlyMap<string, number>;
  readonly subscriberCuts: ReadonlyMap<string, number>;
  readonly subscribers: ReadonlyMap<string, number>;
  readonly rateLimited: ReadonlyMap<string, number>;
  readonly ingest: ReadonlyMap<string, Durations>;
  readonly append: Durations;
  readonly gauges: ReadonlyMap<string, Gauge>;
}

export function createTelemetry(): Telemetry {
  const events = new Map<string, number>();
  const requests = new Map<string, number>();
  const subscriberCuts = new Map<string, number>();
  const subscribers = new Map<string, number>();
  const rateLimited = new Map<string, number>();
  const ingest = new Map<string, DurationCounter>();
  const append = createDurationCounter();
  const gauges = new Map<string, Gauge>();
  return {
    countEvents: (protocol, eventType, result, n) =>
      add(events, `${protocol}\t${eventType}\t${result}`, n),
    observeIngestMs: (protocol, ms) => {
      let counter = ingest.get(protocol);
      if (counter === undefined) {
        counter = createDurationCounter();
        ingest.set(protocol, counter);
      }
      observe(counter, ms);
    },
    observeAppendMs: (ms) => observe(append, ms),
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
    requests,
    subscriberCuts,
    subscribers,
    rateLimited,
    ingest,
    append,
    gauges,
  };
}

interface DurationCounter {
  readonly buckets: number[];
  count: number;
  sumMs: number;
}

function createDurationCounter(): DurationCounter {
  return { buckets: new Array(durationBucketsMs.length + 1).fill(0), count: 0, sumMs: 0 };
}

function observe(counter: DurationCounter, ms: number): void {
  let bucket = 0;
  while (bucket < durationBucketsMs.length && ms > (durationBucketsMs[bucket] ?? 0)) bucket += 1;
  counter.buckets[bucket] = (counter.buckets[bucket] ?? 0) + 1;
  counter.count += 1;
  counter.sumMs += ms;
}

function add(counts: Map<string, number>, key: string, n: number): void {
  counts.set(key, (counts.get(key) ?? 0) + n);
}
