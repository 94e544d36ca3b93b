import { limits } from '../base/limits.ts';
import type { Reads } from '../hub/reads.ts';
import type { FindRequest, ListedEvent } from '../hub.ts';

/** Page by page, from the request's cursor or from the beginning. */
export async function* eventPages(
  reads: Reads,
  request: FindRequest,
  limit: number,
): AsyncGenerator<readonly ListedEvent[]> {
  let { cursor } = request;
  let left = limit;
  do {
    const page = await reads.find({ ...request, cursor, limit: Math.min(left, limits.pageEvents) });
    yield page.events;
    left -= page.events.length;
    cursor = page.next;
  } while (cursor !== undefined && left > 0);
}
