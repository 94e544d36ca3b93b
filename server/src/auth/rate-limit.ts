import { HubError } from '../base/errors.ts';
import type { LimitedBy } from '../base/telemetry.ts';
import { BucketTable } from './bucket-table.ts';
import { slackMs } from './token-bucket.ts';

export const rateUnits = ['requests', 'events'] as const;
export type RateUnit = (typeof rateUnits)[number];

/** One limit and what is left of it. */
export interface Quota {
  /** `account-requests`, ... */
  readonly name: string;
  readonly unit: RateUnit;
  /** That may come at once, and again in each such time. */
  readonly quota: number;
  readonly windowS: number;
  readonly left: number;
  /** Until nothing of it is used. */
  readonly resetS: number;
}

/** One rate; one of 0 lets everything pass and remembers nobody. */
export class RateLimit {
  readonly by: LimitedBy;
  readonly unit: RateUnit;
  readonly #ratePerS: number;
  readonly #burstMs: number;
  readonly #table: BucketTable;

  constructor(by: LimitedBy, unit: RateUnit, ratePerS: number, burstMs: number) {
    this.by = by;
    this.unit = unit;
    this.#ratePerS = ratePerS;
    this.#burstMs = burstMs;
    this.#table = new BucketTable({ ratePerS, burstMs });
  }

  waitMs(owner: string, tokens: number, nowMs: number): number {
    return this.#ratePerS === 0 ? 0 : this.#table.use(owner).waitMs(tokens, nowMs);
  }

  take(owner: string, tokens: number, nowMs: number): void {
    if (this.#ratePerS > 0) this.#table.use(owner).take(tokens, nowMs);
  }

  quotaOf(owner: string, nowMs: number): Quota | undefined {
    if (this.#ratePerS === 0) return undefined;
    const bucket = this.#table.find(owner);
    return {
      name: `${this.by}-${this.unit}`,
      unit: this.unit,
      quota: (this.#ratePerS * this.#burstMs) / 1_000,
      windowS: this.#burstMs / 1_000,
      left: bucket.left(nowMs),
      resetS: wholeSeconds(bucket.fullInMs(nowMs)),
    };
  }

  /** Of what would have to wait so long. */
  refusal(waitMs: number): HubError {
    const retryAfterS = wholeSeconds(waitMs);
    const atOnce = (this.#ratePerS * this.#burstMs) / 1_000;
    return new HubError(
      'rate_limited',
      `too many ${this.unit} from this ${this.by}: at most ${this.#ratePerS} a second, ${atOnce} at once; nothing of this one was done, and it will be taken in ${retryAfterS} s`,
      { retryAfterS },
    );
  }
}

/** Enough of them, and no more for what rounding added. */
function wholeSeconds(ms: number): number {
  return Math.max(0, Math.ceil((ms - slackMs) / 1_000));
}
