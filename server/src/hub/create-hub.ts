import { allow } from '../auth/allow.ts';
import type { Caller } from '../auth/caller.ts';
import { narrow, seesType } from '../auth/narrow.ts';
import type { RateLimits } from '../auth/rate-limits.ts';
import { StreamSlots } from '../auth/stream-slots.ts';
import type { Clock } from '../base/clock.ts';
import { HubError, invalid } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { LogLevelSwitch } from '../base/log-level.ts';
import type { Logger } from '../base/logger.ts';
import type { Telemetry } from '../base/telemetry.ts';
import type { Tracing } from '../base/tracing.ts';
import type { EventRules } from '../event/event.ts';
import { parseFilter, parseLimit } from '../event/parse-query.ts';
import type { FeedBatch, Hub, SubscribeRequest } from '../hub.ts';
import type { EventLog, Position } from '../log/event-log.ts';
import type { LiveFeed } from '../readers/live-feed.ts';
import type { EventStore } from '../store/event-store.ts';
import { type Advice, createHealth, type HealthPart } from './health.ts';
import { logLevelVerbs } from './log-level-verbs.ts';
import { Publisher } from './publisher.ts';
import { noSuchEvent, Reads } from './reads.ts';

export interface HubDeps {
  readonly log: EventLog;
  readonly store: EventStore;
  readonly feed: LiveFeed;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly logLevel: LogLevelSwitch;
  readonly telemetry: Telemetry;
  /** Undefined where nothing is traced. */
  readonly tracing?: Tracing | undefined;
  readonly rules: EventRules;
  /** Undefined where nothing is limited. */
  readonly rateLimits: RateLimits | undefined;
  /** That one account may have open at once; 0 for no limit. */
  readonly streamsPerAccount: number;
  /** What to do when the log is not well. */
  readonly logAdvice: Advice;
  /** What the process shows and needs besides the log; see `createHealth`. */
  readonly parts: readonly HealthPart[];
  /** Aborted when the hub begins to stop: it is not ready any more. */
  readonly stopping: AbortSignal;
}

export function createHub(deps: HubDeps): Hub {
  const publisher = new Publisher(deps);
  const reads = new Reads(deps);
  const health = createHealth(deps);
  const { rateLimits, telemetry, streamsPerAccount } = deps;
  const slots = new StreamSlots({ perAccount: streamsPerAccount, telemetry });
  return {
    eventTypes: deps.rules.eventTypes,
    publish: async (caller, inputs, options) => {
      allow(caller, 'events:write');
      rateLimits?.takeEvents(caller, inputs.length);
      return await publisher.publish(caller, inputs, options);
    },
    subscribe: (caller, request) => {
      allow(caller, 'events:read');
      return subscribe(deps, slots, caller, request);
    },
    latest: async (caller, request) => {
      allow(caller, 'events:read');
      return await reads.latest(narrow(caller, request));
    },
    latestToFollow: async (caller, request) => {
      allow(caller, 'events:read');
      return await reads.latestToFollow(narrow(caller, request));
    },
    get: async (caller, id, atLeast) => {
      allow(caller, 'events:read');
      const tellsRemoved = caller.eventTypes === undefined;
      const stored = await reads.get(id, { atLeast, tellsRemoved });
      if (!seesType(caller, stored.event.eventType)) throw noSuchEvent();
      return stored;
    },
    find: async (caller, request) => {
      allow(caller, 'events:read');
      return await reads.find(narrow(caller, request));
    },
    aggregate: async (caller, request) => {
      allow(caller, 'aggregates:read');
      return await reads.aggregate(narrow(caller, request));
    },
    series: async (caller, request) => {
      allow(caller, 'aggregates:read');
      return await reads.series(narrow(caller, request));
    },
    authorize: allow,
    ...logLevelVerbs(deps),
    health,
  };
}

/**
 * Ends with the credential, with the position to resume from by another. It has
 * one of the caller's places from when it is first asked for a batch to its end.
 */
async function* subscribe(
  deps: HubDeps,
  slots: StreamSlots,
  caller: Caller,
  request: SubscribeRequest,
): AsyncGenerator<FeedBatch> {
  const { ended } = caller;
  const signal = AbortSignal.any([request.signal, ended]);
  let position: Position | undefined;
  const giveBack = slots.take(caller);
  // Whoever has gone has no place, even before the feed notices.
  signal.addEventListener('abort', giveBack, { once: true });
  try {
    for await (const batch of limited(deps, { ...narrow(caller, request), signal })) {
      position = batch.position ?? position;
      const span = deps.tracing?.deliver(batch.entries, request.transport ?? 'hub');
      try {
        yield batch;
      } finally {
        // Asked for more, the transport has taken it; or nobody waits for it any more.
        span?.end();
      }
      countDelivery(deps, request, batch);
    }
  } finally {
    signal.removeEventListener('abort', giveBack);
    giveBack();
  }
  if (ended.aborted) throw HubError.from(ended.reason).withPosition(position);
}

function countDelivery(
  { clock, telemetry }: HubDeps,
  { transport = 'hub' }: SubscribeRequest,
  { entries, readAtMs }: FeedBatch,
): void {
  if (readAtMs === undefined || entries.length === 0) return;
  telemetry.observeDelivery(transport, entries.length, clock.monotonicMs() - readAtMs);
}

/** Cuts the feed at the request's limit. */
async function* limited(
  { feed, rules, log }: HubDeps,
  request: SubscribeRequest,
): AsyncGenerator<FeedBatch> {
  const filter = parseFilter(request, rules);
  const from = startOf(request.after, log);
  let left =
    request.limit === undefined || request.limit === null
      ? Number.POSITIVE_INFINITY
      : parseLimit(request.limit, limits.pageEvents, limits.pageEvents);
  const { follow, signal } = request;
  for await (const batch of feed.subscribe({ filter, from, follow, signal })) {
    if (left === 0 && batch.entries.length > 0) return;
    // Without follow the end of the history is still to be said when the limit is just met.
    if (batch.entries.length < left || (batch.entries.length === left && !follow)) {
      left -= batch.entries.length;
      yield batch;
      continue;
    }
    const entries = batch.entries.slice(0, left);
    yield { entries, position: entries.at(-1)?.position ?? batch.position, caughtUp: false };
    return;
  }
}

function startOf(after: unknown, log: EventLog): Position | 'start' | 'end' {
  if (after === undefined || after === null || after === 'end') return 'end';
  if (after === 'start') return 'start';
  if (typeof after === 'string' && log.isPosition(after)) return after;
  throw invalid(
    '/after',
    'position_format',
    'this is no position: use `start`, `end`, or a `position` that the hub gave out',
  );
}
