import { execFileSync, spawnSync } from 'node:child_process';
import { afterEach, expect, it } from 'vitest';
import { describeWith } from '../../support/needed-program.ts';
import { startPrometheus } from '../../support/prometheus-server.ts';
import { anInput, get, postEvents } from '../../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';
import { openDrivers } from '../drivers/open-drivers.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function start(...args: Parameters<typeof startTestHub>): Promise<TestHub> {
  const hub = await startTestHub(...args);
  ends.push(() => hub.remove());
  return hub;
}

describeWith('the metrics page', 'promtool', (promtool) => {
  it('passes `promtool check metrics`, with and without figures', async () => {
    const hub = await start({ metricsAmounts: true });
    const check = async () => {
      const { text } = await get(hub.url, '/metrics');
      return execFileSync(promtool, ['check', 'metrics'], { input: text, encoding: 'utf8' });
    };
    expect(await check()).toBe('');
    await load(hub, 3);
    expect(await check()).toBe('');
  });

  it('would not pass with a name that is against the conventions', () => {
    const page = '# HELP event_hub_things_total Things.\n# TYPE event_hub_things_total gauge\n';
    const { status, stderr } = spawnSync(promtool, ['check', 'metrics'], {
      input: `${page}event_hub_things_total 1\n`,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([3, expect.stringContaining('event_hub_things_total')]);
  });
});

describeWith('a Prometheus', 'prometheus', (prometheus) => {
  it('that scrapes a loaded hub counts what the hub took', async () => {
    const hub = await start({ metricsAmounts: true });
    const server = await startPrometheus(prometheus, [hub.url]);
    ends.push(() => server.remove());
    const byProtocol = async () => {
      const found = await server.query(
        'sum by (protocol, event_type, result) (event_hub_events_total)',
      );
      return new Map(
        found.map(({ labels, value }) => [
          `${labels.protocol} ${labels.event_type} ${labels.result}`,
          value,
        ]),
      );
    };
    const batches = 20;
    await load(hub, batches);
    const expected = new Map(
      ['rest', 'graphql', 'grpc'].flatMap((protocol) => [
        [`${protocol} purchase accepted`, batches * 98] as const,
        [`${protocol} purchase duplicate`, batches] as const,
        [`${protocol} unknown rejected`, batches] as const,
      ]),
    );
    await expect.poll(byProtocol).toEqual(expected);
    // Asked until it is answered: a scrape that took too long leaves a gap.
    const answerTo = (expression: string) =>
      expect.poll(async () => (await server.query(expression))[0]?.value);
    const { json } = await get(hub.url, '/aggregates?minutes=60');
    const accepted = 'sum(event_hub_events_total{result="accepted"})';
    await answerTo(accepted).toBe(json.event_count);
    await answerTo('sum(event_hub_amounts_total)').toBe(Number(json.total_amount));
    await answerTo('sum(event_hub_commit_events_sum)').toBeGreaterThanOrEqual(json.event_count);
    await answerTo('up{job="event-hub"}').toBe(1);
    const percentile =
      'histogram_quantile(0.99, sum by (le) (event_hub_ingest_duration_seconds_bucket))';
    await answerTo(percentile).toBeGreaterThan(0);
  });
});

/** Batches of a hundred over each protocol: 98 new events, one of them twice, one that is refused. */
async function load(hub: TestHub, batches: number): Promise<void> {
  const drivers = openDrivers(hub);
  const batch = () => {
    const events = Array.from({ length: 98 }, () => anInput());
    return [...events, events[0] ?? {}, anInput({ event_type: 'gift' })];
  };
  await Promise.all(
    drivers.all.map(async (driver) => {
      for (let n = 0; n < batches; n += 1) await driver.sendBatch(batch());
    }),
  );
  await postEvents(hub.url, '[]');
  await drivers.close();
}
