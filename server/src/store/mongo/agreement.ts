import type { Agreement } from '../event-store.ts';
import type { Collections, HubDocument } from './collections.ts';
import { isDuplicateKey } from './mongo-fault.ts';

const _id = 'agreement';

export async function readAgreement({ hub }: Collections): Promise<Agreement | undefined> {
  const kept = await hub.findOne({ _id });
  return kept === null ? undefined : agreementOf(kept);
}

/** What is kept; where nothing is, `wanted` from now on. */
export async function keepAgreement({ hub }: Collections, wanted: Agreement): Promise<Agreement> {
  const keep = () =>
    hub.findOneAndUpdate(
      { _id },
      { $setOnInsert: fieldsOf(wanted) },
      { upsert: true, returnDocument: 'after' },
    );
  const kept = await keep().catch((reason) => {
    // Two came first at once: now the one that won is there for both.
    if (isDuplicateKey(reason)) return keep();
    throw reason;
  });
  return kept === null ? wanted : agreementOf(kept);
}

export async function writeAgreement({ hub }: Collections, agreement: Agreement): Promise<void> {
  await hub.updateOne({ _id }, { $set: fieldsOf(agreement) }, { upsert: true });
}

function fieldsOf({ eventTypes, defaultCurrency }: Agreement) {
  return { event_types: eventTypes, default_currency: defaultCurrency };
}

function agreementOf({ event_types, default_currency }: HubDocument): Agreement {
  return { eventTypes: String(event_types), defaultCurrency: String(default_currency) };
}
