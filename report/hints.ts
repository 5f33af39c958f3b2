/** The likely cause of a failure, in the target's own framework: looked up in hints.yaml by the clause and by what was seen. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { parseYaml } from '../fixtures/run/yaml.js';
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

export type Hints = z.infer<typeof Table>;

/** hints.yaml. */
export function readHints(): Hints {
  return Table.parse(parseYaml(readFileSync(join(__dirname, 'hints.yaml'), 'utf8')));
}

/**
 * What probably is wrong with the target, by clause: for those that failed, and of which something typical is known.
 * @param failed the results of the clauses that failed in this run, waived ones included
 */
export function likelyCauses(failed: readonly ClauseResult[]): ReadonlyMap<string, LikelyCause> {
  const causes = new Map<string, LikelyCause>();
  // A run without a failure does without the file, which takes as long to read as a clause to ask.
  if (failed.length === 0) return causes;
  const hints = readHints();
  const ids = new Set<string>(failed.map(({ clause }) => clause.id));
  for (const result of failed) {
    const cause = likelyCause(result, ids, hints);
    if (cause !== undefined) causes.set(result.clause.id, cause);
  }
  return causes;
}

function likelyCause(result: ClauseResult, failed: ReadonlySet<string>, hints: Hints): LikelyCause | undefined {
  const { clause, failures } = result;
  const { shared, clauses, otherwise } = hints;
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
