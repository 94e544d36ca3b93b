import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { Telemetry } from '../../base/telemetry.ts';
import type { Caller, FilterRequest, Hub, StoredEvent } from '../../hub.ts';
import type { Contracts, MessageType } from './contracts.ts';
import { textOf, toFilter } from './decode.ts';
import { eventMessage } from './encode.ts';
import type { EventMessage, StreamRequest } from './messages.ts';
import type { CallHost, Method } from './served-call.ts';
import { type Answers, serverStreamMethod } from './stream-call.ts';

/** StreamEvents. */
export function feedMethod(
  host: CallHost,
  hub: Hub,
  telemetry: Telemetry,
  contracts: Contracts,
  service: string,
): Method {
  const request = contracts.type<StreamRequest>('event_hub.v1.StreamRequest');
  const event = contracts.type<EventMessage>('event_hub.v1.Event');
  return serverStreamMethod(
    host,
    `${service}/StreamEvents`,
    request,
    async (asked, caller, out) => {
      const filter = toFilter(asked.filter);
      const feed = new Feed(hub, caller, filter, host.stopping, out, event);
      const after = textOf(asked.after);
      if (after === undefined && !asked.follow) {
        return await feed.sendLatest(asked.limit);
      }
      const closed = telemetry.subscriberOpened('grpc');
      try {
        if (after === undefined) return await feed.followLatest(asked.limit);
        return await feed.send({ after, follow: asked.follow, limit: asked.limit });
      } catch (reason) {
        const error = HubError.from(reason).withPosition(feed.position);
        telemetry.countSubscriberCut('grpc', error.code);
        throw error;
      } finally {
        closed();
      }
    },
  );
}

class Feed {
  /** Where the client can resume: behind what has been sent. */
  position: string | undefined;
  /** Events from before the feed, let go as they are sent. */
  readonly #unsent: StoredEvent[] = [];
  readonly #hub: Hub;
  readonly #caller: Caller;
  readonly #filter: FilterRequest;
  readonly #stopping: AbortSignal;
  readonly #out: Answers;
  readonly #event: MessageType<EventMessage>;

  constructor(
    hub: Hub,
    caller: Caller,
    filter: FilterRequest,
    stopping: AbortSignal,
    out: Answers,
    event: MessageType<EventMessage>,
  ) {
    this.#hub = hub;
    this.#caller = caller;
    this.#filter = filter;
    this.#stopping = stopping;
    this.#out = out;
    this.#event = event;
  }

  async sendLatest(limit: number | null): Promise<void> {
    this.#unsent.push(...(await this.#hub.latest(this.#caller, this.#newest(limit))));
    await this.#sendUnsent();
  }

  /** The newest events, then live, from the end that the log had before: nothing is missed or repeated. */
  async followLatest(limit: number | null): Promise<void> {
    const after = await this.#findLatest(limit);
    await this.send({ after, follow: true, limit: null });
  }

  /** What was found before goes out once the feed has begun: who may not follow gets nothing of it. */
  async send(request: { after: string; follow: boolean; limit: number | null }): Promise<void> {
    const { signal } = this.#out;
    const batches = this.#hub.subscribe(this.#caller, {
      ...this.#filter,
      after: request.after,
      follow: request.follow,
      limit: request.limit,
      transport: 'grpc',
      signal: AbortSignal.any([signal, this.#stopping]),
    });
    for await (const { entries, position } of batches) {
      await this.#sendUnsent();
      for (const { event, position: place } of entries) {
        if (!this.#out.write(this.#event.encode(eventMessage(event, place)))) {
          this.position = place;
          await this.#out.drained();
          if (signal.aborted) return;
        }
      }
      this.position = position ?? this.position;
    }
    if (this.#stopping.aborted) {
      throw new HubError('unavailable', 'the hub is stopping: resume from position');
    }
  }

  /** Resolves with where the feed goes on. A function of its own, as what it found must not live as long as the stream. */
  async #findLatest(limit: number | null): Promise<string> {
    const { events, end } = await this.#hub.latestToFollow(this.#caller, this.#newest(limit));
    this.#unsent.push(...events);
    return end ?? 'start';
  }

  async #sendUnsent(): Promise<void> {
    for (let next = this.#unsent.shift(); next !== undefined; next = this.#unsent.shift()) {
      const { event, position } = next;
      if (!this.#out.write(this.#event.encode(eventMessage(event, position)))) {
        await this.#out.drained();
      }
      this.position = position;
    }
  }

  #newest(limit: number | null) {
    return { ...this.#filter, limit: limit ?? limits.grpcStreamEventsDefault };
  }
}
