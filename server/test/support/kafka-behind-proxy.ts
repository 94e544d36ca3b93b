import { type CutProxy, startCutProxy } from './cut-proxy.ts';
import { freeEnginePort } from './engines/engine-process.ts';
import { type KafkaServer, startKafkaServer } from './engines/kafka-server.ts';

export interface KafkaBehindProxy {
  /** Between the broker and whoever comes by `networkUrl`. */
  readonly network: CutProxy;
  readonly server: KafkaServer;
  /** `server.url` is the way beside the network. */
  readonly networkUrl: string;
  close(): Promise<void>;
}

/** A broker of one's own, reached over a network that can be cut, and beside it. */
export async function startKafkaBehindProxy(): Promise<KafkaBehindProxy> {
  const port = await freeEnginePort();
  const network = await startCutProxy(port);
  const server = await startKafkaServer({ behind: { networkPort: network.port, port } });
  return {
    network,
    server,
    networkUrl: `kafka://127.0.0.1:${network.port}`,
    close: async () => {
      await server.remove();
      await network.close();
    },
  };
}
