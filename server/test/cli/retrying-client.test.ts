import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/base/clock.ts';
import {
  ClientError,
  type ClientErrorOptions,
  type IngestClient,
  type SendResult,
} from '../../src/cli/clients/ingest-client.ts';
import { type OutgoingEvent, readOutgoingEvent } from '../../src/cli/clients/outgoing-event.ts';
import { withRetries } from '../../src/cli/clients/retrying-client.ts';
import { withSplitting } from '../../src/cli/clients/splitting-client.ts';

const [a, b, c] = ['a', 'b', 'c'].map((id) => readOutgoingEvent(`{"id":"${id}"}`)) as [
  OutgoingEvent,
  OutgoingEvent,
  OutgoingEvent,
];

describe('a client with retries', () => {
  it('sends the same events again after what a retry may mend, and waits as long as it is told', async () => {
    const { client, sent, waits } = scripted([
      failure('overloaded', { retryAfterMs: 7_000 }),
      failure('unavailable'),
      'success',
    ]);
    expect(await client.send([a, b])).toEqual([success('a'), success('b')]);
    expect(sent).toEqual([
      ['a', 'b'],
      ['a', 'b'],
      ['a', 'b'],
    ]);
    expect(waits[0]).toBe(7_000);
  });

  it('sends only those again whose outcome is unknown', async () => {
    const { client, sent } = scripted([{ a: 'success', b: 'unknown', c: 'rejected' }, 'duplicate']);
    const results = await client.send([a, b, c]);
    expect(results.map(({ id, status }) => [id, status])).toEqual([
      ['a', 'success'],
      ['b', 'duplicate'],
      ['c', 'rejected'],
    ]);
    expect(sent).toEqual([['a', 'b', 'c'], ['b']]);
  });

  it('gives up at once where no hub ever answered, or a retry is of no use', async () => {
    for (const code of ['unreachable', 'forbidden'] as const) {
      const { client, sent } = scripted([failure(code)]);
      await expect(client.send([a])).rejects.toMatchObject({ code });
      expect(sent).toHaveLength(1);
    }
  });

  it('waits for a hub that answered before, and gives up in the end', async () => {
    const script = [
      'success',
      ...Array.from({ length: 99 }, () => failure('unreachable')),
    ] as const;
    const { client, waits } = scripted(script);
    await client.send([a]);
    await expect(client.send([b])).rejects.toMatchObject({ code: 'unreachable' });
    const waited = waits.reduce((sum, ms) => sum + ms, 0);
    expect(waited).toBeGreaterThanOrEqual(30_000);
    expect(waited).toBeLessThan(40_000);
  });
});

describe('a client that splits', () => {
  it('finds the event that makes a whole batch refused', async () => {
    const { inner, sent } = scripted([]);
    const picky: IngestClient = {
      ...inner,
      send: async (events) => {
        sent.push(events.map(({ id }) => id));
        if (events.includes(b)) throw failure('invalid');
        return events.map(({ id }) => success(id));
      },
    };
    const results = await withSplitting(picky).send([a, b, c]);
    expect(results.map(({ id, status }) => [id, status])).toEqual([
      ['a', 'success'],
      ['b', 'rejected'],
      ['c', 'success'],
    ]);
  });

  it('leaves failures of the hub whole', async () => {
    const { inner, sent } = scripted([failure('overloaded')]);
    await expect(withSplitting(inner).send([a, b])).rejects.toMatchObject({ code: 'overloaded' });
    expect(sent).toHaveLength(1);
  });
});

type Step = ClientError | SendResult['status'] | Readonly<Record<string, SendResult['status']>>;

/** A wire that answers by a script, and a clock that only counts what is slept. */
function scripted(steps: readonly Step[]) {
  const sent: string[][] = [];
  const waits: number[] = [];
  const left = [...steps];
  let nowMs = 0;
  const clock: Clock = {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (ms) => {
      waits.push(ms);
      nowMs += ms;
    },
    after: () => () => undefined,
    every: () => () => undefined,
  };
  const inner: IngestClient = {
    close: () => undefined,
    send: async (events) => {
      sent.push(events.map(({ id }) => id));
      const step = left.shift();
      if (step === undefined) throw new Error('the script is at its end');
      if (step instanceof ClientError) throw step;
      return events.map(({ id }) => ({
        status: typeof step === 'string' ? step : (step[id] ?? 'success'),
        id,
      }));
    },
  };
  const client = withRetries(inner, {
    clock,
    giveUpMs: 30_000,
    signal: new AbortController().signal,
    onWait: () => undefined,
  });
  return { client, inner, sent, waits };
}

function success(id: string): SendResult {
  return { status: 'success', id };
}

function failure(
  code: ClientErrorOptions['code'],
  options: Partial<ClientErrorOptions> = {},
): ClientError {
  const retryable = ['overloaded', 'unavailable', 'unreachable'].includes(code);
  return new ClientError(`it was ${code}`, { code, retryable, ...options });
}
