import { limits } from '../../base/limits.ts';
import type { NewEvent } from '../../event/event.ts';
import { eventBytes } from '../../event/event-bytes.ts';
import { fingerprintOf } from '../../event/fingerprint.ts';
import type { Appended, AppendGroup } from '../event-log.ts';
import { fieldsOf, markOf } from './redis-entry.ts';
import { formatPosition } from './redis-position.ts';

/** What one script appends: whole atomic groups, and pieces of the others. */
export interface AppendUnit {
  readonly args: readonly string[];
  /** In the order of the script's answers. */
  readonly events: readonly { readonly event: NewEvent; readonly group: number }[];
}

/** The groups in pieces that each take Redis about a millisecond; an atomic group is never divided. */
export function unitsOf(groups: readonly AppendGroup[]): readonly AppendUnit[] {
  const units = [new UnitBuilder()];
  const last = () => units.at(-1) ?? new UnitBuilder();
  for (const [index, { events, atomic }] of groups.entries()) {
    const pieces = atomic ? [events] : events.map((event) => [event]);
    for (const piece of pieces) {
      if (piece.length === 0) continue;
      if (last().isFull) units.push(new UnitBuilder());
      last().add(piece, index, atomic);
    }
  }
  return units.filter(({ events }) => events.length > 0);
}

/** The outcome of each event, by the answer that `scripts.append` describes. */
export function outcomeOf(answer: string, event: NewEvent, logId: string): Appended {
  if (answer === '!') return { status: 'conflict' };
  if (answer === '-') return { status: 'not_stored' };
  const isDuplicate = answer.startsWith('=');
  const entryId = isDuplicate ? answer.slice(1) : answer;
  const position = formatPosition(entryId, logId, fingerprintOf(event));
  return { status: isDuplicate ? 'duplicate' : 'accepted', position };
}

class UnitBuilder implements AppendUnit {
  readonly args: string[] = [];
  readonly events: { event: NewEvent; group: number }[] = [];
  #bytes = 0;
  /** Where the length of an open group that is not atomic stands. */
  #openCount: number | undefined;

  get isFull(): boolean {
    return this.events.length >= limits.redisUnitEvents || this.#bytes >= limits.redisUnitBytes;
  }

  add(events: readonly NewEvent[], group: number, atomic: boolean): void {
    if (atomic) {
      this.args.push('1', String(events.length));
      this.#openCount = undefined;
    } else if (this.#openCount === undefined) {
      this.args.push('0', String(events.length));
      this.#openCount = this.args.length - 1;
    } else {
      // To the script, groups that are not atomic are one.
      const count = Number(this.args[this.#openCount]) + events.length;
      this.args[this.#openCount] = String(count);
    }
    for (const event of events) {
      this.args.push(...fieldsOf(event), markOf(event));
      this.events.push({ event, group });
      this.#bytes += eventBytes(event);
    }
  }
}
