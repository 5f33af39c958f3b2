/** `report.html`: one file, readable without a network, without a script, and under a strict content security policy. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Eta } from 'eta';
import type { Exchange, Verdict } from '../../fixtures/evidence/outcome.js';
import { AREAS } from '../../spec/generated/clauses.js';
import { sourceLinks } from '../../spec/sources.js';
import { html, shortened, visibleLines } from './escape.js';
import type { Report, ReportedFailure } from '../model.js';
import { lifeOfTokens } from './timeline.js';
import {
  changes,
  costSentence,
  count,
  duration,
  gateSentence,
  idList,
  levels,
  openClauses,
  otherProblems,
  targetName,
  verdictSentence,
  waiversInForce,
  wholeSelection,
} from './sentences.js';

const VERDICTS: readonly Verdict[] = ['failed', 'blocked', 'waived', 'unverified', 'passed'];

/** Characters of evidence in one page; that of failures comes first. Escaped text is up to eight times as long as what it shows. */
const ROOM_FOR_EVIDENCE = 550_000;
/** Characters of a text from the target where it is shown beside others, and causes shown in full. */
const SHOWN = { text: 300, causes: 30 };

/** Headers worth showing where nothing failed. */
const TELLING =
  /^(authorization|content-type|www-authenticate|cache-control|allow|location|retry-after|set-cookie|cookie|origin|x-request-id|x-throttle-.*|access-control-.*|strict-transport-security)$/i;

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

/** JSON as people read it; anything else as it is. */
function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), undefined, 2);
  } catch {
    return body;
  }
}

/** Headers that tell nothing. */
const NOISE = /^(user-agent|connection|keep-alive|content-length|accept-encoding|host)$/i;

type Headers = Exchange['request']['headers'];

function headerLines(headers: Headers, all: boolean): string {
  return headers
    .filter(([name]) => (all ? !NOISE.test(name) : TELLING.test(name)))
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
}

/** An exchange as the template shows it. */
function shownExchange(exchange: Exchange, all: boolean): object {
  const { request, response, fault, requestId, ms, at, tokens } = exchange;
  return {
    line: `${request.method} ${request.path}`,
    headers: headerLines(request.headers, all),
    body: visibleLines(pretty(request.body ?? '')),
    answer: response === undefined ? (fault ?? 'no response') : String(response.status),
    answerHeaders: response === undefined ? '' : headerLines(response.headers, all),
    answerBody: visibleLines(pretty(response?.body ?? '')),
    requestId: requestId ?? '',
    when: `${at.slice(11, 23)}, ${duration(ms)}`,
    tokens: (tokens ?? []).map(({ fingerprint, header, claims }) => ({
      fingerprint,
      text: `header ${JSON.stringify(header)}\nclaims ${JSON.stringify(claims)}`,
    })),
  };
}

/** Evidence as HTML, as long as there is room on the page. */
class Gallery {
  private left = ROOM_FOR_EVIDENCE;

  /** @returns what fits of it, and how many do not */
  hang<T>(items: readonly T[], render: (item: T) => string): { readonly texts: string[]; readonly left: number } {
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

function exchangeText(exchange: Exchange, curl: string, all: boolean): string {
  return eta.render('./exchange', { ...shownExchange(exchange, all), curl });
}

function failureText({ message, expected, seen, exchange, curl }: ReportedFailure): string {
  const evidence = exchange === null ? '' : exchangeText(exchange, curl ?? '', true);
  return eta.render('./failure', { message, expected, seen, evidence, code });
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

export function htmlReport(report: Report): string {
  const style = readFileSync(join(__dirname, 'report.css'), 'utf8');
  const script = readFileSync(join(__dirname, 'report.client.js'), 'utf8');
  const byId = new Map(report.clauses.map((clause) => [clause.id, clause]));
  const gallery = new Gallery();
  // What failed comes first, and in the order of importance, in case there is not room for all.
  const important = [...new Set([...report.causes.flatMap(({ clauses }) => clauses), ...byId.keys()])];
  const evidence = new Map(
    important.flatMap((id) => {
      const clause = byId.get(id);
      if (clause === undefined) return [];
      const hung =
        clause.failures.length > 0
          ? gallery.hang(clause.failures, failureText)
          : gallery.hang(clause.evidence, (exchange) => exchangeText(exchange, '', false));
      return [[id, hung]];
    }),
  );
  const causes = report.causes.map((cause, i) => {
    const members = cause.clauses.flatMap((id) => byId.get(id) ?? []);
    const failure = members[0]?.failures.find(({ exchange }) => exchange !== null);
    const first =
      i < SHOWN.causes && failure?.exchange ? [{ exchange: failure.exchange, curl: failure.curl ?? '' }] : [];
    const { texts } = gallery.hang(first, ({ exchange, curl }) => exchangeText(exchange, curl, true));
    return { ...cause, number: i + 1, members, evidence: texts[0] ?? '' };
  });
  return eta.render('./report', {
    report,
    causes,
    sentence: verdictSentence(report),
    target: targetName(report),
    gate: gateSentence(report),
    levels: levels(report),
    cost: costSentence(report),
    problems: otherProblems(report),
    whole: wholeSelection(report),
    inForce: waiversInForce(report),
    changes: changes(report),
    open: openClauses(report),
    waits: waits(report),
    life: lifeOfTokens(report),
    verdicts: VERDICTS,
    areas: Object.entries(AREAS).map(([id, title]) => ({
      id,
      title,
      clauses: report.clauses.filter(({ area }) => area === id),
    })),
    causeOf: (id: string) => causes.find(({ clauses, blocks }) => clauses.includes(id) || blocks.includes(id)),
    waiverOf: (id: string) => report.waivers.find(({ clause }) => clause === id),
    evidence: (id: string) => evidence.get(id) ?? { texts: [], left: 0 },
    shownCauses: SHOWN.causes,
    brief: (text: string) => code(shortened(text, SHOWN.text)),
    code,
    sources,
    link,
    idList,
    count,
    duration,
    style,
    script,
    styleHash: hash(style),
    scriptHash: hash(script),
  });
}
