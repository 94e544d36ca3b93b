import { afterEach, beforeEach, expect, it } from 'vitest';
import { startRedisServer } from '../support/engines/redis-server.ts';
import { freshName, sharedKafka, sharedMongo } from '../support/engines/shared-engines.ts';
import { removeTopic } from '../support/kafka-harness.ts';
import { setTopic } from '../support/kafka-topic.ts';
import { describeWithEngines, describeWithOwnEngines } from '../support/needed-program.ts';
import { command } from '../support/redis-harness.ts';
import { anInput, postEvents } from '../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';

/** A log whose settings anybody may change under a hub. */
interface Weakened {
  readonly url: string;
  /** What the hub says of it then. */
  readonly says: string;
  weaken(): Promise<unknown>;
  mend(): Promise<unknown>;
  remove(): Promise<unknown>;
}

async function weakenedRedis(): Promise<Weakened> {
  const server = await startRedisServer();
  const { url } = server;
  const set = (value: string) => command(url, 'CONFIG', 'SET', 'appendfsync', value);
  return {
    url: `${url}/0?stream=${freshName('events')}`,
    says: 'appendfsync is everysec',
    weaken: () => set('everysec'),
    mend: () => set('always'),
    remove: () => server.remove(),
  };
}

async function weakenedKafka(): Promise<Weakened> {
  const url = await sharedKafka();
  return {
    url,
    says: 'retention.ms is 1000000',
    weaken: () => setTopic(url, { 'retention.ms': '1000000' }),
    mend: () => setTopic(url, { 'retention.ms': '-1' }),
    remove: () => removeTopic(url),
  };
}

/** An answer of success must mean what the start line said, for as long as the hub runs. */
function weakenedLogSuite(start: () => Promise<Weakened>): void {
  let log: Weakened;
  let hub: TestHub | undefined;
  beforeEach(async () => {
    log = await start();
    hub = await startTestHub({ log: log.url, store: await sharedMongo() });
  });
  afterEach(async () => {
    await hub?.remove();
    await log.remove();
  });
  const send = async () => {
    const { status, text } = await postEvents(hub?.url ?? '', anInput({ id: freshName('e') }));
    return { status, text };
  };

  it('ends the taking of events although nobody asks for readiness, until it is mended', async () => {
    expect(await send()).toMatchObject({ status: 201 });
    await log.weaken();
    await expect.poll(send).toMatchObject({ status: 503, text: expect.stringContaining(log.says) });
    await log.mend();
    await expect.poll(send).toMatchObject({ status: 201 });
  });
}

describeWithOwnEngines('a Redis that is weakened under a hub', ['redis', 'mongo'], () =>
  weakenedLogSuite(weakenedRedis),
);
describeWithEngines('a topic that is weakened under a hub', ['kafka', 'mongo'], () =>
  weakenedLogSuite(weakenedKafka),
);
