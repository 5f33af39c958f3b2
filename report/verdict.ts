/** From the outcomes of checks to the verdict of a run: pure functions, no files and no console. */
import type {
  Asked,
  Exchange,
  Failure,
  Measurement,
  Outcome,
  RowResult,
  Verdict,
} from '../fixtures/evidence/outcome.js';
import { gates, type GateLevel } from '../fixtures/run/target.js';
import type { Waivers } from '../fixtures/run/waivers.js';
import { CLAUSES, type Clause, type ClauseId } from '../spec/generated/clauses.js';
import type { ReportedVerdict } from './model.js';

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
  /** False if no check of it ran. */
  readonly ran: boolean;
  readonly reason?: string;
  /** Of blocked clauses: the clause that failed, or is blocked itself. */
  readonly blockedBy?: ClauseId;
  /** Of unverified clauses: a clause that its check found not to hold, which did not fail in this run. */
  readonly dependsOn?: ClauseId;
  readonly failures: readonly Failure[];
  readonly rows: readonly RowResult[];
  readonly asked?: Asked;
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
  readonly verdict: ReportedVerdict;
  readonly gatePassed: boolean;
  /** Why it is inconclusive, or why the gate fails other than by failed clauses: one sentence each. */
  readonly problems: readonly string[];
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
    ran: true,
    ...(reason === undefined ? {} : { reason }),
    ...(outcome?.blockedBy === undefined ? {} : { blockedBy: outcome.blockedBy }),
    failures: outcome?.failures ?? [],
    rows: outcome?.rows ?? [],
    ...(outcome?.asked === undefined ? {} : { asked: outcome.asked }),
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
    rows: results.flatMap(({ rows }) => rows),
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
      ran: false,
      reason: notRun,
    }
  );
}

/**
 * One result for each clause of the catalogue, in its order: every run lists all of them. Within a run the strongest verdict of a
 * clause wins; of the shards of a run (ENV and RID are judged in each) those count that could judge.
 * @param notRun the reason of a clause of which no check ran
 */
export function judgeClauses(finished: readonly Finished[], waivers: Waivers, notRun: string): ClauseResult[] {
  const fair = givenUp(finished) === undefined ? finished : finished.map(withoutLateness);
  const results = CLAUSES.map((clause) => {
    const own = fair.filter((one) => one.clause === clause.id);
    return resultOf(clause, own, waivers, notRun);
  });
  return blockedByFailuresOnly(withSharedIds(results, finished, waivers));
}

/** The failed or waived clause at the end of a chain of blocked ones; undefined if there is none. */
function rootOf(result: ClauseResult, byId: ReadonlyMap<ClauseId, ClauseResult>): ClauseResult | undefined {
  const seen = new Set<ClauseId>();
  let one: ClauseResult | undefined = result;
  while (one?.verdict === 'blocked' && one.blockedBy !== undefined && !seen.has(one.clause.id)) {
    seen.add(one.clause.id);
    one = byId.get(one.blockedBy);
  }
  return one?.verdict === 'failed' || one?.verdict === 'waived' ? one : undefined;
}

function indexed(results: readonly ClauseResult[]): ReadonlyMap<ClauseId, ClauseResult> {
  return new Map(results.map((result) => [result.clause.id, result]));
}

