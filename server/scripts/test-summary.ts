/** What is known of a run of the tests; `test-reporter.ts` writes it. */
export interface TestReport {
  readonly passed: number;
  /** For each test that was left out, the title of its outermost suite. */
  readonly leftOut: readonly string[];
  readonly failures: readonly Failure[];
}

export interface Failure {
  /** The file, and there the suite or the test. */
  readonly name: string;
  readonly message: string;
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
 * have those that ended badly without a failure of their own.
 */
export function testSummary(
  report: TestReport | undefined,
  tests: Ended,
  others: readonly Ended[],
): TestSummary {
  const failures = (report?.failures ?? []).map(
    ({ name, message }) => `${name}\n${headOf(message)}`,
  );
  const numPassed = report?.passed ?? 0;
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
  const groups = Map.groupBy(report?.leftOut ?? [], (title) => title);
  return [...groups].map(([title, own]) => `left out: ${own.length} of "${title}"`);
}

function headOf(message: string): string {
  const lines = message.split('\n');
  const more = lines.length - failureLinesMax;
  return [...lines.slice(0, failureLinesMax), ...(more > 0 ? [`(${more} lines more)`] : [])].join(
    '\n',
  );
}
