import { HubError } from '../../base/errors.ts';
import type { TraceContext } from '../../base/tracing.ts';
import type { NewEvent } from '../../event/event.ts';
import { isRepeatOf } from '../../event/removed-event.ts';
import type { Appended, AppendGroup } from '../event-log.ts';
import { Delivery } from './delivery.ts';
import type { TopicMark } from './kafka-position.ts';
import type { RecentEvent, RecentIds } from './recent-ids.ts';
import { partitionOf, type RecordWriter } from './record-writer.ts';

interface AppendDeps {
  readonly recent: RecentIds;
  readonly writer: RecordWriter;
  readonly mark: TopicMark;
}

/** What is to be said of an event when all deliveries that it hangs on are settled: its place in ours, or that of its first. */
type Plan = number | Repeat | 'not_stored';

interface Repeat {
  readonly known: RecentEvent;
  readonly isSame: boolean;
}

/** See `EventLog.append`. What this process wrote lately is known; older repeats, and those of others, the store tells. */
export async function appendEvents(
  { recent, writer, mark }: AppendDeps,
  groups: readonly AppendGroup[],
): Promise<readonly (readonly Appended[])[]> {
  const delivery = new Delivery();
  const added: RecentEvent[] = [];
  const plans = groups.map(({ atomic, events, trace }) => {
    const conflicts = atomic ? conflictsIn(events, recent) : none;
    if (conflicts.size > 0) return events.map((event) => planRefused(event, conflicts, recent));
    return events.map((event) => plan(event, trace, { recent, mark, delivery, added }));
  });
  await writer.write(delivery, mark);
  for (const each of added) recent.settle(each);
  await settledOthers(plans);
  return outcomesOf(plans, delivery);
}

interface Planning {
  readonly recent: RecentIds;
  readonly mark: TopicMark;
  readonly delivery: Delivery;
  /** Those whose ids clients chose. */
  readonly added: RecentEvent[];
}

function plan(
  event: NewEvent,
  trace: TraceContext | undefined,
  { recent, mark, delivery, added }: Planning,
): Plan {
  const known = event.idMadeByHub ? undefined : recent.find(event.id);
  if (known !== undefined) return { known, isSame: isRepeatOf(known.event, event) };
  const index = delivery.add(event, partitionOf(event.userId, mark.partitions), trace);
  if (!event.idMadeByHub) added.push(recent.add(event, delivery, index));
  return index;
}

const none: ReadonlySet<NewEvent> = new Set();

/** Those that say something else under an id than what was written, or came before them in the group. */
function conflictsIn(events: readonly NewEvent[], recent: RecentIds): ReadonlySet<NewEvent> {
  const firsts = new Map<string, { readonly event: NewEvent }>();
  const conflicts = new Set<NewEvent>();
  for (const event of events) {
    if (event.idMadeByHub) continue;
    const known = recent.find(event.id) ?? firsts.get(event.id);
    if (known === undefined) firsts.set(event.id, { event });
    else if (!isRepeatOf(known.event, event)) conflicts.add(event);
  }
  return conflicts;
}

function planRefused(
  event: NewEvent,
  conflicts: ReadonlySet<NewEvent>,
  recent: RecentIds,
): Plan | 'conflict' {
  if (!conflicts.has(event)) return 'not_stored';
  const known = recent.find(event.id);
  // It may be at odds with another of its own group alone.
  return known === undefined ? 'conflict' : { known, isSame: false };
}

/** Whether there is a first one at all, of what is repeated, is known only when its delivery is settled. */
async function settledOthers(plans: readonly (readonly (Plan | 'conflict')[])[]): Promise<void> {
  const deliveries = new Set<Delivery | undefined>();
  for (const group of plans) {
    for (const each of group) if (typeof each === 'object') deliveries.add(each.known.delivery);
  }
  for (const delivery of deliveries) await delivery?.settled;
}

/** Where one partition was written and another was not, what is known is told. Throws when nothing is. */
function outcomesOf(
  plans: readonly (readonly (Plan | 'conflict')[])[],
  delivery: Delivery,
): readonly (readonly Appended[])[] {
  let isAnyKnown = false;
  let firstFault: unknown;
  const outcomes = plans.map((group) =>
    group.map((each): Appended => {
      const outcome = outcomeOf(each, delivery);
      if (outcome.status === 'unknown') firstFault ??= outcome.reason;
      else isAnyKnown = true;
      return outcome;
    }),
  );
  if (firstFault !== undefined && !isAnyKnown) throw firstFault;
  return outcomes;
}

function outcomeOf(plan: Plan | 'conflict', own: Delivery): Appended {
  if (typeof plan === 'string') return { status: plan };
  if (typeof plan === 'number') {
    const position = own.positionAt(plan);
    return position === undefined ? unknown(own, plan) : { status: 'accepted', position };
  }
  const { delivery, index } = plan.known;
  const position = plan.known.position ?? delivery?.positionAt(index);
  if (position === undefined) return unknown(delivery, index);
  return plan.isSame ? { status: 'duplicate', position } : { status: 'conflict' };
}

function unknown(delivery: Delivery | undefined, index: number): Appended {
  return { status: 'unknown', reason: HubError.from(delivery?.faults.get(index)) };
}
