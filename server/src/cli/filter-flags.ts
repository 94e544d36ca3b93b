import type { Flag } from './command.ts';

/** Which events: the same filter as on every protocol. */
export const filterFlags = {
  'user-id': { kind: 'list', value: 'ID', help: 'Only the events of this user.' },
  'event-type': { kind: 'list', value: 'TYPE', help: 'Only events of this type.' },
  currency: { kind: 'text', value: 'CODE', help: 'Only events in this currency.' },
} as const satisfies Record<string, Flag>;

interface FilterValues {
  readonly 'user-id': readonly string[];
  readonly 'event-type': readonly string[];
  readonly currency: string | undefined;
}

/** As parameters of a query string. */
export function filterQuery(flags: FilterValues): readonly (readonly [string, string])[] {
  return [
    ...flags['user-id'].map((id) => ['user_id', id] as const),
    ...flags['event-type'].map((type) => ['event_type', type] as const),
    ...(flags.currency === undefined ? [] : [['currency', flags.currency] as const]),
  ];
}

/** As a read of the hub. */
export function filterRequest(flags: FilterValues) {
  return {
    user_id: flags['user-id'],
    event_type: flags['event-type'],
    currency: flags.currency,
  };
}
