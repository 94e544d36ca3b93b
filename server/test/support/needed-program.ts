import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Programs that some tests drive and that a newcomer's machine may lack. */
const programs = {
  chromium: {
    names: ['chromium', 'chromium-browser', 'google-chrome'],
    variable: 'CHROMIUM',
    toGet: 'install chromium, or name it in CHROMIUM',
  },
  python: {
    names: ['python3'],
    variable: 'PYTHON',
    toGet: 'install Python 3, or name it in PYTHON',
  },
} as const;

export type NeededProgram = keyof typeof programs;

/**
 * Tests that need a program. Without it they are a visible skip that says why,
 * and a failure where REQUIRE_ENGINES=1 says that everything must run.
 */
export function describeWith(
  name: string,
  needed: NeededProgram,
  body: (program: string) => void,
): void {
  const program = findProgram(needed);
  if (program !== undefined) {
    describe(name, () => body(program));
    return;
  }
  const { toGet } = programs[needed];
  describe(name, () => {
    it.skipIf(process.env.REQUIRE_ENGINES !== '1')(`runs (no ${needed} here: ${toGet})`, () => {
      expect.fail(`REQUIRE_ENGINES=1, and there is no ${needed}: ${toGet}`);
    });
  });
}

/** Its path, or undefined. */
export function findProgram(needed: NeededProgram): string | undefined {
  const { names, variable } = programs[needed];
  const named = process.env[variable];
  if (named !== undefined && named !== '') return named;
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => isRunnable(path));
}

function isRunnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
