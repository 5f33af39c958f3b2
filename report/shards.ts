/** Shards of a run, merged into one report. */
import type { RunFacts } from '../fixtures/evidence/outcome.js';
import type { Finished } from './verdict.js';

/** The facts of each run that these checks belong to: one, or one for each shard. */
export function runsOf(finished: readonly Finished[]): RunFacts[] {
  const runs = finished.flatMap(({ outcome }) => outcome?.run ?? []);
  return [...new Map(runs.map((run) => [run.runId, run])).values()];
}

/** What the runs that were merged have against each other, one sentence each; empty for a single run. */
export function shardProblems(finished: readonly Finished[]): string[] {
  const runs = runsOf(finished);
  const problems: string[] = [];
  const numbers = runs.map(({ shard }) => shard?.current ?? 0);
  const total = Math.max(0, ...runs.map(({ shard }) => shard?.total ?? 0));
  const missing = Array.from({ length: total }, (_, i) => i + 1).filter((shard) => !numbers.includes(shard));
  if (missing.length > 0)
    problems.push(`Shard ${missing.join(', ')} of ${String(total)} is missing: merge the blobs of all shards.`);
  const twice = [...new Set(numbers.filter((shard, i) => shard > 0 && numbers.indexOf(shard) !== i))];
  if (twice.length > 0)
    problems.push(
      `Shard ${twice.join(', ')} of ${String(total)} appears twice: a blob of an earlier run was merged too. Empty the folder first.`,
    );
  const differing = (
    [
      ['target', (run) => (run.embedded ? 'embedded' : run.baseUrl)],
      ['suite', (run) => run.suiteVersion],
      ['contract', (run) => run.contractVersion],
      ['gate', (run) => run.gate],
      ['number of shards', (run) => String(run.shard?.total ?? 1)],
    ] satisfies [string, (run: RunFacts) => string][]
  ).flatMap(([name, of]) => {
    const values = [...new Set(runs.map(of))];
    return values.length > 1 ? [`${name} (${values.join(', ')})`] : [];
  });
  if (differing.length > 0)
    problems.push(`The shards do not belong together: they differ in ${differing.join(' and ')}. Merge one run only.`);
  else if (runs.length > 1 && total === 0)
    problems.push(`${String(runs.length)} complete runs were merged; merge only shards of one run.`);
  return problems;
}
