import { HubError } from '../base/errors.ts';
import type { Settings } from '../config/settings.ts';
import { formatEventTypes } from '../event/event-rules.ts';
import type { Agreement, EventStore } from '../store/event-store.ts';

/** What these settings say of it. */
export function agreementOf({ eventTypes, defaultCurrency }: Settings): Agreement {
  return { eventTypes: formatEventTypes(eventTypes), defaultCurrency };
}

/** All processes on one store take the same events for valid and count them alike: rejects with `conflict` when this one differs. */
export async function agree(store: EventStore, wanted: Agreement): Promise<void> {
  const kept = await store.agree(wanted);
  for (const name of ['eventTypes', 'defaultCurrency'] as const) {
    if (kept[name] === wanted[name]) continue;
    const setting = name === 'eventTypes' ? 'EVENT_HUB_EVENT_TYPES' : 'EVENT_HUB_DEFAULT_CURRENCY';
    throw new HubError(
      'conflict',
      `${setting} is "${wanted[name]}" here and "${kept[name]}" in the store: set it to the latter, or take the new one over with \`event-hub config adopt\``,
    );
  }
}
