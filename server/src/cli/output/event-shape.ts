import { eventToJson, eventToObject } from '../../event/event-json.ts';
import type { StoredEvent } from '../../hub.ts';
import type { RecordShape } from './record-output.ts';

/** A stored event as the hub gives it out, with the text that it came as. */
export interface WireEvent {
  readonly source: string;
  readonly id: string;
  readonly user_id: string;
  readonly event_type: string;
  readonly amount: string;
  readonly currency: string;
  readonly timestamp: string;
  /** JSON text; empty when absent. */
  readonly metadata: string;
  readonly received_at: string;
  readonly position: string;
}

/** The columns of the hub's own CSV, in its order. */
export const eventShape: RecordShape<WireEvent> = {
  columns: [
    { name: 'id', width: 36, text: (event) => event.id },
    { name: 'user_id', width: 16, text: (event) => event.user_id },
    { name: 'event_type', width: 10, text: (event) => event.event_type },
    { name: 'amount', width: 14, right: true, text: (event) => event.amount },
    { name: 'currency', width: 8, text: (event) => event.currency },
    { name: 'timestamp', width: 24, text: (event) => event.timestamp },
    { name: 'metadata', width: 20, wide: true, text: (event) => event.metadata },
    { name: 'received_at', width: 24, wide: true, text: (event) => event.received_at },
    { name: 'position', width: 24, wide: true, text: (event) => event.position },
  ],
  json: (event) => event.source,
};

export function wireEventOf({
  event,
  position,
}: Pick<StoredEvent, 'event' | 'position'>): WireEvent {
  return {
    ...eventToObject(event, position),
    metadata: event.metadata ?? '',
    source: eventToJson(event, position),
  };
}
