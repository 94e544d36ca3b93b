import { afterAll, beforeAll } from 'vitest';
import { type Drivers, type HubAddress, openDrivers } from '../drivers/open-drivers.ts';
import type { EventFields, EventSeen, ProtocolDriver } from '../drivers/protocol-driver.ts';

/** What an adapter gives to the suite: a whole hub on engines of its own, with the default settings. */
export interface HubUnderTest extends HubAddress {
  /** Stops the hub and removes its data. */
  remove(): Promise<void>;
}

export type CreateHarness = () => Promise<HubUnderTest>;

/** One empty hub for all tests of a `describe`; its drivers are there once the tests run. */
export function useHub(createHarness: CreateHarness): () => Drivers {
  let hub: HubUnderTest;
  let drivers: Drivers;
  beforeAll(async () => {
    hub = await createHarness();
    drivers = openDrivers(hub);
  });
  afterAll(async () => {
    await drivers.close();
    await hub.remove();
  });
  return () => drivers;
}

/** A valid event with an id of its own, before `changes`. */
export function aSend(changes: EventFields = {}): EventFields & { readonly id: string } {
  made += 1;
  const event = { user_id: 'u1', event_type: 'purchase', amount: '10', ...changes };
  return { id: `send-${made}`, ...event };
}

export function someSends(count: number, changes: EventFields = {}) {
  return Array.from({ length: count }, () => aSend(changes));
}

/** A user that no other test knows, so that tests can share a hub. */
export function aUser(): string {
  made += 1;
  return `user-${made}`;
}

/** Sends, and waits until it can be read. */
export async function sendAndSee(driver: ProtocolDriver, event: EventFields): Promise<EventSeen> {
  const { id, position } = await driver.send(event);
  return driver.get(id, position);
}

/** The same for several, one after the other, each over the next protocol. */
export async function sendInTurn(
  drivers: readonly ProtocolDriver[],
  events: readonly EventFields[],
): Promise<readonly EventSeen[]> {
  const seen: EventSeen[] = [];
  for (const [index, event] of events.entries()) {
    seen.push(await sendAndSee(inTurn(drivers, index), event));
  }
  return seen;
}

export function inTurn<T>(all: readonly T[], index: number): T {
  const each = all[index % all.length];
  if (each === undefined) throw new Error('there is none to choose from');
  return each;
}

/** Every pair of two different ones. */
export function pairsOf<T>(all: readonly T[]): readonly (readonly [T, T])[] {
  return all.flatMap((first) =>
    all.filter((second) => second !== first).map((second) => [first, second] as const),
  );
}

let made = 0;
