import { expect } from 'vitest';
import type { Drivers } from '../drivers/open-drivers.ts';
import type { EventSeen } from '../drivers/protocol-driver.ts';
import type { Acceptance } from './rows.ts';

/** Everything that the hub said it took. The hub must hold exactly that. */
export class Ledger {
  readonly #drivers: Drivers;
  readonly #taken = new Map<string, Acceptance>();

  constructor(drivers: Drivers) {
    this.#drivers = drivers;
  }

  /** The hub said that it stored this; it is read back over every protocol. */
  async took(id: string, expected: Acceptance = {}): Promise<void> {
    this.#taken.set(id, expected);
    for (const driver of this.#drivers.all) {
      expectRead(await driver.get(id), id, expected);
    }
  }

  /** Whether the hub has it. */
  has(id: string): boolean {
    return this.#taken.has(id);
  }

  /** As many events are stored as were taken. */
  async expectNothingElse(): Promise<void> {
    const totals = await this.#drivers.rest.aggregate({
      from: '2000-01-01T00:00:00Z',
      to: '2100-01-01T00:00:00Z',
    });
    expect(totals.event_count).toBe(this.#taken.size);
  }

  /** A full listing holds exactly what was taken, each as it was sent. */
  async expectExactly(): Promise<void> {
    let cursor: string | undefined;
    const left = new Map(this.#taken);
    do {
      const page = await this.#drivers.rest.list({
        limit: 1_000,
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const event of page.events) {
        const expected = left.get(event.id);
        if (expected === undefined) expect.fail(`${event.id} is stored and was not taken`);
        expectRead(event, event.id, expected);
        left.delete(event.id);
      }
      cursor = page.next;
    } while (cursor !== undefined);
    expect([...left.keys()]).toEqual([]);
  }
}

function expectRead(event: EventSeen, id: string, expected: Acceptance): void {
  expect(event).toEqual({
    id,
    user_id: 'u1',
    event_type: 'purchase',
    amount: '1',
    currency: 'XXX',
    timestamp: event.received_at,
    ...expected,
    received_at: expect.any(String),
    position: expect.any(String),
  });
}
