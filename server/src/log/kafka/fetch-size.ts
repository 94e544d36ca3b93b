import { limits } from '../../base/limits.ts';
import type { FetchedPartition } from './kafka-cluster.ts';

/**
 * How much a reader asks for. A broker counts bytes as they are compressed, and what a reader holds is hundreds of
 * times as much where events repeat themselves: so it asks for what came to `limits.kafkaFetchedBytes` before.
 */
export class FetchSize {
  #bytes: number = limits.kafkaFetchBytesMin;

  /** For the next fetch. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What an answer came to; one without records says nothing. */
  see(fetched: readonly FetchedPartition[]): void {
    let packed = 0;
    let plain = 0;
    for (const batch of fetched.flatMap(({ batches }) => batches)) {
      packed += batch.length;
      for (const { length } of batch.records) plain += length;
    }
    if (plain === 0) return;
    const wanted = Math.floor((limits.kafkaFetchedBytes * packed) / plain);
    this.#bytes = Math.min(limits.kafkaFetchBytes, Math.max(limits.kafkaFetchBytesMin, wanted));
  }
}
