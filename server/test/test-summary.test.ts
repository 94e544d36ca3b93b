import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type TestReport, testSummary } from '../scripts/test-summary.ts';
import { repository } from './support/source-files.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

type File = TestReport['testResults'][number];

const titled = (title: string, status: string, failureMessages: readonly string[] = []) => ({
  ancestorTitles: ['a suite'],
  fullName: `a suite ${title}`,
  status,
  failureMessages,
});

function reportOf(...files: readonly Partial<File>[]): TestReport {
  const testResults = files.map((file) => ({
    name: 'a.test.ts',
    status: 'passed',
    assertionResults: [],
    ...file,
  }));
  const all = testResults.flatMap(({ assertionResults }) => assertionResults);
  return { numPassedTests: all.filter(({ status }) => status === 'passed').length, testResults };
}

const good = { command: 'npm test', exitCode: 0 };
const bad = { command: 'npm test', exitCode: 1 };
const passing = { assertionResults: [titled('holds', 'passed')] };

describe('the summary of a run', () => {
  it('counts the tests and the other commands', () => {
    const crash = { command: 'npm run crash', exitCode: 0 };
    expect(testSummary(reportOf(passing), good, [crash])).toEqual({
      lines: ['', '2 passed, 0 failed'],
      failed: 0,
    });
  });

  it('names each failure before its last line, with its file and the head of its message', () => {
    const message = Array.from({ length: 40 }, (_, index) => `line ${index}`).join('\n');
    const failing = {
      name: 'b.test.ts',
      assertionResults: [titled('breaks', 'failed', [message])],
    };
    const { lines, failed } = testSummary(reportOf(passing, failing), bad, []);
    expect(failed).toBe(1);
    expect(lines.at(-1)).toBe('1 passed, 1 failed');
    expect(lines[0]).toMatch(/^FAILED: b\.test\.ts: a suite breaks\nline 0\n/);
    expect(lines[0]).toMatch(/\nline 14\n\(25 lines more\)$/);
  });

  it('names a file that failed before its tests, and a command that failed', () => {
    const broken = { name: 'c.test.ts', status: 'failed', message: 'SyntaxError: here' };
    const crash = { command: 'npm run crash', exitCode: 3 };
    const { lines, failed } = testSummary(reportOf(passing, broken), bad, [crash]);
    expect({ lines, failed }).toEqual({
      lines: [
        'FAILED: c.test.ts: SyntaxError: here',
        'FAILED: npm run crash ended with 3',
        '',
        '1 passed, 2 failed',
      ],
      failed: 2,
    });
  });

  it.each([
    ['an error outside of all tests', reportOf(passing), bad, 'npm test ended with 1'],
    ['no report', undefined, bad, 'npm test ended with 1'],
    ['no test at all', reportOf(), good, 'npm test ran no test'],
  ])('fails for %s', (_, report, tests, said) => {
    const { lines, failed } = testSummary(report, tests, []);
    expect(failed).toBe(1);
    expect(lines[0]).toBe(`FAILED: ${said}`);
  });

  it('says what was left out in a line for each suite', () => {
    const skipped = { assertionResults: ['a', 'b'].map((title) => titled(title, 'skipped')) };
    const { lines, failed } = testSummary(reportOf(passing, skipped), good, []);
    expect(lines).toEqual(['left out: 2 of "a suite"', '', '1 passed, 0 failed']);
    expect(failed).toBe(0);
  });

  it('is printed by the script, which ends with 1 when anything failed', () => {
    const folder = temporaryFolder();
    onTestFinished(folder.remove);
    const path = join(folder.path, 'tests.json');
    writeFileSync(path, JSON.stringify(reportOf(passing)));
    const run = (...ended: string[]) => {
      const script = join(repository, 'server/scripts/ci-summary.ts');
      const { status, stdout } = spawnSync(process.execPath, [script, path, ...ended], {
        encoding: 'utf8',
      });
      return { status, stdout };
    };
    expect(run('npm test=0', 'npm run crash=0')).toEqual({
      status: 0,
      stdout: '\n2 passed, 0 failed\n',
    });
    expect(run('npm test=0', 'npm run crash=7').status).toBe(1);
    writeFileSync(path, 'not JSON');
    const unread = run('npm test=1');
    expect(unread.status).toBe(1);
    expect(unread.stdout).toContain('no report of the tests');
  });
});
