/** Reports on disk: checked against their schema before they are written, written in one step, and read again as a baseline. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import addFormats from 'ajv-formats';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { FORMAT, type Baseline, type Report, type ReportedClause } from './report.js';
import type { Verdict } from '../fixtures/evidence/outcome.js';

let schema: { readonly ajv: Ajv2020; readonly validate: ValidateFunction } | undefined;

/** What of a value is not as report.schema.json has it; undefined if it is a report. */
export function schemaFault(value: unknown): string | undefined {
  if (schema === undefined) {
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
    addFormats(ajv);
    const text = readFileSync(join(__dirname, 'report.schema.json'), 'utf8');
    schema = { ajv, validate: ajv.compile(JSON.parse(text) as object) };
  }
  const { ajv, validate } = schema;
  return validate(value) ? undefined : ajv.errorsText(validate.errors, { dataVar: 'report' });
}

/** Writes a file in one step: nobody ever reads half of it. */
export function writeWhole(folder: string, name: string, content: string): void {
  mkdirSync(folder, { recursive: true });
  const draft = join(folder, `.${name}.${String(process.pid)}`);
  writeFileSync(draft, content);
  renameSync(draft, join(folder, name));
}

/** What is read of an earlier report: of its other members, an older or newer suite may have others. */
export type EarlierReport = Pick<Report, 'startedAt' | 'target' | 'verdict'> & {
  readonly clauses: readonly (Pick<ReportedClause, 'id' | 'verdict' | 'reason'> &
    Partial<Pick<ReportedClause, 'gates'>>)[];
};

/**
 * Reads an earlier report.
 * @returns the report, or one sentence that says why it is none
 */
export function readReport(path: string): EarlierReport | string {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return (error as { code?: string }).code === 'ENOENT' ? `${path} is not there.` : `${path} cannot be read as JSON.`;
  }
  const report = value as Partial<Report> | null;
  const sound =
    report?.format === FORMAT &&
    typeof report.startedAt === 'string' &&
    typeof report.target?.baseUrl === 'string' &&
    Array.isArray(report.clauses) &&
    report.clauses.every(
      (clause: Partial<ReportedClause>) => typeof clause.id === 'string' && typeof clause.verdict === 'string',
    );
  return sound ? (report as Report) : `${path} is no report of this suite (${FORMAT}).`;
}

/** What changed against an earlier report. A clause that was not in it counts as not failing and not open. */
export function compareWith(earlier: EarlierReport, report: Report): Baseline {
  const before = new Map(earlier.clauses.map(({ id, verdict }) => [id, verdict]));
  const ids = (wanted: (now: Verdict, then: Verdict | undefined) => boolean): string[] =>
    report.clauses.filter(({ id, verdict }) => wanted(verdict, before.get(id))).map(({ id }) => id);
  const wrong = (verdict: Verdict | undefined): boolean => verdict === 'failed' || verdict === 'waived';
  const open = (verdict: Verdict | undefined): boolean => verdict === 'unverified' || verdict === 'blocked';
  return {
    startedAt: earlier.startedAt,
    verdict: earlier.verdict,
    newlyFailing: ids((now, then) => wrong(now) && !wrong(then)),
    fixed: ids((now, then) => now === 'passed' && wrong(then)),
    newlyUnverified: ids((now, then) => open(now) && then !== undefined && !open(then)),
  };
}
