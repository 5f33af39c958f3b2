import { defineConfig } from '@playwright/test';

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
    // The matrix keeps both cores busy by itself: what is about time stands behind it, not beside it.
    { name: 'matrix', testMatch: 'kill.spec.ts', dependencies: ['source'] },
    { name: 'suite', testIgnore: ['source.spec.ts', 'kill.spec.ts'], dependencies: ['matrix'] },
  ],
});
