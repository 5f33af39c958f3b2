/** The report of a run: one versioned document (report.schema.json), from which every other output is derived. */
import type { Cost, Exchange, Failure, Measurement, RunFacts, Verdict } from '../fixtures/evidence/outcome.js';
import type { Waiver, Waivers } from '../fixtures/run/waivers.js';
import { rootCauses, type Cause } from './causes.js';
import { curlLine } from './outputs/curl.js';
import { shortened } from './outputs/escape.js';
import { likelyCause } from './hints.js';
import { gates, type ClauseResult, type GateLevel, type RunVerdict } from './verdict.js';

export const FORMAT = 'igny8-auth-conformance/1';

export interface ReportedFailure {
  readonly message: string;
  readonly expected?: string;
  readonly seen?: string;
  readonly exchange: Exchange | null;
  /** Repeats the request, with shell variables for secrets. */
  readonly curl?: string;
}

export interface ReportedClause {
  readonly id: string;
  readonly area: string;
  readonly level: 'MUST' | 'SHOULD' | 'MAY';
  readonly statement: string;
  readonly source: string;
  readonly verdict: Verdict;
  /** Why it is not passed; empty if it is. */
  readonly reason: string;
  /** Likely cause in the target's framework; may be empty. */
  readonly hint: string;
  readonly durationMs: number;
  readonly failures: readonly ReportedFailure[];
  /** A failure of it fails the gate. */
  readonly gates: boolean;
  readonly blockedBy?: string;
  readonly measurements: readonly Measurement[];
  readonly requests: number;
  readonly throttledMs: number;
  /** What the verdict of a clause without failures rests on: the last exchanges of its check. */
  readonly evidence: readonly Exchange[];
}

export interface ReportedWaiver extends Waiver {
  /** `in force`: the clause fails; `stale`: it passes now; `idle`: it could not be judged. */
  readonly state: 'in force' | 'stale' | 'idle';
}

/** What changed against an earlier report. */
export interface Baseline {
  readonly startedAt: string;
  readonly verdict: RunVerdict['verdict'];
  readonly newlyFailing: readonly string[];
  readonly fixed: readonly string[];
  readonly newlyUnverified: readonly string[];
}

export interface Report {
  readonly format: typeof FORMAT;
  readonly target: { readonly baseUrl: string; readonly embedded: boolean };
  readonly suite: { readonly version: string; readonly contract: string };
  readonly startedAt: string;
  readonly durationMs: number;
  readonly gate: { readonly level: GateLevel; readonly passed: boolean };
  readonly verdict: RunVerdict['verdict'];
  readonly totals: Readonly<Record<Verdict, number>>;
  readonly requests: {
    readonly total: number;
    readonly auth: number;
    readonly throttledMs: number;
    readonly accountsMade: number;
  };
  readonly clauses: readonly ReportedClause[];
  readonly causes: readonly Cause[];
  /** Why the run is inconclusive or the gate fails, beside failed clauses. */
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  readonly configuration: Readonly<Record<string, string>>;
  readonly waivers: readonly ReportedWaiver[];
  /** The shards that this report was made of, or the one that it is about. */
  readonly shards?: { readonly total: number; readonly present: readonly number[] };
  readonly baseline?: Baseline;
}

/** Failures of one clause that are reported, and those among them with their exchange. */
const FAILURES = { reported: 12, withExchange: 8 };
/** Exchanges kept of a clause that did not fail. */
const EVIDENCE = { exchanges: 2, bodyCharacters: 600 };
/** Characters of exchanges in one report, so that no target can make it large. */
const ROOM_FOR_EXCHANGES = 1_500_000;
const LONGEST = { message: 800, detail: 400, headers: 30, header: 300, body: 2100 };

/** An exchange within bounds that no target can stretch. */
function bounded(exchange: Exchange, bodyCharacters: number): Exchange {
  const headers = (list: Exchange['request']['headers']): Exchange['request']['headers'] =>
    list.slice(0, LONGEST.headers).map(([name, value]) => [shortened(name, 100), shortened(value, LONGEST.header)]);
  const { request, response, tokens } = exchange;
  return {
    ...exchange,
    request: {
      ...request,
      headers: headers(request.headers),
      ...(request.body === undefined ? {} : { body: shortened(request.body, bodyCharacters) }),
    },
    ...(response === undefined
      ? {}
      : {
          response: { ...response, headers: headers(response.headers), body: shortened(response.body, bodyCharacters) },
        }),
    ...(tokens === undefined
      ? {}
      : { tokens: tokens.filter((token) => JSON.stringify(token).length < LONGEST.body).slice(0, 4) }),
  };
}

function isWrong({ verdict }: ClauseResult): boolean {
  return verdict === 'failed' || verdict === 'waived';
}

/** The exchanges of all clauses that a report has room for: first those of failures, and of each clause the first before the second. */
function fitting(results: readonly ClauseResult[]): Map<Exchange, Exchange> {
  const kept = new Map<Exchange, Exchange>();
  let room = ROOM_FOR_EXCHANGES;
  const fit = (lists: readonly (readonly (Exchange | undefined)[])[], bodyCharacters: number): void => {
    for (let turn = 0; turn < Math.max(0, ...lists.map(({ length }) => length)); turn += 1) {
      for (const exchange of lists.flatMap((list) => list[turn] ?? [])) {
        const short = bounded(exchange, bodyCharacters);
        const { length } = JSON.stringify(short);
        if (length > room || kept.has(exchange)) continue;
        kept.set(exchange, short);
        room -= length;
      }
    }
  };
  const failed = results.filter(isWrong).map(({ failures }) => failures.slice(0, FAILURES.withExchange));
  fit(
    failed.map((failures) => failures.map(({ exchange }) => exchange)),
    LONGEST.body,
  );
  const others = results.filter((result) => !isWrong(result));
  fit(
    others.map(({ exchanges }) => exchanges.slice(-EVIDENCE.exchanges)),
    EVIDENCE.bodyCharacters,
  );
  return kept;
}

