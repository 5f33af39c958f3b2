/** What a developer reads first: the verdict, the totals, and then only what needs attention, one block for each cause. */
import { styleText } from 'node:util';
import { blockedUnder } from '../causes.js';
import type { Cause, Report, ReportedClause } from '../model.js';
import { visible, visibleLines } from './escape.js';
import {
  changes,
  costSentence,
  count,
  gateSentence,
  failingSinceSentence,
  idList,
  notSelected,
  openClauses,
  otherProblems,
  verdictSentence,
  waiversInForce,
  wholeSelection,
  frontSentence,
} from './sentences.js';

/** Failed clauses shown, of one cause too, failures of each, and groups of unverified ones; of the rest, the number is shown. */
const SHOWN = { clauses: 12, ofOneCause: 6, failures: 3, open: 8 };

const COLOURS = {
  conformant: 'green',
  'conformant with waivers': 'yellow',
  inconclusive: 'yellow',
  'not conformant': 'red',
} as const;

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

function title({ id, level, statement, source }: ReportedClause, paint: Paint, style: Style): string {
  return `${paint(style, id)} ${level}  ${statement}  ${paint('dim', `(${source})`)}`;
}

function evidenceLines({ failures }: ReportedClause, paint: Paint): string[] {
  const lines = failures.slice(0, SHOWN.failures).map(({ message, exchange }) => {
    const requestId = exchange?.requestId;
    return visible(message) + (requestId === undefined ? '' : paint('dim', ` · request_id ${visible(requestId, 60)}`));
  });
  const more = failures.length - SHOWN.failures;
  if (more > 0) lines.push(`… and ${String(more)} more in report.html`);
  const curl = failures.find((failure) => failure.curl !== undefined)?.curl;
  if (curl !== undefined) lines.push(paint('dim', visible(curl, 1000)));
  return lines;
}

/** A cause of several clauses has a title of its own; one that is a single clause's has that clause's. */
function causeLines(cause: Cause, number: number, members: readonly ReportedClause[], paint: Paint): string[] {
  const style: Style = ['bold', cause.gates ? 'red' : 'yellow'];
  const indented = (lines: readonly string[], by: number): string[] => lines.map((line) => ' '.repeat(by) + line);
  const heading = `${String(number)}. `;
  const hint = cause.hint === '' ? [] : [`${paint('yellow', 'likely cause:')} ${cause.hint}`];
  const blocks =
    cause.blocks.length > 0 ? [`blocks ${count(cause.blocks.length, 'clause')}: ${idList(cause.blocks)}`] : [];
  const [only] = members;
  if (members.length === 1 && only !== undefined && cause.clauses.length === 1) {
    return [
      '',
      heading + title(only, paint, style),
      ...indented([...evidenceLines(only, paint), ...hint, ...blocks], 3),
    ];
  }
  return [
    '',
    heading + paint(style, `${visible(cause.title, 300)} (${count(cause.clauses.length, 'clause')})`),
    ...indented(hint, 3),
    ...members.flatMap((member) => [
      `   ${title(member, paint, 'bold')}`,
      ...indented(evidenceLines(member, paint), 5),
    ]),
    ...indented(blocks, 3),
  ];
}

/** The causes that fit into what is shown. */
function causesLines(report: Report, paint: Paint): string[] {
  const lines: string[] = [];
  let room = SHOWN.clauses;
  let left = 0;
  for (const [i, cause] of report.causes.entries()) {
    // A cause with very many clauses is shown by its first ones.
    const ids = cause.clauses.slice(0, Math.min(room, SHOWN.ofOneCause));
    left += cause.clauses.length - ids.length;
    if (ids.length === 0) continue;
    if (!cause.gates && (report.causes[i - 1]?.gates ?? true)) lines.push('', paint('bold', 'Non-gating failures:'));
    const members = ids.flatMap((id) => report.clauses.find((clause) => clause.id === id) ?? []);
    lines.push(...causeLines(cause, i + 1, members, paint));
    room -= ids.length;
  }
  if (left > 0) lines.push('', `… and ${count(left, 'failed clause')} more in report.html`);
  return lines;
}

function waiverLines(report: Report, paint: Paint): string[] {
  const { waivers, clauses } = report;
  if (waivers.length === 0) return [];
  const inForce = waiversInForce(report);
  const hidden = blockedUnder(
    clauses,
    inForce.map(({ clause }) => clause),
  );
  return [
    '',
    paint('bold', 'Waived:'),
    ...waivers.map(({ clause, reason, owner, expires, state }) => {
      const hides = inForce.find((one) => one.clause === clause)?.hides ?? [];
      const more = state === 'in force' ? '' : state === 'stale' ? ', passes now' : ', could not be judged';
      const blocks = hides.length > 0 ? `; blocks ${count(hides.length, 'clause')}` : '';
      return `  ${clause} until ${expires}, ${visible(owner, 60)}: ${visible(reason, 200)}${more}${blocks}`;
    }),
    ...(hidden.length > 0 ? [paint('yellow', `  Not judged because of waivers: ${idList(hidden, 30)}`)] : []),
  ];
}

/**
 * @param folder where the reports are; undefined if they could not be written
 * @param colours whether the console shows them
 */
export function consoleText(report: Report, folder: string | undefined, colours: boolean): string {
  const paint: Paint = (style, text) => (colours ? styleText(style, text) : text);
  const { totals, clauses, baseline } = report;
  const unselected = notSelected(report);
  const lines = [
    '',
    paint(['bold', COLOURS[report.verdict]], visibleLines(verdictSentence(report))),
    Object.entries(totals)
      .map(([verdict, number]) => `${String(number)} ${verdict}`)
      .join(' · ') +
      ` (of ${String(clauses.length)} clauses${unselected > 0 ? `, ${String(unselected)} not selected` : ''})`,
    `${gateSentence(report)} · ${costSentence(report)}`,
    ...otherProblems(report).map((problem) => paint('yellow', visibleLines(problem))),
    // What the look before the checks had to say was said at the start.
    ...[frontSentence(report)].filter((note) => note !== '').map((note) => `note: ${visible(note)}`),
    ...report.notes.filter((note) => note.startsWith('CONFORMANCE_')).map((note) => `note: ${visible(note)}`),
    ...causesLines(report, paint),
  ];
  lines.push(...waiverLines(report, paint));
  const open = openClauses(report);
  if (open.length > 0 && report.totals.unverified < clauses.length) {
    lines.push('', paint('bold', 'Not verified:'));
    for (const { reason, ids } of open.slice(0, SHOWN.open)) lines.push(`  ${idList(ids)}: ${visible(reason)}`);
    if (open.length > SHOWN.open) lines.push(`  … and ${String(open.length - SHOWN.open)} more reasons in report.html`);
  }
  const since = failingSinceSentence(report);
  if (since !== '') lines.push('', `Not new: ${since}.`);
  const whole = wholeSelection(report);
  if (whole !== undefined)
    lines.push('', 'To judge what depends on clauses that were not selected, select those too:', `  ${whole}`);
  if (baseline !== undefined) {
    const changed = changes(report).map(({ what, ids }) => `${what} ${idList(ids)}`);
    lines.push(
      '',
      `Since ${baseline.startedAt.slice(0, 10)}: ${changed.length === 0 ? 'nothing changed' : changed.join('; ')}.`,
    );
  }
  if (folder !== undefined)
    lines.push('', paint('dim', `${folder}/report.html · ${folder}/report.json · ${folder}/summary.md`));
  return [...lines, ''].join('\n');
}
