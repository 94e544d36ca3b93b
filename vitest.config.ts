import { defineConfig } from 'vitest/config';

export default defineConfig({
  // As Node.js itself finds it: Vite would take its other build, and graphql-js refuses to be there twice.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['server/test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
  },
});
