import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/**
 * An id for an event that came without: a UUIDv7, which sorts by the
 * millisecond. Random bytes are drawn for many ids at once: a draw costs more
 * than the rest of the id.
 */
export function newEventId(): string {
  if (next === draws.length) {
    randomFillSync(pool);
    next = 0;
  }
  const random = draws[next] ?? pool;
  next += 1;
  return v7({ random });
}

const DRAW_BYTES = 16;
const pool = new Uint8Array(256 * DRAW_BYTES);
const draws = Array.from({ length: 256 }, (_, index) =>
  pool.subarray(index * DRAW_BYTES, (index + 1) * DRAW_BYTES),
);
let next = draws.length;
