import { formatInstant, type Instant } from '../../base/clock.ts';
import type { HubError } from '../../base/errors.ts';
import { formatAmount } from '../../event/money.ts';
import type { PublishResult, Series, SeriesBucket, Totals } from '../../hub.ts';

/** What a batch answers, as JSON text, and its status: 201 none refused, 207 some, 422 all or an atomic refusal. */
export function encodeBatch(
  results: readonly PublishResult[],
  atomic: boolean,
): { readonly status: 201 | 207 | 422; readonly json: string } {
  let accepted = 0;
  let duplicates = 0;
  let rejected = 0;
  let items = '';
  for (let index = 0; index < results.length; index += 1) {
    const result = results[index];
    if (result === undefined) break;
    if (result.status === 'success') accepted += 1;
    else if (result.status === 'duplicate') duplicates += 1;
    else if (result.status === 'rejected') rejected += 1;
    items += `${index === 0 ? '' : ','}{"index":${index},${resultMembers(result)}}`;
  }
  const allRefused = rejected === results.length || (atomic && rejected > 0);
  return {
    status: rejected === 0 ? 201 : allRefused ? 422 : 207,
    json: `{"accepted":${accepted},"duplicates":${duplicates},"rejected":${rejected},"results":[${items}]}`,
  };
}

/** The answer to one stored event. */
export function encodeStored(status: string, id: string, position: string): string {
  return `{"status":"${status}","id":"${id}","position":"${position}"}`;
}

export function encodeTotals(totals: Totals): string {
  return JSON.stringify(totalsMembers(totals));
}

/** A bucket is encoded only when the one before has been taken, so that a long series can be written in slices. */
export function* encodeSeries(series: Series): Generator<string> {
  yield `{"step":"${series.step}","buckets":[`;
  let comma = '';
  for (const bucket of series.buckets) {
    yield comma + JSON.stringify(bucketMembers(bucket));
    comma = ',';
  }
  yield ']}';
}

function resultMembers(result: PublishResult): string {
  if (result.status === 'not_stored' || result.status === 'rejected') {
    const id = result.id === undefined ? 'null' : JSON.stringify(result.id);
    if (result.status === 'not_stored') return `"status":"not_stored","id":${id}`;
    return `"status":"rejected","id":${id},"error":${JSON.stringify(itemError(result.error))}`;
  }
  // The id of an event that is stored, and a position, hold nothing that JSON escapes.
  return `"status":"${result.status}","id":"${result.id}","position":"${result.position}"`;
}

/** A problem document's inner members; pointers start at the event. */
function itemError(error: HubError) {
  return { code: error.code, detail: error.message, errors: error.details };
}

function bucketMembers(bucket: SeriesBucket) {
  const members = totalsMembers(bucket);
  return bucket.eventType === undefined ? members : { ...members, event_type: bucket.eventType };
}

function totalsMembers(totals: Totals) {
  return {
    from: formatInstant(totals.from),
    to: formatInstant(totals.to),
    time_window: totals.timeWindow,
    currency: totals.currency ?? null,
    event_count: totals.eventCount,
    total_amount: amount(totals.total),
    net_amount: amount(totals.net),
    by_type: totals.byType.map((each) => ({
      event_type: each.eventType,
      sign: each.sign,
      currency: each.currency,
      event_count: each.eventCount,
      total_amount: formatAmount(each.total),
    })),
    by_currency: totals.byCurrency.map((each) => ({
      currency: each.currency,
      event_count: each.eventCount,
      total_amount: formatAmount(each.total),
      net_amount: formatAmount(each.net),
    })),
    as_of: asOf(totals.asOf),
  };
}

function amount(millionths: bigint | undefined): string | null {
  return millionths === undefined ? null : formatAmount(millionths);
}

function asOf(newest: { readonly position: string; readonly receivedAt: Instant } | undefined) {
  if (newest === undefined) return null;
  return { position: newest.position, received_at: formatInstant(newest.receivedAt) };
}
