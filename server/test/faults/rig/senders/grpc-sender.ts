import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { GrpcClient, type Message, struct } from '../../../protocols/grpc/grpc-client.ts';
import type { Answer, EventInput } from '../history.ts';
import {
  answerOf,
  answerOfItem,
  answersOf,
  type BatchItem,
  type Sender,
  sendTimeoutMs,
} from './sender.ts';

/** A dead hub is back soon: the usual second and more would leave it without load. */
export const impatience = {
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.min_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 200,
};

/** `SendEvent` and `SendEventBatch`. */
export function grpcSender(address: string, form: 'unary' | 'batch'): Sender {
  const client = new GrpcClient(address, impatience);
  const call = (method: string, request: Message) =>
    client.call(method, request, { deadlineMs: sendTimeoutMs });
  return {
    name: `grpc ${form}`,
    eventsMax: form === 'unary' ? 1 : 200,
    canBeAtomic: form === 'batch',
    send: async (inputs, atomic) => {
      try {
        if (form === 'batch') {
          const answer = await call('SendEventBatch', { events: inputs.map(messageOf), atomic });
          return (answer.results as readonly BatchItem[]).map(answerOfItem);
        }
        const [input] = inputs;
        if (input === undefined) return [];
        return [responseToAnswer(await call('SendEvent', messageOf(input)))];
      } catch (error) {
        const { metadata } = client.read(error as ServiceError);
        const ids = metadata.ids?.split(',') ?? (metadata.id === undefined ? [] : [metadata.id]);
        return answersOf(inputs, failureOf(client, error as ServiceError), ids);
      }
    },
    close: () => client.close(),
  };
}

/** `SendEvents`: one long stream, opened anew when it breaks. */
export function grpcStreamSender(address: string): Sender {
  const client = new GrpcClient(address, impatience);
  let stream: IngestStream | undefined;
  return {
    name: 'grpc stream',
    eventsMax: 100,
    canBeAtomic: false,
    send: async (inputs) => {
      if (stream === undefined || stream.ended) stream = new IngestStream(client);
      return await stream.send(inputs);
    },
    close: () => {
      stream?.close();
      client.close();
    },
  };
}

class IngestStream {
  ended = false;
  readonly #stream: ClientDuplexStream<Message | Buffer, Message>;
  #answers: Answer[] = [];
  #failure: string | undefined;
  #wanted = 0;
  #settle: (() => void) | undefined;

  constructor(client: GrpcClient) {
    this.#stream = client.duplex('SendEvents');
    this.#stream.on('data', (response: Message) => {
      this.#answers.push(responseToAnswer(response));
      if (this.#answers.length >= this.#wanted) this.#settle?.();
    });
    const end = () => {
      this.ended = true;
      this.#settle?.();
    };
    this.#stream.on('end', end).on('error', (error) => {
      this.#failure = failureOf(client, error as ServiceError);
      end();
    });
  }

  async send(inputs: readonly EventInput[]): Promise<readonly Answer[]> {
    this.#answers = [];
    this.#wanted = inputs.length;
    for (const input of inputs) this.#stream.write(messageOf(input));
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#stream.cancel(), sendTimeoutMs);
      this.#settle = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.ended) this.#settle();
    });
    const missing = answersOf(inputs.slice(this.#answers.length), this.#failure);
    return [...this.#answers, ...missing];
  }

  close(): void {
    this.#stream.end();
  }
}

/** The hub's code, or `ECONNREFUSED` where the call never left. */
function failureOf(client: GrpcClient, error: ServiceError): string | undefined {
  const { reason, message } = client.read(error);
  return message.startsWith('No connection established') ? 'ECONNREFUSED' : reason;
}

function messageOf({ amount, metadata, ...others }: EventInput): Message {
  // A double where that is exact, to send amounts both ways.
  const isShort = amount.length < 9;
  return {
    ...others,
    ...(isShort ? { amount: Number(amount) } : { amount_exact: amount }),
    ...(metadata === undefined ? {} : { metadata: struct(metadata) }),
  };
}

function responseToAnswer({ event_id, status, position, code }: Message): Answer {
  const id = (event_id as string | undefined) || undefined;
  if (status === 'success' || status === 'duplicate') {
    return { status, id, position: position as string };
  }
  return answerOf(code as string | undefined, id);
}
