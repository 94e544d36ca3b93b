import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type TestReport, testSummary } from '../scripts/test-summary.ts';
import { repository } from './support/source-files.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const reportOf = (report: Partial<TestReport> = {}): TestReport => ({
  passed: 1,
  leftOut: [],
  failures: [],
  ...report,
});

const good = { command: 'npm test', exitCode: 0 };
const bad = { command: 'npm test', exitCode: 1 };

describe('the summary of a run', () => {
  it('counts the tests and the other commands', () => {
    const crash = { command: 'npm run crash', exitCode: 0 };
    expect(testSummary(reportOf(), good, [crash])).toEqual({
      lines: ['', '2 passed, 0 failed'],
      failed: 0,
    });
  });

  it('names each failure before its last line, with its file and the head of its message', () => {
    const message = Array.from({ length: 40 }, (_, index) => `line ${index}`).join('\n');
    const failures = [{ name: 'b.test.ts: a suite > breaks', message }];
    const { lines, failed } = testSummary(reportOf({ failures }), bad, []);
    expect(failed).toBe(1);
    expect(lines.at(-1)).toBe('1 passed, 1 failed');
    expect(lines[0]).toMatch(/^FAILED: b\.test\.ts: a suite > breaks\nline 0\n/);
    expect(lines[0]).toMatch(/\nline 14\n\(25 lines more\)$/);
  });

  it('names a command that failed', () => {
    const crash = { command: 'npm run crash', exitCode: 3 };
    expect(testSummary(reportOf(), good, [crash])).toEqual({
      lines: ['FAILED: npm run crash ended with 3', '', '1 passed, 1 failed'],
      failed: 1,
    });
  });

  it.each([
    [
      'tests that ended badly without a failure of their own',
      reportOf(),
      bad,
      'npm test ended with 1',
    ],
    ['no report', undefined, bad, 'npm test ended with 1'],
    ['no test at all', reportOf({ passed: 0 }), good, 'npm test ran no test'],
  ])('fails for %s', (_, report, tests, said) => {
    const { lines, failed } = testSummary(report, tests, []);
    expect(failed).toBe(1);
    expect(lines[0]).toBe(`FAILED: ${said}`);
  });

  it('says what was left out in a line for each suite', () => {
    const leftOut = ['a suite', 'another', 'a suite'];
    const { lines, failed } = testSummary(reportOf({ leftOut }), good, []);
    expect(lines.slice(0, -2)).toEqual(['left out: 2 of "a suite"', 'left out: 1 of "another"']);
    expect(failed).toBe(0);
  });

  it('is printed by the script, which ends with 1 when anything failed', () => {
    const folder = temporaryFolder();
    onTestFinished(folder.remove);
    const path = join(folder.path, 'tests.json');
    writeFileSync(path, JSON.stringify(reportOf()));
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

/** Each with one thing that vitest tells in a way of its own; without imports, as the folder has no packages. */
const files = {
  'held.test.ts': `describe('a suite', () => {
    describe('within', () => { beforeAll(() => { throw new Error('no engine') }); it('runs', () => {}) });
    it('holds', () => {});
    afterAll(() => { throw new Error('not stopped') });
  })`,
  'broken.test.ts': 'throw new Error("not read")',
  'failing.test.ts': `it('breaks', () => expect(1).toBe(2))`,
  'skipped.test.ts': `describe.skip('no engine here', () => { it('a', () => {}); it('b', () => {}) })`,
  'late.test.ts': `it('leaves a promise', async () => {
    void Promise.reject(new Error('nobody waited'));
    await new Promise(setImmediate);
  })`,
};

describe('the report of a run', () => {
  it('has every failure, of tests, of what is done around them and of files, and what was left out', () => {
    const folder = temporaryFolder();
    onTestFinished(folder.remove);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder.path, name), text);
    const path = join(folder.path, 'tests.json');
    const vitest = join(repository, 'node_modules/vitest/vitest.mjs');
    const reporter = join(repository, 'server/scripts/test-reporter.ts');
    const config = `import { TestReporter } from ${JSON.stringify(reporter)};
      export default { test: { globals: true, reporters: [new TestReporter(${JSON.stringify(path)})] } }`;
    writeFileSync(join(folder.path, 'vitest.config.ts'), config);
    const { status } = spawnSync(process.execPath, [vitest, 'run', `--root=${folder.path}`], {
      env: { PATH: process.env.PATH },
    });
    expect(status).toBe(1);
    const report = JSON.parse(readFileSync(path, 'utf8')) as TestReport;
    const heads = report.failures.map(({ name, message }) => [name, message.split('\n')[0]]);
    expect(Object.fromEntries(heads)).toEqual({
      'broken.test.ts': 'Error: not read',
      'failing.test.ts: breaks': expect.stringContaining('expected 1 to be 2'),
      'held.test.ts: a suite': 'Error: not stopped',
      'held.test.ts: a suite > within': 'Error: no engine',
      'outside of all tests': 'Error: nobody waited',
    });
    expect(report.failures).toHaveLength(5);
    expect(report.passed).toBe(2);
    expect([...report.leftOut].sort()).toEqual(['a suite', 'no engine here', 'no engine here']);
  });
});
