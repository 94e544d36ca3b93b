import { defineConfig } from 'vitest/config';
import { TestReporter } from './server/scripts/test-reporter.ts';

const { TEST_REPORT: report } = process.env;

export default defineConfig({
  // As Node.js itself finds it: Vite would take its other build, and graphql-js refuses to be there twice.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['server/test/**/*.test.ts'],
    globalSetup: ['server/test/support/engines/engines-setup.ts'],
    // Long enough for a busy machine: what is awaited is an event, and only its absence takes this long.
    testTimeout: 60_000,
    // A broker of Kafka starts in one, which takes a machine of two cores a while.
    hookTimeout: 180_000,
    expect: { poll: { timeout: 30_000 } },
    pool: 'forks',
    // For who sums up a run: `.ci/run`. Otherwise those that suit the place, such as GitHub's.
    ...(report === undefined ? {} : { reporters: ['default', new TestReporter(report)] }),
  },
});
