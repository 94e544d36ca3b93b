import { afterEach, describe, expect, it } from 'vitest';
import type { NewPlace } from '../../support/hub-places.ts';
import { jsonLines, runCli } from '../../support/run-cli.ts';
import { Hubs } from './hubs.ts';

/** `event-hub config`: where the data is, and what all processes there agree on. */
export function configuringSuite(newPlace: NewPlace): void {
  describe('event-hub config', () => {
    const hubs = new Hubs(newPlace);
    afterEach(() => hubs.end());

    it('prints where the data is, and by which setting', async () => {
      const { log, store, flags } = await hubs.newPlace();
      const printed = await runCli(['config', 'print', '--output=ndjson', ...flags]);
      expect(printed.code).toBe(0);
      const values = jsonLines(printed);
      expect(values).toContainEqual({ setting: 'log', value: log, source: 'flag --log' });
      const source = expect.stringMatching(/^(flag --store|default)$/);
      expect(values).toContainEqual({ setting: 'store', value: store, source });
    });

    it('does not adopt where no hub was, and makes none', async () => {
      const place = await hubs.newPlace();
      const nowhere = await runCli(['config', 'adopt', ...place.flags]);
      expect(nowhere.code).toBe(2);
      expect(nowhere.stderr).toContain(place.words.noHub);
      expect(await place.traces()).toEqual([]);
    });
  });
}
