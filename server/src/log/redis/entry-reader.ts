import { limits } from '../../base/limits.ts';
import { positionGone } from '../../event/position-faults.ts';
import type { LogEntry, ReadOptions } from '../event-log.ts';
import { logShard } from '../one-shard.ts';
import type { LogState } from './log-state.ts';
import { parseEntry, type RawEntry, traceOf } from './redis-entry.ts';
import { foreign, unavailable } from './redis-faults.ts';
import type { RedisLink } from './redis-link.ts';
import { compareEntryIds, formatPosition } from './redis-position.ts';
import type { RedisTarget } from './redis-target.ts';

/** A place in the log: after this entry, or at the very start. */
export interface Place {
  readonly entryId: string;
  readonly fingerprint: string;
}

export interface LogContext {
  readonly target: RedisTarget;
  readonly state: LogState;
}

/** What one reading came to. */
export interface ReadBatch {
  /** There may be more; nothing at all was found otherwise. */
  readonly found: boolean;
  readonly entries: readonly LogEntry[];
}

/** Goes through the log from a place, a batch at a time, and notices when it is no longer the same log. */
export class EntryReader {
  readonly #context: LogContext;
  readonly #options: Pick<ReadOptions, 'limit' | 'unreadable'>;
  #place: Place | undefined;
  #count: number;

  /** Without a place from the oldest entry. */
  constructor(
    context: LogContext,
    options: Pick<ReadOptions, 'limit' | 'unreadable'>,
    place: Place | undefined,
  ) {
    this.#context = context;
    this.#options = options;
    this.#place = place;
    this.#count = Math.min(options.limit, limits.redisFirstReadEntries);
  }

  /** Where the next batch begins. */
  get place(): Place | undefined {
    return this.#place;
  }

  /** What is there now. */
  async next(link: RedisLink): Promise<ReadBatch> {
    const { stream } = this.#context.target.keys;
    const range = ['XRANGE', stream, `(${this.#after}`, '+', 'COUNT', String(this.#count)];
    return await this.#read(link, link.send(range), (reply) => reply as readonly RawEntry[]);
  }

  /** The same, but while there is nothing, Redis keeps us waiting for a moment. */
  async wait(link: RedisLink): Promise<ReadBatch> {
    const { stream } = this.#context.target.keys;
    const blockMs = limits.redisBlockMs;
    const block = ['XREAD', 'COUNT', String(this.#count), 'BLOCK', String(blockMs)];
    const answer = link.send([...block, 'STREAMS', stream, this.#after], blockMs);
    return await this.#read(link, answer, (reply) => {
      const streams = reply as readonly (readonly [string, readonly RawEntry[]])[] | null;
      return streams?.[0]?.[1] ?? [];
    });
  }

  get #after(): string {
    return this.#place?.entryId ?? '0-0';
  }

  async #read(
    link: RedisLink,
    answer: Promise<unknown>,
    entriesIn: (reply: unknown) => readonly RawEntry[],
  ): Promise<ReadBatch> {
    const { keys, shown } = this.#context.target;
    // Asked after the entries: had the log been replaced or trimmed before them, this shows it.
    const marks = link.send(['HMGET', keys.hub, 'id', 'trimmed_to']);
    const [reply, [logId, trimmedTo]] = await Promise.all([
      answer,
      marks as Promise<readonly [string | null, string | null]>,
    ]);
    const raw = entriesIn(reply);
    this.#checkLog(logId ?? undefined);
    if (raw.length > 0 && logId === null) {
      throw unavailable(foreign(`a stream "${keys.stream}"`, shown).message);
    }
    const place = this.#place;
    if (place !== undefined && trimmedTo !== null) {
      if (compareEntryIds(trimmedTo, place.entryId) > 0) {
        throw positionGone('the log no longer holds the entries after this position');
      }
    }
    return { found: raw.length > 0, entries: this.#take(raw, logId ?? '') };
  }

  #checkLog(found: string | undefined): void {
    try {
      this.#context.state.see(found);
    } catch {
      throw positionGone('this is another log than the one that was read');
    }
  }

  #take(raw: readonly RawEntry[], logId: string): readonly LogEntry[] {
    const entries: LogEntry[] = [];
    let characters = 0;
    let taken = 0;
    for (const entry of raw) {
      // What is more than a reader may hold while it stalls is asked for again.
      if (characters >= limits.readCharacters) break;
      taken += 1;
      const [entryId, fields] = entry;
      const { event, reason, fingerprint } = parseEntry(entry);
      const position = formatPosition(entryId, logId, fingerprint);
      if (event !== undefined) {
        const trace = traceOf(entry);
        const found = { shard: logShard, position, event };
        entries.push(trace === undefined ? found : { ...found, trace });
      } else {
        const text = JSON.stringify(Object.fromEntries(pairsOf(fields)));
        const told = { shard: logShard, position, reason: `${entryId}: ${reason}`, raw: text };
        this.#options.unreadable?.(told);
      }
      for (const field of fields) characters += field.length;
      this.#place = { entryId, fingerprint };
    }
    if (taken > 0) this.#pace(taken, characters);
    return entries;
  }

  /** As many entries next time as their size allows; more only step by step, as sizes differ. */
  #pace(count: number, characters: number): void {
    const fitting = Math.floor((limits.readCharacters * count) / Math.max(1, characters));
    this.#count = Math.max(1, Math.min(this.#options.limit, this.#count * 8, fitting));
  }
}

function* pairsOf(fields: readonly string[]): Generator<readonly [string, string]> {
  for (let at = 0; at < fields.length; at += 2) yield [fields[at] ?? '', fields[at + 1] ?? ''];
}
