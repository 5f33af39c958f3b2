import { join } from 'node:path';
import { defineConfig, type ReporterDescription } from '@playwright/test';
import { loadEnvironment } from './fixtures/setup/environment.js';
import { testFilesOf } from './fixtures/setup/test-files.js';

// Each worker reads this file as well, so it imports little: the reporters read the configuration themselves.
loadEnvironment();

const html = process.env['PLAYWRIGHT_HTML_OUTPUT_DIR'] || 'playwright-report';
const sharded = process.argv.some((argument) => argument.startsWith('--shard'));
// By a variable, for a worker has no arguments: a project that it does not find here it does not run.
if (process.argv.some((argument) => argument.startsWith('--repeat-each'))) process.env['IGNY8_RUN_REPEATED'] = 'yes';
// One burst at a time, for one counts refusals and another measures time; and what is repeated has no last file. Else a project and its
// workers are enough: what comes last stands in the last file.
const threePhases = process.env['IGNY8_BURST'] === 'on' || process.env['IGNY8_RUN_REPEATED'] === 'yes';
// Of a target that may be slow any worker takes the next check, see `moreWorkersIfSlow`; of the embedded one each takes a file.
const somebodys = Boolean(process.env['BASE_URL']);
const waits = process.env['IGNY8_WAIT_FOR_EXPIRY'] === 'on';
const MINUTE = 60_000;

// The first cleans what Playwright records before the others see it; the last judges, when they have all written theirs.
const reporters: ReporterDescription[] = [
  ['./report/sanitiser.ts'],
  ['./fixtures/run/sharding.ts'],
  ['./fixtures/run/phases.ts'],
  ['html', { open: 'never', outputFolder: html }],
  ...(sharded ? [['blob'] as ReporterDescription] : []),
  ['./report/reporter.ts'],
];

export default defineConfig({
  testDir: 'tests',
  testMatch: testFilesOf(process.argv, join(__dirname, 'tests')),
  globalSetup: './fixtures/setup/setup.ts',
  // One run over the same files in three phases; that each waits for the one before is the work of fixtures/run/phases.ts.
  ...(threePhases
    ? {
        projects: [
          { name: 'checks', grep: /@checks\b/ },
          { name: 'burst', grep: /@burst\b/, workers: 1 },
          { name: 'every-response', grep: /@every-response\b/, workers: 1 },
        ],
      }
    : {}),
  reporter: reporters,
  workers: 2,
  fullyParallel: somebodys,
  retries: 0,
  forbidOnly: true,
  preserveOutput: 'never',
  globalTimeout: (waits ? 75 : 45) * MINUTE,
  use: { trace: 'off', screenshot: 'off', video: 'off' },
});
