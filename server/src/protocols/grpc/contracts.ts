import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { HubError } from '../../base/errors.ts';
import { StrictReader } from './strict-reader.ts';

/** One message type of the contracts. */
export interface MessageType<M> {
  /** Never throws: what cannot be read comes back as an `unreadable` failure. */
  decode(bytes: Uint8Array): M | HubError;
  /** The type's own fields only; nothing is checked, what is absent is not written. */
  encode(message: object): Buffer;
}

/** The message types that clients rely on, read from `contracts/` when the hub starts. */
export interface Contracts {
  readonly root: protobuf.Root;
  type<M>(name: string): MessageType<M>;
}

const folder = fileURLToPath(new URL('../../../../contracts/', import.meta.url));
/** By their import paths, which are also the names that reflection gives. */
const files = [
  'event_hub.proto',
  'google/rpc/status.proto',
  'google/rpc/error_details.proto',
  'grpc/health/v1/health.proto',
];

export function loadContracts(): Contracts {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => `${folder}${target}`;
  root.loadSync(files, { keepCase: true });
  return { root, type: (name) => messageType(root.lookupType(name)) };
}

function messageType<M>(type: protobuf.Type): MessageType<M> {
  return {
    decode: (bytes) => {
      try {
        // The interfaces in messages.ts say what the generated code makes of the contract.
        return type.decode(new StrictReader(bytes)) as unknown as M;
      } catch (reason) {
        if (reason instanceof HubError) return reason;
        return new HubError(
          'unreadable',
          `the message is not a ${type.name}: encode it by contracts/event_hub.proto`,
          { cause: reason },
        );
      }
    },
    encode: (message) => type.encode(message).finish() as Buffer,
  };
}
