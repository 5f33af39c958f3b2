/** The summary of a job page, workflow annotations, and the badge. */
import { openClauses, verdictSentence } from './console.js';
import { markdown, workflowProperty, workflowText } from './escape.js';
import type { Report } from './report.js';

const MARKS: Record<Report['verdict'], string> = { conformant: '✅', 'not conformant': '❌', inconclusive: '⚠️' };

/** For a table cell: a line break would end the row. */
function cell(text: string): string {
  return markdown(text.length > 300 ? `${text.slice(0, 300)}…` : text);
}

export function summaryMarkdown(report: Report): string {
  const { totals, requests, suite, gate } = report;
  const lines = [
    `## ${MARKS[report.verdict]} ${markdown(verdictSentence(report))}`,
    '',
    `${String(totals.passed)} passed · ${String(totals.failed)} failed · ${String(totals.waived)} waived · ${String(totals.blocked)} blocked · ${String(totals.unverified)} unverified`,
    '',
    `Gate “${gate.level}” ${gate.passed ? 'holds' : '**does not hold**'} · contract ${suite.contract}, suite ${suite.version} · ${report.startedAt} · ${(report.durationMs / 1000).toFixed(1)} s · ${String(requests.total)} requests, ${String(requests.auth)} of them to login and register`,
    '',
    ...report.problems.map((problem) => `- ${markdown(problem)}`),
  ];
  const failed = report.clauses.filter(({ verdict }) => verdict === 'failed');
  if (failed.length > 0) {
    lines.push('', '| clause | level | what is wrong | likely cause |', '|---|---|---|---|');
    for (const { id, level, reason, hint } of failed)
      lines.push(`| ${id} | ${level} | ${cell(reason)} | ${cell(hint)} |`);
  }
  if (report.baseline !== undefined) {
    const { startedAt, newlyFailing, fixed, newlyUnverified } = report.baseline;
    const ids = (list: readonly string[]): string => (list.length === 0 ? 'none' : list.join(', '));
    lines.push(
      '',
      `Since ${startedAt.slice(0, 10)}: newly failing ${ids(newlyFailing)} · fixed ${ids(fixed)} · newly unverified ${ids(newlyUnverified)}`,
    );
  }
  const open = openClauses(report);
  if (open.length > 0) {
    lines.push('', '<details><summary>Not verified</summary>', '');
    for (const { reason, ids } of open) lines.push(`- ${ids.join(', ')}: ${markdown(reason)}`);
    lines.push('', '</details>');
  }
  return `${lines.join('\n')}\n`;
}

/** Annotations as GitHub's and Gitea's runners read them from the console. */
export function workflowCommands(report: Report): string {
  return report.clauses
    .filter(({ verdict }) => verdict === 'failed')
    .slice(0, 10)
    .map(({ id, reason, hint }) => {
      const text = workflowText(`${reason}${hint === '' ? '' : ` Likely cause: ${hint}`}`);
      return `::error title=${workflowProperty(id)}::${text}\n`;
    })
    .join('');
}

/** For an endpoint badge of shields. */
export function badge({ verdict, totals, clauses }: Report): string {
  const colour = { conformant: 'brightgreen', 'not conformant': 'red', inconclusive: 'lightgrey' }[verdict];
  return JSON.stringify({
    schemaVersion: 1,
    label: 'IGNY8 auth',
    message: `${verdict} · ${String(totals.passed)}/${String(clauses.length)}`,
    color: colour,
  });
}
