import type { Logger } from '../base/logger.ts';
import type { NewEvent } from '../event/event.ts';
import { isRepeatOf } from '../event/removed-event.ts';
import type { EventStore, KnownEvent } from '../store/event-store.ts';
import { decorated } from './decorated.ts';
import type { Appended, AppendGroup, EventLog } from './event-log.ts';

export interface KnownIdsDeps {
  readonly store: Pick<EventStore, 'getMany'>;
  readonly logger: Logger;
}

type Known = ReadonlyMap<string, KnownEvent>;

/**
 * Remembers ids longer than a log that forgets them: one look into the store
 * per append, for the ids that senders chose. A store that cannot be reached
 * does not stop the append; what then comes twice is told apart by the archive.
 */
export function withKnownIds(log: EventLog, deps: KnownIdsDeps): EventLog {
  const lookup = new Lookup(deps);
  return decorated(log, {
    append: async (groups) => {
      const known = await lookup.find(sentIds(groups));
      return known.size === 0 ? await log.append(groups) : await appendRest(log, groups, known);
    },
  });
}

/** Says once that the store is away, and once that it is back. */
class Lookup {
  readonly #store: KnownIdsDeps['store'];
  readonly #logger: Logger;
  #isAway = false;

  constructor({ store, logger }: KnownIdsDeps) {
    this.#store = store;
    this.#logger = logger;
  }

  async find(ids: readonly string[]): Promise<Known> {
    if (ids.length === 0) return nothing;
    try {
      const known = await this.#store.getMany(ids);
      if (this.#isAway) this.#logger.info('the store says again which ids are known');
      this.#isAway = false;
      return known;
    } catch (reason) {
      if (!this.#isAway) this.#logger.warn({ err: reason }, storeIsAway);
      this.#isAway = true;
      return nothing;
    }
  }
}

const storeIsAway =
  'the store does not say which ids are known; events are taken all the same, and the archive tells repeats apart';

const nothing: Known = new Map();

function sentIds(groups: readonly AppendGroup[]): readonly string[] {
  const ids = new Set<string>();
  for (const { events } of groups) {
    for (const { id, idMadeByHub } of events) if (!idMadeByHub) ids.add(id);
  }
  return [...ids];
}

/** Answers what the store knows, and appends the others. */
async function appendRest(
  log: EventLog,
  groups: readonly AppendGroup[],
  known: Known,
): Promise<readonly (readonly Appended[])[]> {
  const answers = groups.map((group) => answersOf(group, known));
  const rests = groups.map((group, index) => ({
    ...group,
    events: group.events.filter((_, at) => answers[index]?.[at] === undefined),
  }));
  const toAppend = rests.filter(({ events }) => events.length > 0);
  const appended = toAppend.length === 0 ? [] : await log.append(toAppend);
  let next = 0;
  return groups.map((group, index) => {
    const rest = rests[index]?.events.length === 0 ? [] : (appended[next++] ?? []);
    return merge(group, answers[index] ?? [], rest);
  });
}

/** By event; undefined for those that the log is still to be asked about. */
function answersOf(
  { events, atomic }: AppendGroup,
  known: Known,
): readonly (Appended | undefined)[] {
  const answers = events.map((event) => answerOf(event, known.get(event.id)));
  const isRefused = atomic && answers.some((answer) => answer?.status === 'conflict');
  if (!isRefused) return answers;
  return answers.map((answer) => (answer?.status === 'conflict' ? answer : notStored));
}

function answerOf(event: NewEvent, stored: KnownEvent | undefined): Appended | undefined {
  if (stored === undefined || event.idMadeByHub) return undefined;
  if (!isRepeatOf(stored.event, event)) return { status: 'conflict' };
  return { status: 'duplicate', position: stored.position };
}

const notStored: Appended = { status: 'not_stored' };

function merge(
  { atomic }: AppendGroup,
  answers: readonly (Appended | undefined)[],
  rest: readonly Appended[],
): readonly Appended[] {
  const isRefused = atomic && rest.some(({ status }) => status === 'conflict');
  let next = 0;
  return answers.map((answer) => {
    if (answer !== undefined) return isRefused ? notStored : answer;
    const appended = rest[next++];
    if (appended === undefined) throw new Error('the log answered fewer outcomes than events');
    return appended;
  });
}
