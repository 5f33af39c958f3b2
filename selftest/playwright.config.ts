import { defineConfig } from '@playwright/test';

/** Runs of the command line, some of which wait: before the others, so that none of them is left for the end. */
const RUNS = ['secrets.selftest.ts', 'report.selftest.ts', 'main-job.selftest.ts'];
const [MAIN_JOB, SOURCE, MATRIX, TIMING] = [
  'everything.selftest.ts',
  'source.selftest.ts',
  'matrix.selftest.ts',
  'timing.selftest.ts',
];

/** The one test of the sources that takes as long as everything given. */
const LINT = /lint of the code/;

const MINUTE = 60_000;

// The suite, tested: by the same runner, but not by the suite's own reporters.
export default defineConfig({
  testDir: '.',
  testMatch: '*.selftest.ts',
  // Both say how far the whole is: `line` in a line that is written again and again, the other one each minute.
  reporter: process.stdout.isTTY ? [['line']] : [['list'], ['./harness/progress.ts']],
  outputDir: '../test-results/selftest',
  fullyParallel: true,
  // One of the four runs the matrix, and some tests wait.
  workers: 4,
  forbidOnly: true,
  reportSlowTests: null,
  // Ends what hangs. The longest takes two minutes where nothing else runs: a slow machine is no reason to fail.
  timeout: 30 * MINUTE,
  projects: [
    // A browser and bursts under deadlines: beside them is room for one thing at a time. Nothing waits for what that finds.
    { name: 'first', testMatch: MAIN_JOB },
    { name: 'lint', testMatch: SOURCE, grep: LINT, workers: 1 },
    // The matrix takes what the others leave of the processor, from the beginning: it gives way to them.
    { name: 'matrix', testMatch: MATRIX, dependencies: ['first'] },
    { name: 'runs', testMatch: RUNS, dependencies: ['first'] },
    { name: 'suite', testIgnore: [...RUNS, MAIN_JOB, MATRIX, TIMING], grepInvert: LINT, dependencies: ['first'] },
    // What measures time has the machine to itself.
    { name: 'timing', testMatch: TIMING, workers: 1, dependencies: ['runs', 'suite', 'matrix'] },
  ],
});
