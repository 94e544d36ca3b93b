/**
 * `npm run crash -- [--kills 500] [--seed TEXT] [--keep]`: kills a hub under
 * load again and again, and checks every event. Exit code 1 for a broken promise.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { crashRun } from './rig/crash-run.ts';
import { reportText } from './rig/report-text.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '500' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
    keep: { type: 'boolean', default: false },
  },
});
const kills = Number(values.kills);
if (!Number.isInteger(kills) || kills < 1) {
  process.stderr.write('--kills takes a whole number from 1 on\n');
  process.exit(2);
}

const folder = temporaryFolder();
process.stdout.write(`${kills} kills, --seed ${values.seed}, data in ${folder.path}\n`);
const startedMs = performance.now();
const report = await crashRun({
  folder: folder.path,
  kills,
  seed: values.seed,
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
