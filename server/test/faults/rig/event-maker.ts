import type { Random } from '../../../src/cli/generate/random.ts';
import type { History, SentEvent } from './history.ts';

const minuteMs = 60_000;

/** Makes events of every kind that the promises speak of, the same ones for a seed. */
export class EventMaker {
  readonly #history: History;
  readonly #random: Random;
  readonly #run: string;
  #made = 0;

  /** `run` keeps the ids of runs apart. */
  constructor(history: History, random: Random, run: string) {
    this.#history = history;
    this.#random = random;
    this.#run = run;
  }

  /** A valid event; one in twelve leaves its id to the hub. */
  fresh(mustBeRefused = false): SentEvent {
    const id = this.#random.next() < 1 / 12 ? undefined : this.#newId();
    return this.#add(id, {}, mustBeRefused);
  }

  /** Breaks a rule in one of several ways. */
  invalid(): SentEvent {
    const fault = this.#random.pick([
      { amount: '-1' },
      { amount: '0.1234567' },
      { event_type: 'chargeback' },
      { currency: 'EURO' },
      { timestamp: '2026-02-30T00:00:00Z' },
    ]);
    return this.#add(this.#newId(), fault, true);
  }

  /** Other content under the id of a stored event; undefined while there is none. */
  conflict(): SentEvent | undefined {
    const first = this.replay();
    return first === undefined ? undefined : this.#add(first.id, {}, true);
  }

  /** A stored event, to be sent again as it was; recent ones are likelier. */
  replay(): SentEvent | undefined {
    const { stored } = this.#history;
    const back = Math.floor(stored.length * this.#random.next() ** 4);
    return stored[stored.length - 1 - back];
  }

  #add(
    id: string | undefined,
    changes: Readonly<Record<string, string>>,
    mustBeRefused: boolean,
  ): SentEvent {
    this.#made += 1;
    const random = this.#random;
    const currency = random.pick([undefined, undefined, 'EUR', 'USD', 'JPY']);
    const timestamp = this.#timestamp();
    const metadata = random.next() < 0.2 ? this.#metadata() : undefined;
    return this.#history.add(
      {
        ...(id === undefined ? {} : { id }),
        user_id: `u-${this.#run}-${this.#made}`,
        event_type: random.pick(['purchase', 'purchase', 'return', 'refund']),
        amount: this.#amount(),
        ...(currency === undefined ? {} : { currency }),
        ...(timestamp === undefined ? {} : { timestamp }),
        ...(metadata === undefined ? {} : { metadata }),
        ...changes,
      },
      mustBeRefused,
    );
  }

  /** Without an order, so that each lands in another page of the file's index. */
  #newId(): string {
    const scatter = Math.floor(this.#random.next() * 2 ** 32).toString(36);
    return `${scatter}.${this.#run}.${this.#made}`;
  }

  #amount(): string {
    const random = this.#random;
    if (random.next() < 0.02) return '999999999999';
    const decimals = random.pick([0, 2, 2, 2, 6]);
    const units = random.integer(0, 5_000);
    return decimals === 0 ? String(units) : `${units}.${this.#digits(decimals)}`;
  }

  #digits(count: number): string {
    return String(this.#random.integer(0, 10 ** count - 1)).padStart(count, '0');
  }

  /** None, in the last minutes, or late by days. */
  #timestamp(): string | undefined {
    const random = this.#random;
    const kind = random.next();
    if (kind < 0.4) return undefined;
    const backMs = kind < 0.8 ? random.integer(0, 3 * minuteMs) : random.integer(0, 3e9);
    const text = new Date(Date.now() - backMs).toISOString();
    return random.next() < 0.5 ? text : `${text.slice(0, -1)}${this.#digits(3)}+00:00`;
  }

  #metadata(): Record<string, unknown> {
    const random = this.#random;
    return {
      shop: random.pick(['Sofia', 'Ürümqi', '東京']),
      basket: { items: random.integer(1, 9), gift: random.next() < 0.5 },
      note: random.next() < 0.1 ? 'long '.repeat(300) : null,
    };
  }
}
