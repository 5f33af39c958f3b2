/** `report.html`: one file, readable without a network, without a script, and under a strict content security policy. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Eta } from 'eta';
import type { Exchange, Verdict } from '../../fixtures/evidence/outcome.js';
import { AREAS } from '../../spec/generated/clauses.js';
import { sourceLinks } from '../../spec/sources.js';
import { html, shortened, visibleLines } from './escape.js';
import { NOISE, PRINTED, TELLING } from './headers.js';
import { letsIn } from '../causes.js';
import type { Report, ReportedClause, ReportedFailure, ReportedRow } from '../model.js';
import { lifeOfTokens } from './timeline.js';
import {
  accountsPhrase,
  changes,
  count,
  duration,
  failingSince,
  idList,
  levels,
  notSelected,
  openClauses,
  otherProblems,
  requestsPhrase,
  runPhrase,
  targetName,
  verdictSentence,
  waiversInForce,
  wholeSelection,
  notesOf,
} from './sentences.js';

const VERDICTS: readonly Verdict[] = ['failed', 'blocked', 'waived', 'unverified', 'passed'];

/** Characters on one page: of evidence, that of failures first, of rows, and of the appendix that is printed only. */
const ROOM = { evidence: 450_000, rows: 250_000, appendix: 120_000 };
/** Characters of a text from the target where it is shown among others, and of a printed body; causes shown in full. */
const SHOWN = { text: 300, note: 160, causes: 30, printed: 450 };

// Whatever is put into the page by `<%= %>` is made visible and escaped; `<%~ %>` is for what this module made itself.
const eta = new Eta({ views: __dirname, useWith: false, escapeFunction: (value) => html(String(value)) });
const hash = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;

