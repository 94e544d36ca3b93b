import type { Answer, EventInput } from '../history.ts';

/** One way to send events. Never rejects: what is not known is an answer too. */
export interface Sender {
  readonly name: string;
  /** Events in one send at the most. */
  readonly eventsMax: number;
  readonly canBeAtomic: boolean;
  /** One answer for each event, in their order. */
  send(inputs: readonly EventInput[], atomic: boolean): Promise<readonly Answer[]>;
  close(): void;
}

/** Longer than the hub takes for anything that it still answers. */
export const sendTimeoutMs = 8_000;

/** The answer to an event that failed with one of the hub's codes. */
export function answerOf(code: string | undefined, id?: string): Answer {
  return { status: statusByCode[code ?? ''] ?? 'unknown', code, id };
}

/** The same for a whole send; `ids` are the ones that the hub named. */
export function answersOf(
  inputs: readonly EventInput[],
  code: string | undefined,
  ids: readonly string[] = [],
): readonly Answer[] {
  const isNamed = ids.length === inputs.length;
  return inputs.map((_, index) => answerOf(code, isNamed ? ids[index] : undefined));
}

const statusByCode: Readonly<Record<string, Answer['status']>> = {
  invalid: 'refused',
  unreadable: 'refused',
  conflict: 'refused',
  overloaded: 'unsent',
  rate_limited: 'unsent',
  ECONNREFUSED: 'unsent',
};

/** One event's answer in a batch, as REST and GraphQL both write it. */
export interface BatchItem {
  readonly status: string;
  readonly id?: string | null;
  readonly position?: string | null;
  readonly error?: { readonly code?: string } | null;
}

export function answerOfItem({ status, id, position, error }: BatchItem): Answer {
  const named = id ?? undefined;
  if (status === 'success' || status === 'duplicate') {
    return { status, id: named, position: position ?? undefined };
  }
  if (status === 'not_stored') return { status, id: named };
  return answerOf(error?.code, named);
}
