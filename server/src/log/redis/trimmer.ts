import type { Clock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import type { Position } from '../event-log.ts';
import type { LogContext } from './entry-reader.ts';
import { replaced } from './redis-faults.ts';
import type { RedisLink } from './redis-link.ts';
import { compareEntryIds, parsePosition } from './redis-position.ts';
import { runScript, scripts } from './redis-scripts.ts';

/** Up to which entry had been archived, and when that was so. */
interface ArchivedMark {
  readonly atMs: number;
  readonly entryId: string;
}

/**
 * Removes what is old enough, by its own age and by the time since it was
 * archived. The times are kept in Redis, so that a restart or another archive
 * reader goes on with them.
 */
export class Trimmer {
  readonly #context: LogContext;
  readonly #clock: Clock;
  readonly #keepMs: number;
  #nextMs = 0;
  #running: Promise<void> | undefined;

  constructor(context: LogContext, clock: Clock, keepMs: number) {
    this.#context = context;
    this.#clock = clock;
    this.#keepMs = keepMs;
  }

  /** Does nothing most of the time, so that it may be asked after every batch. */
  async trim(archived: Position, link: RedisLink): Promise<void> {
    const { entryId, logId } = parsePosition(archived);
    if (this.#clock.now() < this.#nextMs) return;
    this.#running ??= this.#trim(entryId, logId, link).finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  async #trim(archivedId: string, logId: string, link: RedisLink): Promise<void> {
    const { target, state } = this.#context;
    const nowMs = this.#clock.now();
    const [found, text] = (await link.send([
      'HMGET',
      target.keys.hub,
      'id',
      'archived',
    ])) as readonly (string | null)[];
    state.see(found ?? undefined);
    if (found !== logId) throw replaced(target.shown);
    const marks = remember(parseMarks(text ?? ''), { atMs: nowMs, entryId: archivedId });
    const bound = boundOf(marks, nowMs, this.#keepMs);
    this.#nextMs = nowMs + limits.redisTrimEveryMs;

    const { redisTrimMargin, redisTrimEntries } = limits;
    const sizes = [String(redisTrimMargin), String(redisTrimEntries)];
    const send = link.send.bind(link);
    let kept = formatMarks(marks);
    for (let slice = 0; slice < limits.redisTrimSlices; slice += 1) {
      const args = [logId, kept, bound ?? '', ...sizes];
      const removed = Number(await runScript(send, scripts.trim, target, args));
      if (removed < redisTrimEntries) return;
      kept = '';
    }
    // There is more to do: the next call goes on at once.
    this.#nextMs = nowMs;
  }
}

/** The newest entry that may go. */
function boundOf(
  marks: readonly ArchivedMark[],
  nowMs: number,
  keepMs: number,
): string | undefined {
  const long = marks.findLast(({ atMs }) => atMs <= nowMs - limits.redisArchivedKeepMs);
  if (long === undefined) return undefined;
  const aged = `${Math.max(0, nowMs - keepMs - 1)}-${lastSequence}`;
  return compareEntryIds(aged, long.entryId) < 0 ? aged : long.entryId;
}

const lastSequence = '18446744073709551615';

/**
 * The marks with this one, when it says something new: one a minute, and those
 * over an hour old only up to the newest, which says the most.
 */
function remember(marks: readonly ArchivedMark[], mark: ArchivedMark): readonly ArchivedMark[] {
  const stepMs = limits.redisArchivedKeepMs / (limits.redisArchivedMarks - 4);
  const last = marks.at(-1);
  const isNew =
    last === undefined ||
    (mark.atMs - last.atMs >= stepMs && compareEntryIds(mark.entryId, last.entryId) > 0);
  const all = isNew ? [...marks, mark] : marks;
  const oldMs = mark.atMs - limits.redisArchivedKeepMs;
  const newestOld = all.findLastIndex(({ atMs }) => atMs <= oldMs);
  return all.slice(Math.max(0, newestOld)).slice(-limits.redisArchivedMarks);
}

/** `MS ENTRY,MS ENTRY`, from the oldest. */
function formatMarks(marks: readonly ArchivedMark[]): string {
  return marks.map(({ atMs, entryId }) => `${atMs} ${entryId}`).join(',');
}

function parseMarks(text: string): readonly ArchivedMark[] {
  const form = /(\d+) (\d+-\d+)/g;
  return Array.from(text.matchAll(form), ([, atMs, entryId = '']) => ({
    atMs: Number(atMs),
    entryId,
  }));
}
