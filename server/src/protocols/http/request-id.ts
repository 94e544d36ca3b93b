import type { IncomingMessage } from 'node:http';
import { requestIdFrom } from '../../base/request-id.ts';

const ids = new WeakMap<IncomingMessage, string>();

/** The same for each line and answer of the request; looked for when it is first needed, which is when something fails. */
export function requestIdOf(request: IncomingMessage): string {
  const known = ids.get(request);
  if (known !== undefined) return known;
  const { headers } = request;
  // One that came twice is joined by Node.js with a comma, and so is none.
  const id = requestIdFrom({
    requestId: textOf(headers['x-request-id']),
    traceparent: textOf(headers.traceparent),
  });
  ids.set(request, id);
  return id;
}

function textOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
