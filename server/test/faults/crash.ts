/**
 * `npm run crash -- [--mode embedded|standard|scale] [--victim NAME]
 * [--kills 500] [--seed TEXT] [--keep]`: kills a hub or its engines under load
 * again and again, and checks every event. Exit code 1 for a broken promise.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { crashRun } from './rig/crash-run.ts';
import { embeddedHarness } from './rig/embedded-harness.ts';
import type { Harness } from './rig/harness.ts';
import { reportText } from './rig/report-text.ts';
import { StandardHarness, standardLoad, victims } from './rig/standard-harness.ts';
import { placeStandard } from './rig/standard-place.ts';

const { values } = parseArgs({
  options: {
    mode: { type: 'string', default: 'embedded' },
    victim: { type: 'string', default: 'any' },
    kills: { type: 'string', default: '500' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
    /** Of the embedded mode: the file stays for a look at it. */
    keep: { type: 'boolean', default: false },
  },
});
const { mode, seed } = values;
const kills = Number(values.kills);
const victim = victims.find((name) => name === values.victim);
if (!Number.isInteger(kills) || kills < 1) misused('--kills takes a whole number from 1 on');
if (victim === undefined) misused(`--victim takes one of ${victims.join(', ')}`);
if (mode !== 'embedded' && mode !== 'standard' && mode !== 'scale') {
  misused('--mode takes embedded, standard or scale');
}

const folder = temporaryFolder();
const harness = await makeHarness(folder);
const about = mode === 'embedded' ? `data in ${folder.path}` : `--victim ${victim}`;
process.stdout.write(`--mode ${mode}, ${kills} kills, --seed ${seed}, ${about}\n`);
const startedMs = performance.now();
const report = await crashRun(harness, {
  kills,
  seed,
  ...(mode === 'embedded' ? {} : standardLoad),
  onKill: (kill, moment) => {
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    if (kill % 10 === 0 || kill === kills) {
      process.stdout.write(`${seconds} s: kill ${kill} (${moment})\n`);
    }
  },
});
process.stdout.write(reportText(report));
if (values.keep) process.stdout.write(`kept ${folder.path}\n`);
else folder.remove();
process.exit(report.faults.length === 0 ? 0 : 1);

async function makeHarness({ path }: TemporaryFolder): Promise<Harness> {
  if (mode === 'embedded') return await embeddedHarness(path, seed);
  const place = await placeStandard(mode === 'scale' ? { log: 'kafka', readers: 2 } : {});
  await place.start();
  return new StandardHarness(place, victim ?? 'any', seed);
}

function misused(why: string): never {
  process.stderr.write(`${why}\n`);
  process.exit(2);
}
