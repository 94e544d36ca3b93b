import { describe, expect, it } from 'vitest';
import { anInput, get, postEvents } from '../support/rest-calls.ts';
import { jsonLines, runCli } from '../support/run-cli.ts';
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
      const hub = await startTestHub({ rateLimit });
      try {
        // More than may come at once, so that nothing is taken for two seconds.
        const before = Array.from({ length: 1_500 }, () => anInput());
        expect((await postEvents(hub.url, before)).status).toBe(201);
        const lines = Array.from({ length: 20 }, () => JSON.stringify(anInput()));
        const sent = await runCli(['send', `--protocol=${name}`], {
          input: lines.join('\n'),
          env: { EVENT_HUB_URL: hub.url, EVENT_HUB_GRPC_URL: hub.grpcAddress },
        });
        expect(sent.code, sent.stderr).toBe(0);
        expect(jsonLines(sent)).toHaveLength(20);
        expect((await get(hub.url, '/aggregates?minutes=5')).json.event_count).toBe(1_520);
        expect((await get(hub.url, '/metrics')).text).toMatch(
          /event_hub_rate_limited_total\{by="address",unit="events"\} [1-9]/,
        );
      } finally {
        await hub.remove();
      }
    },
  );
});
