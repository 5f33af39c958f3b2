import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { matrixPage, sharpness, type Cell } from './matrix/page.js';
import { ROOT } from './harness/command-line.js';

test('every defect is caught by exactly the clauses that are pinned, and the published matrix is not stale', async () => {
  test.setTimeout(900_000);
  const child = spawn(process.execPath, ['node_modules/tsx/dist/cli.mjs', 'selftest/matrix/main.ts', '--json'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise((resolve) => child.on('close', resolve));
  const { cells, faults } = JSON.parse(output) as { cells: Cell[]; faults: string[] };
  expect(faults).toEqual([]);
  expect(sharpness(cells)).toBeLessThanOrEqual(1.5);
  expect(await matrixPage(cells), 'run `npm run kill -- --write`').toBe(
    readFileSync(join(ROOT, 'docs/kill-matrix.md'), 'utf8'),
  );
});
