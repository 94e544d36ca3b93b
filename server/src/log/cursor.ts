import type { EventLog, LogEntry, Places, Position } from './event-log.ts';

/** How far one reader has come in all shards of a log. */
export class Cursor {
  readonly #log: Pick<EventLog, 'positionAt'>;
  readonly #places: Map<string, Position>;
  #position: Position | undefined;

  constructor(log: Pick<EventLog, 'positionAt'>, places: Places = new Map()) {
    this.#log = log;
    this.#places = new Map(places);
  }

  /** What stands for all of it, to resume from; undefined at the very start. */
  get position(): Position | undefined {
    this.#position ??= this.#log.positionAt(this.#places);
    return this.#position;
  }

  get places(): Places {
    return this.#places;
  }

  /** Whether the reader has passed this place. */
  covers({ shard, position }: Place): boolean {
    const place = this.#places.get(shard);
    return place !== undefined && place >= position;
  }

  /** Answers whether that is further than before. */
  advance(place: Place): boolean {
    if (this.covers(place)) return false;
    this.#places.set(place.shard, place.position);
    this.#position = undefined;
    return true;
  }

  /** Passes the entry and gives it as feeds do: with the position of the whole reader after it. */
  take(entry: LogEntry): LogEntry {
    this.advance(entry);
    const { position } = this;
    return position === undefined || position === entry.position ? entry : { ...entry, position };
  }
}

type Place = Pick<LogEntry, 'shard' | 'position'>;

/** Whether a place is one of this log, and not of one that it took the place of. */
export function ownPlacesOf(log: Pick<EventLog, 'ownPlace'>): (place: Position) => boolean {
  return (place) => log.ownPlace(place) !== undefined;
}

/** The place after the last entry of each shard. */
export function endsOf(batch: readonly LogEntry[]): Places {
  const ends = new Map<string, Position>();
  for (const { shard, position } of batch) ends.set(shard, position);
  return ends;
}
