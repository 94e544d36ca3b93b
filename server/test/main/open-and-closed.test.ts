import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bearing } from '../support/api-keys.ts';
import { type ModePlace, type NewPlace, newFile, newServers } from '../support/hub-places.ts';
import { startHubProcess } from '../support/hub-process.ts';
import { describeWithEngines } from '../support/needed-program.ts';
import { postEvents, type RestAnswer } from '../support/rest-calls.ts';
import { type RunningCli, runCli, startCli } from '../support/run-cli.ts';

const seen = { timeout: 30_000, interval: 50 };
const everywhere = '--http-host=0.0.0.0';
const anonymousAllowed = { EVENT_HUB_ALLOW_ANONYMOUS: 'true' };
const anEvent = { user_id: 'u', event_type: 'purchase', amount: '1' };

describe('with SQLite', () => openAndClosedSuite(newFile));

describeWithEngines('with Redis and MongoDB', ['redis', 'mongo'], () => {
  openAndClosedSuite(newServers);
  severalProcessesSuite();
});

/** Who may come in from the first start on. */
function openAndClosedSuite(newPlace: NewPlace): void {
  let place: ModePlace;
  const running: RunningCli[] = [];
  beforeEach(async () => {
    place = await newPlace();
  });
  afterEach(async () => {
    for (const cli of running.splice(0)) await stop(cli);
    await place.destroy();
  });

  const launch = (flags: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const ports = ['--http-port=0', '--grpc-port=0'];
    const cli = startCli(['serve', ...ports, ...place.flags, ...flags], { env });
    running.push(cli);
    return cli;
  };
  const serve = async (...args: Parameters<typeof launch>) => {
    const cli = launch(...args);
    const line = await cli.until(/\n/);
    const url = (/http:\/\/[^ ;]+/.exec(line)?.[0] ?? '').replace('0.0.0.0', '127.0.0.1');
    return { cli, line, url };
  };
  const keys = async (...args: string[]) => {
    const result = await runCli(['keys', ...args, ...place.flags]);
    expect(result, result.stderr).toMatchObject({ code: 0 });
    return result;
  };
  const createKey = async () => {
    const made = await keys('create', '--name=shop', '--scopes=events:write', '--output=json');
    return bearing({ text: JSON.parse(made.stdout).key });
  };

  describe('a hub that others can reach', () => {
    it.each([everywhere, '--grpc-host=0.0.0.0'])(
      'does not start without a key by %s, says in one line what to do, and that helps',
      async (flag) => {
        const refused = await launch([flag]).result;
        expect(refused).toMatchObject({ code: 2, stdout: '' });
        expect(refused.stderr).toMatch(/^event-hub: [^\n]+\n$/);
        const setting = flag.includes('http') ? 'EVENT_HUB_HTTP_HOST' : 'EVENT_HUB_GRPC_HOST';
        expect(refused.stderr).toContain(`${setting} is 0.0.0.0`);
        expect(refused.stderr).toContain('`event-hub keys create --name NAME --scopes');
        expect(refused.stderr).toContain('EVENT_HUB_ALLOW_ANONYMOUS=true');
        const key = await createKey();
        const { line, url } = await serve([flag]);
        expect(line).not.toContain('open');
        expect((await postEvents(url, anEvent)).status).toBe(401);
        expect((await postEvents(url, anEvent, key)).status).toBe(201);
      },
    );

    it('starts open where that was asked for, and says so', async () => {
      const { line, url } = await serve([everywhere], anonymousAllowed);
      expect(line).toMatch(/; open to everybody who reaches it: no keys were made\n$/);
      expect((await postEvents(url, anEvent)).status).toBe(201);
    });

    it('is closed by a key for good, whatever was asked for, and warns', async () => {
      const open = await serve([everywhere], anonymousAllowed);
      const key = await createKey();
      await vi.waitFor(
        async () => expect(await send(open.url)).toMatchObject({ status: 401 }),
        seen,
      );
      await stop(open.cli);
      const { cli, line, url } = await serve([everywhere], anonymousAllowed);
      expect(line).not.toContain('open');
      expect(await cli.until(/no effect/, 'stderr')).toMatch(
        /"level":40,.*EVENT_HUB_ALLOW_ANONYMOUS has no effect/,
      );
      expect(await send(url)).toMatchObject({ status: 401 });
      expect(await send(url, key)).toMatchObject({ status: 201 });
    });

    it('stays closed when its only key was revoked, also after a new start', async () => {
      await launch([everywhere]).result;
      const key = await createKey();
      const first = await serve([everywhere]);
      expect(await send(first.url, key)).toMatchObject({ status: 201 });
      await keys('revoke', '--name=shop');
      await vi.waitFor(
        async () => expect(await send(first.url, key)).toMatchObject({ status: 401 }),
        seen,
      );
      expect(await send(first.url)).toMatchObject({ status: 401 });
      await stop(first.cli);
      const again = await serve([everywhere], anonymousAllowed);
      expect(await send(again.url)).toMatchObject({ status: 401 });
      expect(await send(again.url, key)).toMatchObject({ status: 401 });
    });

    it('is not opened by `keys reopen` where nobody asked for an open hub', async () => {
      await launch([everywhere]).result;
      const key = await createKey();
      const { url, cli } = await serve([everywhere]);
      expect(await send(url)).toMatchObject({ status: 401 });
      await keys('reopen', '--yes');
      await cli.until(/"audit":"access_reopened"/, 'stderr');
      expect(await send(url)).toMatchObject({
        status: 401,
        json: { detail: 'nobody is served here without a credential' },
      });
      expect(await send(url, key)).toMatchObject({ status: 201 });
    });
  });

  describe('a hub on loopback', () => {
    it('is open until the first key, and says so', async () => {
      const { line, url } = await serve([]);
      expect(line).toMatch(/; open to everybody who reaches it: no keys were made\n$/);
      expect(await send(url)).toMatchObject({ status: 201 });
      const key = await createKey();
      await vi.waitFor(async () => expect(await send(url)).toMatchObject({ status: 401 }), seen);
      expect(await send(url, key)).toMatchObject({ status: 201 });
    });

    it('is opened again by `keys reopen --yes`, and by nothing less', async () => {
      const { url, cli } = await serve([]);
      await createKey();
      await cli.until(/"audit":"access_closed"/, 'stderr');
      expect((await runCli(['keys', 'reopen', ...place.flags])).code).toBe(2);
      expect(await send(url)).toMatchObject({ status: 401 });
      await keys('reopen', '--yes');
      await vi.waitFor(async () => expect(await send(url)).toMatchObject({ status: 201 }), seen);
    });
  });
}

