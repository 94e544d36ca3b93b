/**
 * The messages of `contracts/event_hub.proto` as protobufjs decodes them: a
 * plain field that is not on the wire has its default, an `optional` or message
 * field is null. For encoding, an absent property is not written.
 */
export interface EventRequest {
  readonly user_id: string;
  readonly event_type: string;
  readonly amount: number | null;
  readonly timestamp: string | null;
  readonly id: string | null;
  readonly currency: string | null;
  readonly amount_exact: string | null;
  readonly metadata: Struct | null;
}

export interface EventBatch {
  readonly events: readonly EventRequest[];
  readonly atomic: boolean;
}

export interface FilterMessage {
  readonly user_id: readonly string[];
  readonly event_type: readonly string[];
  readonly currency: string;
}

export interface StreamRequest {
  readonly limit: number | null;
  readonly after: string;
  readonly filter: FilterMessage | null;
  readonly follow: boolean;
}

export interface GetEventRequest {
  readonly id: string;
  readonly at_least: string;
}

export interface ListEventsRequest {
  readonly limit: number | null;
  readonly cursor: string;
  readonly filter: FilterMessage | null;
  readonly from: string;
  readonly to: string;
  readonly order: string;
  readonly at_least: string;
}

export interface AggregatedMetricsRequest {
  readonly minutes: number | null;
  readonly from: string;
  readonly to: string;
  readonly currency: string;
  readonly event_type: string;
  readonly user_id: string;
  readonly at_least: string;
}

export interface EventResponse {
  event_id?: string;
  status: string;
  message: string;
  position?: string;
  code?: string;
}

export interface EventMessage {
  id: string;
  user_id: string;
  event_type: string;
  amount: number;
  timestamp: string;
  currency: string;
  amount_exact: string;
  metadata?: Struct;
  received_at: string;
  position: string;
}

export interface FieldError {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}

export interface ItemError {
  code: string;
  message: string;
  errors: readonly FieldError[];
}

export interface BatchResult {
  index: number;
  status: string;
  id?: string;
  position?: string;
  error?: ItemError;
}

export interface BatchResponse {
  accepted: number;
  duplicates: number;
  rejected: number;
  results: readonly BatchResult[];
}

export interface AggregatedMetricsResponse {
  total_amount?: number;
  total_amount_exact?: string;
  net_amount?: number;
  net_amount_exact?: string;
  event_count: number;
  time_window: string;
  currency?: string;
  from: string;
  to: string;
  by_type: readonly {
    event_type: string;
    sign: string;
    currency: string;
    event_count: number;
    total_amount: number;
    total_amount_exact: string;
  }[];
  by_currency: readonly {
    currency: string;
    event_count: number;
    total_amount: number;
    total_amount_exact: string;
    net_amount: number;
    net_amount_exact: string;
  }[];
  as_of?: { position: string; received_at: string };
}

/** `google.protobuf.Struct`, in the names of protobufjs's own copy. */
export interface Struct {
  readonly fields: Readonly<Record<string, StructValue>>;
}

/** Reading, `kind` names the member that is set: the others show their defaults. Writing, one member is enough. */
export interface StructValue {
  readonly kind?: Exclude<keyof StructValue, 'kind'>;
  readonly nullValue?: number;
  readonly numberValue?: number;
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly structValue?: Struct | null;
  readonly listValue?: { readonly values: readonly StructValue[] } | null;
}
