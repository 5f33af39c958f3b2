/** Runs rows of the matrix in processes of their own, as many at once as the machine has use for. */
import { fork } from 'node:child_process';
import { chromium, type Browser } from '@playwright/test';
import { findBrowser } from '../../fixtures/run/browser.js';
import type { ClauseId } from '../../spec/generated/clauses.js';
import type { Cell } from './page.js';
import { changeOf, rowOf, shows } from './rows.js';
import { allChecks, failing, runRow, type MatrixRow } from './run.js';

const WORKERS = 2;

async function outcomes(
  name: string,
  wanted: readonly ClauseId[] | undefined,
  browser: (() => Promise<Browser>) | undefined,
): Promise<MatrixRow> {
  const withBrowser = shows(name) && findBrowser() !== undefined ? browser : undefined;
  return runRow(changeOf(rowOf(name)), wanted === undefined ? undefined : (id) => wanted.includes(id), withBrowser);
}

/** Runs one row. @param browser default: without one, whatever the row is about */
export async function runCell(name: string, browser?: () => Promise<Browser>): Promise<Cell> {
  const { drift, defect } = rowOf(name);
  const crossed = drift !== undefined && defect !== undefined;
  // A defect under a drift is looked for by its own clauses; where they do not see it alone, they may with the others.
  let row = await outcomes(name, crossed ? defect.clauses : undefined, browser);
  if (crossed && failing(row).length === 0) row = await outcomes(name, undefined, browser);
  const all = [...row.outcomes.values()];
  const of = (wanted: string): ClauseId[] =>
    all.filter(({ verdict }) => verdict === wanted).map(({ clause }) => clause);
  return {
    defect: name,
    failed: failing(row),
    passed: of('passed'),
    blocked: all.flatMap(({ verdict, clause, blockedBy }) =>
      verdict === 'blocked' ? [[clause, blockedBy ?? '']] : [],
    ),
    unverified: of('unverified'),
    reasons: Object.fromEntries(
      all.flatMap(({ clause, verdict, reason }) => (verdict === 'passed' ? [] : [[clause, reason ?? '']])),
    ),
    messages: Object.fromEntries(
      all.flatMap(({ clause, verdict, failures }) =>
        verdict === 'failed' ? [[clause, failures.map(({ message }) => message)]] : [],
      ),
    ),
    dialect: row.dialect.points,
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
export function work(): void {
  // Thousands of refusals are thrown in a row of the matrix, and nobody reads where.
  Error.stackTraceLimit = 0;
  process.setSourceMapsEnabled(false);
  allChecks();
  let launched: Promise<Browser> | undefined;
  const browser = (): Promise<Browser> => (launched ??= chromium.launch(findBrowser()?.launchOptions ?? {}));
  const tell = (message: Message): void => void process.send?.(message);
  const run = async (name: string): Promise<void> => {
    try {
      tell({ cell: await runCell(name, browser) });
    } catch (error) {
      tell({
        broke: name,
        why: error instanceof Error ? `${error.message}: ${String(error.cause ?? '')}` : String(error),
      });
    }
  };
  process.on('message', (name: string) => void run(name));
  process.once('disconnect', () => void launched?.then((open) => open.close()));
  tell({});
}

/**
 * Runs rows in worker processes.
 * @param script what a worker is started with, `--work` behind it; it calls `work`
 * @param done told of each cell as it comes
 * @returns the cells, and a line for each row whose checks broke
 */
export async function runAll(
  names: readonly string[],
  script: string,
  done: (cell: Cell) => void = () => undefined,
): Promise<{ cells: Cell[]; broken: string[] }> {
  const cells = new Map<string, Cell>();
  const broken: string[] = [];
  // A browser takes as long as ten runs without one: those first, one at a time, beside the others.
  const pages = names.filter(shows);
  const others = names.filter((name) => !shows(name));
  let browsing: string | undefined;
  const next = (): string | undefined => {
    if (browsing === undefined && pages.length > 0) return (browsing = pages.shift());
    return others.shift() ?? pages.shift();
  };
  await Promise.all(
    Array.from({ length: Math.min(WORKERS, names.length) }, () => {
      return new Promise<void>((resolve, reject) => {
        // Not a Playwright worker, whoever started this: no step of a report is made of a matcher.
        const { TEST_WORKER_INDEX: _, ...env } = process.env;
        const execArgv = [...process.execArgv, '--max-semi-space-size=32', '--single-threaded-gc'];
        const child = fork(script, ['--work'], { execArgv, env });
        child.on('message', ({ cell, broke, why }: Message) => {
          if (cell !== undefined) {
            cells.set(cell.defect, cell);
            done(cell);
          }
          if (broke !== undefined) broken.push(`${broke}: ${why ?? ''}`);
          if ((cell?.defect ?? broke) === browsing) browsing = undefined;
          const name = next();
          if (name !== undefined) child.send(name);
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
  return { cells: names.map((name) => cells.get(name)).filter((cell) => cell !== undefined), broken };
}
