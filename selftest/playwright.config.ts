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
    { name: 'source', testMatch: 'source.spec.ts', fullyParallel: true },
    // The matrix keeps both cores busy by itself: the others stand behind it, not beside it.
    { name: 'matrix', testMatch: MATRIX, dependencies: ['source'] },
    { name: 'suite', testIgnore: ['source.spec.ts', MATRIX, ...ALONE], fullyParallel: true, dependencies: ['matrix'] },
    { name: 'alone', testMatch: [...ALONE], workers: 1, dependencies: ['suite'] },
  ],
});
