/** From the outcomes of checks to the verdict of a run: pure functions, no files and no console. */
import type { Exchange, Failure, Measurement, Outcome, RunFacts, Verdict } from '../fixtures/evidence/outcome.js';
import type { Waivers } from '../fixtures/run/waivers.js';
import { CLAUSES, type Clause, type ClauseId } from '../spec/generated/clauses.js';

/** What the reporter knows of one Playwright test. */
export interface Finished {
  readonly clause: ClauseId;
  /** Undefined: the check left none, for it did not get to its end. */
  readonly outcome?: Outcome;
  /** Set if the check itself went wrong, whatever the target did: Playwright's error, one clean line. */
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
  /** Requests sent, and milliseconds waited for the target's rate limit. */
  readonly requests: number;
  readonly throttledMs: number;
  readonly durationMs: number;
  /** The check itself went wrong. */
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
  return level === 'MUST' || (level === 'SHOULD' && gate !== 'must') || gate === 'all';
}

/** Strongest first: what is found once is not unfound by a repetition. */
const STRENGTH: readonly Verdict[] = ['failed', 'waived', 'blocked', 'unverified', 'passed'];

function oneResult(clause: Clause, { outcome, error }: Finished, waivers: Waivers): ClauseResult {
  const crashed = error !== undefined;
  const reason = error === undefined ? outcome?.reason : `The check itself did not finish: ${error}`;
  const verdict = outcome?.verdict === 'failed' && waivers.active.has(clause.id) ? 'waived' : outcome?.verdict;
  return {
    clause,
    // Nothing is taken from a check that went wrong but what it had found by then.
    verdict: verdict === undefined || (crashed && verdict === 'passed') ? 'unverified' : verdict,
    ...(reason === undefined ? {} : { reason }),
    ...(outcome?.blockedBy === undefined ? {} : { blockedBy: outcome.blockedBy }),
    failures: outcome?.failures ?? [],
    exchanges: outcome?.exchanges ?? [],
    measurements: outcome?.measurements ?? [],
    requests: outcome?.cost.requests ?? 0,
    throttledMs: outcome?.cost.throttledMs ?? 0,
    durationMs: outcome?.durationMs ?? 0,
    crashed,
  };
}

/** Several results of one clause as one: the strongest verdict, all that was found and measured. */
function combined(results: readonly ClauseResult[]): ClauseResult | undefined {
  const strongest = [...results].sort((a, b) => STRENGTH.indexOf(a.verdict) - STRENGTH.indexOf(b.verdict))[0];
  if (strongest === undefined || results.length === 1) return strongest;
  const same = results.filter(({ verdict }) => verdict === strongest.verdict);
  const distinct = <T>(values: readonly T[], key: (value: T) => string): T[] => [
    ...new Map(values.map((value) => [key(value), value])).values(),
  ];
  const sum = (pick: (result: ClauseResult) => number): number => results.reduce((total, one) => total + pick(one), 0);
  return {
    ...strongest,
    failures: distinct(
      same.flatMap(({ failures }) => failures),
      ({ message }) => message,
    ),
    measurements: distinct(
      results.flatMap(({ measurements }) => measurements),
      ({ name, value }) => `${name}\n${value}`,
    ),
    requests: sum(({ requests }) => requests),
    throttledMs: sum(({ throttledMs }) => throttledMs),
    durationMs: sum(({ durationMs }) => durationMs),
    crashed: results.some(({ crashed }) => crashed),
  };
}

function resultOf(clause: Clause, finished: readonly Finished[], waivers: Waivers, notRun: string): ClauseResult {
  const byRun = new Map<string, ClauseResult[]>();
  for (const one of finished) {
    const run = one.outcome?.run.runId ?? '';
    byRun.set(run, [...(byRun.get(run) ?? []), oneResult(clause, one, waivers)]);
  }
  const runs = [...byRun.values()].flatMap((results) => combined(results) ?? []);
  // A shard that saw no answer of the kind leaves the clause to the shards that did.
  const judged = runs.filter(({ verdict, crashed }) => verdict !== 'unverified' || crashed);
  return (
    combined(judged.length > 0 ? judged : runs) ?? {
      ...oneResult(clause, { clause: clause.id }, waivers),
      reason: notRun,
    }
  );
}

/**
 * One result for each clause of the catalogue, in its order: the denominator never shrinks. Within a run the strongest verdict of a
 * clause wins; of the shards of a run (ENV and RID are judged in each) those count that could judge.
 * @param notRun the reason of a clause of which no check ran
 */
export function judgeClauses(finished: readonly Finished[], waivers: Waivers, notRun: string): ClauseResult[] {
  const results = CLAUSES.map((clause) => {
    const own = finished.filter((one) => one.clause === clause.id);
    return resultOf(clause, own, waivers, notRun);
  });
  return withSharedIds(results, finished, waivers);
}

/** RID-04 over shards: each judged its own answers, and an id that two of them saw came twice. */
function withSharedIds(results: ClauseResult[], finished: readonly Finished[], waivers: Waivers): ClauseResult[] {
  const seenIn = new Map<string, string>();
  const shared = new Set<string>();
  for (const { outcome } of finished) {
    const run = outcome?.run.runId ?? '';
    for (const hash of outcome?.requestIdHashes ?? []) {
      if ((seenIn.get(hash) ?? run) !== run) shared.add(hash);
      seenIn.set(hash, run);
    }
  }
  if (shared.size === 0) return results;
  const message = `${String(shared.size)} \`request_id\` of one shard came again in another`;
  const verdict = waivers.active.has('RID-04') ? 'waived' : 'failed';
  return results.map((result) =>
    result.clause.id === 'RID-04'
      ? {
          ...result,
          verdict,
          reason: result.failures[0]?.message ?? message,
          failures: [...result.failures, { message }],
        }
      : result,
  );
}

