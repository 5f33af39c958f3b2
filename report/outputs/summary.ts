/** The summary of a job page, and workflow annotations. */
import { markdown, markdownCode, shortened, workflowProperty, workflowText } from './escape.js';
import type { Report } from '../model.js';
import {
  changes,
  costSentence,
  failingSinceSentence,
  gateSentence,
  idList,
  openClauses,
  otherProblems,
  targetName,
  verdictSentence,
  waiversInForce,
  notesOf,
} from './sentences.js';

const MARKS: Record<Report['verdict'], string> = {
  conformant: '✅',
  'conformant with waivers': '🟠',
  'not conformant': '❌',
  inconclusive: '⚠️',
};

/** Causes in the summary and annotations on a page; runners show no more than ten. */
const SHOWN = { causes: 20, annotations: 10 };

/** For a table cell, where a line break would end the row. */
function cell(text: string): string {
  return markdownCode(shortened(text, 300));
}

export function summaryMarkdown(report: Report): string {
  const { totals, suite, target, causes, clauses, waivers, baseline } = report;
  const [first = '', ...more] = verdictSentence(report).split('\n');
  const lines = [
    `## ${MARKS[report.verdict]} ${markdownCode(first)}`,
    '',
    ...more.map((line) => `- ${markdownCode(line.trim())}`),
    Object.entries(totals)
      .map(([verdict, number]) => `${String(number)} ${verdict}`)
      .join(' · '),
    '',
    [
      gateSentence(report),
      markdown(targetName(report)) + (target.version === undefined ? '' : `, version ${markdown(target.version)}`),
      `contract ${markdown(suite.contract)}, suite ${markdown(suite.version)}`,
      `${report.startedAt.slice(0, 16).replace('T', ' ')} UTC`,
      costSentence(report),
    ].join(' · '),
    '',
    ...[...otherProblems(report), ...notesOf(report)].map((text) => `- ${markdownCode(text)}`),
  ];
  if (causes.length > 0) {
    lines.push('', '| | failed | what is wrong | likely cause | blocks |', '|---|---|---|---|---|');
    for (const [i, cause] of causes.slice(0, SHOWN.causes).entries()) {
      const failed = cause.clauses.map((id) => `${id} ${clauses.find((clause) => clause.id === id)?.level ?? ''}`);
      const cells = [idList(failed, 8), cell(cause.title), cell(cause.hint), idList(cause.blocks, 6)];
      lines.push(`| ${String(i + 1)}${cause.gates ? '' : ' (non-gating)'} | ${cells.join(' | ')} |`);
    }
    if (causes.length > SHOWN.causes)
      lines.push('', `… and ${String(causes.length - SHOWN.causes)} more in report.html`);
  }
  if (baseline !== undefined) {
    const changed = changes(report).map(({ what, ids }) => `${what} **${idList(ids, 20)}**`);
    lines.push(
      '',
      `Since ${markdown(baseline.startedAt.slice(0, 10))}: ${changed.length === 0 ? 'nothing changed' : changed.join(' · ')}`,
    );
  }
  const since = failingSinceSentence(report);
  if (since !== '') lines.push('', `Not new: ${since}.`);
  const hidden = waiversInForce(report).filter(({ hides }) => hides.length > 0);
  if (hidden.length > 0) {
    lines.push('', '### Not judged because of waivers', '');
    for (const { clause, hides } of hidden) lines.push(`- behind ${clause}: ${idList(hides, 60)}`);
  }
  if (waivers.length > 0) {
    lines.push('', '<details><summary>Waived</summary>', '');
    for (const { clause, reason, link, owner, expires, state } of waivers)
      lines.push(
        `- ${clause} until ${expires} (${state}), ${markdown(owner)}: ${markdownCode(reason)} ${markdown(link)}`,
      );
    lines.push('', '</details>');
  }
  const open = openClauses(report);
  if (open.length > 0) {
    lines.push('', `<details><summary>Not verified (${String(totals.unverified)})</summary>`, '');
    for (const { reason, ids } of open) lines.push(`- ${idList(ids, 20)}: ${markdownCode(reason)}`);
    lines.push('', '</details>');
  }
  return `${lines.join('\n')}\n`;
}

/** Annotations as GitHub's and Gitea's runners read them from the console: one for each cause. */
export function workflowCommands(report: Report): string {
  const { causes, gate, verdict } = report;
  const lines = causes.slice(0, SHOWN.annotations).map((cause) => {
    const title = workflowProperty(`${idList(cause.clauses, 5)}: ${shortened(cause.title, 120)}`);
    const blocks = cause.blocks.length > 0 ? ` Blocks ${idList(cause.blocks, 6)}.` : '';
    const reason = report.clauses.find(({ id }) => id === cause.clauses[0])?.reason ?? cause.title;
    const text = workflowText(
      `${shortened(reason, 300)}.${cause.hint === '' ? '' : ` Likely cause: ${cause.hint}`}${blocks}`,
    );
    return `::${cause.gates ? 'error' : 'warning'} title=${title}::${text}\n`;
  });
  if (!gate.passed && verdict !== 'not conformant')
    lines.unshift(
      `::error title=IGNY8 authentication::${workflowText([verdictSentence(report), ...otherProblems(report)].join(' '))}\n`,
    );
  return lines.join('');
}
