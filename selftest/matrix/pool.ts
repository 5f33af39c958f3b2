/** Runs rows of the matrix in processes of their own, as many at once as the machine has use for. */
import { fork } from 'node:child_process';
import { chromium, type Browser } from '@playwright/test';
import { findBrowser } from '../../fixtures/run/browser.js';
import { defined } from '../../fixtures/run/target.js';
import type { ClauseId } from '../../spec/generated/clauses.js';
import type { Cell } from './page.js';
import { changeOf, rowOf, shows, waits, type Planned } from './rows.js';
import { allChecks, failing, runRow, type MatrixRow } from './run.js';

/** Processes that run rows, unless somebody says how many; one more for what waits. */
const WORKERS = 2;

/** A row with all clauses takes as long as so many with those of one defect; and starting a worker as long as one with all. */
const OWN_IN_ALL = 30;

async function outcomes({ name, clauses }: Planned, browser: (() => Promise<Browser>) | undefined): Promise<MatrixRow> {
  const withBrowser = shows({ name, ...defined({ clauses }) }) && findBrowser() !== undefined ? browser : undefined;
  return runRow(changeOf(rowOf(name)), clauses === undefined ? undefined : (id) => clauses.includes(id), withBrowser);
}

/** The clauses that must fail and do not; DOC-01 cannot, where there is no browser. */
const missed = (clauses: readonly ClauseId[], row: MatrixRow): ClauseId[] =>
  clauses.filter((id) => !failing(row).includes(id) && !(id === 'DOC-01' && findBrowser() === undefined));

/** Checks whose responses have, between them, each status of each operation: what all responses share shows there, if it does not alone. */
const WALK: readonly ClauseId[] = [
  ...(['REG-05', 'REG-07', 'LOG-04', 'LOG-15', 'EXP-06', 'REF-09'] as const),
  ...(['UNA-03', 'UNA-20', 'FOR-01', 'FOR-04', 'ENV-10', 'RID-06', 'ROB-11'] as const),
];

/**
 * Runs one row. A defect that its own clauses are asked about, and that they do not see alone, they may see among the responses that
 * others get: then some of those are asked too, and in the end all.
 * @param browser default: without one, whatever the row is about
 */
export async function runCell({ name, clauses }: Planned, browser?: () => Promise<Browser>): Promise<Cell> {
  const { drift, defect } = rowOf(name);
  const crossed = drift !== undefined && defect !== undefined;
  const plans: (readonly ClauseId[] | undefined)[] =
    clauses !== undefined
      ? [clauses, [...new Set([...clauses, ...WALK])], undefined]
      : // A defect under a drift is looked for by its own clauses first.
        [...(crossed ? [defect.clauses] : []), undefined];
  const isSeen = (row: MatrixRow): boolean =>
    crossed ? failing(row).length > 0 : missed(defect?.clauses ?? [], row).length === 0;
  let asked = plans.shift();
  let row = await outcomes({ name, ...defined({ clauses: asked }) }, browser);
  while (asked !== undefined && !isSeen(row)) {
    asked = plans.shift();
    row = await outcomes({ name, ...defined({ clauses: asked }) }, browser);
  }
  const all = [...row.outcomes.values()];
  const of = (wanted: string): ClauseId[] =>
    all.filter(({ verdict }) => verdict === wanted).map(({ clause }) => clause);
  return {
    defect: name,
    ...(asked === undefined ? {} : { asked }),
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

/** Runs rows in this process, which has one browser for all of them, opened by the first that needs it. */
function runner(): { run: (row: Planned) => Promise<Message>; close: () => Promise<void> } {
  // Thousands of refusals are thrown in a row of the matrix, and nobody reads where.
  Error.stackTraceLimit = 0;
  process.setSourceMapsEnabled(false);
  allChecks();
  let launched: Promise<Browser> | undefined;
  const browser = (): Promise<Browser> => (launched ??= chromium.launch(findBrowser()?.launchOptions ?? {}));
  return {
    run: async (row) => {
      try {
        return { cell: await runCell(row, browser) };
      } catch (error) {
        const why = error instanceof Error ? `${error.message}: ${String(error.cause ?? '')}` : String(error);
        return { broke: row.name, why };
      }
    },
    close: async () => (await launched)?.close(),
  };
}

/** In a worker: runs what the parent hands it, and sends the cells back. */
export function work(): void {
  const { run, close } = runner();
  const tell = (message: Message): void => void process.send?.(message);
  process.on('message', (row: Planned) => void run(row).then(tell));
  process.once('disconnect', () => void close());
  tell({});
}

/**
 * Runs rows: in worker processes, or in this one where they are so few that starting others would take longer.
 * @param script what a worker is started with, `--work` behind it; it calls `work`
 * @param done told of each cell as it comes
 * @param workers how many at once
 * @returns the cells, and a line for each row whose checks broke
 */
export async function runAll(
  rows: readonly Planned[],
  script: string,
  done: (cell: Cell) => void = () => undefined,
  workers = WORKERS,
): Promise<{ cells: Cell[]; broken: string[] }> {
  const cells = new Map<string, Cell>();
  const broken: string[] = [];
  const take = ({ cell, broke, why }: Message): void => {
    if (cell !== undefined) {
      cells.set(cell.defect, cell);
      done(cell);
    }
    if (broke !== undefined) broken.push(`${broke}: ${why ?? ''}`);
  };
  const ended = (): { cells: Cell[]; broken: string[] } => ({
    cells: rows.map(({ name }) => cells.get(name)).filter((cell) => cell !== undefined),
    broken,
  });
  if (rows.reduce((sum, { clauses }) => sum + (clauses === undefined ? OWN_IN_ALL : 1), 0) <= OWN_IN_ALL) {
    const { run, close } = runner();
    for (const row of rows) take(await run(row));
    await close();
    return ended();
  }
  // What waits rather than works, for a browser or for a lock to open, waits one at a time beside the others.
  const waiting = rows.filter(waits);
  const working = rows.filter((row) => !waits(row));
  const apart = waiting.length > 0 && working.length > 0 ? 1 : 0;
  await Promise.all(
    Array.from({ length: Math.min(workers + apart, rows.length) }, (_, index) => {
      const lists = index < apart ? [waiting, working] : [working, waiting];
      return new Promise<void>((resolve, reject) => {
        // Not a Playwright worker, whoever started this: no step of a report is made of a matcher.
        const { TEST_WORKER_INDEX: _index, ...env } = process.env;
        const execArgv = [...process.execArgv, '--max-semi-space-size=32', '--single-threaded-gc'];
        const child = fork(script, ['--work'], { execArgv, env });
        child.on('message', (message: Message) => {
          take(message);
          const row = lists.find(({ length }) => length > 0)?.shift();
          if (row !== undefined) child.send(row);
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
  return ended();
}
