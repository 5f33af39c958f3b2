/**
 * The kill matrix: the whole suite against the embedded target, once clean and once per defect.
 *
 *   npm run kill                 all of it; fails on any cell that is not as pinned
 *   npm run kill -- REF-05       the defects that REF-05 must catch, by the clauses pinned for each: seconds
 *   npm run kill -- --whole REF-05   the same with all clauses, which shows what fails beside those
 *   npm run kill -- spent-400    one defect, or one conforming variant
 *   npm run kill -- variants     the conforming variants, on which nothing may fail
 *   npm run kill -- none         the conforming target
 *   npm run kill -- sample       what `npm test` runs
 *   npm run kill -- drifts       the drifts, each alone and with each defect of a sample beneath
 *   npm run kill -- drifts-alone the drifts, with nothing beneath
 *   npm run kill -- drift:trio   one drift, likewise
 *   npm run kill -- drift:trio×none   with nothing beneath
 *   npm run kill -- --workers=4  so many rows at once: two, unless you say otherwise
 *   npm run kill -- --write      writes docs/kill-matrix.md from what is pinned, and runs nothing
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { count } from '../../report/outputs/sentences.js';
import type { ClauseId } from '../../spec/generated/clauses.js';
import { driftFaults, driftSummary } from './drift-cells.js';
import { faultsOf, matrixPage, PROVED_ELSEWHERE, type Cell } from './page.js';
import { runAll, work } from './pool.js';
import { rowOf, rowsFor } from './rows.js';
import { allChecks } from './run.js';

/** Why there is nothing to run for clauses. */
function nothingPinned(names: readonly string[]): string {
  return names
    .map((id) => {
      const where = PROVED_ELSEWHERE[id as ClauseId];
      return `${id} has no defect in the matrix${where === undefined ? '' : `: it is proved in ${where}`}.`;
    })
    .join(' ');
}

/** Loaded only where it is asked for: what names likely causes takes as long to load as the clauses of a defect to run. */
async function idleHints(cells: readonly Cell[]): Promise<string[]> {
  const { unmatchedHints } = await import('./hints.js');
  return unmatchedHints(cells).map((hint) => `report/hints.yaml: ${hint}`);
}

const isDrift = ({ defect }: Cell): boolean => rowOf(defect).drift !== undefined;

function faultsIn(cells: readonly Cell[], whole: boolean): string[] {
  const others = cells.filter((cell) => !isDrift(cell));
  return [...faultsOf(others, allChecks(), whole), ...driftFaults(cells.filter(isDrift))];
}

/** @throws Error for what is no number of processes */
function workersOf(given: string | undefined): number | undefined {
  if (given !== undefined && !/^[1-9]\d?$/.test(given))
    throw new Error(`--workers is “${given}”: give a number, 1 to 99.`);
  return given === undefined ? undefined : Number(given);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      work: { type: 'boolean' },
      write: { type: 'boolean' },
      json: { type: 'boolean' },
      whole: { type: 'boolean' },
      workers: { type: 'string' },
    },
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
  const rows = rowsFor(positionals, values.whole);
  if (rows.length === 0) throw new Error(`${nothingPinned(positionals)} Nothing was run.`);
  let done = 0;
  const progress = setInterval(() => {
    if (!process.stderr.isTTY) process.stderr.write(`${done} of ${rows.length} rows done\n`);
  }, 60_000);
  const take = (cell: Cell): void => {
    done += 1;
    if (process.stderr.isTTY) process.stderr.write(`${cell.defect} ${String(Math.round(cell.ms))} ms\n`);
    // At once: a run that is stopped has shown what it found.
    if (values.json !== true) for (const fault of faultsIn([cell], false)) process.stderr.write(`${fault}\n`);
  };
  const { cells, broken } = await runAll(rows, __filename, take, workersOf(values.workers));
  clearInterval(progress);
  const seconds = (performance.now() - started) / 1000;
  const whole = positionals.length === 0;
  const faults = [
    ...faultsIn(cells, whole),
    // Each defect is in either, and with it each message that a hint may be about.
    ...(whole || positionals.includes('sample') ? await idleHints(cells) : []),
    ...broken.map((line) => `its checks broke: ${line}`),
  ];
  if (values.json === true) process.stdout.write(JSON.stringify({ cells, faults, seconds }));
  else {
    for (const line of driftSummary(cells.filter(isDrift))) console.log(line);
    for (const fault of faults) console.log(fault);
    const requests = cells.reduce((sum, cell) => sum + cell.requests, 0);
    if (!whole)
      for (const cell of cells)
        for (const id of cell.failed)
          if (positionals.includes(id) || positionals.includes(cell.defect))
            console.log(`${cell.defect} → ${id}: ${cell.reasons[id] ?? ''}`);
    console.log(
      `${count(rows.length, 'run')}, ${count(requests, 'request')}, ${seconds.toFixed(0)} s; ` +
        (faults.length === 0 ? 'every cell is as pinned' : `not as pinned: ${count(faults.length, 'cell')}`),
    );
    const narrow = cells.filter(({ asked }) => asked !== undefined).length;
    if (narrow > 0)
      console.log(
        `On ${String(narrow)} of them only the clauses pinned for the defect were asked. ` +
          `Whether another clause fails beside those: npm run kill -- --whole ${positionals.join(' ')}`,
      );
  }
  process.exitCode = faults.length === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
