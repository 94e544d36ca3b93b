import { expect, it, onTestFinished } from 'vitest';
import { type Caller, expandScopes } from '../../src/auth/caller.ts';
import type { Hub } from '../../src/hub.ts';
import { logShard } from '../../src/log/one-shard.ts';
import { within } from '../support/hub-places.ts';
import { anInput } from '../support/rest-calls.ts';
import { startTestHub } from '../support/start-test-hub.ts';

const everything: Caller = {
  name: 'everything',
  account: 'everything',
  actions: expandScopes(['admin']),
  eventTypes: undefined,
  ended: new AbortController().signal,
  assertCurrent: () => undefined,
};
const purchases: Caller = { ...everything, eventTypes: new Set(['purchase']) };

/** Every verb that gives events, for the same request. */
const verbs: Readonly<
  Record<string, (hub: Hub, caller: Caller, filter: object) => Promise<readonly string[]>>
> = {
  latest: async (hub, caller, filter) => idsOf(await hub.latest(caller, filter)),
  latestToFollow: async (hub, caller, filter) =>
    idsOf((await hub.latestToFollow(caller, filter)).events),
  find: async (hub, caller, filter) => idsOf((await hub.find(caller, filter)).events).toReversed(),
  subscribe: async (hub, caller, filter) => {
    const { signal } = new AbortController();
    const ids: string[] = [];
    const request = { ...filter, after: 'start', follow: false, signal };
    for await (const { entries } of hub.subscribe(caller, request)) ids.push(...idsOf(entries));
    return ids;
  },
};

function idsOf(events: readonly { readonly event: { readonly id: string } }[]): readonly string[] {
  return events.map(({ event }) => event.id);
}

it.each(Object.keys(verbs))(
  '%s gives a caller the types that it may see, and refuses others',
  async (name) => {
    const running = await startTestHub();
    onTestFinished(() => running.remove());
    const { hub } = running;
    const inputs = ['purchase', 'refund', 'purchase'].map((event_type) => anInput({ event_type }));
    await hub.publish(everything, inputs);
    const read = verbs[name];
    if (read === undefined) throw new Error(`there is no ${name}`);
    const [first, refund, second] = inputs.map(({ id }) => id);
    expect(await read(hub, everything, {})).toEqual([first, refund, second]);
    expect(await read(hub, purchases, {})).toEqual([first, second]);
    await expect(read(hub, purchases, { event_type: ['refund'] })).rejects.toMatchObject({
      code: 'forbidden',
    });
  },
);

it('tells of an event that retention removed, but not a caller who may see some types', async () => {
  const running = await startTestHub();
  onTestFinished(() => running.remove());
  const { hub, settings } = running;
  const inputs = [anInput(), anInput()];
  await hub.publish(everything, inputs);
  const id = String(inputs[0]?.id);
  await within(settings, ({ store }) =>
    store.removeOldest(logShard, { receivedBefore: Date.now() + 60_000 }, 1),
  );
  await expect(hub.get(everything, id)).rejects.toMatchObject({
    code: 'not_found',
    message: 'retention has removed the event with this id',
  });
  await expect(hub.get(purchases, id)).rejects.toMatchObject({
    code: 'not_found',
    message: 'no event has this id',
  });
});
