import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Event } from '../../event/event.ts';
import type { RemovedEvent } from '../../event/removed-event.ts';

/** The first event with an id, or what stays of it. */
export interface FirstEvent {
  readonly sequence: number;
  readonly event: Event | RemovedEvent;
}

/**
 * The ids of the events that retention removed, for who writes. Asking for one
 * costs nothing while there are none.
 */
export class RemovedEvents {
  readonly #any: StatementSync;
  readonly #findById: StatementSync;
  #areThere = false;

  constructor(database: DatabaseSync) {
    this.#any = database.prepare('SELECT 1 FROM removed_events LIMIT 1');
    this.#findById = database.prepare(`
      SELECT position, content_hash, timestamp, received_at FROM removed_events WHERE id = ?`);
    this.#findById.setReturnArrays(true);
  }

  /**
   * To be called in each transaction before it asks for ids: another process may
   * have removed the first events since the last one.
   */
  look(): void {
    this.#areThere ||= this.#any.get() !== undefined;
  }

  find(id: string): FirstEvent | undefined {
    if (!this.#areThere) return undefined;
    const row = this.#findById.get(id) as unknown as
      | readonly [number, string, number, number]
      | undefined;
    if (row === undefined) return undefined;
    const [sequence, contentHash, timestamp, receivedAt] = row;
    return { sequence, event: { id, contentHash, timestamp, receivedAt } };
  }
}
