import { defineConfig } from '@playwright/test';

const MATRIX = 'kill.spec.ts';
/** What measures time, or has a browser under a deadline, has the machine to itself. */
const ALONE = ['timing.spec.ts', 'everything.spec.ts'];

// The suite, tested: by the same runner, but not by the suite's own reporters.
export default defineConfig({
  testDir: '.',
  reporter: [['list']],
  outputDir: '../test-results/selftest',
  workers: 3,
  fullyParallel: false,
  forbidOnly: true,
  timeout: 240_000,
  projects: [
    // The longest first: lint takes one core for as long as the whole suite takes two.
    { name: 'source', testMatch: 'source.spec.ts', fullyParallel: true },
    { name: 'suite', testIgnore: ['source.spec.ts', MATRIX, ...ALONE], fullyParallel: true },
    // The matrix keeps both cores busy by itself: it stands behind the others, not beside them.
    { name: 'matrix', testMatch: MATRIX, dependencies: ['source', 'suite'] },
    { name: 'alone', testMatch: [...ALONE], workers: 1, dependencies: ['matrix'] },
  ],
});
