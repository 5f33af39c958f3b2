import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { DEFECTS } from './defects/index.js';
import { matrixPage, sharpness, type Cell } from './matrix/page.js';
import { ROOT } from './harness/command-line.js';

test('the published matrix is what is pinned, and sharp', async () => {
  expect(sharpness()).toBeLessThanOrEqual(1.5);
  expect(await matrixPage(), 'run `npm run kill -- --write`').toBe(
    readFileSync(join(ROOT, 'docs/kill-matrix.md'), 'utf8'),
  );
});

test('every defect fails the clauses pinned for it, and of a sample of the rows every cell is as pinned', async () => {
  // Ends what hangs: minutes where nothing else runs.
  test.setTimeout(2 * 3_600_000);
  const child = spawn(
    process.execPath,
    ['node_modules/tsx/dist/cli.mjs', 'selftest/matrix/main.ts', '--json', '--workers=1', 'sample'],
    {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  // It starts its workers later: they give way as it does.
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise((resolve) => child.on('close', resolve));
  const { faults, cells } = JSON.parse(output) as { faults: string[]; cells: Cell[] };
  const run = new Set(cells.map(({ defect }) => defect));
  expect(DEFECTS.filter(({ id }) => !run.has(id)).map(({ id }) => id)).toEqual([]);
  expect(cells.filter(({ asked }) => asked === undefined).length).toBeGreaterThan(30);
  expect([...run].filter((name) => /^drift:.*×/.test(name)).length).toBeGreaterThanOrEqual(20);
  expect(faults).toEqual([]);
});
