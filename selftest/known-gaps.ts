/**
 * False alarms and dark places that the checks still have on servers that are right: the list must shrink to empty. A clause listed
 * here for a variant or a drift may fail or be blocked on it; one that no longer does is a fault too, so that the list tells what is so
 * today.
 */
import type { ClauseId } from '../spec/generated/clauses.js';

export interface Gap {
  readonly clauses: readonly ClauseId[];
  readonly why: string;
}

/** Gaps by the id of the variant or drift. */
export const KNOWN_GAPS: Readonly<Record<string, readonly Gap[]>> = {};

/** Defects that no check finds yet: the list must shrink to empty too. */
export const NOT_FOUND_YET: readonly string[] = [];

/** The clauses that are not to be counted against the checks, for a variant or drift. */
export function knownGaps(id: string): readonly ClauseId[] {
  return (KNOWN_GAPS[id] ?? []).flatMap(({ clauses }) => clauses);
}
