/** The last runs against a target, kept in one small file that CI caches: since when a clause fails, and how it went. */
import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { z } from 'zod';
import { HistoryRunSchema, type HistoryRun, type Report } from './model.js';
import { writeWhole } from './whole.js';

const FORMAT = 'igny8-auth-conformance-history/1';
/** Runs kept of one target, and targets. */
const KEPT = { runs: 30, targets: 20 };

const HistorySchema = z.object({
  format: z.literal(FORMAT),
  targets: z.record(z.string(), z.array(HistoryRunSchema)),
});
type History = z.infer<typeof HistorySchema>;

/** The file that CONFORMANCE_HISTORY names: itself, or the one in the folder. */
function fileOf(path: string): string {
  try {
    return statSync(path).isDirectory() ? join(path, 'history.json') : path;
  } catch {
    return extname(path) === '' ? join(path, 'history.json') : path;
  }
}

function read(file: string): History | string {
  const empty = { format: FORMAT, targets: {} } as const;
  try {
    const parsed = HistorySchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    return parsed.success ? parsed.data : `${file} is not a history of this suite, so a new one was begun.`;
  } catch (error) {
    return (error as { code?: string }).code === 'ENOENT'
      ? empty
      : `${file} cannot be read as JSON, so a new history was begun.`;
  }
}

function summed({ startedAt, verdict, gate, clauses, totals, run, target }: Report): HistoryRun {
  const ids = (wanted: string): string[] => clauses.filter((one) => one.verdict === wanted).map(({ id }) => id);
  return {
    startedAt,
    verdict,
    gatePassed: gate.passed,
    passed: totals.passed,
    failed: ids('failed'),
    waived: ids('waived'),
    ...(run.url === undefined ? {} : { url: run.url }),
    ...(target.version === undefined ? {} : { version: target.version }),
  };
}

/**
 * Adds a run to the history, and the history to its report. Runs of selected clauses are shown with it and not kept.
 * @param keep false: the history is only read
 */
export function withHistory(report: Report, path: string, keep: boolean): Report {
  const file = fileOf(path);
  const history = read(file);
  const known = typeof history === 'string' ? {} : history.targets;
  const key = report.target.embedded ? 'embedded' : report.target.baseUrl;
  const runs = [...(known[key] ?? []), summed(report)].slice(-KEPT.runs);
  const notes = typeof history === 'string' ? [`CONFORMANCE_HISTORY: ${history}`] : [];
  if (keep) {
    // The target of this run is the last that goes.
    const others = Object.entries(known).filter(([name]) => name !== key);
    const targets = Object.fromEntries([...others.slice(1 - KEPT.targets), [key, runs]]);
    try {
      writeWhole(dirname(file), basename(file), `${JSON.stringify({ format: FORMAT, targets })}\n`);
    } catch (error) {
      notes.push(`CONFORMANCE_HISTORY: ${file} cannot be written (${(error as { code?: string }).code ?? 'error'}).`);
    }
  }
  return { ...report, notes: [...report.notes, ...notes], history: runs };
}
