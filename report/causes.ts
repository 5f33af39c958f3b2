/** What failed, grouped by what probably is one fault, each with the clauses that it keeps from being judged. */
import type { Cause, ReportedClause } from './model.js';

type Blockable = Pick<ReportedClause, 'id' | 'verdict' | 'blockedBy'>;
type Judged = Blockable & Pick<ReportedClause, 'hint' | 'gates' | 'reason'>;

/** The clauses that depend on one of `roots`, directly or over others, in the catalogue's order. */
export function blockedUnder(clauses: readonly Blockable[], roots: readonly string[]): string[] {
  const under = new Set(roots);
  for (let before = -1; before !== under.size;) {
    before = under.size;
    for (const { id, verdict, blockedBy } of clauses) {
      if (verdict === 'blocked' && blockedBy !== undefined && under.has(blockedBy)) under.add(id);
    }
  }
  return clauses.filter(({ id, verdict }) => verdict === 'blocked' && under.has(id)).map(({ id }) => id);
}

/**
 * Failed clauses by cause: those that gate first, then those with the most behind them.
 * @param sharedTitle title of the cause that a clause shares with others, where it does
 */
export function rootCauses(clauses: readonly Judged[], sharedTitle: (id: string) => string | undefined): Cause[] {
  const groups = new Map<string, Judged[]>();
  for (const clause of clauses) {
    if (clause.verdict !== 'failed') continue;
    const key = sharedTitle(clause.id) ?? clause.id;
    groups.set(key, [...(groups.get(key) ?? []), clause]);
  }
  const causes = [...groups].map(([key, members]): Cause => {
    const [first] = members;
    const ids = members.map(({ id }) => id);
    return {
      title: key === first?.id ? first.reason : key,
      hint: first?.hint ?? '',
      gates: members.some((member) => member.gates),
      clauses: ids,
      blocks: blockedUnder(clauses, ids),
    };
  });
  const size = (cause: Cause): number => cause.clauses.length + cause.blocks.length;
  return causes.sort((a, b) => Number(b.gates) - Number(a.gates) || size(b) - size(a));
}
