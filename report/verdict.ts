/** From the outcomes of checks to the verdict of a run: pure functions, no files and no console. */
import type { Exchange, Failure, Measurement, Outcome, RunFacts, Verdict } from '../fixtures/outcome.js';
import type { Waivers } from '../fixtures/waivers.js';
import { CLAUSES, type Clause, type ClauseId } from '../spec/generated/clauses.js';

/** What the reporter knows of one Playwright test. */
export interface Finished {
  readonly clause: ClauseId;
  /** Undefined: the check left none, for it did not finish. */
  readonly outcome?: Outcome;
  /** Playwright's error, for a check that did not finish: one clean line. */
  readonly error?: string;
}

export interface ClauseResult {
  readonly clause: Clause;
  readonly verdict: Verdict;
  readonly reason?: string;
  readonly blockedBy?: ClauseId;
  readonly failures: readonly Failure[];
  readonly exchanges: readonly Exchange[];
  readonly measurements: readonly Measurement[];
  readonly durationMs: number;
  /** The check itself did not get to an end. */
  readonly crashed: boolean;
}

export interface RunVerdict {
  readonly verdict: 'conformant' | 'not conformant' | 'inconclusive';
  readonly gatePassed: boolean;
  /** Why it is inconclusive, or why the gate fails beside failed clauses: one sentence each. */
  readonly problems: readonly string[];
}

export type GateLevel = RunFacts['gate'];

/** True if a clause of this level decides about the exit code. */
export function gates(level: Clause['level'], gate: GateLevel): boolean {
  return level === 'MUST' || (level === 'SHOULD' && gate !== 'must') || (level === 'MAY' && gate === 'all');
}

/** Strongest first: what is found once is not unfound by a repetition or another shard. */
const STRENGTH: readonly Verdict[] = ['failed', 'waived', 'blocked', 'unverified', 'passed'];

function resultOf(clause: Clause, finished: readonly Finished[], waivers: Waivers, selected: string): ClauseResult {
  const nothing = { clause, failures: [], exchanges: [], measurements: [], durationMs: 0, crashed: false };
  if (finished.length === 0) return { ...nothing, verdict: 'unverified', reason: selected };
  const results = finished.map(({ outcome, error }): ClauseResult => {
    if (outcome === undefined) {
      return {
        ...nothing,
        verdict: 'unverified',
        reason: `The check itself did not finish: ${error ?? 'it was interrupted'}`,
        crashed: true,
      };
    }
    const { verdict, reason, blockedBy, failures, exchanges, measurements, durationMs } = outcome;
    return {
      clause,
      verdict: verdict === 'failed' && waivers.active.has(clause.id) ? 'waived' : verdict,
      ...(reason === undefined ? {} : { reason }),
      ...(blockedBy === undefined ? {} : { blockedBy }),
      failures,
      exchanges,
      measurements,
      durationMs,
      crashed: reason?.startsWith('the check itself broke') ?? false,
    };
  });
  const [worst] = [...results].sort((a, b) => STRENGTH.indexOf(a.verdict) - STRENGTH.indexOf(b.verdict));
  return {
    ...(worst ?? { ...nothing, verdict: 'unverified' }),
    crashed: results.some(({ crashed }) => crashed),
    durationMs: results.reduce((sum, { durationMs }) => sum + durationMs, 0),
  };
}

/** One result for each clause of the catalogue, in its order: the denominator never shrinks. */
export function judgeClauses(finished: readonly Finished[], waivers: Waivers, notRun: string): ClauseResult[] {
  const results = CLAUSES.map((clause) =>
    resultOf(
      clause,
      finished.filter((one) => one.clause === clause.id),
      waivers,
      notRun,
    ),
  );
  return withSharedIds(results, finished);
}

/** RID-04 over shards: each judged its own answers, and an id that two of them saw came twice. */
function withSharedIds(results: ClauseResult[], finished: readonly Finished[]): ClauseResult[] {
  const seen = new Map<string, number>();
  let shared = 0;
  for (const { outcome } of finished) {
    const shard = outcome?.run.shard?.current ?? 0;
    for (const hash of outcome?.requestIdHashes ?? []) {
      const other = seen.get(hash);
      if (other !== undefined && other !== shard) shared += 1;
      seen.set(hash, shard);
    }
  }
  if (shared === 0) return results;
  const message = `${String(shared)} \`request_id\` of one shard came again in another`;
  return results.map((result) =>
    result.clause.id === 'RID-04' && result.verdict !== 'failed'
      ? { ...result, verdict: 'failed', reason: message, failures: [{ message }] }
      : result,
  );
}

