import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LineResult } from '../../../src/cli/send/result-shape.ts';
import { type NewPlace, settle } from '../../support/hub-places.ts';
import { jsonLines, runCli, startCli } from '../../support/run-cli.ts';
import { Hubs, type PlacedHub } from './hubs.ts';
import { protocols, sendTo } from './sending.ts';

/** `event-hub send` where the hub knows the events already, or is away. */
export function resendingSuite(newPlace: NewPlace): void {
  describe('event-hub send, again', () => {
    const hubs = new Hubs(newPlace);
    let hub: PlacedHub;
    beforeEach(async () => {
      hub = await hubs.start();
    });
    afterEach(() => hubs.end());
    const send = (flags: readonly string[], input?: string) => sendTo(hub, flags, input);

    it.each(protocols)(
      'answers duplicate over %s for every event that is sent again',
      async (name) => {
        const generated = ['--count=1200', `--url=${hub.url}`, '--protocol=batch'];
        expect((await runCli(['generate', ...generated])).code).toBe(0);
        await settle(hub.place);
        for (const format of ['ndjson', 'csv']) {
          const exported = await runCli([
            'events',
            '--all',
            `--output=${format}`,
            ...hub.place.flags,
          ]);
          const again = await send([`--protocol=${name}`, `--format=${format}`], exported.stdout);
          expect(again.code).toBe(0);
          const statuses = jsonLines<LineResult>(again).map(({ status }) => status);
          expect(statuses).toEqual(Array.from({ length: 1200 }, () => 'duplicate'));
        }
      },
    );

    it('loses and repeats nothing while the hub restarts', async () => {
      const sender = startCli(['send', `--url=${hub.url}`, '--output=ndjson']);
      const line = (n: number) =>
        `{"id":"r${n}","user_id":"u1","event_type":"purchase","amount":1}\n`;
      sender.process.stdin.write(line(1));
      await sender.until(/"line":1,/);
      await hub.stop();
      sender.process.stdin.write(line(2));
      await nextText(sender.process.stderr, /trying again/);
      await hubs.restart(hub);
      sender.process.stdin.end(line(3));
      const { code, stdout } = await sender.result;
      expect(code).toBe(0);
      expect(jsonLines<LineResult>({ stdout }).map(({ id, status }) => [id, status])).toEqual([
        ['r1', 'success'],
        ['r2', 'success'],
        ['r3', 'success'],
      ]);
    });

    it('ends with 3 where no hub is, and names the ids that were tried', async () => {
      await hub.stop();
      for (const name of protocols) {
        const { code, stdout, stderr } = await send([
          `--protocol=${name}`,
          '--user-id=u1',
          '--event-type=purchase',
          '--amount=1',
        ]);
        expect(code).toBe(3);
        expect(jsonLines<LineResult>({ stdout })).toMatchObject([
          { status: 'unknown', id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
        ]);
        expect(stderr).toContain('is a hub running at');
      }
    });
  });
}

/** Resolves when the stream has said something that matches. */
async function nextText(stream: NodeJS.ReadableStream, pattern: RegExp): Promise<void> {
  let said = '';
  await new Promise<void>((resolve) => {
    stream.on('data', (chunk) => {
      said += chunk;
      if (pattern.test(said)) resolve();
    });
  });
}
