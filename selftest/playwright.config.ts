import { defineConfig } from '@playwright/test';

// The suite, tested: by the same runner, but not by the suite's own reporters.
export default defineConfig({
  testDir: '.',
  reporter: [['list']],
  outputDir: '../test-results/selftest',
  workers: 2,
  fullyParallel: false,
  forbidOnly: true,
  timeout: 120_000,
});
