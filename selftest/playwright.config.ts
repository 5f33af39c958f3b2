import { defineConfig } from '@playwright/test';

const [MAIN_JOB, SOURCE, MATRIX, TIMING] = ['everything.spec.ts', 'source.spec.ts', 'kill.spec.ts', 'timing.spec.ts'];

// The suite, tested: by the same runner, but not by the suite's own reporters.
export default defineConfig({
  testDir: '.',
  reporter: [['list']],
  outputDir: '../test-results/selftest',
  fullyParallel: true,
  workers: 3,
  forbidOnly: true,
  timeout: 240_000,
  projects: [
    // A browser and bursts under deadlines: beside them is room for one thing at a time.
    { name: 'first', testMatch: [MAIN_JOB, SOURCE], workers: 2 },
    { name: 'suite', testIgnore: [MAIN_JOB, SOURCE, MATRIX, TIMING], dependencies: ['first'] },
    // The matrix keeps both cores busy by itself.
    { name: 'matrix', testMatch: MATRIX, dependencies: ['suite'] },
    // What measures time has the machine to itself.
    { name: 'timing', testMatch: TIMING, workers: 1, dependencies: ['matrix'] },
  ],
});
