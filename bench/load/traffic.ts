/** Believable events, cheap to make, the same for the bare limit and for the hub. */
export interface Traffic {
  next(): BenchEvent;
}

export interface BenchEvent {
  readonly id: string;
  readonly user_id: string;
  readonly event_type: string;
  readonly amount: number;
  readonly currency: string;
  readonly timestamp: string;
}

/** As JSON; without its id when the hub is to make one. */
export function eventText({ id, ...rest }: BenchEvent, withId: boolean): string {
  return JSON.stringify(withId ? { id, ...rest } : rest);
}

const users = 20_000;

/** Ids rise with time as UUIDv7 does; users and amounts come from a seeded generator. */
export function createTraffic(seed: number, startMs: number): Traffic {
  let state = seed >>> 0;
  let made = 0;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return {
    next: () => {
      made += 1;
      const timestampMs = startMs + made;
      const tail = Math.floor(random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0');
      return {
        id: `${timestampMs.toString(16).padStart(12, '0')}-${seed.toString(16)}-${tail}`,
        user_id: `demo-${Math.floor(random() * users)}`,
        event_type: made % 10 === 0 ? 'refund' : 'purchase',
        amount: Math.floor(random() * 100_000) / 100,
        currency: 'EUR',
        timestamp: new Date(timestampMs).toISOString(),
      };
    },
  };
}
