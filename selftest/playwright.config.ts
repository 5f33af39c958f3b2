import { defineConfig } from '@playwright/test';

// The suite, tested: by the same runner, but not by the suite's own reporters.
export default defineConfig({
  testDir: '.',
  reporter: [['list']],
  outputDir: '../test-results/selftest',
  workers: 2,
  fullyParallel: false,
  forbidOnly: true,
  timeout: 240_000,
  projects: [
    // The matrix keeps both cores busy by itself: what is about time stands behind it, not beside it.
    { name: 'matrix', testMatch: 'kill.spec.ts' },
    { name: 'suite', testIgnore: 'kill.spec.ts', dependencies: ['matrix'] },
  ],
});
