import { HubError } from './errors.ts';
import { limits } from './limits.ts';

/** Bytes of long requests under way. A process has one memory, so they are counted once, over all protocols. */
let heldBytes = 0;

/**
 * Takes memory for a request of so many bytes, until the answer is called.
 * Throws `overloaded` when the requests under way leave no room for it; one
 * alone always has room, and short ones are not counted.
 */
export function holdRequest(bytes: number): () => void {
  if (bytes <= limits.shortRequestBytes) return nothing;
  if (heldBytes > 0 && heldBytes + bytes > limits.requestsHeldBytes) {
    throw new HubError(
      'overloaded',
      'too many long requests are being worked on; nothing of this one was stored',
      { retryAfterS: 1 },
    );
  }
  heldBytes += bytes;
  let held = true;
  return () => {
    if (held) heldBytes -= bytes;
    held = false;
  };
}

const nothing = () => {};
