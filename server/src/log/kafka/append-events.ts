import { HubError } from '../../base/errors.ts';
import type { NewEvent } from '../../event/event.ts';
import type { Appended, AppendGroup, Position } from '../event-log.ts';
import type { TopicMark } from './kafka-position.ts';
import { isRepeat, type RecentIds } from './recent-ids.ts';
import { type Outgoing, partitionOf, type RecordWriter } from './record-writer.ts';

interface AppendDeps {
  readonly recent: RecentIds;
  readonly writer: RecordWriter;
  readonly mark: TopicMark;
}

/** See `EventLog.append`. What this process wrote lately is known; older repeats, and those of others, the store tells. */
export async function appendEvents(
  { recent, writer, mark }: AppendDeps,
  groups: readonly AppendGroup[],
): Promise<readonly (readonly Appended[])[]> {
  const outgoing: Outgoing[] = [];
  const outcomes = groups.map((group) => {
    if (group.atomic && hasConflict(group.events, recent)) return refused(group.events, recent);
    return group.events.map((event) => outcomeOf(event, recent, mark, outgoing));
  });
  const written = outgoing.length === 0 ? undefined : writer.write(outgoing, mark);
  const all = Promise.all(outcomes.map((group) => Promise.all(group)));
  const settled = await all.catch(() => knownOf(outcomes));
  await written;
  return settled;
}

/** What is known, where one partition was written and another was not. Rejects when nothing is. */
async function knownOf(
  outcomes: readonly (readonly Promise<Appended>[])[],
): Promise<readonly (readonly Appended[])[]> {
  const settled = await Promise.all(outcomes.map((group) => Promise.allSettled(group)));
  const [first, ...others] = settled.flat();
  if (first?.status === 'rejected' && others.every(({ status }) => status === 'rejected')) {
    throw first.reason;
  }
  return settled.map((group) =>
    group.map((one) =>
      one.status === 'fulfilled'
        ? one.value
        : { status: 'unknown', reason: HubError.from(one.reason) },
    ),
  );
}

async function outcomeOf(
  event: NewEvent,
  recent: RecentIds,
  { partitions }: TopicMark,
  outgoing: Outgoing[],
): Promise<Appended> {
  const known = event.idMadeByHub ? undefined : recent.find(event.id);
  if (known !== undefined) {
    // Whether there is a first one at all is known only now.
    const position = await known.written;
    return isRepeat(known, event) ? { status: 'duplicate', position } : { status: 'conflict' };
  }
  const { promise, resolve, reject } = Promise.withResolvers<Position>();
  outgoing.push({ event, partition: partitionOf(event.userId, partitions), resolve, reject });
  if (!event.idMadeByHub) recent.add(event, promise);
  return { status: 'accepted', position: await promise };
}

function hasConflict(events: readonly NewEvent[], recent: RecentIds): boolean {
  return conflictsIn(events, recent).size > 0;
}

/** Those that say something else under an id than what was written, or came before them in the group. */
function conflictsIn(events: readonly NewEvent[], recent: RecentIds): ReadonlySet<NewEvent> {
  const firsts = new Map<string, { readonly event: NewEvent }>();
  const conflicts = new Set<NewEvent>();
  for (const event of events) {
    if (event.idMadeByHub) continue;
    const known = recent.find(event.id) ?? firsts.get(event.id);
    if (known === undefined) firsts.set(event.id, { event });
    else if (!isRepeat(known, event)) conflicts.add(event);
  }
  return conflicts;
}

function refused(events: readonly NewEvent[], recent: RecentIds): readonly Promise<Appended>[] {
  const conflicts = conflictsIn(events, recent);
  return events.map(async (event): Promise<Appended> => {
    if (!conflicts.has(event)) return { status: 'not_stored' };
    await recent.find(event.id)?.written;
    return { status: 'conflict' };
  });
}
