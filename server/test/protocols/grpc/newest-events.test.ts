import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Settings } from '../../../src/config/settings.ts';
import { removeTopic } from '../../support/kafka-harness.ts';
import { produce } from '../../support/kafka-topic.ts';
import { describeWithEngines } from '../../support/needed-program.ts';
import { command } from '../../support/redis-harness.ts';
import { runCli } from '../../support/run-cli.ts';
import { kafkaEngines, serverEngines } from '../../support/server-settings.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';
import { GrpcClient, take } from './grpc-client.ts';

type Engines = Pick<Settings, 'log' | 'store'>;

/** What differs between the logs for who tampers with them. */
const modes: readonly {
  readonly name: 'redis' | 'kafka';
  readonly engines: () => Promise<Engines>;
  readonly writeGarbage: (log: string) => Promise<unknown>;
  readonly lose: (log: string) => Promise<unknown>;
}[] = [
  {
    name: 'redis',
    engines: serverEngines,
    writeGarbage: (log) => command(log, 'XADD', streamOf(log), '*', 'no', 'event'),
    lose: (log) =>
      command(log, 'UNLINK', streamOf(log), `${streamOf(log)}:hub`, `${streamOf(log)}:ids`),
  },
  {
    name: 'kafka',
    engines: kafkaEngines,
    writeGarbage: (log) => produce(log, [{ key: 'u1', value: 'no event' }]),
    lose: removeTopic,
  },
];

describeWithEngines('a stream of the newest events', ['redis', 'kafka', 'mongo'], () => {
  let ends: (() => unknown)[] = [];
  beforeEach(() => {
    ends = [];
  });
  afterEach(async () => {
    for (const end of ends.toReversed()) await end();
  });

  async function start(engines: Engines): Promise<{ hub: TestHub; client: GrpcClient }> {
    const hub = await startTestHub(engines);
    const client = new GrpcClient(hub.grpcAddress);
    ends.push(async () => {
      client.close();
      await hub.remove();
    });
    return { hub, client };
  }
  const send = async (client: GrpcClient, ...ids: readonly string[]) => {
    for (const id of ids) {
      const event = { id, user_id: 'u1', event_type: 'purchase', amount: 1 };
      const { position: at_least } = await client.call('SendEvent', event);
      await client.call('GetEvent', { id, at_least });
    }
  };
  const follow = (client: GrpcClient, limit: number) => {
    const stream = client.stream('StreamEvents', { limit, follow: true });
    stream.on('error', () => undefined);
    ends.push(() => stream.cancel());
    return async (count: number) => (await take(stream, count)).map(({ id }) => id);
  };

  it.each(modes)('begins where the newest entry is no event (on $name)', async (mode) => {
    const engines = await mode.engines();
    const { client } = await start(engines);
    await send(client, 'a', 'b');
    await mode.writeGarbage(engines.log);
    const next = follow(client, 2);
    expect(await next(2)).toEqual(['a', 'b']);
    await send(client, 'c');
    expect(await next(1)).toEqual(['c']);
  });

  it.each(modes)('shows what came by a log that was lost (on $name)', async (mode) => {
    const engines = await mode.engines();
    const first = await start(engines);
    await send(first.client, 'a', 'b');
    await first.hub.stop();
    await mode.lose(engines.log);
    // The new log is made by the first to serve on it.
    const env = { EVENT_HUB_LOG: engines.log, EVENT_HUB_STORE: engines.store };
    const between = await start({ ...engines });
    await between.hub.stop();
    expect(await runCli(['log', 'adopt', '--yes'], { env })).toMatchObject({ code: 0 });
    const { client } = await start(engines);
    const next = follow(client, 3);
    expect(await next(2)).toEqual(['a', 'b']);
    await send(client, 'c');
    expect(await next(1)).toEqual(['c']);
    expect(await follow(client, 3)(3)).toEqual(['a', 'b', 'c']);
  });
});

function streamOf(log: string): string {
  return new URL(log).searchParams.get('stream') ?? '';
}
