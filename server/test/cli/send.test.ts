import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { anInput, get, postEvents } from '../support/rest-calls.ts';
import { jsonLines, runCli, startCli } from '../support/run-cli.ts';
import { startTestHub } from '../support/start-test-hub.ts';
import { noRateLimit } from '../support/test-settings.ts';

describe('event-hub send', () => {
  it('refuses flags that do not go together, and addresses that are none', async () => {
    const [both, url, grpcUrl] = await Promise.all([
      runCli(['send', '--user-id=u1', '--file=x']),
      runCli(['send', '--url=localhost:8000']),
      runCli(['send', '--grpc-url=somewhere']),
    ]);
    for (const { code } of [both, url, grpcUrl]) expect(code).toBe(2);
  });

  it.each(['rest', 'graphql', 'grpc'])(
    'waits where a hub limits its rate, over %s',
    async (name) => {
      const rateLimit = { ...noRateLimit, addressEvents: 500, burstMs: 1_000 };
      // Time stands still until something was refused.
      let standsAtMs: number | undefined = systemClock.monotonicMs();
      const monotonicMs = () => standsAtMs ?? systemClock.monotonicMs();
      const hub = await startTestHub({ rateLimit }, { clock: { ...systemClock, monotonicMs } });
      try {
        // More than may come at once, so that nothing is taken for a while.
        const before = Array.from({ length: 1_500 }, () => anInput());
        expect((await postEvents(hub.url, before)).status).toBe(201);
        const lines = Array.from({ length: 20 }, () => JSON.stringify(anInput()));
        const sending = startCli(['send', `--protocol=${name}`], {
          env: { EVENT_HUB_URL: hub.url, EVENT_HUB_GRPC_URL: hub.grpcAddress },
        });
        sending.process.stdin.end(lines.join('\n'));
        const metrics = async () => (await get(hub.url, '/metrics')).text;
        await expect
          .poll(metrics)
          .toMatch(/event_hub_rate_limited_total\{by="address",unit="events"\} [1-9]/);
        standsAtMs = undefined;
        const sent = await sending.result;
        expect(sent.code, sent.stderr).toBe(0);
        expect(jsonLines(sent)).toHaveLength(20);
        expect((await get(hub.url, '/aggregates?minutes=5')).json.event_count).toBe(1_520);
      } finally {
        await hub.remove();
      }
    },
  );
});
