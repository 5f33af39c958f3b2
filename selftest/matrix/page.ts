/** What the cells of the matrix should be, and the page that publishes them. */
import type { DeclaredCheck } from '../../fixtures/check/clause.js';
import type { DialectPoint } from '../../fixtures/evidence/outcome.js';
import { AREAS, CLAUSES, type ClauseId } from '../../spec/generated/clauses.js';
import { DEFECTS } from '../defects/index.js';
import { VARIANTS } from '../variants/index.js';
import { driftSection } from './drift-cells.js';
import { CLEAN, rowOf } from './rows.js';

export interface Cell {
  readonly defect: string;
  /** The clauses that were asked; undefined: all. */
  readonly asked?: readonly ClauseId[];
  readonly failed: readonly ClauseId[];
  readonly passed: readonly ClauseId[];
  readonly blocked: readonly (readonly [string, string])[];
  readonly unverified: readonly ClauseId[];
  /** Why a clause did not pass. */
  readonly reasons: Readonly<Record<string, string>>;
  /** Of each clause that failed, what its check reports. */
  readonly messages: Readonly<Record<string, readonly string[]>>;
  /** The points in which its dialect differs from the guide's. */
  readonly dialect: readonly DialectPoint[];
  readonly requests: number;
  readonly auth: number;
  readonly ms: number;
}

/** Clauses whose defects cannot be built into the embedded target, and where they are shown to fail instead. */
export const PROVED_ELSEWHERE: Readonly<Partial<Record<ClauseId, string>>> = {
  'NET-01': 'selftest/channel.selftest.ts, because it needs https',
  'LOG-07': 'selftest/timing.selftest.ts, because it needs a quiet machine',
};

/** Clauses that a row of the matrix does not verify: they need a browser, or https. */
const NEVER_HERE: readonly ClauseId[] = ['DOC-01', 'NET-01'];

function difference<T extends string>(one: readonly T[], other: readonly string[]): T[] {
  return one.filter((id) => !other.includes(id));
}

/** Every way in which the matrix is not as pinned: one line each, with defect, clause, expected and seen. */
export function faultsOf(cells: readonly Cell[], checks: readonly DeclaredCheck[], whole: boolean): string[] {
  const faults: string[] = [];
  for (const cell of cells) {
    const { defect, variant } = rowOf(cell.defect);
    const pinned = defect?.clauses ?? variant?.fails ?? [];
    const name = cell.defect === CLEAN ? 'the conforming target' : cell.defect;
    for (const id of difference(cell.failed, [...pinned, ...(defect?.may ?? [])])) {
      faults.push(`${name}: ${id} fails and is not pinned: ${cell.reasons[id] ?? ''}`);
    }
    for (const { point, owner } of cell.dialect) {
      // A server that is wrong as a whole speaks no dialect.
      const judged = owner !== undefined && (cell.asked?.includes(owner) ?? true);
      if (judged && defect?.server === undefined && !cell.failed.includes(owner))
        faults.push(`${name}: its ${point} differs from the guide's, and ${owner}, which owns that, does not fail`);
    }
    const skipped = (id: string): boolean =>
      id === 'DOC-01' && !cell.passed.includes('DOC-01') && !cell.failed.includes('DOC-01');
    for (const id of difference(pinned, cell.failed)) {
      if (skipped(id)) continue;
      const blocked = cell.blocked.find(([clause]) => clause === id);
      faults.push(
        `${name}: ${id} is pinned and does not fail${blocked === undefined ? '' : ` (blocked by ${blocked[1]})`}`,
      );
    }
    if (defect === undefined) {
      for (const [id, by] of cell.blocked)
        if (!pinned.some((failing) => failing === by))
          faults.push(`${name}: ${id} is blocked by ${by}, and nothing is wrong`);
    }
    if (variant !== undefined && variant.unverified !== 'any') {
      const excused: readonly ClauseId[] = [...NEVER_HERE, ...(variant.unverified ?? [])];
      for (const id of difference(cell.unverified, excused))
        faults.push(`${name}: ${id} is not verified, and nothing is wrong: ${cell.reasons[id] ?? ''}`);
    }
    if (defect !== undefined && cell.failed.length === 0 && !pinned.every(skipped))
      faults.push(`${name}: no clause fails`);
    if (defect?.passes !== undefined && cell.asked === undefined) {
      for (const id of difference(cell.passed, defect.passes))
        faults.push(`${name}: ${id} passes on a server that is wrong as a whole`);
      for (const id of difference(defect.passes, cell.passed))
        faults.push(`${name}: ${id} is pinned to pass and does not`);
    }
  }
  if (!whole) return faults;
  for (const { id, level } of CLAUSES) {
    const declared = checks.filter((check) => check.id === id).length;
    if (declared !== 1) faults.push(`${id} has ${String(declared)} checks, and should have one`);
    if (level !== 'MAY' && PROVED_ELSEWHERE[id] === undefined && !DEFECTS.some(({ clauses }) => clauses.includes(id))) {
      faults.push(`${id} is ${level}, and no defect fails it`);
    }
  }
  return faults;
}

