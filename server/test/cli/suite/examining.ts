import { afterEach, describe, expect, it } from 'vitest';
import { type Examined, examined } from '../../support/examined.ts';
import type { NewPlace } from '../../support/hub-places.ts';
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
