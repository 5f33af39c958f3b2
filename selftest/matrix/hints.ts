/** Every pattern in hints.yaml fits what a defect or a variant really makes a check report: else it is out of date, or was a guess. */
import { readHints } from '../../report/hints.js';
import type { Cell } from './page.js';

/** Patterns for what the matrix has no row for: nothing in it breaks a connection. */
const SEEN_ELSEWHERE: Readonly<Record<string, string>> = { 'no response': 'selftest/hostile.selftest.ts' };

/** The pairs of a clause and a pattern for it that fit no row of the matrix, one line each. */
export function unmatchedHints(cells: readonly Pick<Cell, 'messages'>[]): string[] {
  const { shared, clauses, otherwise } = readHints();
  const reports = (clause: string): (readonly string[])[] => cells.flatMap(({ messages }) => [messages[clause] ?? []]);
  const pairs = [
    // A shared cause must fit every failure of a clause, a clause's own any of them: as `likelyCauses` has it.
    ...shared.flatMap(({ clauses: ids, seen }) => ids.map((id) => ({ id, seen, fits: 'every' as const }))),
    ...Object.entries(clauses).flatMap(([id, hints]) => hints.map(({ seen }) => ({ id, seen, fits: 'some' as const }))),
  ];
  const all = cells.flatMap(({ messages }) => Object.values(messages).flat());
  const idle = otherwise.filter(
    ({ seen }) => seen !== undefined && !(seen in SEEN_ELSEWHERE) && !all.some((one) => new RegExp(seen).test(one)),
  );
  const general = idle.map(({ seen }) => `otherwise: “${seen ?? ''}” fits no defect and no variant`);
  const own = pairs.flatMap(({ id, seen, fits }) => {
    if (seen === undefined) return [];
    const pattern = new RegExp(seen);
    const fitting = reports(id).some((messages) => messages.length > 0 && messages[fits]((one) => pattern.test(one)));
    return fitting ? [] : [`${id}: “${seen}” fits no defect and no variant`];
  });
  return [...own, ...general];
}
