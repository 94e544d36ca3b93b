import { type CheckerName, checkers, fetchChecker } from '../test/support/checkers.ts';
import { findProgram } from '../test/support/needed-program.ts';

/**
 * `npm run checkers`: finds the programs that check the workflows, the chart and the
 * contracts, on the path or fetched before, or fetches them into the cache folder.
 */
for (const name of Object.keys(checkers) as CheckerName[]) {
  let why = '';
  try {
    if (findProgram(name) === undefined) fetchChecker(name);
  } catch (reason) {
    why = `: ${reason instanceof Error ? reason.message : reason}`;
  }
  const path = findProgram(name);
  if (path === undefined) process.exitCode = 1;
  process.stdout.write(`${name}: ${path ?? `not found${why}`}\n`);
}
