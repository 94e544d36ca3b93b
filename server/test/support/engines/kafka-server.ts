import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../temporary-folder.ts';
import { EngineProcess, freeEnginePort } from './engine-process.ts';
import { EngineServer } from './engine-server.ts';
import { findOwnEngine, type OwnEngine } from './find-engine.ts';

export interface KafkaServerOptions {
  /** Over ours, as in server.properties. */
  readonly properties?: Readonly<Record<string, string>>;
  readonly port?: number;
  /** The port of a network in front of it, and the one besides its own on which it is reached from there. */
  readonly behind?: { readonly networkPort: number; readonly port: number };
  /** Where its data goes, and stays; a temporary one without it. */
  readonly folder?: string;
}

/** A Kafka broker of our own on 127.0.0.1, its own controller. Everything that resolves has awaited that it is so. */
export class KafkaServer extends EngineServer {
  /** Without a topic: `kafka://127.0.0.1:PORT`. */
  readonly url: string;

  constructor(engine: OwnEngine, port: number, folder: string, removeFolder: () => void) {
    const file = join(folder, 'server.properties');
    const inDocker = `bin=/opt/kafka/bin; $bin/kafka-storage.sh format --ignore-formatted --cluster-id ZXZlbnQtaHViLXRlc3RzMQ --config ${file} && exec $bin/kafka-server-start.sh ${file}`;
    const process = new EngineProcess(engine, {
      program: engine.kind === 'docker' ? 'sh' : 'kafka-server',
      args: engine.kind === 'docker' ? ['-c', inDocker] : [file],
      port,
      folder,
      ready: /Kafka Server started/,
    });
    super({ port, folder, process, removeFolder });
    this.url = `kafka://127.0.0.1:${port}`;
  }

  /** On the same port and folder as before. */
  async start(): Promise<void> {
    await this.process.start();
  }
}

/** Resolves when it takes requests. For whoever calls it: `remove()`. */
export async function startKafkaServer(options: KafkaServerOptions = {}): Promise<KafkaServer> {
  const engine = findOwnEngine('kafka');
  if (engine === undefined) throw new Error('there is no Kafka: `npm run engines` fetches one');
  const temporary = temporaryFolder();
  const folder = options.folder ?? join(temporary.path, 'kafka');
  mkdirSync(folder, { recursive: true });
  const port = options.port ?? (await freeEnginePort());
  const controllerPort = await freeEnginePort();
  const properties = {
    ...propertiesOf(engine, port, controllerPort, folder),
    ...(options.behind === undefined
      ? {}
      : behindNetwork(engine, port, controllerPort, options.behind)),
    ...options.properties,
  };
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(folder, 'server.properties'), lines.join(''));
  const server = new KafkaServer(engine, port, folder, temporary.remove);
  try {
    await server.start();
    return server;
  } catch (reason) {
    await server.remove();
    throw reason;
  }
}

function propertiesOf(
  engine: OwnEngine,
  port: number,
  controllerPort: number,
  folder: string,
): Readonly<Record<string, string>> {
  const host = hostOf(engine);
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://${host}:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(folder, 'data'),
    'auto.create.topics.enable': 'false',
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'group.initial.rebalance.delay.ms': '0',
    'log.cleaner.dedupe.buffer.size': '4194304',
    'num.network.threads': '2',
    'num.io.threads': '4',
  };
}

/** A broker names itself to its clients: who comes through the network is told the network's port. */
function behindNetwork(
  engine: OwnEngine,
  port: number,
  controllerPort: number,
  behind: { readonly networkPort: number; readonly port: number },
): Readonly<Record<string, string>> {
  const listeners = [
    `PLAINTEXT://${hostOf(engine)}:${port}`,
    `NETWORK://${hostOf(engine)}:${behind.port}`,
    `CONTROLLER://127.0.0.1:${controllerPort}`,
  ];
  const names = ['PLAINTEXT', 'NETWORK', 'CONTROLLER'];
  return {
    listeners: listeners.join(),
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},NETWORK://127.0.0.1:${behind.networkPort}`,
    'listener.security.protocol.map': names.map((name) => `${name}:PLAINTEXT`).join(),
  };
}

function hostOf(engine: OwnEngine): string {
  return engine.kind === 'docker' ? '0.0.0.0' : '127.0.0.1';
}
