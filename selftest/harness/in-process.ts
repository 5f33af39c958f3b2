/** Parts of a run, without the command line: its look at a target, one check of it, and its verdict. */
import { BoundedTransport } from '../../fixtures/http/raw-transport.js';
import { runCheck } from '../../fixtures/check/run-check.js';
import { readConfiguration } from '../../fixtures/setup/configuration.js';
import type { Cost, Outcome } from '../../fixtures/evidence/outcome.js';
import { beginRun } from '../../fixtures/setup/begin-run.js';
import { RunState } from '../../fixtures/run/run-state.js';
import { PATIENCE } from '../../fixtures/setup/preflight.js';
import { describeTarget } from '../../fixtures/setup/describe-target.js';
import { wayTo, type GateLevel, type Target } from '../../fixtures/run/target.js';
import type { Waivers } from '../../fixtures/run/waivers.js';
import type { Transport } from '../../fixtures/http/transport.js';
import { Conclusion } from '../../report/conclusion.js';
import type { Report } from '../../report/model.js';
import { reporterOptions, type ReporterOptions } from '../../report/options.js';
import { judgeClauses, judgeRun, type Finished, type RunVerdict } from '../../report/verdict.js';
import { shardProblems } from '../../report/shards.js';
import type { ClauseId } from '../../spec/generated/clauses.js';
import { allChecks, FACTS, meet } from '../matrix/run.js';

/**
 * What a run does before its first check: reads the environment, and looks at the target that it names.
 * @param patience with the first response; by default what a user has
 * @returns what the look cost, and the run and the target as the checks then find them
 * @throws PlainError the one sentence that the user sees
 */
export async function lookAt(
  env: Record<string, string>,
  patience = PATIENCE,
): Promise<{ cost: Cost; state: RunState; target: Target }> {
  const target = describeTarget(readConfiguration(env), undefined, {});
  const { facts, state, target: known } = await beginRun(target, FACTS, {}, patience);
  return { cost: facts.preflight, state, target: known };
}

/** Runs the check of one clause. @throws Error if it has none */
export async function runOne(
  id: ClauseId,
  target: Target,
  more: { readonly transport?: Transport; readonly sleep?: (ms: number) => Promise<void> } = {},
): Promise<Outcome> {
  const check = allChecks().find((one) => one.id === id);
  if (check === undefined) throw new Error(`${id} has no check`);
  const bounded = more.transport ?? new BoundedTransport(wayTo(target));
  const { target: known, state } = await meet(target, bounded);
  const { outcome } = await runCheck(id, check.body, {
    run: state,
    target: known,
    cache: new Map(),
    newest: {},
    runId: FACTS.runId,
    prefix: 'o',
    transport: bounded,
    bounded,
    ...(more.sleep === undefined ? {} : { sleep: more.sleep }),
  });
  return outcome;
}

export function finishedOf(outcomes: ReadonlyMap<ClauseId, Outcome>): Finished[] {
  return [...outcomes].map(([clause, outcome]) => ({ clause, outcome }));
}

export const NO_WAIVERS: Waivers = { active: new Map(), problems: [] };

/** The verdict of a run that was neither aborted nor a shard. */
export function verdictOf(finished: readonly Finished[], gate: GateLevel = 'must', waivers = NO_WAIVERS): RunVerdict {
  const results = judgeClauses(finished, waivers, 'No check of it ran.');
  const state = { gate, waivers, requireVerified: false, partial: false, shardProblems: shardProblems(finished) };
  return judgeRun(results, state);
}

/** A check that came out in some way, without a run. */
export function came(clause: ClauseId, verdict: Outcome['verdict'], more: Partial<Outcome> = {}): Finished {
  const reason = verdict === 'passed' ? {} : { reason: `what ${clause} saw` };
  const outcome: Outcome = {
    clause,
    verdict,
    ...reason,
    failures: verdict === 'failed' ? [{ message: `what ${clause} saw` }] : [],
    exchanges: [],
    measurements: [],
    cost: FACTS.preflight,
    durationMs: 1,
    run: FACTS,
    ...more,
  };
  return { clause, outcome };
}

/** How a reporter is set up where nothing is configured. */
export const REPORTER_OPTIONS = reporterOptions({}, {}, []);

/** The report of a run that ended by itself, without files. */
export function reportOf(finished: readonly Finished[], options: Partial<ReporterOptions> = {}): Report {
  const ending = { status: 'passed', startTime: new Date('2026-03-01T12:00:00Z'), duration: 12_000 } as const;
  return new Conclusion({ ...REPORTER_OPTIONS, ...options }).report(finished, [], ending, null);
}
