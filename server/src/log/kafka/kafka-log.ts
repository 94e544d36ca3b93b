import { type Clock, systemClock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { positionGone } from '../../event/position-faults.ts';
import type { Appended, AppendGroup, EventLog, LogHealth } from '../event-log.ts';
import type { OpenLogOptions } from '../index.ts';
import { appendEvents } from './append-events.ts';
import { KafkaCluster, partitionsOf, type TopicFacts } from './kafka-cluster.ts';
import { grown, refusedEntry, replaced, unavailable } from './kafka-faults.ts';
import {
  countedAt,
  isKafkaPosition,
  markOf,
  positionOfReader,
  shardOf,
  type TopicMark,
} from './kafka-position.ts';
import { type KafkaTarget, parseKafkaUrl } from './kafka-target.ts';
import { endOf, ownPlace, placesIn, resumeAt, trimmedPosition } from './log-places.ts';
import { readEntries } from './read-entries.ts';
import { RecentIds } from './recent-ids.ts';
import { RecordWriter } from './record-writer.ts';
import {
  assertKeepsAll,
  assertOfHub,
  durabilityText,
  makeTopic,
  readSettings,
  weakDurability,
  weaknessesOf,
} from './topic-settings.ts';
import { Upkeep } from './upkeep.ts';

/**
 * The log in a Kafka topic, one shard per partition, a user's events in one of
 * them. Success is answered when the brokers have acknowledged the record.
 */
export async function openKafkaLog(url: string, options: OpenLogOptions): Promise<EventLog> {
  const target = parseKafkaUrl(url);
  const clock = options.clock ?? systemClock;
  const cluster = new KafkaCluster(target, clock);
  try {
    const facts = await openTopic(cluster, options);
    return logOf(new KafkaLog(cluster, facts, clock, options));
  } catch (reason) {
    await cluster.close();
    throw refusedEntry(reason);
  }
}

async function openTopic(
  cluster: KafkaCluster,
  { exclusive, allowWeakDurability }: OpenLogOptions,
): Promise<TopicFacts> {
  const { shown } = cluster.target;
  const found = await cluster.topic();
  if (found === undefined && !exclusive) {
    throw new HubError(
      'not_found',
      `there is no topic at ${shown} yet: \`event-hub serve\` makes it`,
    );
  }
  const facts = found ?? (await makeTopic(cluster));
  const settings = await readSettings(cluster);
  assertKeepsAll(settings, shown);
  await assertOfHub(cluster, facts);
  const weaknesses = weaknessesOf(facts, settings);
  if (exclusive && weaknesses.length > 0 && allowWeakDurability !== true) {
    throw weakDurability(weaknesses, shown);
  }
  return facts;
}

function logOf(log: KafkaLog): EventLog {
  return {
    append: (groups) => log.append(groups),
    read: (options) => readEntries(log, options),
    trim: (archived) => log.upkeep.trim(archived),
    trimmedTo: (shard) => trimmedPosition(log, shard),
    end: () => endOf(log),
    shards: async () => partitionsOf(log.facts).map(shardOf),
    placesIn: (position) => placesIn(position, log.mark),
    resumeAt: (position) => resumeAt(log, position),
    ownPlace: (place) => ownPlace(place, log.mark),
    positionAt: positionOfReader,
    countAt: countedAt,
    isPosition: isKafkaPosition,
    check: () => log.check(),
    close: () => log.close(),
  };
}

class KafkaLog {
  readonly cluster: KafkaCluster;
  /** As found when the log was opened: its identity and partitions do not change under a running hub. */
  readonly facts: TopicFacts;
  readonly mark: TopicMark;
  readonly clock: Clock;
  readonly upkeep: Upkeep;
  readonly #target: KafkaTarget;
  readonly #options: OpenLogOptions;
  readonly #recent: RecentIds;
  readonly #closing = new AbortController();
  #writer: RecordWriter | undefined;
  #fault: HubError | undefined;
  #gone: HubError | undefined;
  /** An append has failed, and the topic was not looked at since. */
  #isUnsure = false;
  #closed: Promise<void> | undefined;

  constructor(cluster: KafkaCluster, facts: TopicFacts, clock: Clock, options: OpenLogOptions) {
    this.cluster = cluster;
    this.facts = facts;
    this.clock = clock;
    this.mark = markOf(facts);
    const keepMs = options.keepMs ?? limits.logKeepMsMin;
    this.upkeep = new Upkeep(cluster, clock, { keepMs, sameTopic: () => this.#sameTopic() });
    this.#target = cluster.target;
    this.#options = options;
    this.#recent = new RecentIds(clock);
  }

  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Why nothing can be read on: every position means something else in the topic that is there now. */
  get gone(): HubError | undefined {
    return this.#gone;
  }

  async append(groups: readonly AppendGroup[]): Promise<readonly (readonly Appended[])[]> {
    if (this.closing.aborted) throw unavailable('the log is closed');
    if (this.#fault !== undefined) throw this.#fault;
    if (this.#isUnsure) await this.#sameTopic();
    // Waiting for a broker takes the system's time in any case.
    this.#writer ??= new RecordWriter(this.cluster, systemClock);
    const deps = { recent: this.#recent, writer: this.#writer, mark: this.mark };
    try {
      const outcomes = await appendEvents(deps, groups);
      const isUnknown = ({ status }: Appended) => status === 'unknown';
      if (outcomes.some((group) => group.some(isUnknown))) this.#isUnsure = true;
      return outcomes;
    } catch (reason) {
      this.#isUnsure = true;
      throw reason;
    }
  }

  async check(): Promise<LogHealth> {
    if (this.closing.aborted) throw unavailable('the log is closed');
    const facts = await this.#sameTopic();
    const settings = await readSettings(this.cluster);
    const weaknesses = weaknessesOf(facts, settings);
    const { shown } = this.#target;
    try {
      assertKeepsAll(settings, shown);
      if (weaknesses.length > 0 && this.#options.allowWeakDurability !== true) {
        throw weakDurability(weaknesses, shown);
      }
    } catch (reason) {
      // Nothing is acknowledged any more before the settings are as they were.
      this.#fault = unavailable(HubError.from(reason).message);
      throw this.#fault;
    }
    const lost = facts.partitions.findIndex(({ leader }) => leader < 0);
    if (lost !== -1) throw unavailable(`partition ${lost} of ${shown} has no leader`);
    const needed = Number(settings.get('min.insync.replicas') ?? 1);
    const thin = facts.partitions.findIndex(({ inSync }) => inSync < needed);
    if (thin !== -1)
      throw unavailable(`partition ${thin} of ${shown} has too few replicas in sync`);
    this.#fault = undefined;
    return { durability: durabilityText(facts, settings, weaknesses) };
  }

  /** Rejects when the topic was made anew or has other partitions: every position then means something else. */
  async #sameTopic(): Promise<TopicFacts> {
    const facts = await this.cluster.topic();
    const { shown } = this.#target;
    if (facts === undefined) throw unavailable(`there is no topic at ${shown} any more`);
    const now = facts.partitions.length;
    const before = this.mark.partitions;
    if (facts.id === this.facts.id && now === before) {
      this.#isUnsure = false;
      return facts;
    }
    this.#fault = facts.id === this.facts.id ? grown(shown, before, now) : replaced(shown);
    this.#gone = positionGone(this.#fault.message);
    throw this.#fault;
  }

  close(): Promise<void> {
    this.#closing.abort();
    this.#closed ??= Promise.all([this.#writer?.close(), this.cluster.close()]).then(
      () => undefined,
    );
    return this.#closed;
  }
}
