import type { Caller } from '../auth/caller.ts';
import { assertMaySend } from '../auth/narrow.ts';
import { type Clock, yieldTurn } from '../base/clock.ts';
import { HubError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/logger.ts';
import type { EventResult, Telemetry } from '../base/telemetry.ts';
import { traceFields } from '../base/tracing.ts';
import type { EventRules, NewEvent } from '../event/event.ts';
import { isLate, minuteOf } from '../event/minute.ts';
import { newEventId } from '../event/new-event-id.ts';
import { parseEvent, readEventId } from '../event/parse-event.ts';
import type { PublishOptions, PublishResult } from '../hub.ts';
import { assertKnown, type EventLog, type KnownOutcome } from '../log/event-log.ts';

export interface PublisherDeps {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  readonly rules: EventRules;
}

/** Parses, stamps and appends: the whole path of an event inside the hub. */
export class Publisher {
  readonly #deps: PublisherDeps;
  #failureLoggedAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: PublisherDeps) {
    this.#deps = deps;
  }

  async publish(
    caller: Caller,
    inputs: readonly unknown[],
    options: PublishOptions = {},
  ): Promise<readonly PublishResult[]> {
    const { atomic = false, protocol = 'hub' } = options;
    const { clock, telemetry } = this.#deps;
    const startedMs = clock.monotonicMs();
    const parsed = await this.#parse(caller, inputs);
    const events = parsed.filter((item): item is NewEvent => !(item instanceof HubError));
    const refused = events.length < parsed.length;
    const results =
      events.length === 0 || (atomic && refused)
        ? parsed.map((item, index) => unwritten(item, inputs[index]))
        : merge(parsed, inputs, events, await this.#append(events, options));
    for (const [index, result] of results.entries()) {
      const item = parsed[index];
      const eventType = item === undefined || item instanceof HubError ? 'unknown' : item.eventType;
      telemetry.countEvents(protocol, eventType, countedAs[result.status], 1);
      if (result.status === 'success' && item !== undefined && !(item instanceof HubError)) {
        this.#countAccepted(item);
      }
    }
    telemetry.observeIngestMs(protocol, clock.monotonicMs() - startedMs);
    return results;
  }

  #countAccepted({ eventType, currency, amount, timestamp, receivedAt }: NewEvent): void {
    const { telemetry } = this.#deps;
    telemetry.addAmount(eventType, currency, amount);
    if (isLate(minuteOf(timestamp), receivedAt)) telemetry.countLate(eventType);
  }

  /** In slices, so that one large batch does not hold everybody up. */
  async #parse(
    caller: Caller,
    inputs: readonly unknown[],
  ): Promise<readonly (NewEvent | HubError)[]> {
    const { rules, clock } = this.#deps;
    const parsed: (NewEvent | HubError)[] = [];
    const context = { rules, receivedAt: clock.now(), newId: newEventId };
    for (const input of inputs) {
      if (parsed.length > 0 && parsed.length % limits.parseSliceEvents === 0) await yieldTurn();
      parsed.push(tryParse(caller, input, context));
    }
    return parsed;
  }

  async #append(
    events: readonly NewEvent[],
    options: PublishOptions,
  ): Promise<readonly KnownOutcome[]> {
    const { atomic = false, protocol = 'hub', trace } = options;
    try {
      const [outcomes = []] = await this.#deps.log.append([{ events, atomic, trace }]);
      return assertKnown(outcomes);
    } catch (reason) {
      const error = HubError.from(reason);
      this.#logFailure(error, options);
      const result: EventResult = error.code === 'overloaded' ? 'rejected' : 'unknown';
      for (const { eventType } of events) {
        this.#deps.telemetry.countEvents(protocol, eventType, result, 1);
      }
      throw error.withIds(events.map((event) => event.id));
    }
  }

  /** Once a second at the most: under load a dead engine fails every request. */
  #logFailure(error: HubError, { requestId, trace }: PublishOptions): void {
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs - this.#failureLoggedAtMs < 1_000) return;
    this.#failureLoggedAtMs = nowMs;
    this.#deps.logger.error(
      {
        err: error,
        code: error.code,
        cause: error.cause,
        request_id: requestId?.(),
        ...traceFields(trace),
      },
      'events could not be appended',
    );
  }
}

const countedAs = {
  success: 'accepted',
  duplicate: 'duplicate',
  rejected: 'rejected',
  not_stored: 'not_stored',
} as const satisfies Record<PublishResult['status'], EventResult>;

function tryParse(
  caller: Caller,
  input: unknown,
  context: Parameters<typeof parseEvent>[1],
): NewEvent | HubError {
  if (input instanceof HubError) return input;
  try {
    const event = parseEvent(input, context);
    assertMaySend(caller, event.eventType);
    return event;
  } catch (reason) {
    if (reason instanceof HubError) return reason;
    throw reason;
  }
}

/** The result of an item when nothing is appended. */
function unwritten(item: NewEvent | HubError, input: unknown): PublishResult {
  if (item instanceof HubError) return { status: 'rejected', id: readEventId(input), error: item };
  return { status: 'not_stored', id: item.id };
}

function merge(
  parsed: readonly (NewEvent | HubError)[],
  inputs: readonly unknown[],
  events: readonly NewEvent[],
  outcomes: readonly KnownOutcome[],
): readonly PublishResult[] {
  let next = 0;
  return parsed.map((item, index) => {
    if (item instanceof HubError) return unwritten(item, inputs[index]);
    const event = events[next] ?? item;
    const appended = outcomes[next];
    next += 1;
    if (appended === undefined) throw new Error('the log answered fewer outcomes than events');
    return resultOf(event, appended);
  });
}

function resultOf({ id }: NewEvent, appended: KnownOutcome): PublishResult {
  switch (appended.status) {
    case 'accepted':
      return { status: 'success', id, position: appended.position };
    case 'duplicate':
      return { status: 'duplicate', id, position: appended.position };
    case 'not_stored':
      return { status: 'not_stored', id };
    case 'conflict':
      return { status: 'rejected', id, error: conflictOf(id) };
  }
}

function conflictOf(id: string): HubError {
  const detail = `the id ${id} is taken by an event with other content, which is kept: give a new event an id of its own`;
  return new HubError('conflict', detail, {
    details: [{ pointer: '/id', code: 'id_conflict', detail }],
  });
}
