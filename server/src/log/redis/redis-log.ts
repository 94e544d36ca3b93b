import { randomBytes } from 'node:crypto';
import { type Clock, systemClock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { Appended, AppendGroup, EventLog, LogHealth } from '../event-log.ts';
import type { OpenLogOptions } from '../index.ts';
import { oneShard } from '../one-shard.ts';
import { type AppendUnit, outcomeOf, unitsOf } from './append-units.ts';
import {
  checkVersion,
  durabilityText,
  readServerFacts,
  weakDurability,
  weakened,
} from './durability.ts';
import type { LogContext } from './entry-reader.ts';
import { endPlace, trimmedPosition } from './log-places.ts';
import { inspectKeys, LogState } from './log-state.ts';
import { followEntries, readEntries } from './read-entries.ts';
import type { RedisConnection } from './redis-connection.ts';
import { unavailable } from './redis-faults.ts';
import { RedisLink } from './redis-link.ts';
import { isRedisPosition } from './redis-position.ts';
import { checkRights, loadScripts, runScript, scripts } from './redis-scripts.ts';
import { parseRedisUrl, type RedisTarget } from './redis-target.ts';
import { hubClientName } from './running-hubs.ts';
import { Trimmer } from './trimmer.ts';

/** The log in a Redis stream: id check and entry in one script, on disk before the answer. */
export async function openRedisLog(url: string, options: OpenLogOptions): Promise<EventLog> {
  const log = new RedisLog(parseRedisUrl(url), options);
  await log.open();
  return {
    ...oneShard,
    append: (groups) => log.append(groups),
    read: (read) => (read.follow ? followEntries(log, read) : readEntries(log, read)),
    trim: (archived) => log.trimmer.trim(archived, log.writer),
    trimmedTo: () => trimmedPosition(log, log.send),
    end: async () => (await endPlace(log, log.send))?.position,
    // An entry's id is a time.
    countAt: () => undefined,
    isPosition: isRedisPosition,
    check: () => log.check(),
    close: async () => log.close(),
  };
}

class RedisLog implements LogContext {
  readonly target: RedisTarget;
  readonly state: LogState;
  readonly clock: Clock;
  readonly trimmer: Trimmer;
  /** For reads of what is there. */
  readonly shared: RedisLink;
  readonly send: RedisLink['send'];
  readonly #options: OpenLogOptions;
  readonly #closing = new AbortController();
  #writer: RedisLink | undefined;

  constructor(target: RedisTarget, options: OpenLogOptions) {
    this.target = target;
    this.#options = options;
    this.clock = options.clock ?? systemClock;
    this.state = new LogState(target);
    this.trimmer = new Trimmer(this, this.clock, options.keepMs ?? limits.redisArchivedKeepMs);
    this.shared = new RedisLink({
      target,
      clock: this.clock,
      // Whether it is still the same log is looked at with each read.
      prepare: async (connection) => void (await inspectKeys(connection, target)),
    });
    this.send = this.shared.send.bind(this.shared);
  }

  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Made when first needed: who only reads asks for no rights to write. */
  get writer(): RedisLink {
    this.#writer ??= new RedisLink({
      target: this.target,
      clock: this.clock,
      prepare: (connection) => this.#prepareWriter(connection),
    });
    return this.#writer;
  }

  async open(): Promise<void> {
    try {
      if (this.#options.exclusive) await this.writer.opened;
      await this.shared.opened;
    } catch (reason) {
      this.close();
      throw reason;
    }
  }

  async append(groups: readonly AppendGroup[]): Promise<readonly (readonly Appended[])[]> {
    const outcomes = groups.map((): Appended[] => []);
    if (groups.every(({ events }) => events.length === 0)) return outcomes;
    await this.#writerInUse();
    for (const { events, answer } of await this.#appendUnits(unitsOf(groups))) {
      const [logId = '', ...entries] = answer;
      for (const [at, { event, group }] of events.entries()) {
        outcomes[group]?.push(outcomeOf(entries[at] ?? '', event, logId));
      }
    }
    return outcomes;
  }

  async check(): Promise<LogHealth> {
    await this.#writerInUse();
    const send = this.writer.send.bind(this.writer);
    const { weaknesses } = await readServerFacts(send);
    if (weaknesses.length > 0 && this.#options.allowWeakDurability !== true) {
      // No append goes out any more before the settings are as they were.
      this.writer.renew();
      throw weakened(weaknesses, this.target.shown);
    }
    const known = this.state.logId ?? '';
    const args = [known, String(this.clock.now())];
    try {
      await runScript(send, scripts.probe, this.target, args);
    } catch (reason) {
      const fault = HubError.from(reason);
      throw fault.code === 'unavailable' ? fault : unavailable(fault.message, fault);
    }
    return { durability: durabilityText(weaknesses) };
  }

  close(): void {
    this.#closing.abort();
    this.#writer?.close();
    this.shared.close();
  }

  /**
   * Several at once on one connection, so that Redis never waits for the next
   * one, and no more, so that few are held in memory. After a failure no more
   * are sent.
   */
  async #appendUnits(units: Generator<AppendUnit>): Promise<readonly AnsweredUnit[]> {
    const logIdIfNew = this.state.logId === undefined ? newLogId() : '';
    const answered: AnsweredUnit[] = [];
    let sent = 0;
    // All lanes take from one generator, which a lane that fails closes.
    const lane = async () => {
      for (const { packed, events } of units) {
        const place = sent;
        sent += 1;
        answered[place] = { events, answer: await this.#appendUnit(packed, logIdIfNew) };
      }
    };
    const lanes = await Promise.allSettled(Array.from({ length: limits.redisUnitsAtOnce }, lane));
    failIfAnyFailed(lanes, answered.length > 0);
    return answered;
  }

  async #appendUnit(packed: Buffer, logIdIfNew: string): Promise<readonly string[]> {
    const known = this.state.logId ?? '';
    const send = this.writer.send.bind(this.writer);
    const args = [known, logIdIfNew, packed];
    const answer = (await runScript(send, scripts.append, this.target, args)) as readonly string[];
    const [logId = '', ...entries] = answer;
    if (logId !== '') this.state.see(logId);
    const newest = entries.findLast((entry) => /^\d/.test(entry));
    if (newest !== undefined) this.state.acknowledge(newest);
    return answer;
  }

  /** The first use waits for the connection; later ones are refused while there is none. */
  async #writerInUse(): Promise<void> {
    const isFirst = this.#writer === undefined;
    if (this.closing.aborted) throw unavailable('the log is closed');
    const { opened } = this.writer;
    // Why there is none is told by what is sent.
    if (isFirst) await opened.catch(() => undefined);
  }

  /** All that must be so before an answer of this connection can mean success. */
  async #prepareWriter(connection: RedisConnection): Promise<void> {
    const send = connection.send.bind(connection);
    const { keys, shown } = this.target;
    if (this.#options.exclusive) {
      await send(['CLIENT', 'SETNAME', hubClientName(keys.stream)]);
    }
    const facts = await readServerFacts(send);
    checkVersion(facts, shown);
    if (facts.weaknesses.length > 0 && this.#options.allowWeakDurability !== true) {
      throw weakDurability(facts.weaknesses, shown);
    }
    await loadScripts(send);
    // Before anything that one of them is needed for, so that all are named at once.
    await checkRights(send, this.target);
    await this.state.inspect(connection);
  }
}

interface AnsweredUnit extends Pick<AppendUnit, 'events'> {
  readonly answer: readonly string[];
}

/** `overloaded` promises that nothing was stored, so that all units that were sent must have been refused by it. */
function failIfAnyFailed(
  lanes: readonly PromiseSettledResult<unknown>[],
  isPartStored: boolean,
): void {
  const faults = lanes.flatMap((lane) =>
    lane.status === 'rejected' ? [HubError.from(lane.reason)] : [],
  );
  const [first] = faults;
  if (first === undefined) return;
  const other = faults.find(({ code }) => code !== 'overloaded');
  if (other !== undefined) throw other;
  if (!isPartStored) throw first;
  throw unavailable(`${first.message}; a part of the events was stored`, first);
}

function newLogId(): string {
  return randomBytes(4).toString('hex');
}