const ONE_PART = DEFECTS.filter(({ server }) => server === undefined);

/** Mean number of clauses that fail under a defect of one part; servers that are wrong as a whole left out. */
export function sharpness(): number {
  return ONE_PART.reduce((sum, { clauses }) => sum + clauses.length, 0) / ONE_PART.length;
}

/** docs/kill-matrix.md: what is pinned, which a run of the matrix holds to what happens. */
export async function matrixPage(): Promise<string> {
  const worst = [...ONE_PART].sort((a, b) => b.clauses.length - a.clauses.length || (a.id < b.id ? -1 : 1)).slice(0, 5);
  const checked = CLAUSES.filter(({ level }) => level !== 'MAY');
  const covered = checked.filter(({ id }) => DEFECTS.some(({ clauses }) => clauses.includes(id)));
  const lines = [
    '# The kill matrix',
    '',
    'Generated by `npm run kill -- --write`, and held by `npm run kill`: each defect is built into the embedded target, the whole ' +
      'suite is run against it, and exactly the clauses named here must fail. `npm test` runs each defect with the clauses named here, ' +
      'and a sample of the rows with the whole suite.',
    '',
    `- ${String(DEFECTS.length)} defects: ${String(ONE_PART.length)} of one part, ` +
      `${String(DEFECTS.length - ONE_PART.length)} servers that are wrong as a whole`,
    `- ${String(covered.length)} of ${String(checked.length)} MUST and SHOULD clauses are failed by a defect of the matrix; ` +
      Object.entries(PROVED_ELSEWHERE)
        .map(([id, where]) => `${id} is proved in ${where}`)
        .join('; '),
    `- sharpness: ${sharpness().toFixed(2)} clauses fail per defect of one part`,
    `- ${String(VARIANTS.length)} conforming variants, on which nothing fails and nothing is blocked but what is named below`,
    '',
    'The least sharp five:',
    '',
    ...worst.map(({ id, clauses }) => `- \`${id}\`: ${clauses.join(', ')}`),
    '',
    'Intermittent faults are caught with a stated probability: `id-of-thread` gives 3 of 100 ' +
      'responses the id of the previous one. A run sends more than 500',
    'requests, so it is missed with less than 0.97^500, one in four million; its chances come from a seeded generator, so that runs agree.',
    '`id-missing-now-and-then` leaves out every eighth id, `refresh-race` opens a window of 15 ms to ' +
      'eight requests whose last bytes are sent together.',
    '',
    '## By clause',
    '',
    '| clause | level | defects |',
    '|---|---|---|',
  ];
  for (const area of Object.keys(AREAS)) {
    for (const { id, level } of CLAUSES.filter((clause) => clause.area === area)) {
      const defects = DEFECTS.filter(({ clauses, server }) => clauses.includes(id) && server === undefined).map(
        (defect) => `\`${defect.id}\``,
      );
      lines.push(`| ${id} | ${level} | ${defects.join(', ') || (PROVED_ELSEWHERE[id] ?? 'none, it is a MAY')} |`);
    }
  }
  lines.push('', '## By defect', '', '| defect | how it happens | clauses that fail |', '|---|---|---|');
  for (const { id, story, clauses, server } of DEFECTS) {
    if (server === undefined)
      lines.push(`| \`${id}\` | ${story.replaceAll('|', String.raw`\|`)} | ${clauses.join(', ')} |`);
  }
  lines.push(
    '',
    '## Servers that are wrong as a whole',
    '',
    '| server | what it is | clauses that fail | clauses that pass | the others |',
    '|---|---|---|---|---|',
  );
  for (const { id, story, clauses, passes, server } of DEFECTS) {
    if (server === undefined) continue;
    lines.push(
      `| \`${id}\` | ${story} | ${clauses.join(', ')} | ${passes?.join(', ') ?? ''} | blocked or unverified |`,
    );
  }
  lines.push(
    '',
    '## Servers that conform in another way',
    '',
    'No false alarms: each of these meets the contract in a different way from the embedded target, or is checked with fewer settings.',
    '',
    '| variant | what allows it | clauses that still fail |',
    '|---|---|---|',
    ...VARIANTS.map(({ id, words, fails }) => `| \`${id}\` | ${words} | ${fails?.join(', ') ?? ''} |`),
  );
  lines.push('', ...driftSection());
  const { format } = await import('prettier');
  return format(lines.join('\n'), { parser: 'markdown', printWidth: 120 });
}
