/** What a developer reads first: the verdict, the totals, and then only what needs attention. */
import { styleText } from 'node:util';
import { visible } from './escape.js';
import type { Report, ReportedClause } from './report.js';

/** Clauses shown in full; the rest is in the report. */
const SHOWN = 12;
const SHOWN_FAILURES = 4;

type Style = Parameters<typeof styleText>[0];

function painter(colours: boolean): (style: Style, text: string) => string {
  return (style, text) => (colours ? styleText(style, text) : text);
}

/** The verdict as a sentence. */
export function verdictSentence(report: Report): string {
  const { verdict, totals, clauses } = report;
  const target = report.target.embedded
    ? 'The embedded target'
    : report.target.baseUrl === ''
      ? 'The target'
      : report.target.baseUrl;
  const checked = totals.passed + totals.failed + totals.waived;
  const of = `${String(totals.passed)} of ${String(clauses.length)} clauses hold`;
  const waived = totals.waived > 0 ? `, ${String(totals.waived)} waived` : '';
  if (verdict === 'conformant')
    return `${target} is conformant: ${of}${waived}, ${String(clauses.length - checked)} were not checked.`;
  if (verdict === 'not conformant')
    return `${target} is not conformant: ${String(totals.failed)} clauses fail, ${of}${waived}.`;
  return `Inconclusive: ${visible(report.problems[0] ?? 'the run did not get to an end.')}`;
}

function clauseLines(clause: ReportedClause, report: Report, paint: ReturnType<typeof painter>): string[] {
  const lines = [
    '',
    `${paint(['bold', 'red'], clause.id)} ${clause.level}  ${clause.statement}  ${paint('dim', `(${clause.source})`)}`,
  ];
  for (const failure of clause.failures.slice(0, SHOWN_FAILURES)) {
    lines.push(`  ${visible(failure.message)}`);
    const id = failure.exchange?.requestId;
    if (id !== undefined) lines.push(paint('dim', `  request_id ${visible(id, 60)}`));
  }
  if (clause.failures.length > SHOWN_FAILURES)
    lines.push(`  … and ${String(clause.failures.length - SHOWN_FAILURES)} more in report.html`);
  if (clause.hint !== '') lines.push(`  ${paint('yellow', 'likely cause:')} ${clause.hint}`);
  const curl = clause.failures.find((failure) => failure.curl !== undefined)?.curl;
  if (curl !== undefined) lines.push(paint('dim', `  ${visible(curl, 900)}`));
  const blocked = report.clauses.filter(({ blockedBy }) => blockedBy === clause.id).map(({ id }) => id);
  if (blocked.length > 0) lines.push(`  blocks ${list(blocked)}`);
  return lines;
}

function list(ids: readonly string[]): string {
  return ids.length > 10 ? `${ids.slice(0, 8).join(', ')}, … (${String(ids.length)})` : ids.join(', ');
}

/** Unverified clauses by what stands in their way. */
export function openClauses(report: Report): { readonly reason: string; readonly ids: readonly string[] }[] {
  const groups = new Map<string, string[]>();
  for (const { id, verdict, reason } of report.clauses) {
    if (verdict === 'unverified') groups.set(reason, [...(groups.get(reason) ?? []), id]);
  }
  return [...groups].map(([reason, ids]) => ({ reason, ids })).sort((a, b) => b.ids.length - a.ids.length);
}

/** True if a failure of this clause decides about the exit code. */
export function gatesIn(report: Report, { level }: ReportedClause): boolean {
  return level === 'MUST' || (level === 'SHOULD' && report.gate.level !== 'must') || report.gate.level === 'all';
}

/** @param folder where the reports are */
export function consoleText(report: Report, folder: string, colours: boolean): string {
  const paint = painter(colours);
  const { totals, requests, gate } = report;
  const colour = report.verdict === 'conformant' ? 'green' : report.verdict === 'inconclusive' ? 'yellow' : 'red';
  const lines = [
    '',
    paint(['bold', colour], verdictSentence(report)),
    `${String(totals.passed)} passed, ${String(totals.failed)} failed, ${String(totals.waived)} waived, ${String(totals.blocked)} blocked, ${String(totals.unverified)} unverified` +
      ` · gate “${gate.level}” ${gate.passed ? 'holds' : 'does not hold'}` +
      ` · ${String(requests.total)} requests (${String(requests.auth)} to login and register), ${String(requests.accountsMade)} accounts made` +
      ` · ${(report.durationMs / 1000).toFixed(1)} s${requests.throttledMs > 0 ? `, ${(requests.throttledMs / 1000).toFixed(0)} s of waiting for the rate limit` : ''}`,
  ];
  const problems = report.verdict === 'inconclusive' ? report.problems.slice(1) : report.problems;
  for (const problem of problems) lines.push(paint('yellow', visible(problem)));

  const failed = report.clauses.filter(({ verdict }) => verdict === 'failed');
  const gating = failed.filter((clause) => gatesIn(report, clause));
  const others = failed.filter((clause) => !gatesIn(report, clause));
  for (const clause of [...gating, ...others].slice(0, SHOWN)) {
    if (clause === others[0]) lines.push('', paint('bold', 'Not as it should be, but not gating:'));
    lines.push(...clauseLines(clause, report, paint));
  }
  if (failed.length > SHOWN) lines.push('', `… and ${String(failed.length - SHOWN)} more in report.html`);

  const waived = report.clauses.filter(({ verdict }) => verdict === 'waived').map(({ id }) => id);
  if (waived.length > 0) lines.push('', `waived: ${list(waived)}`);
  const open = openClauses(report);
  if (open.length > 0) {
    lines.push('', paint('bold', 'Not verified:'));
    for (const { reason, ids } of open.slice(0, 8)) lines.push(`  ${list(ids)}: ${visible(reason)}`);
  }
  if (report.baseline !== undefined) {
    const { newlyFailing, fixed, newlyUnverified, startedAt } = report.baseline;
    const change = (what: string, ids: readonly string[]): string => `${what} ${ids.length === 0 ? 'none' : list(ids)}`;
    lines.push(
      '',
      `since ${startedAt.slice(0, 10)}: ${change('newly failing', newlyFailing)}; ${change('fixed', fixed)}; ${change('newly unverified', newlyUnverified)}`,
    );
  }
  lines.push('', paint('dim', `${folder}/report.html · ${folder}/report.json · playwright-report/index.html`), '');
  return lines.join('\n');
}
