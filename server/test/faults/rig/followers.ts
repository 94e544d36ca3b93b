import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { GrpcClient, type Message } from '../../protocols/grpc/grpc-client.ts';
import { openStream, parseFrame } from '../../support/read-stream.ts';
import type { HubAddress } from './hub-process.ts';
import { impatience } from './senders/grpc-sender.ts';

export interface SeenEvent {
  readonly id: string;
  readonly position: string;
}

/** Reads the live feed over one transport from the start, through every end of the hub, resuming by position. */
export abstract class Follower {
  abstract readonly name: string;
  /** In the order in which they came. */
  readonly seen: SeenEvent[] = [];
  /** Indexes of `seen` at which the stream was taken up again. */
  readonly resumes: number[] = [];
  /** Why streams ended, by what the hub said; a broken connection says nothing. */
  readonly ends: string[] = [];
  protected readonly stopping = new AbortController();
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;

  start(): this {
    this.#running = this.#run();
    return this;
  }

  get position(): string | undefined {
    return this.seen.at(-1)?.position;
  }

  /** Resolves when all of these events were seen; false when that takes too long. */
  async sees(ids: Iterable<string>, timeoutMs: number): Promise<boolean> {
    const deadlineMs = performance.now() + timeoutMs;
    const missing = new Set(ids);
    let next = 0;
    for (;;) {
      for (; next < this.seen.length; next += 1) missing.delete(this.seen[next]?.id ?? '');
      if (missing.size === 0) return true;
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) return false;
      const more = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await Promise.race([more, sleep(leftMs)]);
    }
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.#running;
  }

  protected take(id: string, position: string): void {
    this.seen.push({ id, position });
    this.#wake?.();
  }

  /** One stream after `position`, until it ends. */
  protected abstract follow(position: string | undefined): Promise<void>;

  async #run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      if (this.resumes.at(-1) !== this.seen.length) this.resumes.push(this.seen.length);
      await this.follow(this.position).catch(() => undefined);
      if (!this.stopping.signal.aborted) await sleep(20);
    }
  }
}

/** `GET /events/stream`, resumed as a browser does. */
export class SseFollower extends Follower {
  readonly name = 'sse';
  readonly #url: string;

  constructor(hub: HubAddress) {
    super();
    this.#url = hub.url;
  }

  protected override async follow(position: string | undefined): Promise<void> {
    const headers = position === undefined ? {} : { 'last-event-id': position };
    const stream = await openStream(`${this.#url}/events/stream?after=start`, headers);
    const leave = () => void stream.close();
    this.stopping.signal.addEventListener('abort', leave);
    try {
      for (let block = await stream.next(); block !== undefined; block = await stream.next()) {
        const { event, id, data } = parseFrame(block);
        if (data === undefined) continue;
        if (event === 'error') this.ends.push(JSON.parse(data).code);
        if (event !== undefined) continue;
        const json = JSON.parse(data);
        if (id !== json.position) throw new Error(`id: ${id} and position: ${json.position}`);
        this.take(json.id, json.position);
      }
    } finally {
      this.stopping.signal.removeEventListener('abort', leave);
      await stream.close();
    }
  }
}

/** `subscription { eventStream }` over graphql-transport-ws. */
export class GraphqlFollower extends Follower {
  readonly name = 'graphql-ws';
  readonly #url: string;

  constructor(hub: HubAddress) {
    super();
    this.#url = hub.url.replace('http', 'ws');
  }

  protected override follow(position = 'start'): Promise<void> {
    const client = createClient({
      url: `${this.#url}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      onNonLazyError: () => undefined,
    });
    const end = new Promise<void>((resolve) => {
      this.stopping.signal.addEventListener('abort', () => resolve(), { once: true });
      client.subscribe<{ eventStream: SeenEvent }>(
        {
          query: 'subscription ($after: String) { eventStream(after: $after) { id position } }',
          variables: { after: position },
        },
        {
          next: ({ data, errors }) => {
            for (const error of errors ?? []) this.#end(error.extensions);
            if (data) this.take(data.eventStream.id, data.eventStream.position);
          },
          error: (reason) => {
            if (Array.isArray(reason)) for (const error of reason) this.#end(error.extensions);
            resolve();
          },
          complete: resolve,
        },
      );
    });
    return end.finally(() => client.dispose());
  }

  #end(extensions: unknown): void {
    this.ends.push(String((extensions as { readonly code?: unknown } | undefined)?.code));
  }
}

/** `StreamEvents` with `follow`. */
export class GrpcFollower extends Follower {
  readonly name = 'grpc';
  readonly #client: GrpcClient;

  constructor(hub: HubAddress) {
    super();
    this.#client = new GrpcClient(hub.grpcAddress, impatience);
  }

  override async stop(): Promise<void> {
    await super.stop();
    this.#client.close();
  }

  protected override follow(after = 'start'): Promise<void> {
    const stream = this.#client.stream('StreamEvents', { after, follow: true });
    const leave = () => stream.cancel();
    this.stopping.signal.addEventListener('abort', leave);
    return new Promise<void>((resolve) => {
      stream.on('data', ({ id, position }: Message) => this.take(String(id), String(position)));
      stream.on('error', (error) => {
        const { reason } = this.#client.read(error as never);
        if (reason !== undefined) this.ends.push(reason);
        resolve();
      });
      stream.on('end', resolve);
    }).finally(() => this.stopping.signal.removeEventListener('abort', leave));
  }
}

export function startFollowers(hub: HubAddress): readonly Follower[] {
  return [new SseFollower(hub), new GraphqlFollower(hub), new GrpcFollower(hub)].map((follower) =>
    follower.start(),
  );
}
