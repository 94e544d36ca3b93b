import { readFileSync } from 'node:fs';
import { type Ended, type TestReport, testSummary } from './test-summary.ts';

/**
 * `node server/scripts/ci-summary.ts <report> <command>=<exit code> ...`: prints what a run of `.ci/run` came to, from
 * the report of its tests and from how commands ended, that of the tests first. Exit code 1 when anything failed.
 */
const [path = '', ...ended] = process.argv.slice(2);
const [tests = { command: 'no command', exitCode: 1 }, ...others] = ended.map(endedOf);
const { lines, failed } = testSummary(readReport(), tests, others);
process.stdout.write(`${lines.join('\n')}\n`);
process.exitCode = failed === 0 ? 0 : 1;

function endedOf(text: string): Ended {
  const equals = text.lastIndexOf('=');
  return { command: text.slice(0, equals), exitCode: Number(text.slice(equals + 1)) };
}

function readReport(): TestReport | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as TestReport;
  } catch (error) {
    process.stdout.write(`no report of the tests: ${(error as Error).message}\n`);
    return undefined;
  }
}
