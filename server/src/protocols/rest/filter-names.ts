/** The filter's parameters, alike on listings, streams and aggregates. */
export const filterNames = {
  single: ['currency'],
  repeatable: ['user_id', 'event_type'],
} as const;
