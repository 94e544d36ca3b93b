import { formatInstant } from '../../base/clock.ts';
import type { Position } from '../../log/event-log.ts';
import type { Removal, Retained } from '../../store/event-store.ts';
import type { RecordShape } from '../output/record-output.ts';

/** What is removed of each shard. */
export const removalShape: RecordShape<Removal> = {
  columns: [
    { name: 'shard', width: 5, text: ({ shard }) => shard },
    { name: 'events', width: 10, right: true, text: ({ events }) => String(events) },
    { name: 'oldest', width: 24, text: ({ oldest }) => formatInstant(oldest) },
    { name: 'newest', width: 24, text: ({ newest }) => formatInstant(newest) },
    { name: 'frozen_minutes', width: 14, right: true, text: ({ minutes }) => String(minutes) },
    { name: 'floor', width: 24, text: ({ floor }) => floor },
  ],
  json: ({ shard, events, oldest, newest, minutes, floor }) =>
    JSON.stringify({
      shard,
      events,
      oldest: formatInstant(oldest),
      newest: formatInstant(newest),
      frozen_minutes: minutes,
      floor,
    }),
};

export interface Floor {
  readonly shard: string;
  readonly floor: Position;
}

/** Up to where everything of each shard is gone. */
export const floorShape: RecordShape<Floor> = {
  columns: [
    { name: 'shard', width: 5, text: ({ shard }) => shard },
    { name: 'floor', width: 24, text: ({ floor }) => floor },
  ],
  json: (each) => JSON.stringify(each),
};

export function floorsOf({ floors }: Retained): readonly Floor[] {
  return [...floors].map(([shard, floor]) => ({ shard, floor })).sort(byShard);
}

function byShard(a: Floor, b: Floor): number {
  return a.shard.localeCompare(b.shard, 'en', { numeric: true });
}
