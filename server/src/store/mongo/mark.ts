import type { HubDocument } from './collections.ts';
import type { OrderField } from './list-order.ts';
import type { MongoConnection } from './mongo-connection.ts';

/** The mark of the hub in its database. */
export interface Mark extends HubDocument {
  readonly _id: 'mark';
  /** Random: another hub's database in this one's place is noticed. */
  readonly identity: string;
  readonly schema_version: number;
  readonly created_at: Date;
  /** By position when absent. */
  readonly listed_by?: OrderField;
}

export async function readMark({ collections }: MongoConnection): Promise<Mark | undefined> {
  return ((await collections.hub.findOne({ _id: 'mark' })) as Mark | null) ?? undefined;
}
