import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Identity, makeAuthority, makeIdentity } from '../support/certificates.ts';
import { examined } from '../support/examined.ts';
import { describeWith } from '../support/needed-program.ts';
import { type RunningCli, runCli, startCli } from '../support/run-cli.ts';
import { repository } from '../support/source-files.ts';
import { startTestHub } from '../support/start-test-hub.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

describeWith('a hub with TLS', 'openssl', (openssl) => {
  let folder: TemporaryFolder;
  let authority: Identity;
  let serving: RunningCli;
  let url: string;
  let grpcUrl: string;
  const env = { EVENT_HUB_TLS_CERT: 'hub.crt', EVENT_HUB_TLS_KEY: 'hub.key' };
  beforeAll(async () => {
    folder = temporaryFolder();
    authority = makeAuthority(openssl, folder.path, 'authority');
    makeIdentity(openssl, folder.path, 'hub', authority);
    serving = startCli(['serve', '--http-port=0', '--grpc-port=0'], { folder: folder.path, env });
    const line = await serving.until(/^event-hub .*\n/);
    url = /serves (https:\/\/[^ ;]+)/.exec(line)?.[1] ?? '';
    grpcUrl = /gRPC on (grpcs:\/\/[^ ;,]+)/.exec(line)?.[1] ?? '';
  });
  afterAll(async () => {
    serving.process.kill('SIGTERM');
    expect((await serving.result).code).toBe(0);
    folder.remove();
  });

  const trusting = () => ({ NODE_EXTRA_CA_CERTS: authority.certPath });

  it.each(['rest', 'graphql', 'grpc'])(
    'takes what the command line sends by %s to the addresses of its start line',
    async (protocol) => {
      const flags = ['--user-id=u1', '--event-type=purchase', '--amount=1'];
      const where = [`--url=${url}`, `--grpc-url=${grpcUrl}`, `--protocol=${protocol}`];
      const sent = await runCli(['send', ...flags, ...where, `--id=by-${protocol}`], {
        env: trusting(),
      });
      expect([sent.code, sent.stderr]).toEqual([0, expect.any(String)]);
    },
  );

  it('is followed by tail, and not by who does not know its authority', async () => {
    const args = ['tail', `--url=${url}`, '--after=start', '--no-follow', '--output=ndjson'];
    const followed = await runCli(args, { env: trusting() });
    expect(followed.code).toBe(0);
    expect(followed.stdout).toContain('"by-grpc"');
    const distrusting = await runCli(args);
    expect(distrusting.code).not.toBe(0);
    expect(distrusting.stderr).toMatch(/certificate/);
  });

  it('is known to doctor as the hub that runs here', async () => {
    const ports = [new URL(url).port, grpcUrl.split(':').at(-1)];
    const flags = [`--http-port=${ports[0]}`, `--grpc-port=${ports[1]}`];
    const found = await examined(flags, { folder: folder.path, env });
    expect(found.find('http')?.detail).toContain('a hub runs here and is ready');
    expect(found.find('grpc')?.detail).toContain('a hub runs here and serves');
  });

  it('that asks clients for certificates takes the one that two variables name', async () => {
    const client = makeIdentity(openssl, folder.path, 'client', authority);
    const [cert, key] = ['hub.crt', 'hub.key'].map((name) => join(folder.path, name));
    const tls = { cert: cert ?? '', key: key ?? '', clientCa: authority.certPath };
    const asking = await startTestHub({ tls });
    const send = (protocol: string, more: Readonly<Record<string, string>>) =>
      runCli(
        [
          ...['send', '--user-id=u1', '--event-type=purchase', '--amount=1', '--retry-for=1s'],
          ...[`--protocol=${protocol}`, `--url=${asking.url}`],
          `--grpc-url=grpcs://${asking.grpcAddress}`,
        ],
        { env: { ...trusting(), ...more } },
      );
    const shown = {
      EVENT_HUB_CLIENT_CERT: client.certPath,
      EVENT_HUB_CLIENT_KEY: client.keyPath,
    };
    for (const protocol of ['rest', 'grpc']) {
      expect([protocol, (await send(protocol, shown)).code]).toEqual([protocol, 0]);
      expect([protocol, (await send(protocol, {})).code]).not.toEqual([protocol, 0]);
    }
    const half = await send('rest', { EVENT_HUB_CLIENT_CERT: client.certPath });
    expect(half.stderr).toContain('EVENT_HUB_CLIENT_CERT and EVENT_HUB_CLIENT_KEY go together');
    await asking.remove();
  });

  it('is healthy to what Docker asks', async () => {
    const child = spawn(process.execPath, [join(repository, 'deploy/healthcheck.js'), '/livez'], {
      cwd: folder.path,
      env: { ...env, EVENT_HUB_HTTP_PORT: new URL(url).port },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
    expect([code, said]).toEqual([0, expect.stringMatching(/^200 /)]);
  });
});
