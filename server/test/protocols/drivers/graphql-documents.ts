import { exactBeside, type SeriesSeen, type TotalsSeen } from './protocol-driver.ts';

const eventFields =
  'id userId eventType amount amountExact currency timestamp receivedAt position metadata';
const errorFields = 'code message errors { pointer code detail }';
const totalsFields = `totalAmount totalAmountExact netAmount netAmountExact eventCount timeWindow currency from to
  byType { eventType sign currency eventCount totalAmount totalAmountExact }
  byCurrency { currency eventCount totalAmount totalAmountExact netAmount netAmountExact }
  asOf { position receivedAt }`;
const windowVariables =
  '$minutes: Int, $from: String, $to: String, $currency: String, $eventType: [String!], $userId: [String!], $atLeast: String';
const windowArguments =
  'minutes: $minutes, from: $from, to: $to, currency: $currency, eventType: $eventType, userId: $userId, atLeast: $atLeast';

/** The operations of the driver, with every field that there is. */
export const documents = {
  send: `mutation ($input: EventInput!) { sendEvent(input: $input) { status id position } }`,
  sendBatch: `mutation ($inputs: [EventInput!]!, $atomic: Boolean) {
    sendEvents(inputs: $inputs, atomic: $atomic) {
      accepted duplicates rejected results { index status id position error { ${errorFields} } }
    }
  }`,
  event: `query ($id: ID!, $atLeast: String) { event(id: $id, atLeast: $atLeast) { ${eventFields} } }`,
  events: `query ($first: Int, $after: String, $last: Int, $before: String, $filter: EventFilter, $atLeast: String) {
    events(first: $first, after: $after, last: $last, before: $before, filter: $filter, atLeast: $atLeast) {
      edges { cursor node { ${eventFields} } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }`,
  latest: `query ($limit: Int, $userId: [String!], $eventType: [String!]) {
    lastEvents(limit: $limit, userId: $userId, eventType: $eventType) { ${eventFields} }
  }`,
  totals: `query (${windowVariables}) { totals: aggregatedMetrics(${windowArguments}) { ${totalsFields} } }`,
  series: `query (${windowVariables}, $step: String, $groupBy: String) {
    series: metricsSeries(${windowArguments}, step: $step, groupBy: $groupBy) {
      step buckets { eventType ${totalsFields} }
    }
  }`,
  feed: `subscription ($after: String, $filter: FeedFilter) {
    eventStream(after: $after, filter: $filter) { ${eventFields} }
  }`,
} as const;

export type RawTotals = Readonly<Record<string, unknown>>;

/** Totals in REST's names, every amount compared with the double beside it. */
export function totalsOf(raw: RawTotals): TotalsSeen {
  const lines = (name: string) => raw[name] as RawTotals[];
  const asOf = raw.asOf as { position: string; receivedAt: string } | null;
  return {
    from: String(raw.from),
    to: String(raw.to),
    time_window: String(raw.timeWindow),
    currency: raw.currency as string | null,
    event_count: Number(raw.eventCount),
    total_amount: exactBeside(raw.totalAmount, raw.totalAmountExact),
    net_amount: exactBeside(raw.netAmount, raw.netAmountExact),
    by_type: lines('byType').map((each) => ({
      event_type: each.eventType,
      sign: each.sign,
      currency: each.currency,
      event_count: each.eventCount,
      total_amount: exactBeside(each.totalAmount, each.totalAmountExact),
    })),
    by_currency: lines('byCurrency').map((each) => ({
      currency: each.currency,
      event_count: each.eventCount,
      total_amount: exactBeside(each.totalAmount, each.totalAmountExact),
      net_amount: exactBeside(each.netAmount, each.netAmountExact),
    })),
    as_of: asOf === null ? null : { position: asOf.position, received_at: asOf.receivedAt },
  };
}

export function bucketOf(raw: RawTotals): SeriesSeen['buckets'][number] {
  return {
    ...totalsOf(raw),
    event_type: raw.eventType === null ? undefined : String(raw.eventType),
  };
}
