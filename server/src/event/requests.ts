/**
 * A read's parameters as a protocol found them: numbers may be numbers or
 * decimal text, times are RFC 3339 text, absent is undefined or null.
 * `parse-query.ts` validates them under these names.
 */
export interface FilterRequest {
  readonly user_id?: unknown;
  readonly event_type?: unknown;
  readonly currency?: unknown;
}

export interface FindRequest extends FilterRequest {
  readonly limit?: unknown;
  /** A page's own `next`, or the `cursor` of one of its events. */
  readonly cursor?: unknown;
  readonly from?: unknown;
  readonly to?: unknown;
  readonly order?: unknown;
  readonly at_least?: unknown;
}

export interface WindowRequest extends FilterRequest {
  readonly minutes?: unknown;
  readonly from?: unknown;
  readonly to?: unknown;
  readonly at_least?: unknown;
}

export interface SeriesRequest extends WindowRequest {
  /** `1m`, `5m`, `15m`, `1h` or `1d`; 1m when absent. */
  readonly step?: unknown;
  /** `event_type`, or absent. */
  readonly group_by?: unknown;
}
