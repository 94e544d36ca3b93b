import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { anEvent } from '../../support/build-event.ts';
import { freshName } from '../../support/engines/shared-engines.ts';
import { type KafkaBehindProxy, startKafkaBehindProxy } from '../../support/kafka-behind-proxy.ts';
import { openLog } from '../../support/kafka-harness.ts';
import { describeWithOwnEngines } from '../../support/needed-program.ts';

const PRODUCE = 0;
const byName = 9;
const byId = 13;

/** In an answer of a broker: it takes Produce up to the version by id, and next comes Fetch. */
const newest = Buffer.from([0, byId, 0, 0, 1]);

/** As a broker before Kafka 4.1 says it. */
function asOlder(chunk: Buffer): Buffer {
  const at = chunk.indexOf(newest);
  if (at === -1) return chunk;
  const changed = Buffer.from(chunk);
  changed.writeInt16BE(byId - 1, at);
  return changed;
}

const UNSUPPORTED_VERSION = 35;

/** As a broker that does not say its versions. */
function asRefused(chunk: Buffer): Buffer {
  if (!chunk.includes(newest)) return chunk;
  const changed = Buffer.from(chunk);
  // Behind the length and the number of the request.
  changed.writeInt16BE(UNSUPPORTED_VERSION, 8);
  return changed;
}

describeWithOwnEngines('a broker that comes back as another version', ['kafka'], () => {
  let kafka: KafkaBehindProxy;
  beforeAll(async () => {
    kafka = await startKafkaBehindProxy();
  }, 120_000);
  afterAll(() => kafka.close());

  it('is written to as that one is, by the same writer', async () => {
    const { network, networkUrl } = kafka;
    const versions: number[] = [];
    network.change('to-server', (chunk) => {
      if (chunk.length > 8 && chunk.readInt16BE(4) === PRODUCE) versions.push(chunk.readInt16BE(6));
      return chunk;
    });
    onTestFinished(() => network.changeNothing());
    const written = async () => {
      const [outcomes] = await log.append([{ events: [anEvent()], atomic: false }]);
      return [outcomes?.[0]?.status, versions.at(-1)];
    };
    const come = (change: (chunk: Buffer) => Buffer) => {
      network.change('to-client', change);
      network.reset();
    };
    network.change('to-client', asOlder);
    const log = await openLog(`${networkUrl}/${freshName('events')}`);
    onTestFinished(() => log.close());
    expect(await written()).toEqual(['accepted', byName]);
    come((chunk) => chunk);
    expect(await written()).toEqual(['accepted', byId]);
    come(asOlder);
    expect(await written()).toEqual(['accepted', byName]);
  }, 60_000);

  it('is not written to while it does not say which it is, and that is what clients are told', async () => {
    const { network, networkUrl } = kafka;
    const log = await openLog(`${networkUrl}/${freshName('events')}`);
    onTestFinished(() => log.close());
    const append = async () => await log.append([{ events: [anEvent()], atomic: false }]);
    network.change('to-client', asRefused);
    await expect(append()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('The version of API is not supported'),
    });
    network.changeNothing();
    expect(await append()).toMatchObject([[{ status: 'accepted' }]]);
  }, 60_000);
});
