import { defineConfig } from 'vitest/config';

/** The tests in a real browser: one file after the other, since they share a platform. */
export default defineConfig({
  test: {
    include: ['browser/**/*.test.ts'],
    environment: 'node',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
    passWithNoTests: false,
    reporters: ['verbose'],
  },
});
