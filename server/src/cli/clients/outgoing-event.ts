import { HubError } from '../../base/errors.ts';
import { canonicalJson, isJsonObject, type Json, parseJson } from '../../base/json.ts';
import { newEventId } from '../../event/new-event-id.ts';

/** An event on its way to a hub, under its field names on REST. */
export interface OutgoingEvent {
  /** Made here when the source has none, so that a retry is a retry. Empty when it is no text. */
  readonly id: string;
  /** JSON text on one line, its numbers as they were written. */
  readonly source: string;
  readonly fields: Readonly<Record<string, Json>>;
}

/** What the hub sets itself: dropped, so that stored events can be sent again. */
const setByHub = ['received_at', 'position'];

/** Reads one event without judging its fields: that is the hub's part. Throws `unreadable` or `invalid`. */
export function readOutgoingEvent(text: string): OutgoingEvent {
  const value = parseJson(text);
  if (!isJsonObject(value)) {
    throw new HubError('invalid', 'expected one event as a JSON object on each line');
  }
  const fields = { ...value };
  let source = text;
  if (setByHub.some((name) => Object.hasOwn(value, name)) || text.includes('\n')) {
    for (const name of setByHub) delete fields[name];
    source = canonicalJson(fields);
  }
  if (fields.id !== undefined && fields.id !== null) {
    return { id: typeof fields.id === 'string' ? fields.id : '', source, fields };
  }
  if (fields.id === null) {
    delete fields.id;
    source = canonicalJson(fields);
  }
  return withId(newEventId(), source, fields);
}

/** Puts the id in front of the other members, which stay as they were written. */
function withId(id: string, source: string, fields: Readonly<Record<string, Json>>): OutgoingEvent {
  const rest = source.slice(source.indexOf('{') + 1);
  const separator = Object.keys(fields).length === 0 ? '' : ',';
  return { id, source: `{"id":"${id}"${separator}${rest}`, fields: { id, ...fields } };
}
