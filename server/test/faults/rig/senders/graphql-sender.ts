import type { Answer, EventInput } from '../history.ts';
import { connectionFault } from './rest-sender.ts';
import { answerOfItem, answersOf, type BatchItem, type Sender, sendTimeoutMs } from './sender.ts';

const sendEvent = `mutation ($input: EventInput!) {
  sendEvent(input: $input) { status id position }
}`;
const sendEvents = `mutation ($inputs: [EventInput!]!, $atomic: Boolean!) {
  sendEvents(inputs: $inputs, atomic: $atomic) {
    results { index status id position error { code } }
  }
}`;

/** `sendEvent` and `sendEvents`. */
export function graphqlSender(url: string, form: 'single' | 'batch'): Sender {
  return {
    name: `graphql ${form}`,
    eventsMax: form === 'single' ? 1 : 100,
    canBeAtomic: form === 'batch',
    send: async (inputs, atomic) => {
      const named = inputs.map(({ user_id, event_type, ...others }) => ({
        userId: user_id,
        eventType: event_type,
        ...others,
      }));
      const operation =
        form === 'single'
          ? { query: sendEvent, variables: { input: named[0] } }
          : { query: sendEvents, variables: { inputs: named, atomic } };
      try {
        return answersIn(await post(url, operation), inputs);
      } catch (reason) {
        return answersOf(inputs, connectionFault(reason));
      }
    },
    close: () => undefined,
  };
}

interface GraphqlAnswer {
  readonly data?: {
    readonly sendEvent?: BatchItem | null;
    readonly sendEvents?: { readonly results: readonly BatchItem[] } | null;
  } | null;
  readonly errors?: readonly {
    readonly extensions?: { readonly code?: string; readonly ids?: readonly string[] };
  }[];
}

async function post(url: string, operation: object): Promise<GraphqlAnswer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(operation),
    signal: AbortSignal.timeout(sendTimeoutMs),
  });
  return (await response.json()) as GraphqlAnswer;
}

function answersIn(
  { data, errors }: GraphqlAnswer,
  inputs: readonly EventInput[],
): readonly Answer[] {
  if (data?.sendEvents) return data.sendEvents.results.map(answerOfItem);
  if (data?.sendEvent) return [answerOfItem(data.sendEvent)];
  const failure = errors?.[0]?.extensions;
  return answersOf(inputs, failure?.code, failure?.ids);
}