/** Text in which backticks mark what is code. */
function code(text: string): string {
  return html(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}

/** Each source with its address, where it has one. */
export function sources(source: string): string {
  return sourceLinks(source)
    .map(({ text, title, url }) => {
      if (url !== undefined) return `<a href="${html(url)}" rel="noreferrer">${html(text)}</a>`;
      return title === undefined ? html(text) : `<span title="${html(title)}">${html(text)}</span>`;
    })
    .join(', ');
}

/** A link only where it is one that a browser may follow. */
function link(address: string): string {
  return /^https?:\/\//.test(address)
    ? `<a href="${html(address)}" rel="noreferrer">${html(address)}</a>`
    : html(address);
}

/** JSON as people read it, anything else as it is; for paper without line breaks and shortened, because nobody scrolls there. */
function shownBody(body: string, paper: boolean): string {
  if (paper) return shortened(body, SHOWN.printed);
  try {
    return visibleLines(JSON.stringify(JSON.parse(body), undefined, 2));
  } catch {
    return visibleLines(body);
  }
}

type Headers = Exchange['request']['headers'];

interface Shown {
  /** All headers but those that say nothing, or the telling ones only. */
  readonly all: boolean;
  readonly paper?: boolean;
}

function headerLines(
  headers: Headers,
  { all, paper = false }: Shown,
): { readonly text: string; readonly count: number } {
  const lines = headers.filter(([name]) => (paper ? PRINTED.test(name) : all ? !NOISE.test(name) : TELLING.test(name)));
  return { text: lines.map(([name, value]) => `${name}: ${value}`).join('\n'), count: lines.length };
}

/** An exchange as the template shows it. */
function shownExchange(exchange: Exchange, shown: Shown): object {
  const { request, response, fault, requestId, ms, at, tokens } = exchange;
  const { paper = false } = shown;
  return {
    paper,
    line: `${request.method} ${request.path}`,
    headers: headerLines(request.headers, shown),
    body: shownBody(request.body ?? '', paper),
    status: response === undefined ? (fault ?? 'no response') : String(response.status),
    responseHeaders: headerLines(response?.headers ?? [], shown),
    responseBody: shownBody(response?.body ?? '', paper),
    requestId: requestId ?? '',
    when: `${at.slice(11, 23)}, ${ms < 1000 ? `${String(Math.round(ms))} ms` : duration(ms)}`,
    tokens: (tokens ?? []).map(({ fingerprint, header, claims }) => ({
      fingerprint,
      text: `header ${JSON.stringify(header)}\nclaims ${JSON.stringify(claims)}`,
    })),
  };
}

/** Pieces of a page, as long as there is room for them. */
class Room {
  constructor(private left: number) {}

  /** @returns what fits of it, and how many pieces do not */
  take<T>(items: readonly T[], render: (item: T) => string): { readonly texts: string[]; readonly left: number } {
    const texts: string[] = [];
    for (const item of items) {
      const text = render(item);
      if (text.length > this.left) break;
      this.left -= text.length;
      texts.push(text);
    }
    return { texts, left: items.length - texts.length };
  }
}

function exchangeText(exchange: Exchange, curl: string, shown: Shown): string {
  return eta.render('./exchange', { ...shownExchange(exchange, shown), curl, count });
}

function failureText({ message, expected, seen, exchange, curl }: ReportedFailure, paper = false): string {
  const evidence = exchange === null ? '' : exchangeText(exchange, curl ?? '', { all: true, paper });
  // Most messages say both already.
  const more = expected !== undefined && seen !== undefined && !(message.includes(expected) && message.includes(seen));
  return eta.render('./failure', { message, expected, seen, more, evidence, code });
}

/** A row of what a check asked: its name, what came back, and what that means. */
function rowText({ name, verdict, note, exchange }: ReportedRow): string {
  const { response, fault, requestId } = exchange ?? {};
  const seen = response === undefined ? (fault ?? '') : String(response.status);
  const cells = [
    code(name),
    `<span class="verdict ${verdict}">${verdict}</span>`,
    html([seen, ...(requestId === undefined ? [] : [requestId])].join(' · ')),
    code(shortened(note ?? '', SHOWN.note)),
  ];
  return `<tr>${cells.map((cell, i) => (i === 0 ? `<th scope="row">${cell}</th>` : `<td>${cell}</td>`)).join('')}</tr>`;
}

/** `12 of 40 rows, seed 7`. */
function askedPhrase({ asked, rows }: ReportedClause): string {
  if (asked === undefined) return count(rows.length, 'row');
  const seed = asked.seed === undefined ? '' : `, seed ${String(asked.seed)}`;
  return `${String(asked.rows)} of ${count(asked.of, 'row')}${seed}`;
}

/** The clauses that waited longest for the rate limit, each as a share of the longest wait. */
function waits({ clauses }: Report): { id: string; text: string; share: number }[] {
  const longest = Math.max(...clauses.map(({ throttledMs }) => throttledMs));
  return clauses
    .filter(({ throttledMs }) => throttledMs >= 100)
    .sort((a, b) => b.throttledMs - a.throttledMs)
    .slice(0, 10)
    .map(({ id, throttledMs }) => ({
      id,
      text: duration(throttledMs),
      share: Math.round((100 * throttledMs) / longest),
    }));
}

/** Blocked clauses by what they are blocked by, the largest group first. */
function blockedClauses({ clauses }: Report): { readonly by: string; readonly ids: readonly string[] }[] {
  const groups = new Map<string, string[]>();
  for (const { id, verdict, blockedBy = '' } of clauses)
    if (verdict === 'blocked') groups.set(blockedBy, [...(groups.get(blockedBy) ?? []), id]);
  return [...groups].map(([by, ids]) => ({ by, ids })).sort((a, b) => b.ids.length - a.ids.length);
}

/** The running head of a printed page, and the pages' numbers: a separate style sheet, because it names the target. */
function pageStyle(report: Report): string {
  const quoted = (text: string): string =>
    `"${shortened(text, 90).replace(/[^\w .:/-]/gu, (character) => `\\${(character.codePointAt(0) ?? 0).toString(16)} `)}"`;
  const head = quoted(`${report.verdict} · ${targetName(report)} · ${report.startedAt.slice(0, 10)}`);
  const foot = quoted(`IGNY8 authentication contract ${report.suite.contract}`);
  return `@page{@top-left{content:${head}}@bottom-left{content:${foot}}}`;
}

/** Everything on the page that has to fit. */
function fitted(report: Report, room: typeof ROOM): object {
  const byId = new Map(report.clauses.map((clause) => [clause.id, clause]));
  const evidenceRoom = new Room(room.evidence);
  const rowRoom = new Room(room.rows);
  const appendixRoom = new Room(room.appendix);
  // What failed comes first, and in the order of importance, in case there is not room for all.
  const important = [...new Set([...report.causes.flatMap(({ clauses }) => clauses), ...byId.keys()])];
  const evidence = new Map<string, { readonly texts: string[]; readonly left: number }>();
  const rows = new Map<string, { readonly texts: string[]; readonly left: number }>();
  for (const clause of important.flatMap((id) => byId.get(id) ?? [])) {
    const taken =
      clause.failures.length > 0
        ? evidenceRoom.take(clause.failures, (failure) => failureText(failure))
        : evidenceRoom.take(clause.evidence, (exchange) => exchangeText(exchange, '', { all: false }));
    evidence.set(clause.id, taken);
    rows.set(clause.id, rowRoom.take(clause.rows, rowText));
  }
  const causes = report.causes.map((cause, i) => {
    const members = cause.clauses.flatMap((id) => byId.get(id) ?? []);
    const failure = members[0]?.failures.find(({ exchange }) => exchange !== null);
    const first =
      i < SHOWN.causes && failure?.exchange ? [{ exchange: failure.exchange, curl: failure.curl ?? '' }] : [];
    const { texts } = evidenceRoom.take(first, ({ exchange, curl }) => exchangeText(exchange, curl, { all: true }));
    return { ...cause, number: i + 1, members, evidence: texts[0] ?? '' };
  });
  const appendix = important
    .flatMap((id) => byId.get(id) ?? [])
    .flatMap((clause) => {
      const failure = clause.failures.find(({ exchange }) => exchange !== null);
      if (failure === undefined) return [];
      return appendixRoom.take([failure], (one) => failureText(one, true)).texts.map((text) => ({ clause, text }));
    });
  return {
    causes,
    appendix,
    causeOf: (id: string) => causes.find(({ clauses, blocks }) => clauses.includes(id) || blocks.includes(id)),
    evidence: (id: string) => evidence.get(id) ?? { texts: [], left: 0 },
    rows: (id: string) => rows.get(id) ?? { texts: [], left: 0 },
  };
}

/** What the marks of the strip mean; the whole is in docs/reading-a-report.md. */
const KEY = [
  ['passed', 'passed'],
  ['failed', 'failed'],
  ['noted', 'failed, and does not gate'],
  ['waived', 'failed, and is waived'],
  ['blocked', 'not judged: depends on a failed clause'],
  ['unverified', 'not judged: a setting is missing'],
] as const;

/**
 * @param json the text of report.json, by whose hash the page names it
 * @param room characters for evidence, rows and the printed appendix; what has no room is counted on the page
 */
export function htmlReport(report: Report, json: string, room = ROOM): string {
  const style = readFileSync(join(__dirname, 'report.css'), 'utf8') + pageStyle(report);
  const script = readFileSync(join(__dirname, 'report.client.js'), 'utf8');
  const byId = new Map(report.clauses.map((clause) => [clause.id, clause]));
  return eta.render('./report', {
    ...fitted(report, room),
    report,
    sentence: verdictSentence(report),
    target: targetName(report),
    levels: levels(report),
    requests: requestsPhrase(report),
    run: runPhrase(report),
    accounts: accountsPhrase(report),
    problems: otherProblems(report),
    notes: notesOf(report),
    whole: wholeSelection(report),
    inForce: waiversInForce(report),
    changes: changes(report),
    open: openClauses(report),
    blocked: blockedClauses(report),
    unselected: notSelected(report),
    since: failingSince(report).filter(({ runs }) => runs > 1),
    waits: waits(report),
    life: lifeOfTokens(report),
    verdicts: VERDICTS,
    areas: Object.entries(AREAS).map(([id, title]) => ({
      id,
      title,
      clauses: report.clauses.filter(({ area }) => area === id),
    })),
    clauseOf: (id: string) => byId.get(id),
    noted: (clause: ReportedClause) => clause.verdict === 'failed' && !clause.gates,
    letsIn,
    key: KEY.filter(([shown]) => shown !== 'waived' || report.totals.waived > 0).map(([shown, words]) => [
      shown,
      shown === 'unverified' && notSelected(report) > 0 ? 'not judged: not selected, or a setting is missing' : words,
    ]),
    must: (ids: readonly string[]) => {
      const musts = ids.filter((id) => byId.get(id)?.level === 'MUST').length;
      return musts === 0 ? '' : ` (${String(musts)} MUST)`;
    },
    waiverOf: (id: string) => report.waivers.find(({ clause }) => clause === id),
    shownCauses: SHOWN.causes,
    brief: (text: string) => code(shortened(text, SHOWN.text)),
    askedPhrase,
    code,
    sources,
    link,
    idList,
    count,
    duration,
    style,
    script,
    digest: createHash('sha256').update(json).digest('hex'),
    styleHash: hash(style),
    scriptHash: hash(script),
  });
}
