/** `report.html`: one file, readable without a network, without a script, and under a strict content security policy. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Eta } from 'eta';
import type { Exchange } from '../fixtures/outcome.js';
import { AREAS, SOURCES } from '../spec/generated/clauses.js';
import { visible } from './escape.js';
import type { Report, ReportedClause, ReportedFailure } from './report.js';
import { openClauses, verdictSentence } from './words.js';

const VERDICTS = ['passed', 'failed', 'waived', 'blocked', 'unverified'];
const LONGEST_BODY = 2500;

const eta = new Eta({ autoEscape: true, useWith: false });
const file = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
const hash = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;

function escaped(text: string): string {
  return eta.renderString('<%= it.text %>', { text });
}

/** Text of the catalogue, in which `…` marks what is code. */
function code(text: string): string {
  return escaped(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}

/** Each source with its address, where it has one (RFCs by number and section). */
export function sources(source: string): string {
  return source
    .split(', ')
    .map((part) => {
      const [, rfc, , section] = /^RFC (\d+)( §([\d.]+))?$/.exec(part) ?? [];
      const url =
        rfc === undefined
          ? SOURCES[part]?.url
          : `https://www.rfc-editor.org/rfc/rfc${rfc}${section === undefined ? '' : `#section-${section}`}`;
      const title = SOURCES[part]?.title;
      const name = escaped(part);
      if (url !== undefined) return `<a href="${escaped(url)}">${name}</a>`;
      return title === undefined ? name : `<span title="${escaped(title)}">${name}</span>`;
    })
    .join(', ');
}

function wireText(exchange: Exchange): string {
  const { request, response } = exchange;
  const lines = (headers: readonly (readonly [string, string])[]): string =>
    headers.map(([name, value]) => `${visible(name)}: ${visible(value)}`).join('\n');
  const body = (text: string | undefined): string =>
    text === undefined || text === '' ? '' : `\n\n${visible(text, LONGEST_BODY)}`;
  const asked = `${visible(request.method)} ${visible(request.path)}\n${lines(request.headers)}${body(request.body)}`;
  const answered =
    response === undefined
      ? (exchange.fault ?? 'no answer')
      : `${String(response.status)}\n${lines(response.headers)}${body(response.body)}`;
  const tokens = (exchange.tokens ?? []).map(
    ({ fingerprint, header, claims }) =>
      `token ${fingerprint}: ${visible(JSON.stringify(header ?? '?'))} ${visible(JSON.stringify(claims ?? '?'))}`,
  );
  return [asked, answered, ...(tokens.length === 0 ? [] : [tokens.join('\n')])].join('\n\n———\n\n');
}

/** Expected, seen, the exchange and a line that repeats it. */
function evidence(failure: ReportedFailure | undefined): string {
  if (failure?.exchange === null || failure === undefined) return '';
  const { expected, seen, exchange, curl } = failure;
  const facts =
    expected === undefined || seen === undefined
      ? ''
      : `<p>expected <strong>${escaped(visible(expected))}</strong>, seen <strong>${escaped(visible(seen))}</strong></p>`;
  const id =
    exchange.requestId === undefined ? '' : `<p class="level">request_id ${escaped(visible(exchange.requestId))}</p>`;
  const again =
    curl === undefined ? '' : `<pre tabindex="0" aria-label="cURL line">${escaped(visible(curl, 4000))}</pre>`;
  return `<details><summary>evidence</summary>${facts}${id}${again}<pre tabindex="0" aria-label="request and response">${escaped(wireText(exchange))}</pre></details>`;
}

function measured(report: Report, id: string, name: string): number | undefined {
  const value = report.clauses.find((clause) => clause.id === id)?.measurements.find((one) => one.name === name)?.value;
  const seconds = Number.parseFloat(value ?? '');
  return Number.isNaN(seconds) ? undefined : seconds;
}

/** The life of an access token: what was promised, what was measured, and what was tried where. */
function timeline(report: Report): string {
  const life = measured(report, 'EXP-01', 'access token from login');
  if (life === undefined || life <= 0) return '';
  const verdict = (id: string): string => report.clauses.find((clause) => clause.id === id)?.verdict ?? 'unverified';
  const grace = measured(report, 'EXP-07', 'grace after exp');
  const x = (seconds: number): string => (60 + (seconds / (life + 700)) * 820).toFixed(0);
  const tries = [
    { at: life - 60, id: 'JRN-05', text: 'a minute left' },
    { at: life - 20, id: 'EXP-05', text: '20 s left' },
    { at: life + 600, id: 'EXP-04', text: 'ten minutes past' },
  ];
  const words = `An access token lives ${String(life)} s${grace === undefined ? '' : `, with a grace of ${String(grace)} s`}. ${tries.map(({ id, text }) => `${id}, ${text}: ${verdict(id)}`).join('. ')}.`;
  const marks = tries
    .map(
      ({ at, id }, i) =>
        `<g class="${verdict(id)}"><line x1="${x(at)}" y1="30" x2="${x(at)}" y2="${String(66 + i * 16)}" stroke="currentColor" stroke-width="2"/><text x="${x(at)}" y="${String(78 + i * 16)}" text-anchor="${i < 2 ? 'end' : 'middle'}">${id}</text></g>`,
    )
    .join('');
  return `<h2 id="life">The life of an access token</h2><svg viewBox="0 0 940 130" role="img" aria-label="${escaped(words)}" width="100%"><rect x="60" y="34" width="${String(Number(x(life)) - 60)}" height="16" fill="currentColor" class="passed"/><line x1="60" y1="42" x2="900" y2="42" stroke="currentColor" stroke-width="1"/><text x="60" y="24">issued</text><text x="${x(life)}" y="24" text-anchor="middle">exp, ${String(life)} s</text>${marks}</svg><p class="level">${escaped(words)}</p>`;
}

/** What needs attention: gating clauses first, those that block most before others. */
function attention(report: Report): ReportedClause[] {
  const weight = (clause: ReportedClause): number =>
    report.clauses.filter(({ blockedBy }) => blockedBy === clause.id).length;
  return report.clauses
    .filter(({ verdict }) => verdict === 'failed' || verdict === 'waived')
    .sort((a, b) => Number(b.gates) - Number(a.gates) || weight(b) - weight(a));
}

export function htmlReport(report: Report): string {
  const style = file('report.css');
  const script = file('report.client.js');
  return eta.renderString(file('report.eta'), {
    report,
    sentence: verdictSentence(report),
    verdicts: VERDICTS,
    areas: AREAS,
    attention: attention(report),
    open: openClauses(report),
    timeline: timeline(report),
    gates: (clause: ReportedClause) => clause.gates,
    show: (text: string) => visible(text),
    code,
    sources,
    evidence,
    style,
    script,
    styleHash: hash(style),
    scriptHash: hash(script),
  });
}
