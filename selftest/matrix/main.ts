/**
 * The kill matrix: the whole suite against the embedded target, once clean and once per defect.
 *
 *   npm run kill                 all of it; fails on any cell that is not as pinned
 *   npm run kill -- REF-05       the defects that REF-05 must catch
 *   npm run kill -- spent-400    one defect, or one conforming variant
 *   npm run kill -- variants     the conforming variants, on which nothing may fail
 *   npm run kill -- none         the conforming target
 *   npm run kill -- --write      writes docs/kill-matrix.md from what is pinned, and runs nothing
 */
import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type Browser } from '@playwright/test';
import { findBrowser } from '../../fixtures/run/browser.js';
import { CLAUSES, type ClauseId } from '../../spec/generated/clauses.js';
import { DEFECTS } from '../defects/index.js';
import { VARIANTS } from '../variants.js';
import { faultsOf, matrixPage, type Cell } from './page.js';
import { allChecks, failing, runRow } from './run.js';

const WORKERS = 2;
const CLEAN = 'none';

/** Whether a run opens a browser. */
function shows(id: string): boolean {
  return id === CLEAN || DEFECTS.find((one) => one.id === id)?.browser === true;
}

async function runCell(id: string, browser: () => Promise<Browser>): Promise<Cell> {
  const defect = DEFECTS.find((one) => one.id === id);
  const change = defect ?? VARIANTS.find((one) => one.id === id);
  const row = await runRow(change, undefined, shows(id) && findBrowser() !== undefined ? browser : undefined);
  return {
    defect: id,
    failed: failing(row),
    passed: [...row.outcomes.values()].filter(({ verdict }) => verdict === 'passed').map(({ clause }) => clause),
    blocked: [...row.outcomes.values()].flatMap(({ verdict, clause, blockedBy }) =>
      verdict === 'blocked' ? [[clause, blockedBy ?? '']] : [],
    ),
    reasons: Object.fromEntries(
      [...row.outcomes.values()].flatMap(({ clause, verdict, reason }) =>
        verdict === 'failed' ? [[clause, reason ?? '']] : [],
      ),
    ),
    messages: Object.fromEntries(
      [...row.outcomes.values()].flatMap(({ clause, verdict, failures }) =>
        verdict === 'failed' ? [[clause, failures.map(({ message }) => message)]] : [],
      ),
    ),
    requests: row.requests,
    auth: row.auth,
    ms: row.ms,
  };
}

/** What a worker tells its parent: what came of a run, or nothing yet; either way it is ready for one more. */
interface Message {
  readonly cell?: Cell;
  readonly broke?: string;
  readonly why?: string;
}

/** In a worker: runs what the parent hands it, and sends the cells back. */
function work(): void {
  // Thousands of refusals are thrown in a row of the matrix, and nobody reads where.
  Error.stackTraceLimit = 0;
  process.setSourceMapsEnabled(false);
  allChecks();
  let launched: Promise<Browser> | undefined;
  const browser = (): Promise<Browser> => (launched ??= chromium.launch(findBrowser()?.launchOptions ?? {}));
  const tell = (message: Message): void => void process.send?.(message);
  const run = async (id: string): Promise<void> => {
    try {
      tell({ cell: await runCell(id, browser) });
    } catch (error) {
      tell({
        broke: id,
        why: error instanceof Error ? `${error.message}: ${String(error.cause ?? '')}` : String(error),
      });
    }
  };
  process.on('message', (id: string) => void run(id));
  process.once('disconnect', () => void launched?.then((open) => open.close()));
  tell({});
}

/** Runs the defects in worker processes. @throws Error if a check broke */
async function runAll(ids: readonly string[]): Promise<Cell[]> {
  const cells = new Map<string, Cell>();
  const broken: string[] = [];
  // A browser takes as long as ten runs without one: those first, one at a time, beside the others.
  const pages = ids.filter(shows);
  const others = ids.filter((id) => !shows(id));
  let browsing: string | undefined;
  const next = (): string | undefined => {
    if (browsing === undefined && pages.length > 0) return (browsing = pages.shift());
    return others.shift() ?? pages.shift();
  };
  await Promise.all(
    Array.from({ length: Math.min(WORKERS, ids.length) }, () => {
      return new Promise<void>((resolve, reject) => {
        // Not a Playwright worker, whoever started this: no step of a report is made of a matcher.
        const { TEST_WORKER_INDEX: _, ...env } = process.env;
        const execArgv = [...process.execArgv, '--max-semi-space-size=32', '--single-threaded-gc'];
        const child = fork(__filename, ['--work'], { execArgv, env });
        child.on('message', ({ cell, broke, why }: Message) => {
          if (cell !== undefined) cells.set(cell.defect, cell);
          if (broke !== undefined) broken.push(`${broke}: ${why ?? ''}`);
          if ((cell?.defect ?? broke) === browsing) browsing = undefined;
          const id = next();
          if (id !== undefined) child.send(id);
          else child.disconnect();
        });
        child.on('error', reject);
        child.on('exit', (code) => {
          if (code === 0) resolve();
          else reject(new Error(`a worker of the matrix ended with ${String(code)}`));
        });
      });
    }),
  );
  for (const line of broken) console.error(`broke: ${line}`);
  return ids.map((id) => cells.get(id)).filter((cell) => cell !== undefined);
}

function chosen(names: readonly string[]): string[] {
  if (names.length === 0) return [CLEAN, ...[...VARIANTS, ...DEFECTS].map(({ id }) => id)];
  const ids = names.flatMap((name) => {
    if (CLAUSES.some(({ id }) => id === name))
      return DEFECTS.filter(({ clauses }) => clauses.includes(name as ClauseId)).map(({ id }) => id);
    if (name === CLEAN) return [CLEAN];
    if (name === 'variants') return VARIANTS.map(({ id }) => id);
    if ([...VARIANTS, ...DEFECTS].some(({ id }) => id === name)) return [name];
    throw new Error(`${name} is neither a clause nor a defect nor a variant.`);
  });
  return [...new Set(ids)];
}

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
  const cells = await runAll(chosen(positionals));
  const seconds = (performance.now() - started) / 1000;
  const whole = positionals.length === 0;
  const faults = faultsOf(cells, allChecks(), whole);
  if (values.json === true) process.stdout.write(JSON.stringify({ cells, faults, seconds }));
  else {
    for (const fault of faults) console.log(fault);
    const requests = cells.reduce((sum, cell) => sum + cell.requests, 0);
    console.log(
      `${String(cells.length)} runs, ${String(requests)} requests, ${seconds.toFixed(0)} s; ${faults.length === 0 ? 'every cell is as pinned' : `${String(faults.length)} cells are not as pinned`}`,
    );
    if (!whole)
      for (const cell of cells)
        for (const [id, reason] of Object.entries(cell.reasons))
          if (positionals.includes(id) || positionals.includes(cell.defect))
            console.log(`${cell.defect} → ${id}: ${reason}`);
  }
  process.exitCode = faults.length === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
