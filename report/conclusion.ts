/** From what a run left behind to its report: the one place that knows how a run of Playwright can end. */
import type { FullResult } from '@playwright/test/reporter';
import { publishedRun } from '../fixtures/run/run-state.js';
import { suiteCommit, suiteVersion } from '../fixtures/run/suite.js';
import { loadWaivers, type Waivers } from '../fixtures/run/waivers.js';
import { CONTRACT_VERSION } from '../spec/generated/clauses.js';
import { readReport, withBaseline, type EarlierReport } from './baseline.js';
import { buildReport } from './build.js';
import { withHistory } from './history.js';
import type { Report } from './model.js';
import type { ReporterOptions } from './options.js';
import { runsOf, shardProblems } from './shards.js';
import { givenUp, judgeClauses, judgeRun, type Finished, type RunContext } from './verdict.js';

/** Reason of a clause of which no check ran. */
const NOT_RUN = 'No check of it ran in this run.';

type Ending = Pick<FullResult, 'status' | 'startTime' | 'duration'>;

export class Conclusion {
  /** Read before the run, whose own report may take its place. */
  private readonly earlier: EarlierReport | string | undefined;
  private readonly commit = suiteCommit();

  constructor(private readonly options: ReporterOptions) {
    this.earlier = options.baseline === undefined ? undefined : readReport(options.baseline);
  }

  /** Takes the place of an earlier run's report while this one is under way, and for good if it is killed. */
  withdrawn(): Report {
    const now: Ending = { status: 'interrupted', startTime: new Date(), duration: 0 };
    const why = 'The run has not ended: it is under way, or it was killed.';
    return this.report([], [why], now, null, { active: new Map(), problems: [] });
  }

  /**
   * @param errors of the run itself, one sentence each, or a line for each fault
   * @param shard the one that this run was
   */
  report(
    finished: readonly Finished[],
    errors: readonly string[],
    ending: Ending,
    shard: { readonly total: number; readonly current: number } | null,
    waivers = this.waivers(),
  ): Report {
    const { options, commit } = this;
    const runs = runsOf(finished);
    const aborted = this.aborted(finished, errors, ending.status);
    const partial = options.mode !== 'merge' && shard !== null;
    const notRun = partial ? 'No check of it ran in this shard.' : NOT_RUN;
    const results = judgeClauses(finished, waivers, aborted?.split('\n')[0] ?? notRun);
    const gate = runs[0]?.gate ?? options.gate;
    const context: RunContext = {
      gate,
      waivers,
      partial,
      requireVerified: options.requireVerified && !partial,
      shardProblems: options.mode === 'merge' ? shardProblems(finished) : [],
      ...(aborted === undefined ? {} : { aborted }),
    };
    let verdict = judgeRun(results, context);
    if (ending.status === 'failed' && verdict.gatePassed) {
      const unknown = 'Playwright counts a failure that belongs to no clause: see its own report.';
      verdict = judgeRun(results, { ...context, aborted: unknown });
    }
    const report = buildReport({
      results,
      verdict,
      runs,
      gate,
      waivers,
      intended: options.target,
      suite: {
        version: runs[0]?.suiteVersion ?? suiteVersion(),
        contract: runs[0]?.contractVersion ?? CONTRACT_VERSION,
        ...(commit === undefined ? {} : { commit }),
      },
      ...(options.runUrl === undefined ? {} : { url: options.runUrl }),
      ...(options.runBy === undefined ? {} : { by: options.runBy }),
      startedAt: ending.startTime,
      durationMs: ending.duration,
      repeatable: options.evidence === 'full',
      fronts: finished.flatMap(({ outcome }) => (outcome?.fronts === undefined ? [] : [outcome.fronts])),
      costs: [
        // The preflight counts once for each run.
        ...runs.map(({ preflight }) => preflight),
        ...finished.flatMap(({ outcome }) => outcome?.cost ?? []),
      ],
    });
    const compared =
      options.baseline === undefined || this.earlier === undefined
        ? report
        : withBaseline(report, options.baseline, this.earlier);
    if (options.history === undefined || partial) return compared;
    // What was selected says nothing of how the target is as a whole.
    const whole = aborted !== undefined || results.every(({ ran }) => ran);
    return withHistory(compared, options.history, whole && runs.length > 0);
  }

  /** Those that the global setup read, where there was one. */
  private waivers(): Waivers {
    return publishedRun()?.waivers ?? loadWaivers(this.options.waivers, Date.now());
  }

  /** Why the run did not get to its end; undefined if it did. */
  private aborted(
    finished: readonly Finished[],
    errors: readonly string[],
    status: Ending['status'],
  ): string | undefined {
    const [error] = errors;
    if (error !== undefined)
      return errors.length === 1 ? error : `${error} (and ${String(errors.length - 1)} more errors)`;
    if (status === 'timedout') return 'The run took longer than it may, and was ended.';
    if (status === 'interrupted') return 'The run was interrupted.';
    const stopped = publishedRun()?.stopped ?? givenUp(finished);
    return stopped === undefined ? undefined : `The run was given up: ${stopped}.`;
  }
}