type Kept = ReadonlyMap<Exchange, Exchange>;

function reportedFailure(failure: Failure, kept: Kept, baseUrl: string): ReportedFailure {
  const { message, expected, seen } = failure;
  const exchange = failure.exchange === undefined ? undefined : kept.get(failure.exchange);
  return {
    message: shortened(message, LONGEST.message),
    ...(expected === undefined ? {} : { expected: shortened(expected, LONGEST.detail) }),
    ...(seen === undefined ? {} : { seen: shortened(seen, LONGEST.detail) }),
    exchange: exchange ?? null,
    ...(exchange === undefined ? {} : { curl: curlLine(exchange, baseUrl) }),
  };
}

function reported(result: ClauseResult, gate: GateLevel, hint: string, kept: Kept, baseUrl: string): ReportedClause {
  const { clause, verdict, reason, blockedBy, failures, exchanges, measurements } = result;
  return {
    id: clause.id,
    area: clause.area,
    level: clause.level,
    statement: clause.statement,
    source: clause.source,
    verdict,
    reason: verdict === 'passed' ? '' : shortened(reason ?? '', LONGEST.message),
    hint,
    durationMs: Math.round(result.durationMs),
    failures: failures.slice(0, FAILURES.reported).map((failure) => reportedFailure(failure, kept, baseUrl)),
    gates: gates(clause.level, gate),
    ...(blockedBy === undefined ? {} : { blockedBy }),
    measurements: measurements.slice(0, 20).map(({ name, value }) => ({
      name: shortened(name, 200),
      value: shortened(value, LONGEST.message),
    })),
    requests: result.requests,
    throttledMs: Math.round(result.throttledMs),
    evidence: isWrong(result)
      ? []
      : exchanges.slice(-EVIDENCE.exchanges).flatMap((exchange) => kept.get(exchange) ?? []),
  };
}

function reportedWaivers(waivers: Waivers, clauses: readonly ReportedClause[]): ReportedWaiver[] {
  const states = {
    waived: 'in force',
    failed: 'in force',
    passed: 'stale',
    blocked: 'idle',
    unverified: 'idle',
  } as const;
  return [...waivers.active.values()].map((waiver) => ({
    ...waiver,
    state: states[clauses.find(({ id }) => id === waiver.clause)?.verdict ?? 'unverified'],
  }));
}

export interface Ingredients {
  readonly results: readonly ClauseResult[];
  readonly verdict: RunVerdict;
  /** Facts of each run that went into the report: one, or one for each shard. */
  readonly runs: readonly RunFacts[];
  readonly target: Report['target'];
  readonly gate: GateLevel;
  readonly waivers: Waivers;
  readonly suiteVersion: string;
  readonly contractVersion: string;
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly costs: readonly Cost[];
}

export function buildReport({ results, verdict, runs, gate, waivers, costs, ...run }: Ingredients): Report {
  const { baseUrl, embedded } = run.target;
  const failed = new Set(results.filter(isWrong).map(({ clause }) => clause.id));
  const likely = new Map(results.map((result) => [result.clause.id as string, likelyCause(result, failed)]));
  const kept = fitting(results);
  const clauses = results.map((result) =>
    reported(result, gate, likely.get(result.clause.id)?.hint ?? '', kept, baseUrl),
  );
  const sum = (pick: (cost: Cost) => number): number =>
    Math.round(costs.reduce((total, cost) => total + pick(cost), 0));
  const count = (wanted: Verdict): number => clauses.filter((clause) => clause.verdict === wanted).length;
  const total = Math.max(0, ...runs.map(({ shard }) => shard?.total ?? 0));
  return {
    format: FORMAT,
    target: { baseUrl, embedded },
    suite: { version: run.suiteVersion, contract: run.contractVersion },
    startedAt: run.startedAt.toISOString(),
    durationMs: Math.round(run.durationMs),
    gate: { level: gate, passed: verdict.gatePassed },
    verdict: verdict.verdict,
    totals: {
      passed: count('passed'),
      failed: count('failed'),
      waived: count('waived'),
      blocked: count('blocked'),
      unverified: count('unverified'),
    },
    requests: {
      total: sum(({ requests }) => requests),
      auth: sum(({ auth }) => auth),
      throttledMs: sum(({ throttledMs }) => throttledMs),
      accountsMade: sum(({ accountsMade }) => accountsMade),
    },
    clauses,
    causes: rootCauses(clauses, (id) => likely.get(id)?.title),
    problems: verdict.problems.map((problem) => shortened(problem, 3000)),
    notes: [...new Set(runs.flatMap(({ warnings }) => warnings))],
    configuration: runs[0]?.configuration ?? {},
    waivers: reportedWaivers(waivers, clauses),
    ...(total === 0
      ? {}
      : { shards: { total, present: runs.flatMap(({ shard }) => shard?.current ?? []).sort((a, b) => a - b) } }),
  };
}
