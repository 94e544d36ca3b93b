import type { Clock } from '../../base/clock.ts';
import type { Position } from '../event-log.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import { parsePosition } from './kafka-position.ts';

/** The group under which Kafka's own tools show how far the archive is; nobody joins it. */
export function groupOf(topic: string): string {
  return `event-hub-${topic}`;
}

/** Up to which offset a partition had been archived, and when that was so. */
interface ArchivedMark {
  readonly atMs: number;
  readonly offset: number;
}

interface UpkeepOptions {
  /** For how long what is archived stays. */
  readonly keepMs: number;
  /** Rejects when the topic is not the one that was opened. */
  readonly sameTopic: () => Promise<unknown>;
}

/** How many times of archiving are remembered within the time that entries are kept. */
const marksKept = 60;

/**
 * What is done behind the archive: Kafka is told how far each partition is
 * archived, for its own tools alone, and what was archived long enough ago is
 * removed. How long ago that is, a reader knows only of its own time: after a
 * takeover entries stay longer.
 */
export class Upkeep {
  readonly #cluster: KafkaCluster;
  readonly #clock: Clock;
  readonly #keepMs: number;
  readonly #sameTopic: UpkeepOptions['sameTopic'];
  readonly #marks = new Map<number, ArchivedMark[]>();
  readonly #told = new Map<number, number>();

  constructor(cluster: KafkaCluster, clock: Clock, { keepMs, sameTopic }: UpkeepOptions) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#keepMs = keepMs;
    this.#sameTopic = sameTopic;
  }

  /** The entry at the archive's position stays, so that it can be found again. */
  async trim(archived: Position): Promise<void> {
    for (const { partition, offset } of parsePosition(archived).places) {
      // Nothing of the hub's hangs on it: without the rights to it only Kafka's tools show no lag.
      await this.#tell(partition, offset + 1).catch(() => undefined);
      const bound = this.#oldEnough(partition, offset);
      if (bound === undefined) continue;
      await this.#remove(partition, bound);
      this.#forget(partition, bound);
    }
  }

  /** The last entry that was archived long enough ago, when there is one that was not removed yet. */
  #oldEnough(partition: number, offset: number): number | undefined {
    const nowMs = this.#clock.now();
    const marks = this.#marks.get(partition) ?? [];
    this.#marks.set(partition, marks);
    const last = marks.at(-1);
    const isDue = last === undefined || nowMs - last.atMs >= this.#keepMs / marksKept;
    if (isDue && offset !== last?.offset) marks.push({ atMs: nowMs, offset });
    return marks.findLast(({ atMs }) => atMs <= nowMs - this.#keepMs)?.offset;
  }

  #forget(partition: number, bound: number): void {
    const marks = this.#marks.get(partition) ?? [];
    marks.splice(0, marks.findLastIndex(({ offset }) => offset <= bound) + 1);
  }

  async #remove(partition: number, bound: number): Promise<void> {
    const { admin, target } = this.#cluster;
    const oldest = await this.#cluster.offsets([partition], 'earliest');
    if (bound <= (oldest.get(partition) ?? 0)) return;
    // The request names the topic only: one that took its place has nothing archived at these offsets.
    await this.#sameTopic();
    const partitions = [{ partition, offset: BigInt(bound) }];
    await this.#cluster.ask(admin.deleteRecords({ topics: [{ name: target.topic, partitions }] }));
  }

  async #tell(partition: number, next: number): Promise<void> {
    if (this.#told.get(partition) === next) return;
    const { admin, target } = this.#cluster;
    await this.#cluster.ask(
      admin.alterConsumerGroupOffsets({
        groupId: groupOf(target.topic),
        topics: [{ name: target.topic, partitionOffsets: [{ partition, offset: BigInt(next) }] }],
      }),
    );
    this.#told.set(partition, next);
  }
}
