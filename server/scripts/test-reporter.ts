import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestCase, TestModule, TestSuite } from 'vitest/node';
import type { Failure, TestReport } from './test-summary.ts';

/**
 * Writes a `TestReport` to a file when the tests have run. The JSON report of vitest itself has no word
 * of why a `beforeAll` or an `afterAll` failed.
 */
export class TestReporter implements Reporter {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    writeFileSync(this.#path, JSON.stringify(reportOf(modules, errors)));
  }
}

function reportOf(modules: readonly TestModule[], errors: readonly SerializedError[]): TestReport {
  const tests = modules.flatMap(({ children }) => [...children.allTests()]);
  return {
    passed: tests.filter((test) => test.result().state === 'passed').length,
    leftOut: tests
      .filter((test) => !['passed', 'failed'].includes(test.result().state))
      .map(outermost),
    failures: [
      ...modules.flatMap(failuresIn),
      ...errors.map((error) => ({ name: 'outside of all tests', message: messageOf([error]) })),
    ],
  };
}

/** The titles of whole suites say why they are left out. */
function outermost(test: TestCase | TestSuite): string {
  return test.parent.type === 'suite' ? outermost(test.parent) : test.name;
}

function failuresIn(module: TestModule): readonly Failure[] {
  const { relativeModuleId: file, children } = module;
  const found = [
    { name: file, errors: module.errors() },
    ...[...children.allSuites()].map((suite) => ({
      name: `${file}: ${suite.fullName}`,
      errors: suite.errors(),
    })),
    ...[...children.allTests('failed')].map((test) => ({
      name: `${file}: ${test.fullName}`,
      errors: test.result().errors ?? [],
    })),
  ];
  return found
    .filter(({ errors }) => errors.length > 0)
    .map(({ name, errors }) => ({ name, message: messageOf(errors) }));
}

function messageOf(errors: readonly SerializedError[]): string {
  return errors.map(({ stack, message }) => stack ?? message).join('\n');
}
