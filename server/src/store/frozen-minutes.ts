import { formatInstant, type Instant } from '../base/clock.ts';
import { type HubError, invalid } from '../base/errors.ts';
import { minuteMs, minuteOf } from '../event/minute.ts';
import type { Stretch } from './compare-counts.ts';
import type { AggregateQuery } from './event-store.ts';

/** A part of a window of which the answer needs every event, on whole minutes. */
export interface NeededEvents extends Stretch {
  readonly pointer: '/from' | '/to';
  readonly why: string;
}

/**
 * Where a total cannot be taken from the counts alone: at an edge inside a minute,
 * and everywhere with a filter by user. No minute there may be frozen.
 */
export function neededEvents({ from, to, filter }: AggregateQuery): readonly NeededEvents[] {
  if (filter.userIds !== undefined) {
    return [{ ...minutesOf(from, to), pointer: '/from', why: 'a total by user' }];
  }
  const edges = [
    ['/from', from],
    ['/to', to],
  ] as const;
  return edges
    .filter(([, edge]) => edge !== minuteOf(edge))
    .map(([pointer, edge]) => ({
      ...minutesOf(edge, edge),
      pointer,
      why: 'a window that begins or ends inside a minute',
    }));
}

/** `invalid`, naming the next whole minute after the newest frozen one of that part. */
export function frozenMinute({ pointer, why }: NeededEvents, newest: Instant): HubError {
  const next = formatInstant(newest + minuteMs);
  return invalid(
    pointer,
    'frozen_minute',
    `${why} needs events that retention has removed: take ${next}, the next whole minute`,
  );
}

function minutesOf(from: Instant, to: Instant): Stretch {
  return { from: minuteOf(from), to: minuteOf(Math.max(from, to - 1)) + minuteMs };
}
