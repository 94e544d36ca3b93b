import { HubError, invalid } from '../base/errors.ts';

/** The text never was a position of this log. */
export function noPosition(): HubError {
  return invalid(
    '/after',
    'position_format',
    'this is no position: use `start`, `end`, or a `position` that the hub gave out',
  );
}

/** The log is not the one that gave this position out, or no longer holds its entry. */
export function positionGone(reason: string): HubError {
  return new HubError(
    'position_gone',
    `${reason}: the log was restored or replaced since; read on from \`start\``,
    { position: 'start' },
  );
}

/** The place lies before what retention removed: everything behind this floor is there. */
export function positionRemoved(floor: string): HubError {
  return new HubError(
    'position_gone',
    `retention has removed events behind this position: read on from ${floor}, behind which everything is there`,
    { position: floor },
  );
}
