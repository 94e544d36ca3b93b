import { limits } from '../../base/limits.ts';
import type { TraceContext } from '../../base/tracing.ts';
import type { NewEvent } from '../../event/event.ts';
import { eventBytes } from '../../event/event-bytes.ts';
import { fingerprintOf } from '../../event/fingerprint.ts';
import type { Appended, AppendGroup } from '../event-log.ts';
import { MessagePackArray } from './message-pack.ts';
import { fieldsOf, markOf } from './redis-entry.ts';
import { formatPosition } from './redis-position.ts';

/** What one script appends: whole atomic groups, and pieces of the others. */
export interface AppendUnit {
  /** As the script takes them apart. */
  readonly packed: Buffer;
  /** In the order of the script's answers. */
  readonly events: readonly UnitEvent[];
}

interface UnitEvent {
  readonly event: NewEvent;
  /** The index of its group. */
  readonly group: number;
}

/**
 * The groups in pieces that each take Redis about a millisecond, made when they
 * are asked for; an atomic group is never divided.
 */
export function* unitsOf(groups: readonly AppendGroup[]): Generator<AppendUnit> {
  let unit = new UnitBuilder();
  for (const [group, { events, atomic, trace }] of groups.entries()) {
    for (const [at, event] of events.entries()) {
      const isFirst = at === 0;
      if (unit.isFull && (isFirst || !atomic)) {
        yield unit.pack();
        unit = new UnitBuilder();
      }
      if (isFirst && atomic) unit.begin(atomic, trace);
      unit.add({ event, group }, atomic, trace);
    }
  }
  if (!unit.isEmpty) yield unit.pack();
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

/** Events that go together: an atomic group, or pieces of others, which to the script are one; all in one trace or in none. */
interface Run {
  readonly atomic: boolean;
  readonly trace: TraceContext | undefined;
  readonly events: UnitEvent[];
}

class UnitBuilder {
  readonly #runs: Run[] = [];
  #count = 0;
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  get isFull(): boolean {
    return this.#count >= limits.redisUnitEvents || this.#bytes >= limits.redisUnitBytes;
  }

  begin(atomic: boolean, trace: TraceContext | undefined): Run {
    const run: Run = { atomic, trace, events: [] };
    this.#runs.push(run);
    return run;
  }

  add(unitEvent: UnitEvent, atomic: boolean, trace: TraceContext | undefined): void {
    const last = this.#runs.at(-1);
    const goesOn = last?.atomic === atomic && last.trace === trace;
    const run = goesOn ? last : this.begin(atomic, trace);
    run.events.push(unitEvent);
    this.#count += 1;
    this.#bytes += eventBytes(unitEvent.event);
  }

  pack(): AppendUnit {
    const packed = new MessagePackArray(this.#bytes);
    for (const { atomic, trace, events } of this.#runs) {
      packed.addBoolean(atomic);
      packed.addText(trace?.traceparent ?? '');
      packed.addText(trace?.tracestate ?? '');
      packed.addNumber(events.length);
      for (const { event } of events) {
        for (const field of fieldsOf(event)) packed.addText(field);
        packed.addText(markOf(event));
      }
    }
    return { packed: packed.finish(), events: this.#runs.flatMap(({ events }) => events) };
  }
}
