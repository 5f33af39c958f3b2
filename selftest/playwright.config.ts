import { defineConfig } from '@playwright/test';

/** Runs of the command line, some of which wait: before the others, so that none of them is left for the end. */
const RUNS = ['secrets.selftest.ts', 'report.selftest.ts', 'main-job.selftest.ts'];
const [MAIN_JOB, SOURCE, MATRIX, TIMING] = [
  'everything.selftest.ts',
  'source.selftest.ts',
  'matrix.selftest.ts',
  'timing.selftest.ts',
];

const MINUTE = 60_000;

// The suite, tested: by the same runner, but not by the suite's own reporters.
export default defineConfig({
  testDir: '.',
  testMatch: '*.selftest.ts',
  // Both say how far the whole is: `line` in a line that is written again and again, the other one each minute.
  reporter: process.stdout.isTTY ? [['line']] : [['list'], ['./harness/progress.ts']],
  outputDir: '../test-results/selftest',
  fullyParallel: true,
  workers: 3,
  forbidOnly: true,
  reportSlowTests: null,
  // Ends what hangs. The longest takes two minutes where nothing else runs: a slow machine is no reason to fail.
  timeout: 30 * MINUTE,
  projects: [
    // A browser and bursts under deadlines: beside them is room for one thing at a time. Nothing waits for what that finds.
    { name: 'first', testMatch: MAIN_JOB },
    { name: 'source', testMatch: SOURCE, workers: 1 },
    { name: 'runs', testMatch: RUNS, dependencies: ['first'] },
    { name: 'suite', testIgnore: [...RUNS, MAIN_JOB, SOURCE, MATRIX, TIMING], dependencies: ['first'] },
    // The matrix keeps both cores busy by itself: it begins when the last of the others are under way.
    { name: 'matrix', testMatch: MATRIX, dependencies: ['first'] },
    // What measures time has the machine to itself.
    { name: 'timing', testMatch: TIMING, workers: 1, dependencies: ['runs', 'suite', 'matrix'] },
  ],
});