/** `blocked` is a promise that its cause stands in the same report; what has none there is unverified, with what its check saw. */
function blockedByFailuresOnly(results: readonly ClauseResult[]): ClauseResult[] {
  const byId = indexed(results);
  return results.map((result) => {
    const { blockedBy, ...rest } = result;
    if (result.verdict !== 'blocked' || blockedBy === undefined || rootOf(result, byId) !== undefined) return result;
    const by = byId.get(blockedBy);
    const state =
      by?.ran !== true ? 'was not checked' : by.verdict === 'passed' ? 'passed' : 'could not be judged either';
    return {
      ...rest,
      verdict: 'unverified',
      dependsOn: blockedBy,
      reason: `${result.reason ?? `depends on ${blockedBy}`}; ${blockedBy} itself ${state} in this run`,
    };
  });
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

/**
 * Of a run that was given up: what failed for nothing but a response that did not come in time was not judged. A target that leaves many
 * requests without a response leaves those of any clause.
 */
function withoutLateness(finished: Finished): Finished {
  const { outcome } = finished;
  if (outcome?.verdict !== 'failed' || !outcome.failures.every(({ late }) => late)) return finished;
  const reason = `Not judged, because the run was given up: ${outcome.failures[0]?.message ?? ''}`;
  return { ...finished, outcome: { ...outcome, verdict: 'unverified', reason, failures: [] } };
}

/** Why a run was given up on the way, from what its checks say; undefined if it was not. */
export function givenUp(finished: readonly Finished[]): string | undefined {
  return finished.find(({ outcome }) => outcome?.stopped !== undefined)?.outcome?.stopped;
}

/** What the verdict of a run depends on besides the results of its clauses. */
export interface RunContext {
  /** The run was aborted, timed out, was given up, or had an error of its own: one sentence, or a line for each fault. */
  readonly aborted?: string;
  readonly gate: GateLevel;
  readonly requireVerified: boolean;
  /** One shard of several, judged by itself: what its clauses depend on may be another shard's. */
  readonly partial: boolean;
  readonly shardProblems: readonly string[];
  readonly waivers: Waivers;
}

/** Waivers whose clause passes by now. */
function staleWaivers(results: readonly ClauseResult[], waivers: Waivers): ClauseId[] {
  return results
    .filter(({ clause, verdict }) => waivers.active.has(clause.id) && verdict === 'passed')
    .map(({ clause }) => clause.id);
}

const ids = (results: readonly ClauseResult[]): string => results.map(({ clause }) => clause.id).join(', ');

/** What waived failures hide without saying so, one sentence for each waiver. */
function hiddenByWaivers(
  results: readonly ClauseResult[],
  gating: readonly ClauseResult[],
  waivers: Waivers,
): string[] {
  const byId = indexed(results);
  return results.flatMap(({ clause, verdict }) => {
    if (verdict !== 'waived') return [];
    const named = waivers.active.get(clause.id)?.blocks ?? [];
    const hidden = gating.filter(
      (result) =>
        result.verdict === 'blocked' &&
        rootOf(result, byId)?.clause.id === clause.id &&
        !named.includes(result.clause.id),
    );
    if (hidden.length === 0) return [];
    const them = hidden.length === 1 ? 'it' : 'them';
    const why = `${ids(hidden)} could not be judged because of ${clause.id}, and the waiver of ${clause.id}`;
    return [`${why} does not name ${them}: fix ${clause.id}, or add ${them} to the waiver's \`blocks\`.`];
  });
}

/**
 * Why the run shows less than it seems to, one sentence each.
 * @param failed a clause that gates failed
 */
function problemsOf(results: readonly ClauseResult[], context: RunContext, failed: boolean): string[] {
  const gating = results.filter(({ clause }) => gates(clause.level, context.gate));
  const problems = [...(context.aborted === undefined ? [] : [context.aborted]), ...context.shardProblems];
  const is = (...wanted: Verdict[]): boolean => results.some(({ verdict }) => wanted.includes(verdict));
  if (context.aborted === undefined && !is('passed', 'failed', 'waived'))
    problems.push('No clause was verified, so nothing is known about the target.');
  else if (context.aborted === undefined && !failed && !is('passed'))
    problems.push('No clause that was checked holds, so the target is not shown to conform.');
  const crashed = results.filter((result) => result.crashed);
  if (crashed.length > 0)
    problems.push(`The check of ${ids(crashed)} did not finish, which says nothing about the target.`);
  const adrift = context.partial ? [] : gating.filter(({ dependsOn }) => dependsOn !== undefined);
  if (adrift.length > 0) {
    const by = [...new Set(adrift.flatMap(({ dependsOn }) => dependsOn ?? []))].join(', ');
    problems.push(
      `${ids(adrift)} could not be judged because of ${by}, which did not fail in this run: ` +
        "it was not selected, or the target's responses vary.",
    );
  }
  problems.push(...hiddenByWaivers(results, gating, context.waivers));
  const open = gating.filter(({ verdict }) => verdict === 'unverified' || verdict === 'blocked');
  if (context.requireVerified && open.length > 0) {
    problems.push(
      `CONFORMANCE_REQUIRE_VERIFIED is on, and ${String(open.length)} clauses that gate are unverified or blocked: ${ids(open)}.`,
    );
  }
  return problems;
}

/** The verdict of the run. Green means tested: where nothing was, or not to the end, it is inconclusive. */
export function judgeRun(results: readonly ClauseResult[], context: RunContext): RunVerdict {
  const failed = results.some(({ clause, verdict }) => verdict === 'failed' && gates(clause.level, context.gate));
  const problems = problemsOf(results, context, failed);
  const waiverProblems = [
    ...context.waivers.problems,
    ...staleWaivers(results, context.waivers).map(
      (id) => `The waiver of ${id} is stale because the clause passes now: remove it from the waiver file.`,
    ),
  ];
  const waived = results.some(({ verdict }) => verdict === 'waived');
  const green = waived ? 'conformant with waivers' : 'conformant';
  const verdict = failed ? 'not conformant' : problems.length > 0 ? 'inconclusive' : green;
  return {
    verdict,
    gatePassed: verdict === green && waiverProblems.length === 0,
    problems: [...problems, ...waiverProblems],
  };
}
