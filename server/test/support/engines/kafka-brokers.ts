import { freeEnginePort } from './engine-process.ts';
import { type KafkaServer, startKafkaServer } from './kafka-server.ts';

/** Brokers of one cluster; the first is also its controller, and stays. */
export interface KafkaBrokers {
  /** Without a topic, naming all of them. */
  readonly url: string;
  readonly brokers: readonly KafkaServer[];
  remove(): Promise<void>;
}

/**
 * Several brokers on 127.0.0.1, with a copy of every partition on each of them.
 * Only for Kafka as a program: containers would not find each other.
 */
export async function startKafkaBrokers(count: number): Promise<KafkaBrokers> {
  const controllerPort = await freeEnginePort();
  const ports = await Promise.all(Array.from({ length: count }, freeEnginePort));
  const started = await Promise.allSettled(
    ports.map((port, index) =>
      startKafkaServer({ port, properties: propertiesOf(index + 1, port, controllerPort, count) }),
    ),
  );
  const brokers = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const remove = async () => {
    await Promise.all(brokers.map((broker) => broker.remove()));
  };
  const failed = started.find((each) => each.status === 'rejected');
  if (failed !== undefined) {
    await remove();
    throw failed.reason;
  }
  const hosts = ports.map((port) => `127.0.0.1:${port}`);
  return { url: `kafka://${hosts.join(',')}`, brokers, remove };
}

function propertiesOf(
  id: number,
  port: number,
  controllerPort: number,
  count: number,
): Readonly<Record<string, string>> {
  const own = `PLAINTEXT://127.0.0.1:${port}`;
  return {
    'process.roles': id === 1 ? 'broker,controller' : 'broker',
    'node.id': String(id),
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: id === 1 ? `${own},CONTROLLER://127.0.0.1:${controllerPort}` : own,
    'default.replication.factor': String(count),
    'offsets.topic.replication.factor': String(count),
    'transaction.state.log.replication.factor': String(count),
    'broker.heartbeat.interval.ms': '500',
  };
}
