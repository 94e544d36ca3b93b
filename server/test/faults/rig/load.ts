import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../../src/cli/generate/random.ts';
import { EventMaker } from './event-maker.ts';
import { everySender } from './every-sender.ts';
import { type Answer, History, type SentEvent } from './history.ts';
import type { HubAddress } from './hub-process.ts';
import { grpcSender } from './senders/grpc-sender.ts';
import { restSender } from './senders/rest-sender.ts';
import type { Sender } from './senders/sender.ts';

export interface LoadOptions {
  /** Stands in the ids too. */
  readonly seed: string;
  /** Most events of one batch; smaller ones keep a long run short. */
  readonly batchMax?: number;
  /** Longest pause of a client between two sends, in milliseconds. */
  readonly pauseMsMax?: number;
  /** See `History`. */
  readonly hasLagWindow?: boolean;
  /** Told of every answer that came from the hub, in the turn in which it came. */
  readonly onAnswer?: (sender: string) => void;
}

export interface Load {
  readonly history: History;
  /** Every send that is under way comes to an end, retried until it is answered or given up. */
  stop(): Promise<void>;
}

/** How likely it is that a client gives up on an outcome that it does not know. */
const giveUp = 0.03;
const giveUpAtTheEnd = 0.2;
const usualPauseMsMax = 12;

/** Clients of every protocol at once, each with one send under way, retrying with the same ids. */
export function startLoad(hub: HubAddress, options: LoadOptions): Load {
  const history = new History(options.hasLagWindow);
  // The hot paths twice, so that more than one caller shares a commit.
  const senders = [
    ...everySender(hub),
    restSender(hub.url, 'single'),
    grpcSender(hub.grpcAddress, 'unary'),
  ];
  const stopping = new AbortController();
  const clients = senders.map((sender, index) => {
    const random = new Random(`${options.seed} ${index}`);
    const run = `${options.seed.replaceAll(/[^a-zA-Z0-9]/g, '')}-${index}`;
    const maker = new EventMaker(history, random, run);
    return new LoadClient(sender, history, maker, random, options).run(stopping.signal);
  });
  return {
    history,
    stop: async () => {
      stopping.abort();
      await Promise.all(clients);
      for (const sender of senders) sender.close();
    },
  };
}

class LoadClient {
  readonly #sender: Sender;
  readonly #history: History;
  readonly #maker: EventMaker;
  readonly #random: Random;
  readonly #options: LoadOptions;

  constructor(
    sender: Sender,
    history: History,
    maker: EventMaker,
    random: Random,
    options: LoadOptions,
  ) {
    this.#sender = sender;
    this.#history = history;
    this.#maker = maker;
    this.#random = random;
    this.#options = options;
  }

  async run(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      const atomic = this.#sender.canBeAtomic && this.#random.next() < 0.3;
      await this.#sendUntilAnswered(atomic ? this.#atomicBatch() : this.#batch(), atomic, stopping);
      await sleep(this.#random.integer(0, this.#options.pauseMsMax ?? usualPauseMsMax));
    }
  }

  async #sendUntilAnswered(
    events: readonly SentEvent[],
    atomic: boolean,
    stopping: AbortSignal,
  ): Promise<void> {
    let left = events;
    while (left.length > 0) {
      for (const event of left) event.sends += 1;
      const answers = await this.#sender.send(
        left.map((event) => event.toInput()),
        atomic,
      );
      const open = left.filter((event, index) => this.#note(event, answers[index]));
      if (open.length === 0) return;
      if (this.#random.next() < (stopping.aborted ? giveUpAtTheEnd : giveUp)) return;
      if (stopping.aborted && open.every(({ outcome }) => outcome === 'unsent')) return;
      // The whole send again, as a client would that had no answer; but without an id it would be another event.
      left = left.filter(({ id, outcome }) => id !== undefined || outcome === 'unsent');
      await sleep(this.#random.integer(10, 150));
    }
  }

  /** Whether the outcome is still open. */
  #note(event: SentEvent, answer: Answer = { status: 'unknown' }): boolean {
    this.#history.note(event, answer);
    const isOpen = answer.status === 'unknown' || answer.status === 'unsent';
    if (!isOpen) this.#options.onAnswer?.(this.#sender.name);
    return isOpen;
  }

  #batch(): readonly SentEvent[] {
    const size = this.#size();
    const events: SentEvent[] = [];
    while (events.length < size) {
      const event = this.#next();
      events.push(event);
      // Twice in one batch: the second is a duplicate of the first.
      if (event.id !== undefined && size > 1 && this.#random.next() < 0.02) events.push(event);
    }
    return events;
  }

  #next(): SentEvent {
    const kind = this.#random.next();
    if (kind < 0.1) return this.#maker.replay() ?? this.#maker.fresh();
    if (kind < 0.13) return this.#maker.conflict() ?? this.#maker.fresh();
    if (kind < 0.16) return this.#maker.invalid();
    return this.#maker.fresh();
  }

  /** All new events, and in one of three such batches a single bad one that takes the others with it. */
  #atomicBatch(): readonly SentEvent[] {
    const size = this.#size();
    const isDoomed = this.#random.next() < 1 / 3;
    const events = Array.from({ length: size }, () => this.#maker.fresh(isDoomed));
    if (!isDoomed) return events;
    const bad = this.#random.next() < 0.5 ? this.#maker.invalid() : this.#maker.conflict();
    events.splice(this.#random.integer(0, size), 0, bad ?? this.#maker.invalid());
    return events;
  }

  #size(): number {
    const most = Math.min(this.#sender.eventsMax, this.#options.batchMax ?? 200);
    return most === 1 ? 1 : this.#random.integer(2, most);
  }
}
