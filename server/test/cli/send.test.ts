import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';

describe('event-hub send', () => {
  it('refuses flags that do not go together, and addresses that are none', async () => {
    const [both, url, grpcUrl] = await Promise.all([
      runCli(['send', '--user-id=u1', '--file=x']),
      runCli(['send', '--url=localhost:8000']),
      runCli(['send', '--grpc-url=somewhere']),
    ]);
    for (const { code } of [both, url, grpcUrl]) expect(code).toBe(2);
  });
});
