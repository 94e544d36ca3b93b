import type { ErrorCode } from '../../../src/base/errors.ts';
import type { TestHub } from '../../support/start-test-hub.ts';
import type { Drivers } from '../drivers/open-drivers.ts';
import type { GrpcClient, Message } from '../grpc/grpc-client.ts';
import type { Ledger } from './ledger.ts';

/** One input of the catalogue, by its number there. A number may have many rows. */
export interface Row {
  readonly n: number;
  readonly is: string;
}

/** The error's code, the fault's place and the fault's code; without the latter two the error lists no fault. */
export type Refusal = readonly [ErrorCode, string, string] | readonly [ErrorCode];

/** What is read back, where it differs from `plainEvent`. */
export interface Acceptance {
  readonly user_id?: string;
  readonly event_type?: string;
  readonly amount?: string;
  readonly currency?: string;
  /** The hub's own time where the row does not say. */
  readonly timestamp?: string;
  readonly metadata?: unknown;
}

export type Answer = Refusal | Acceptance;

/** An event as JSON text, sent over every protocol that can express it. */
export interface EventRow extends Row {
  /** The JSON text of fields that take the place of `plainEvent`'s; null takes one away. */
  readonly fields?: Readonly<Record<string, string | null>>;
  /** The whole JSON text instead; `$ID` stands for an id of its own. */
  readonly event?: string | Buffer;
  readonly answer: Answer;
  /** What the message must say. */
  readonly says?: string;
  /** The message, or its bytes, where it does not follow from the JSON; false where there is none. */
  readonly asMessage?: Message | Buffer | false;
  /** Where a protocol cannot but differ; the reason stands beside the row. */
  readonly grpc?: Answer;
  readonly graphql?: Answer;
  /** As a literal in a GraphQL query; false where there is none. */
  readonly literal?: Answer | false;
}

/** A check that no table can hold. */
export interface CheckRow extends Row {
  check(host: BadInputHost): Promise<void>;
}

/** What a check works with. */
export interface BadInputHost {
  readonly hub: TestHub;
  readonly drivers: Drivers;
  readonly grpc: GrpcClient;
  readonly ledger: Ledger;
}

export const plainEvent: Readonly<Record<string, string>> = {
  id: '"$ID"',
  user_id: '"u1"',
  event_type: '"purchase"',
  amount: '1',
};

/** The JSON text of an event, with these fields in place of `plainEvent`'s. */
export function eventText(fields: Readonly<Record<string, string | null>> = {}): string {
  const members = Object.entries({ ...plainEvent, ...fields })
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${JSON.stringify(name)}:${value}`);
  return `{${members.join(',')}}`;
}

export function isRefusal(answer: Answer): answer is Refusal {
  return Array.isArray(answer);
}

/** An id that no other input of the test has. */
export function freshId(): string {
  made += 1;
  return `bad-input-${made}`;
}

let made = 0;
