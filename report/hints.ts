/** The likely cause of a failure, in the target's own framework: looked up in hints.yaml by the clause and by what was seen. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { ClauseResult } from './verdict.js';

const Hint = z.strictObject({ seen: z.string().optional(), hint: z.string() });
const Shared = Hint.extend({
  title: z.string(),
  clauses: z.string().transform((ids) => ids.split(' ')),
  beside: z.string().optional(),
});
const Table = z.strictObject({
  shared: z.array(Shared),
  clauses: z.record(z.string(), z.array(Hint)),
  otherwise: z.array(Hint),
});

export interface LikelyCause {
  /** Of a cause that shows in several clauses at once: they are reported together under it. */
  readonly title?: string;
  readonly hint: string;
}

/** hints.yaml. */
export const HINTS = Table.parse(parse(readFileSync(join(__dirname, 'hints.yaml'), 'utf8')));

/**
 * What probably is wrong with the target; undefined where nothing typical is known, and for clauses that did not fail.
 * @param failed ids of all clauses that failed in this run
 */
export function likelyCause(result: ClauseResult, failed: ReadonlySet<string>): LikelyCause | undefined {
  const { clause, verdict, failures } = result;
  if (verdict !== 'failed' && verdict !== 'waived') return undefined;
  const { shared, clauses, otherwise } = HINTS;
  const messages = failures.map(({ message }) => message);
  const together = shared.find(
    ({ clauses: ids, seen, beside }) =>
      ids.includes(clause.id) &&
      (beside === undefined || failed.has(beside)) &&
      (seen === undefined || messages.every((message) => new RegExp(seen).test(message))),
  );
  if (together !== undefined) return { title: together.title, hint: together.hint };
  const own = [...(clauses[clause.id] ?? []), ...otherwise].find(
    ({ seen }) => seen === undefined || messages.some((message) => new RegExp(seen).test(message)),
  );
  return own === undefined ? undefined : { hint: own.hint };
}
