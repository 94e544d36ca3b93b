import type { UnorderedBulkOperation } from 'mongodb';
import type { LogEntry } from '../../log/event-log.ts';
import type { Collections, EventDocument } from './collections.ts';
import { toDocument } from './event-documents.ts';
import type { OrderField } from './list-order.ts';

/**
 * The entries on their way into `events`, written as BSON here already, so that
 * this can be done while the server is busy with something else. In any order:
 * what goes to one shard of a cluster goes together.
 */
export function insertionOf(
  { events, order }: Collections,
  entries: readonly LogEntry[],
): UnorderedBulkOperation {
  const insertion = events.initializeUnorderedBulkOp();
  for (const entry of entries) insertion.insert(new WrittenAtOnce(entry, order.field));
  return insertion;
}

/**
 * Stands for the document of an entry. The driver keeps what it is given until
 * the server has answered, though it needs only the bytes and the key: thousands
 * of documents that live for so long cost more to clear away than to make.
 */
class WrittenAtOnce {
  readonly _id: string;
  readonly #entry: LogEntry;
  readonly #field: OrderField;

  constructor(entry: LogEntry, field: OrderField) {
    this._id = entry.event.id;
    this.#entry = entry;
    this.#field = field;
  }

  toBSON(): EventDocument {
    return toDocument(this.#entry, this.#field);
  }
}
