import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
import { someEvents } from '../../support/build-event.ts';
import { sharedMongo } from '../../support/engines/shared-engines.ts';
import { describeWithEngines } from '../../support/needed-program.ts';
import { logEntries, withStore } from './mongo-stores.ts';

const channel = 'net.client.socket';

describeWithEngines('a connection to MongoDB that closes', ['mongo'], () => {
  let sockets: Socket[];
  const keep = (message: unknown) => void sockets.push((message as { socket: Socket }).socket);

  beforeEach(() => {
    sockets = [];
    subscribe(channel, keep);
  });
  afterEach(() => unsubscribe(channel, keep));

  it('in the turn in which something is asked fails nobody for ever, and takes no place of another', async () => {
    await withStore(await sharedMongo(), async (store) => {
      await store.record('0', logEntries(someEvents(3)));
      for (let time = 0; time <= limits.mongoConnections; time += 1) {
        await expect.poll(() => store.check().then(() => 'works', String)).toBe('works');
        // From now on they take nothing, and tell the driver of it only in a later turn.
        for (const socket of sockets) socket.destroy();
        const asked = await Promise.allSettled([store.getMany(['x']), store.positions()]);
        for (const answer of asked) {
          if (answer.status === 'fulfilled') continue;
          expect(answer.reason).toMatchObject({ code: 'unavailable' });
        }
      }
    });
  });
});
