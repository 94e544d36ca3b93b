/** What is used of the report that vitest writes with `--reporter=json`. */
export interface TestReport {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    /** The path of the file. */
    readonly name: string;
    readonly status: string;
    /** Why the file as a whole failed. */
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[] | null;
    }[];
  }[];
}

/** A command, and its exit code. */
export interface Ended {
  readonly command: string;
  readonly exitCode: number;
}

export interface TestSummary {
  readonly lines: readonly string[];
  readonly failed: number;
}

/** Of a failure; the whole of it stands where the test ran. */
const failureLinesMax = 15;

/**
 * What a run came to, the most important last, as the end of a long output is what is read:
 * what was left out, a line with a count for each reason; every failure, with the head of its message;
 * and `N passed, N failed`, in which each of `others` counts as one test. Tests of which none ran have failed, and so
 * have those that ended badly without a failure of their own: of an error outside of them all.
 */
export function testSummary(
  report: TestReport | undefined,
  tests: Ended,
  others: readonly Ended[],
): TestSummary {
  const failures = report === undefined ? [] : failuresIn(report);
  const numPassed = report?.numPassedTests ?? 0;
  if (failures.length === 0) {
    if (tests.exitCode !== 0) failures.push(saidOf(tests));
    else if (numPassed === 0) failures.push(`${tests.command} ran no test`);
  }
  failures.push(...others.filter(({ exitCode }) => exitCode !== 0).map(saidOf));
  const passed = numPassed + others.filter(({ exitCode }) => exitCode === 0).length;
  const failed = failures.length;
  return {
    lines: [
      ...leftOut(report),
      ...failures.map((failure) => `FAILED: ${failure}`),
      '',
      `${passed} passed, ${failed} failed`,
    ],
    failed,
  };
}

function saidOf({ command, exitCode }: Ended): string {
  return `${command} ended with ${exitCode}`;
}

function leftOut(report: TestReport | undefined): readonly string[] {
  const tests = (report?.testResults ?? [])
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status !== 'passed' && status !== 'failed');
  // The titles of whole suites say why they are left out.
  const groups = Map.groupBy(
    tests,
    ({ ancestorTitles, fullName }) => ancestorTitles[0] ?? fullName,
  );
  return [...groups].map(([title, own]) => `left out: ${own.length} of "${title}"`);
}

function failuresIn({ testResults }: TestReport): string[] {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    if (failed.length === 0 && status === 'failed') return [`${name}: ${headOf(message)}`];
    return failed.map(
      ({ fullName, failureMessages }) =>
        `${name}: ${fullName}\n${headOf(failureMessages?.join('\n'))}`,
    );
  });
}

function headOf(message = ''): string {
  const lines = message.split('\n');
  const more = lines.length - failureLinesMax;
  return [...lines.slice(0, failureLinesMax), ...(more > 0 ? [`(${more} lines more)`] : [])].join(
    '\n',
  );
}