/** What one command line does, all processes on the store know. */
function severalProcessesSuite(): void {
  it('several processes on one store take a key, and lose it, within seconds', async () => {
    const place = await newServers();
    const hubs = await Promise.all(
      ['http', 'http', 'http,grpc'].map((roles) => startHubProcess(place, roles)),
    );
    const everywhereIs = (status: number, shown: Readonly<Record<string, string>>) =>
      Promise.all(
        hubs.map(({ url }) =>
          vi.waitFor(async () => expect((await send(url, shown)).status).toBe(status), seen),
        ),
      );
    await everywhereIs(201, {});
    const made = await runCli([
      ...['keys', 'create', '--name=shop', '--scopes=events:write', '--output=json'],
      ...place.flags,
    ]);
    const key = bearing({ text: JSON.parse(made.stdout).key });
    await everywhereIs(401, {});
    await everywhereIs(201, key);
    await runCli(['keys', 'revoke', '--name=shop', ...place.flags]);
    await everywhereIs(401, key);
    await everywhereIs(401, {});
    expect(await Promise.all(hubs.map((hub) => hub.stop()))).toEqual([0, 0, 0]);
    await place.destroy();
  });
}

function send(url: string, shown: Readonly<Record<string, string>> = {}): Promise<RestAnswer> {
  return postEvents(url, anEvent, shown);
}

async function stop({ process, result }: RunningCli): Promise<void> {
  process.kill('SIGTERM');
  await result;
}
