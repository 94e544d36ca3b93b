import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';

describe('event-hub generate', () => {
  it('asks for --yes for a hub that is not on this machine', async () => {
    const { code, stdout, stderr } = await runCli(['generate', '--url=http://hub.example:8000']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('--yes');
  });
});
