/** The lives of an access and a refresh token as a picture: how long they are, and what was tried where. Not to scale around their end. */
import type { Verdict } from '../../fixtures/evidence/outcome.js';
import { html } from './escape.js';
import type { Report, ReportedClause } from '../model.js';

/** A try at some distance from the token's end. */
interface Try {
  readonly clause: string;
  readonly words: string;
  /** Place on the picture, in its own units. */
  readonly x: number;
}

const ISSUED = 80;
const END = 520;
const LAST = 950;
const ROW = 150;

function measured(clause: ReportedClause | undefined, key: string): string | undefined {
  return clause?.measurements.find((one) => one.key === key)?.value;
}

function seconds(clause: ReportedClause | undefined, key: string): number | undefined {
  const value = Number.parseFloat(measured(clause, key) ?? '');
  return Number.isFinite(value) ? value : undefined;
}

/** `900 s (15 min)`, `604800 s (7 days)`. */
function span(value: number): string {
  const units: readonly (readonly [number, string])[] = [
    [86_400, 'days'],
    [3600, 'h'],
    [60, 'min'],
  ];
  const unit = units.find(([size]) => value >= size && value % size === 0);
  return `${String(value)} s${unit === undefined ? '' : ` (${String(value / unit[0])} ${unit[1]})`}`;
}

const MARKS: Record<Verdict, string> = { passed: '✓', failed: '✕', waived: '~', blocked: '–', unverified: '?' };

/** @returns an SVG, or an empty string where no lifetime was measured */
export function lifeOfTokens(report: Report): string {
  const byId = new Map(report.clauses.map((clause) => [clause.id, clause]));
  const verdict = (id: string): Verdict => byId.get(id)?.verdict ?? 'unverified';
  const judged = ({ clause }: Try): boolean => ['passed', 'failed', 'waived'].includes(verdict(clause));
  const after = (id: string): string =>
    measured(byId.get(id), 'by-secret') === undefined ? 'after it: must be refused' : '10 min after: must be refused';
  const grace = seconds(byId.get('EXP-07'), 'access-grace');
  const words: string[] = [];

  const track = (
    row: number,
    kind: 'access' | 'refresh',
    [login, refresh]: readonly [string, string],
    tries: readonly Try[],
  ): string => {
    const life = seconds(byId.get(login), `${kind}-life-from-login`);
    if (life === undefined) return '';
    const again = seconds(byId.get(refresh), `${kind}-life-from-refresh`);
    const top = row * ROW + 52;
    words.push(
      `The ${kind} token from login lives ${span(life)}: ${login} ${verdict(login)}.`,
      ...(again === undefined ? [] : [`After a refresh it lives ${span(again)}: ${refresh} ${verdict(refresh)}.`]),
      ...tries.filter(judged).map(({ clause, words: what }) => `${clause}, ${what}: ${verdict(clause)}.`),
    );
    const lengths = [
      `${login} ${MARKS[verdict(login)]} ${span(life)} from login`,
      ...(again === undefined ? [] : [`${refresh} ${MARKS[verdict(refresh)]} ${span(again)} from refresh`]),
    ];
    const marks = tries.filter(judged).map(({ clause, words: what, x }, i) => {
      // Labels step down, so that those close together do not meet.
      const low = top + 34 + (i % 3) * 20;
      const left = x < END;
      return (
        `<g class="${verdict(clause)}"><line x1="${String(x)}" y1="${String(top - 6)}" x2="${String(x)}" y2="${String(low)}"/>` +
        `<circle cx="${String(x)}" cy="${String(top + 6)}" r="5"/>` +
        `<text x="${String(x + (left ? -6 : 6))}" y="${String(low)}" text-anchor="${left ? 'end' : 'start'}">` +
        `${clause} ${MARKS[verdict(clause)]} ${html(what)}</text></g>`
      );
    });
    return [
      `<text class="track" x="0" y="${String(top + 10)}">${kind}</text>`,
      `<line class="axis" x1="${String(ISSUED)}" y1="${String(top + 6)}" x2="${String(LAST)}" y2="${String(top + 6)}"/>`,
      `<rect class="${verdict(login)}" x="${String(ISSUED)}" y="${String(top)}" width="${String(END - ISSUED)}" height="12" rx="2"/>`,
      `<text x="${String(ISSUED)}" y="${String(top - 28)}">${html(lengths.join(' · '))}</text>`,
      `<text x="${String(ISSUED)}" y="${String(top - 8)}" class="place">issued</text>`,
      `<text x="${String(END)}" y="${String(top - 8)}" class="place end">exp</text>`,
      ...marks,
    ].join('');
  };

  const tracks = [
    track(
      0,
      'access',
      ['EXP-01', 'EXP-08'],
      [
        { clause: 'JRN-05', words: '1 min before expiry: must work', x: END - 60 },
        { clause: 'EXP-05', words: 'shortly before: must work', x: END - 25 },
        ...(grace === undefined
          ? []
          : [{ clause: 'EXP-07', words: `grace of ${String(grace)} s`, x: END + 25 + Math.min(grace, 600) / 4 }]),
        { clause: 'EXP-04', words: after('EXP-04'), x: END + 150 },
      ],
    ),
    track(1, 'refresh', ['EXP-02', 'EXP-09'], [{ clause: 'EXP-06', words: after('EXP-06'), x: END + 150 }]),
  ].filter((text) => text !== '');
  if (tracks.length === 0) return '';
  const box = `0 0 1000 ${String(tracks.length * ROW)}`;
  const label = html(words.join(' '));
  return `<svg class="life" viewBox="${box}" role="img" aria-label="${label}">${tracks.join('')}</svg>`;
}