/** What the shards of a merged run have against each other. */
export function shardProblems(finished: readonly Finished[]): string[] {
  const runs = finished.flatMap(({ outcome }) => (outcome === undefined ? [] : [outcome.run]));
  const total = Math.max(0, ...runs.map(({ shard }) => shard?.total ?? 0));
  const problems: string[] = [];
  const [first] = runs;
  if (first === undefined) return problems;
  if (total > 0) {
    const present = new Set(runs.map(({ shard }) => shard?.current));
    const missing = Array.from({ length: total }, (_, i) => i + 1).filter((shard) => !present.has(shard));
    if (missing.length > 0) {
      problems.push(`Shard ${missing.join(' and ')} of ${String(total)} is missing: merge the blobs of all shards.`);
    }
  }
  const kinds = new Set(
    runs.map((run) =>
      [run.embedded ? 'embedded' : run.baseUrl, run.suiteVersion, run.contractVersion, run.gate, run.shard?.total].join(
        ' ',
      ),
    ),
  );
  if (kinds.size > 1)
    problems.push('A shard is foreign: target, version, gate or number of shards differ. Merge blobs of one run only.');
  return problems;
}

export interface RunState {
  /** The run was aborted, timed out, or had an error of its own: one sentence. */
  readonly aborted?: string;
  readonly gate: GateLevel;
  readonly requireVerified: boolean;
  readonly shardProblems: readonly string[];
  readonly waivers: Waivers;
}

/** Waivers that the run has outgrown. */
export function staleWaivers(results: readonly ClauseResult[], waivers: Waivers): string[] {
  return results
    .filter(({ clause, verdict }) => waivers.active.has(clause.id) && verdict === 'passed')
    .map(({ clause }) => `The waiver of ${clause.id} is stale: the clause passes now. Remove it from the waiver file.`);
}

/** The verdict of the run. Green means tested: where nothing was, or not to the end, it is inconclusive. */
export function judgeRun(results: readonly ClauseResult[], state: RunState): RunVerdict {
  const gating = results.filter(({ clause }) => gates(clause.level, state.gate));
  const waiverProblems = [...state.waivers.problems, ...staleWaivers(results, state.waivers)];
  const problems: string[] = [];
  if (state.aborted !== undefined) problems.push(state.aborted);
  problems.push(...state.shardProblems);
  if (!results.some(({ verdict }) => verdict === 'passed' || verdict === 'failed' || verdict === 'waived')) {
    problems.push('No clause was verified, so nothing is known about the target.');
  }
  const crashed = results.filter((result) => result.crashed).map(({ clause }) => clause.id);
  if (crashed.length > 0) problems.push(`The check of ${crashed.join(', ')} did not finish.`);
  const explained = new Set(
    results.filter(({ verdict }) => verdict === 'failed' || verdict === 'waived').map(({ clause }) => clause.id),
  );
  // What rests on something blocked is explained by what blocks that.
  for (let grew = true; grew;) {
    grew = false;
    for (const { clause, verdict, blockedBy } of results) {
      if (verdict !== 'blocked' || blockedBy === undefined || explained.has(clause.id) || !explained.has(blockedBy))
        continue;
      explained.add(clause.id);
      grew = true;
    }
  }
  const unexplained = gating.filter(({ clause, verdict }) => verdict === 'blocked' && !explained.has(clause.id));
  if (unexplained.length > 0) {
    problems.push(
      `${unexplained.map(({ clause }) => clause.id).join(', ')} could not be judged for ${[...new Set(unexplained.map(({ blockedBy }) => blockedBy))].join(', ')}, which did not fail by itself: the target answers differently at different times, or that clause was not selected.`,
    );
  }
  if (state.requireVerified) {
    const open = gating.filter(({ verdict }) => verdict === 'unverified' || verdict === 'blocked');
    if (open.length > 0) {
      problems.push(
        `${String(open.length)} gating clauses are unverified or blocked, and CONFORMANCE_REQUIRE_VERIFIED is on: ${open.map(({ clause }) => clause.id).join(', ')}.`,
      );
    }
  }
  const failed = gating.some(({ verdict }) => verdict === 'failed');
  const verdict = failed ? 'not conformant' : problems.length > 0 ? 'inconclusive' : 'conformant';
  return {
    verdict,
    gatePassed: verdict === 'conformant' && waiverProblems.length === 0,
    problems: [...problems, ...waiverProblems],
  };
}