/** What the runs that were merged have against each other, one sentence each; empty for a single run. */
export function shardProblems(finished: readonly Finished[]): string[] {
  const runs = [
    ...new Map(
      finished.flatMap(({ outcome }) => (outcome === undefined ? [] : [[outcome.run.runId, outcome.run]])),
    ).values(),
  ];
  const problems: string[] = [];
  const numbers = runs.map(({ shard }) => shard?.current ?? 0);
  const total = Math.max(0, ...runs.map(({ shard }) => shard?.total ?? 0));
  const missing = Array.from({ length: total }, (_, i) => i + 1).filter((shard) => !numbers.includes(shard));
  if (missing.length > 0)
    problems.push(`Shard ${missing.join(', ')} of ${String(total)} is missing: merge the blobs of all shards.`);
  const twice = [...new Set(numbers.filter((shard, i) => shard > 0 && numbers.indexOf(shard) !== i))];
  if (twice.length > 0)
    problems.push(
      `Shard ${twice.join(', ')} of ${String(total)} is there twice: a blob of an earlier run was merged too. Empty the folder first.`,
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
    problems.push(`A shard is foreign: they differ in ${differing.join(' and ')}. Merge blobs of one run only.`);
  else if (runs.length > 1 && total === 0)
    problems.push(
      `${String(runs.length)} whole runs were merged, which are no shards of one: merge blobs of one run only.`,
    );
  return problems;
}

/** How a check says that the run was given up (fixtures/run.ts and fixtures/pacing.ts). */
const GIVEN_UP = /^the target (gave no answer \d+ times|kept answering 429|asks to wait)/;

/** Why a run was given up on the way, from what its checks say; undefined if it was not. */
export function givenUp(finished: readonly Finished[]): string | undefined {
  const reasons = finished.flatMap(({ outcome }) => (outcome?.verdict === 'unverified' ? [outcome.reason ?? ''] : []));
  return reasons.find((reason) => GIVEN_UP.test(reason));
}

export interface RunState {
  /** The run was aborted, timed out, was given up, or had an error of its own: one sentence, or a line for each fault. */
  readonly aborted?: string;
  readonly gate: GateLevel;
  readonly requireVerified: boolean;
  /** One shard of several, judged by itself: what its clauses rest on may be another shard's. */
  readonly partial: boolean;
  readonly shardProblems: readonly string[];
  readonly waivers: Waivers;
}

/** Waivers that the target has outgrown. */
export function staleWaivers(results: readonly ClauseResult[], waivers: Waivers): ClauseId[] {
  return results
    .filter(({ clause, verdict }) => waivers.active.has(clause.id) && verdict === 'passed')
    .map(({ clause }) => clause.id);
}

/** Clauses that are blocked by one that did not fail in this run, nor is blocked by one that did. */
function unexplained(results: readonly ClauseResult[]): ClauseResult[] {
  const byId = new Map(results.map((result) => [result.clause.id, result]));
  const explained = (result: ClauseResult, seen: readonly string[]): boolean => {
    const by = result.blockedBy === undefined ? undefined : byId.get(result.blockedBy);
    if (by === undefined || seen.includes(by.clause.id)) return false;
    if (by.verdict === 'failed' || by.verdict === 'waived') return true;
    return by.verdict === 'blocked' && explained(by, [...seen, by.clause.id]);
  };
  return results.filter((result) => result.verdict === 'blocked' && !explained(result, []));
}

const ids = (results: readonly ClauseResult[]): string => results.map(({ clause }) => clause.id).join(', ');

/** The verdict of the run. Green means tested: where nothing was, or not to the end, it is inconclusive. */
export function judgeRun(results: readonly ClauseResult[], state: RunState): RunVerdict {
  const gating = results.filter(({ clause }) => gates(clause.level, state.gate));
  const problems: string[] = [];
  if (state.aborted !== undefined) problems.push(state.aborted);
  problems.push(...state.shardProblems);
  if (state.aborted === undefined && !results.some(({ verdict }) => ['passed', 'failed', 'waived'].includes(verdict)))
    problems.push('No clause was verified, so nothing is known about the target.');
  const crashed = results.filter((result) => result.crashed);
  if (crashed.length > 0)
    problems.push(`The check of ${ids(crashed)} did not finish, which says nothing about the target.`);
  const adrift = state.partial ? [] : unexplained(gating);
  if (adrift.length > 0) {
    const by = [...new Set(adrift.flatMap(({ blockedBy }) => blockedBy ?? []))].join(', ');
    problems.push(
      `${ids(adrift)} could not be judged because of ${by}, which did not fail by itself: it was not selected in this run, or the target answers differently at different times.`,
    );
  }
  const open = gating.filter(({ verdict }) => verdict === 'unverified' || verdict === 'blocked');
  if (state.requireVerified && open.length > 0) {
    problems.push(
      `CONFORMANCE_REQUIRE_VERIFIED is on, and ${String(open.length)} clauses that gate are unverified or blocked: ${ids(open)}.`,
    );
  }
  const waiverProblems = [
    ...state.waivers.problems,
    ...staleWaivers(results, state.waivers).map(
      (id) => `The waiver of ${id} is stale, for the clause passes now: remove it from the waiver file.`,
    ),
  ];
  const failed = gating.some(({ verdict }) => verdict === 'failed');
  const verdict = failed ? 'not conformant' : problems.length > 0 ? 'inconclusive' : 'conformant';
  return {
    verdict,
    gatePassed: verdict === 'conformant' && waiverProblems.length === 0,
    problems: [...problems, ...waiverProblems],
  };
}
