import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ModePlace, NewPlace } from '../../support/hub-places.ts';
import { runCli, startCli } from '../../support/run-cli.ts';
import { freePorts, Hubs } from './hubs.ts';

/** `event-hub serve`. */
export function servingSuite(newPlace: NewPlace): void {
  describe('event-hub serve', () => {
    const hubs = new Hubs(newPlace);
    let place: ModePlace;
    beforeEach(async () => {
      place = await hubs.newPlace();
    });
    afterEach(() => hubs.end());
    const serve = (...flags: readonly string[]) => startCli(['serve', ...place.flags, ...flags]);

    it('says in one line where it serves, and stops on SIGTERM with 0', async () => {
      const hub = serve(...freePorts);
      const line = await hub.until(/\n/);
      expect(line).toMatch(
        /^event-hub \S+ serves http:\/\/127\.0\.0\.1:\d+ and gRPC on 127\.0\.0\.1:\d+;/,
      );
      expect(line).toContain(`log ${place.log}, store ${place.store}; ${place.words.durability}`);
      const url = line.match(/http:\S+\d/)?.[0];
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
      hub.process.kill('SIGTERM');
      const { code, stdout } = await hub.result;
      expect(code).toBe(0);
      expect(stdout).toBe(line);
    });

    it('leaves one line in its log for each thing that it begins and ends, and none for an event', async () => {
      const hub = serve(...freePorts);
      const line = await hub.until(/\n/);
      const url = line.match(/http:\S+\d/)?.[0] ?? '';
      const grpcUrl = /gRPC on (\S+);/.exec(line)?.[1] ?? '';
      for (const protocol of ['rest', 'graphql', 'grpc']) {
        const where = [`--url=${url}`, `--grpc-url=${grpcUrl}`, `--protocol=${protocol}`];
        expect((await runCli(['generate', '--count=50', ...where])).code).toBe(0);
      }
      const tailed = await runCli(['tail', '--after=start', '--no-follow', `--url=${url}`]);
      expect(tailed.stdout.trimEnd().split('\n')).toHaveLength(150);
      hub.process.kill('SIGTERM');
      const { stderr } = await hub.result;
      const lines = stderr.trimEnd().split('\n');
      const said = lines.map((each) => JSON.parse(each) as Record<string, unknown>);
      expect(said.filter(({ msg }) => msg === 'the hub serves')).toEqual([
        expect.objectContaining({
          ...{ level: 30, url, grpc: grpcUrl, log: place.log, store: place.store },
          roles: ['http', 'grpc', 'readers'],
        }),
      ]);
      expect(said.filter(({ msg }) => msg === 'the hub stops')).toEqual([
        expect.objectContaining({ level: 30, reason: 'SIGTERM' }),
      ]);
      expect(said.at(-1)).toMatchObject({ msg: 'the hub has stopped' });
      // Minutes come and go, events do not show.
      const others = said.filter(({ msg }) => msg !== 'minute counted').map(({ msg }) => msg);
      expect(new Set(others).size).toBe(others.length);
    });

    it('takes two signals at once for one, and a later one for the end', async () => {
      const hub = serve(...freePorts);
      const url = (await hub.until(/\n/)).match(/http:\S+\d/)?.[0] ?? '';
      // A body that never ends is under way, and holds the hub for as long as it may.
      const held = connect(Number(new URL(url).port), '127.0.0.1');
      held.on('error', () => undefined);
      held.write(
        'POST /events HTTP/1.1\r\nhost: hub\r\ncontent-type: application/json\r\ncontent-length: 99\r\nexpect: 100-continue\r\n\r\n',
      );
      const [leave] = await once(held, 'data');
      expect(String(leave)).toContain('100 Continue');
      held.write('{');
      hub.process.kill('SIGINT');
      hub.process.kill('SIGTERM');
      await untilRefused(`${url}/readyz`);
      expect(hub.process.exitCode).toBe(null);
      const again = setInterval(() => hub.process.kill('SIGINT'), 100);
      const { code } = await hub.result;
      clearInterval(again);
      held.destroy();
      expect(code).toBe(130);
    });

    it.each(['http', 'grpc'])(
      'names the setting of a taken %s port, in one line and nothing besides',
      async (name) => {
        const taken = createServer().listen(0, '127.0.0.1');
        await once(taken, 'listening');
        const { port } = taken.address() as { port: number };
        const ports = freePorts.filter((flag) => !flag.includes(name));
        const result = await serve(...ports, `--${name}-port=${port}`).result;
        taken.close();
        expect(result).toMatchObject({ code: 2, stdout: '' });
        expect(result.stderr).toMatch(/^event-hub: [^\n]+\n$/);
        expect(result.stderr).toContain(`127.0.0.1:${port}`);
        expect(result.stderr).toContain(`EVENT_HUB_${name.toUpperCase()}_PORT`);
      },
    );

    it('refuses other event types than those of the store, until they are adopted', async () => {
      const start = async (...flags: string[]) => {
        const hub = serve(...freePorts, ...flags);
        const line = await Promise.race([hub.until(/\n/), hub.result.then(() => '')]).catch(
          () => '',
        );
        hub.process.kill('SIGTERM');
        return { line, ...(await hub.result) };
      };
      await start();
      const changed = '--event-types=sale:+,note';
      const refused = await start(changed);
      expect(refused).toMatchObject({ code: 2, stdout: '' });
      expect(refused.stderr).toMatch(
        /EVENT_HUB_EVENT_TYPES is "sale:\+,note" here and "purchase:\+,/,
      );
      const adopted = await runCli(['config', 'adopt', changed, ...place.flags]);
      expect(adopted.code).toBe(0);
      expect(await start(changed)).toMatchObject({ code: 0 });
    });
  });
}

/** Asks until the hub takes no new connection or says that it is not ready. */
async function untilRefused(url: string): Promise<void> {
  for (;;) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer === undefined || answer.status === 503) return;
  }
}
