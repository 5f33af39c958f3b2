/** What the rows of the drifts should be: the owner fails and nothing beside it, little is blocked, and defects are still found. */
import type { ClauseId } from '../../spec/generated/clauses.js';
import { DRIFTS, type Drift } from '../drifts/index.js';
import { PINS } from '../drifts/pins.js';
import { SAMPLE } from '../drifts/sample.js';
import type { Cell } from './page.js';
import { rowOf } from './rows.js';

/** Is the defect of a crossed row found: does a clause of its own fail that does not fail for the drift alone? */
export function isFound({ defect: name, failed }: Cell): boolean {
  const { drift, defect } = rowOf(name);
  return failed.some((id) => defect?.clauses.includes(id) === true && drift?.fails.includes(id) === false);
}

/** Why nobody could find a defect under a drift; undefined if somebody could. */
export function hidden(
  drift: Drift,
  { id, clauses }: { readonly id: string; readonly clauses: readonly ClauseId[] },
): string | undefined {
  if (drift.hides?.[id] !== undefined) return drift.hides[id];
  return clauses.every((clause) => drift.fails.includes(clause)) ? 'its clauses fail for the drift already' : undefined;
}

function alone(drift: Drift, cell: Cell): string[] {
  const blocked: readonly string[] = cell.blocked.map(([id]) => id);
  const faults = cell.failed
    .filter((id) => !drift.fails.includes(id))
    .map((id) => `${cell.defect}: ${id} fails beside the point: ${cell.reasons[id] ?? ''}`);
  for (const id of drift.fails)
    if (!cell.failed.includes(id))
      faults.push(`${cell.defect}: ${id} owns the point and does not fail: ${cell.reasons[id] ?? 'it passes'}`);
  for (const { point, owner } of cell.dialect)
    if (owner !== undefined && !cell.failed.includes(owner))
      faults.push(
        `${cell.defect}: its ${point} differs from the guide's, and ${owner}, which owns that, does not fail`,
      );
  if (cell.blocked.length > drift.mostBlocked)
    faults.push(
      `${cell.defect}: ${String(cell.blocked.length)} clauses are blocked, ` +
        `at most ${String(drift.mostBlocked)} may be: ${cell.blocked.map(([id, by]) => `${id} by ${by}`).join(', ')}`,
    );
  const pinned: readonly string[] = PINS[drift.id]?.blocked ?? [];
  for (const [id, by] of cell.blocked)
    if (!pinned.includes(id)) faults.push(`${cell.defect}: ${id} is blocked by ${by}, and not pinned as blocked`);
  for (const id of pinned)
    if (!blocked.includes(id)) faults.push(`${cell.defect}: ${id} is pinned as blocked, and is not`);
  return faults;
}

/** Every way in which the rows of drifts are not as pinned: one line each. */
export function driftFaults(cells: readonly Cell[]): string[] {
  return cells.flatMap((cell) => {
    const { drift, defect } = rowOf(cell.defect);
    if (drift === undefined) return [];
    if (defect === undefined) return alone(drift, cell);
    const missed = PINS[drift.id]?.missed ?? [];
    const because = (id: ClauseId): string =>
      cell.reasons[id] ?? (cell.failed.includes(id) ? 'fails for the drift' : 'passes');
    if (isFound(cell) === missed.includes(defect.id) && hidden(drift, defect) === undefined)
      return [
        isFound(cell)
          ? `${cell.defect}: it is found, and pinned as missed`
          : `${cell.defect}: it is not found: ${defect.clauses.map((id) => `${id} ${because(id)}`).join('; ')}`,
      ];
    return [];
  });
}

/** A line for each drift: what fails, what is blocked, what of the sample is found. */
export function driftSummary(cells: readonly Cell[]): string[] {
  const lines: string[] = [];
  for (const cell of cells) {
    const { drift, defect } = rowOf(cell.defect);
    if (drift === undefined || defect !== undefined) continue;
    const crossed = cells.filter(({ defect: name }) => rowOf(name).drift === drift && rowOf(name).defect !== undefined);
    const fair = crossed.filter(({ defect: name }) => {
      const beneath = rowOf(name).defect;
      return beneath !== undefined && hidden(drift, beneath) === undefined;
    });
    lines.push(
      `${drift.id}: fails ${cell.failed.join(', ') || 'nothing'}; ${String(cell.blocked.length)} ` +
        `blocked, ${String(cell.unverified.length)} unverified; ${String(fair.filter(isFound).length)} ` +
        `of ${String(fair.length)} defects found`,
    );
  }
  return lines;
}

/** The section of docs/kill-matrix.md about drifts. */
export function driftSection(): string[] {
  const rows = DRIFTS.map((drift) => {
    const pin = PINS[drift.id];
    const fair = SAMPLE.filter((defect) => hidden(drift, defect) === undefined);
    const found = fair.length - fair.filter(({ id }) => pin?.missed.includes(id)).length;
    const share = `${String(found)} of ${String(fair.length)} (${String(Math.floor((100 * found) / fair.length))} %)`;
    return (
      `| \`${drift.id}\` | ${drift.story} | ${drift.fails.join(', ')} ` +
      `| ${pin?.blocked.join(', ') ?? ''} | ${pin === undefined ? 'not measured' : share} |`
    );
  });
  return [
    '## Servers that have drifted',
    '',
    'Each differs from the guide in its form. The clause that owns the difference fails and no other; ' +
      'few clauses are blocked, because their question no longer has',
    `a meaning. On top of each drift ${String(SAMPLE.length)} defects of all areas were built in, ` +
      `one at a time: the last column says how many of them are still found by their own clause, of those`,
    'for which the drift leaves room.',
    '',
    '| drift | what is different | clauses that fail | clauses that are blocked | defects that are still found |',
    '|---|---|---|---|---|',
    ...rows,
  ];
}
