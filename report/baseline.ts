/** An earlier report: read, and compared with the one of this run. */
import { readFileSync } from 'node:fs';
import type { Verdict } from '../fixtures/evidence/outcome.js';
import { READABLE_FORMATS, type Baseline, type Report, type ReportedClause } from './model.js';

/** What is read of an earlier report: an older or newer suite may have other fields. */
export type EarlierReport = Pick<Report, 'startedAt' | 'verdict'> & {
  readonly target: Pick<Report['target'], 'baseUrl' | 'embedded'>;
  readonly clauses: readonly (Pick<ReportedClause, 'id' | 'verdict' | 'reason' | 'blockedBy'> &
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
    return (error as { code?: string }).code === 'ENOENT'
      ? `${path} does not exist.`
      : `${path} cannot be read as JSON.`;
  }
  const report = value as Partial<Report> | null;
  const sound =
    READABLE_FORMATS.includes(report?.format ?? '') &&
    typeof report?.startedAt === 'string' &&
    typeof report.target?.baseUrl === 'string' &&
    Array.isArray(report.clauses) &&
    report.clauses.every(
      (clause: Partial<ReportedClause>) => typeof clause.id === 'string' && typeof clause.verdict === 'string',
    );
  return sound ? (report as Report) : `${path} is not a report of this suite (${READABLE_FORMATS.join(' or ')}).`;
}

/** What changed against an earlier report. A clause that was not in it counts as not failing and not open. */
export function compareWith(earlier: EarlierReport, clauses: readonly ReportedClause[]): Baseline {
  const before = new Map(earlier.clauses.map(({ id, verdict }) => [id, verdict]));
  const ids = (wanted: (now: Verdict, then: Verdict | undefined) => boolean): string[] =>
    clauses.filter(({ id, verdict }) => wanted(verdict, before.get(id))).map(({ id }) => id);
  const open = (verdict: Verdict | undefined): boolean => verdict === 'unverified' || verdict === 'blocked';
  return {
    startedAt: earlier.startedAt,
    verdict: earlier.verdict,
    newlyFailing: ids((now, then) => now === 'failed' && then !== 'failed'),
    newlyWaived: ids((now, then) => now === 'waived' && then !== 'waived'),
    fixed: ids((now, then) => now === 'passed' && (then === 'failed' || then === 'waived')),
    newlyUnverified: ids((now, then) => open(now) && then !== undefined && !open(then)),
  };
}

/** The report with what changed since the earlier one, which was read before this run. */
export function withBaseline(report: Report, path: string, earlier: EarlierReport | string): Report {
  if (typeof earlier === 'string')
    return { ...report, notes: [...report.notes, `CONFORMANCE_BASELINE: ${earlier} Nothing is compared.`] };
  const other =
    earlier.target.embedded !== report.target.embedded ||
    (!report.target.embedded && earlier.target.baseUrl !== report.target.baseUrl);
  const its = earlier.target.embedded ? 'the embedded one' : earlier.target.baseUrl;
  const note = `CONFORMANCE_BASELINE: ${path} is about another target (${its}).`;
  return {
    ...report,
    ...(other ? { notes: [...report.notes, note] } : {}),
    baseline: compareWith(earlier, report.clauses),
  };
}
