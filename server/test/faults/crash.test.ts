import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { type CrashReport, crashRun } from './rig/crash-run.ts';
import { embeddedHarness } from './rig/embedded-harness.ts';
import { reportText } from './rig/report-text.ts';

/** `npm run crash -- --kills 500` is the same for longer. */
const kills = 20;

describe('a hub that is killed at random moments under load over all protocols', () => {
  const seed = String(randomInt(1_000_000));
  let folder: TemporaryFolder;
  let report: CrashReport;

  beforeAll(async () => {
    folder = temporaryFolder();
    report = await crashRun(await embeddedHarness(folder.path, seed), { kills, seed });
    process.stdout.write(`crash --kills ${kills} --seed ${seed}\n${reportText(report)}`);
  }, 300_000);

  afterAll(() => folder.remove());

  it('keeps every promise', () => {
    expect(report.faults, `seed ${seed}`).toEqual([]);
  });

  it('loses nothing that it acknowledged, stores nothing twice and nothing that it refused', () => {
    expect(report).toMatchObject({ lost: 0, duplicated: 0, unexpected: 0 });
  });

  it('has feeds that repeat nothing when they are resumed from the last event', () => {
    expect(report.repeats).toBe(0);
  });

  it('was under load, and died during start-ups, right after answers and during checkpoints', () => {
    expect(report.acknowledged).toBeGreaterThan(kills * 10);
    expect(Object.values(report.kills).reduce((sum, each) => sum + each)).toBe(kills);
    expect(report.kills['start-up']).toBeGreaterThan(0);
    expect(report.kills.answer).toBeGreaterThan(0);
    expect(report.unknown).toBeGreaterThan(0);
  });
});
