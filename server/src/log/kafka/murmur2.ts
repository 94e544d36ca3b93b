/**
 * The hash by which Kafka's own producers choose a partition: 32-bit MurmurHash2
 * over the key's bytes, with their seed. The driver has one too, in unbounded
 * integers, which costs more than all else that is done to choose.
 */
export function murmur2(key: Buffer): number {
  const { length } = key;
  let hash = seed ^ length;
  let at = 0;
  for (; length - at >= 4; at += 4) {
    hash = Math.imul(hash, multiplier) ^ mixed(key.readInt32LE(at));
  }
  if (at < length) {
    for (let shift = 0; at + shift < length; shift += 1) {
      hash ^= (key[at + shift] ?? 0) << (8 * shift);
    }
    hash = Math.imul(hash, multiplier);
  }
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return hash ^ (hash >>> 15);
}

const seed = 0x9747b28c | 0;
const multiplier = 0x5bd1e995;

function mixed(four: number): number {
  const product = Math.imul(four, multiplier);
  return Math.imul(product ^ (product >>> 24), multiplier);
}
