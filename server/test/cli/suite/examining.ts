import { afterEach, describe, expect, it } from 'vitest';
import type { Position } from '../../../src/log/event-log.ts';
import { anEvent } from '../../support/build-event.ts';
import { type Examined, examined } from '../../support/examined.ts';
import { type NewPlace, within } from '../../support/hub-places.ts';
import { jsonLines, runCli } from '../../support/run-cli.ts';
import { freePorts, Hubs } from './hubs.ts';

/** `event-hub doctor`. */
export function examiningSuite(newPlace: NewPlace): void {
  describe('event-hub doctor', () => {
    const hubs = new Hubs(newPlace);
    afterEach(() => hubs.end());

    it('finds nothing wrong before the first start, and makes nothing', async () => {
      const place = await hubs.newPlace();
      const found = await examined([...freePorts, ...place.flags]);
      const failed = found.findings.filter(({ state }) => state === 'fail');
      expect({ code: found.code, failed }).toEqual({ code: 0, failed: [] });
      expectGood(found, place.words.untouched);
      expect(await place.traces()).toEqual([]);
    });

    it('knows a running hub by its ports, and looks at its engines', async () => {
      const { url, grpcAddress, place } = await hubs.start();
      const ports = [`--http-port=${portOf(url)}`, `--grpc-port=${portOf(grpcAddress)}`];
      const found = await examined([...ports, ...place.flags]);
      expect(found.code).toBe(0);
      expect(found.find('http')?.detail).toContain(
        `a hub runs here and is ready; ${place.words.durability}`,
      );
      expect(found.find('grpc')?.detail).toMatch(/a hub runs here and serves/);
      expectGood(found, place.words.running);
    });

    it('notices settings that the store does not agree with', async () => {
      const { place } = await hubs.start();
      const found = await examined([...freePorts, ...place.flags, '--event-types=sale:+']);
      expect(found.code).toBe(1);
      expect(found.find('agreement')?.detail).toContain('event-hub config adopt');
    });

    it('warns of what was put aside, which event-hub events lists', async () => {
      const { place } = await hubs.start();
      const { idMadeByHub: _, ...event } = anEvent({ id: 'known' });
      const at = { shard: '0', position: 'a-place' as Position };
      const unreadable = { ...at, reason: 'no JSON', raw: '{' };
      await within(place, ({ store }) =>
        store.keepAside({ conflicts: [{ ...at, event }], unreadable: [unreadable] }),
      );
      const found = await examined([...freePorts, ...place.flags]);
      expect(found.code).toBe(0);
      const lists = { conflicts: [{ id: 'known', position: 'a-place' }], unreadable: [unreadable] };
      for (const [name, expected] of Object.entries(lists)) {
        expect(found.find(name)).toMatchObject({
          state: 'warn',
          detail: expect.stringContaining(`event-hub events --${name}`),
        });
        const listed = await runCli(['events', `--${name}`, '--output=ndjson', ...place.flags]);
        expect(jsonLines(listed)).toMatchObject(expected);
      }
    });
  });
}

function expectGood({ find }: Examined, words: Readonly<Record<string, RegExp>>): void {
  for (const [name, detail] of Object.entries(words)) {
    expect(find(name), name).toMatchObject({ state: 'ok', detail: expect.stringMatching(detail) });
  }
}

function portOf(address: string): string {
  return address.split(':').at(-1) ?? '';
}
