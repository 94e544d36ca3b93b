import { type ConnectionOptions, createSecureContext } from 'node:tls';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { systemClock } from '../../base/clock.ts';
import { errorCodes, HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { errorTable } from '../../protocols/error-table.ts';
import { type Contracts, loadContracts, type MessageType } from '../../protocols/grpc/contracts.ts';
import { ClientError } from './ingest-client.ts';

const callMsMax = 30_000;

/** One connection to a hub's gRPC port, and the contract's messages. */
export class GrpcChannel {
  readonly contracts: Contracts = loadContracts();
  readonly client: Client;
  readonly #metadata = new Metadata();

  /** `credential` goes with every call; `tls` is for where the machine's own authorities do not do. */
  constructor(address: string, credential?: string, tls?: ConnectionOptions) {
    if (credential !== undefined) this.#metadata.set('authorization', `Bearer ${credential}`);
    const isSecure = /^(grpcs|https):/.test(address);
    const target = address.replace(/^[a-z]+:\/\//, '').replace(/\/$/, '');
    this.client = new Client(target, isSecure ? secured(tls) : credentials.createInsecure(), {
      'grpc.max_receive_message_length': limits.grpcMessageBytes,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1_000,
    });
  }

  /** `method` by its full name, with a slash in front. Rejects with ClientError. */
  call<Answer>(method: string, request: object, types: CallTypes<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(
        method,
        (message: object) => types.request.encode(message),
        (bytes) => decoded(types.answer, bytes),
        request,
        this.#metadata,
        { deadline: systemClock.now() + callMsMax },
        (error, answer) => {
          if (error !== null) reject(this.failureOf(error));
          else if (answer !== undefined) resolve(answer);
        },
      );
    });
  }

  openStream<Answer>(method: string, types: CallTypes<Answer>) {
    return this.client.makeBidiStreamRequest(
      method,
      (message: object) => types.request.encode(message),
      (bytes) => decoded(types.answer, bytes),
      this.#metadata,
    );
  }

  /** The hub's own code where the status carries one; a status without it comes from the wire. */
  failureOf(error: ServiceError): ClientError {
    const info = this.#detailsOf(error.metadata);
    if (info.code === undefined) {
      const isLost = error.code === status.UNAVAILABLE || error.code === status.DEADLINE_EXCEEDED;
      return new ClientError(`no answer from the hub: ${error.details}`, {
        code: isLost || error.code === status.CANCELLED ? 'unreachable' : 'unexpected',
        retryable: isLost || error.code === status.INTERNAL,
      });
    }
    const { retryable } = errorTable[info.code];
    return new ClientError(error.details, { ...info, code: info.code, retryable });
  }

  close(): void {
    this.client.close();
  }

  #detailsOf(metadata: Metadata | undefined) {
    const [bytes] = metadata?.get('grpc-status-details-bin') ?? [];
    if (!(bytes instanceof Buffer)) return { code: undefined };
    const { details } = decoded(this.contracts.type<RpcStatus>('google.rpc.Status'), bytes);
    const find = <M>(name: string): M | undefined => {
      const found = details.find(({ type_url }) => type_url.endsWith(`/google.rpc.${name}`));
      if (found === undefined) return undefined;
      return decoded(this.contracts.type<M>(`google.rpc.${name}`), found.value);
    };
    const reason = find<{ readonly reason: string }>('ErrorInfo')?.reason;
    const delay = find<RetryInfo>('RetryInfo')?.retry_delay;
    return {
      code: errorCodes.find((code) => code === reason),
      retryAfterMs: delay ? Number(delay.seconds) * 1_000 + delay.nanos / 1e6 : undefined,
    };
  }
}

function secured(tls: ConnectionOptions | undefined) {
  if (tls === undefined) return credentials.createSsl();
  const { checkServerIdentity } = tls;
  return credentials.createFromSecureContext(
    createSecureContext(tls),
    checkServerIdentity === undefined ? {} : { checkServerIdentity },
  );
}

export interface CallTypes<Answer> {
  readonly request: MessageType<object>;
  readonly answer: MessageType<Answer>;
}

interface RpcStatus {
  readonly details: readonly { readonly type_url: string; readonly value: Uint8Array }[];
}

interface RetryInfo {
  /** Seconds come as a Long. */
  readonly retry_delay: { readonly seconds: unknown; readonly nanos: number } | null;
}

function decoded<M>(type: MessageType<M>, bytes: Uint8Array): M {
  const message = type.decode(bytes);
  if (message instanceof HubError) throw message;
  return message;
}
