/** `event-hub serve` with one mistake, by the variable FLAW, between the hub and its engines. */
import { findSettings } from '../../../src/config/find-settings.ts';
import { openEngines } from '../../../src/main/engines.ts';
import { startHub } from '../../../src/main.ts';
import { flaws } from './flaws.ts';

const flaw = flaws[process.env.FLAW ?? ''];
if (flaw === undefined) throw new Error(`FLAW takes one of: ${Object.keys(flaws).join(', ')}`);
const { settings } = findSettings([]);
const hub = await startHub(settings, {
  openEngines: async (own, options) => await flaw(await openEngines(own, options), own),
});
process.stdout.write(`serves ${hub.url} with a flaw: ${process.env.FLAW}\n`);
process.once('SIGTERM', async () => {
  await hub.stop();
  process.exit(0);
});
