/** What failed, grouped by what probably is one fault, each with the clauses that it keeps from being judged. */
import type { ReportedClause } from './report.js';

export interface Cause {
  /** In words; for a single clause, what was wrong with it. */
  readonly title: string;
  /** What to change in the target; may be empty. */
  readonly hint: string;
  /** One of its clauses gates. */
  readonly gates: boolean;
  /** The clauses that failed. */
  readonly clauses: readonly string[];
  /** The clauses that are blocked by one of them, or by something that is. */
  readonly blocks: readonly string[];
}

type Judged = Pick<ReportedClause, 'id' | 'verdict' | 'blockedBy' | 'hint' | 'gates' | 'reason'>;

/** The clauses that rest on one of `roots`, directly or over others, in the catalogue's order. */
export function blockedUnder(clauses: readonly Judged[], roots: readonly string[]): string[] {
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
