import type { EventLog } from './event-log.ts';

/** The log with some of its methods replaced. */
export function decorated<Changes extends Partial<EventLog>>(
  log: EventLog,
  changes: Changes,
): EventLog & Changes {
  const asBefore: EventLog = {
    append: (groups) => log.append(groups),
    read: (options) => log.read(options),
    trim: (archived) => log.trim(archived),
    trimmedTo: (shard) => log.trimmedTo(shard),
    end: () => log.end(),
    shards: () => log.shards(),
    placesIn: (position) => log.placesIn(position),
    resumeAt: (position) => log.resumeAt(position),
    ownPlace: (place) => log.ownPlace(place),
    positionAt: (places) => log.positionAt(places),
    countAt: (position) => log.countAt(position),
    isPosition: (text): text is never => log.isPosition(text),
    check: () => log.check(),
    close: () => log.close(),
  };
  return { ...asBefore, ...changes };
}
