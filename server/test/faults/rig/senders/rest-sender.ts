import { type RestAnswer, answerOf as restAnswerOf } from '../../../support/rest-calls.ts';
import type { Answer, EventInput } from '../history.ts';
import {
  answerOf,
  answerOfItem,
  answersOf,
  type BatchItem,
  type Sender,
  sendTimeoutMs,
} from './sender.ts';

export type RestForm = 'single' | 'array' | 'ndjson';

/** `POST /events`. */
export function restSender(url: string, form: RestForm): Sender {
  return {
    name: `rest ${form}`,
    eventsMax: form === 'single' ? 1 : 200,
    canBeAtomic: form !== 'single',
    send: async (inputs, atomic) => {
      try {
        return answersIn(await post(url, form, inputs, atomic), inputs);
      } catch (reason) {
        return answersOf(inputs, connectionFault(reason));
      }
    },
    close: () => undefined,
  };
}

function post(
  url: string,
  form: RestForm,
  inputs: readonly EventInput[],
  atomic: boolean,
): Promise<RestAnswer> {
  const type = form === 'ndjson' ? 'application/x-ndjson' : 'application/json';
  return restAnswerOf(
    fetch(`${url}/events${atomic ? '?atomic=true' : ''}`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: bodyOf(form, inputs),
      signal: AbortSignal.timeout(sendTimeoutMs),
    }),
  );
}

function bodyOf(form: RestForm, inputs: readonly EventInput[]): string {
  if (form === 'single') return JSON.stringify(inputs[0]);
  if (form === 'array') return JSON.stringify(inputs);
  return inputs.map((input) => JSON.stringify(input)).join('\n');
}

function answersIn({ json }: RestAnswer, inputs: readonly EventInput[]): readonly Answer[] {
  const results = json.results as readonly BatchItem[] | undefined;
  if (results !== undefined) return results.map(answerOfItem);
  if (json.position !== undefined && json.code === undefined) return [answerOfItem(json)];
  if (inputs.length === 1) return [answerOf(json.code, json.ids?.[0])];
  return answersOf(inputs, json.code, json.ids);
}

/** Why there was no answer: `ECONNREFUSED` means that nobody took the request. */
export function connectionFault(reason: unknown): string {
  const { cause, code, name } = reason as Error & { readonly code?: string };
  if (cause instanceof Error) return connectionFault(cause);
  return code ?? name;
}
