/** What failed, grouped by what probably is one fault, each with the clauses that it keeps from being judged. */
import type { Cause, ReportedClause } from './model.js';

type Blockable = Pick<ReportedClause, 'id' | 'verdict' | 'blockedBy'>;
type Judged = Blockable & Pick<ReportedClause, 'hint' | 'gates' | 'reason' | 'failures'>;

/**
 * Clauses that keep somebody out: an area, or single ones. A request that got what it should not (2xx) is then no difference of form, but a
 * way in, or at what is another's.
 */
const KEEP_OUT = /^(UNA-(?!12|13|20)|FOR-(?!02|05|08)|REF-(05|08|09|11|13)|LOG-(04|05|09|13)|EXP-(04|06|10|11)|REG-10)/;

/** Whether the failure of a clause let somebody in. */
export function letsIn({ id, failures }: Pick<ReportedClause, 'id' | 'failures'>): boolean {
  const status = (failure: ReportedClause['failures'][number]): number => failure.exchange?.response?.status ?? 0;
  return KEEP_OUT.test(id) && failures.some((failure) => status(failure) >= 200 && status(failure) < 300);
}

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
 * Failed clauses by cause: those that gate first; of these what lets somebody in, and then what blocks the most.
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
  const open = new Set(clauses.filter((clause) => clause.verdict === 'failed' && letsIn(clause)).map(({ id }) => id));
  const lets = (cause: Cause): number => Number(cause.clauses.some((id) => open.has(id)));
  return causes.sort((a, b) => Number(b.gates) - Number(a.gates) || lets(b) - lets(a) || size(b) - size(a));
}
