/**
 * The kill matrix: the whole suite against the embedded target, once clean and once per defect.
 *
 *   npm run kill                 all of it; fails on any cell that is not as pinned
 *   npm run kill -- REF-05       the defects that REF-05 must catch
 *   npm run kill -- spent-400    one defect, or one conforming variant
 *   npm run kill -- variants     the conforming variants, on which nothing may fail
 *   npm run kill -- none         the conforming target
 *   npm run kill -- sample       what `npm test` runs
 *   npm run kill -- drifts       the drifts, each alone and with each defect of a sample beneath
 *   npm run kill -- drifts-alone the drifts, with nothing beneath
 *   npm run kill -- drift:trio   one drift, likewise
 *   npm run kill -- drift:trio×none   with nothing beneath
 *   npm run kill -- --write      writes docs/kill-matrix.md from what is pinned, and runs nothing
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { driftFaults, driftSummary } from './drift-cells.js';
import { unmatchedHints } from './hints.js';
import { faultsOf, matrixPage } from './page.js';
import { runAll, work } from './pool.js';
import { rowOf, rowsFor } from './rows.js';
import { allChecks } from './run.js';

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { work: { type: 'boolean' }, write: { type: 'boolean' }, json: { type: 'boolean' } },
  });
  if (values.work === true) {
    work();
    return;
  }
  if (values.write === true) {
    writeFileSync(join(__dirname, '../../docs/kill-matrix.md'), await matrixPage());
    return;
  }
  const started = performance.now();
  const names = rowsFor(positionals);
  let done = 0;
  const progress = setInterval(() => {
    if (!process.stderr.isTTY) process.stderr.write(`${done} of ${names.length} rows done\n`);
  }, 60_000);
  const { cells, broken } = await runAll(names, __filename, ({ defect, ms }) => {
    done += 1;
    if (process.stderr.isTTY) process.stderr.write(`${defect} ${String(Math.round(ms))} ms\n`);
  });
  clearInterval(progress);
  for (const line of broken) console.error(`broke: ${line}`);
  const seconds = (performance.now() - started) / 1000;
  const whole = positionals.length === 0;
  const drifting = cells.filter(({ defect }) => rowOf(defect).drift !== undefined);
  const faults = [
    ...faultsOf(
      cells.filter((cell) => !drifting.includes(cell)),
      allChecks(),
      whole,
    ),
    ...driftFaults(drifting),
    ...(whole ? unmatchedHints(cells).map((hint) => `report/hints.yaml: ${hint}`) : []),
  ];
  if (values.json === true) process.stdout.write(JSON.stringify({ cells, faults, seconds }));
  else {
    for (const line of driftSummary(drifting)) console.log(line);
    for (const fault of faults) console.log(fault);
    const requests = cells.reduce((sum, cell) => sum + cell.requests, 0);
    console.log(
      `${String(cells.length)} runs, ${String(requests)} requests, ${seconds.toFixed(0)} s; ` +
        (faults.length === 0 ? 'every cell is as pinned' : `${String(faults.length)} cells are not as pinned`),
    );
    if (!whole)
      for (const cell of cells)
        for (const id of cell.failed)
          if (positionals.includes(id) || positionals.includes(cell.defect))
            console.log(`${cell.defect} → ${id}: ${cell.reasons[id] ?? ''}`);
  }
  process.exitCode = faults.length === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
