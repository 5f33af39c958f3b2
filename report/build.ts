/** From the results of a run to its report. */
import type { Cost, Failure, RowResult, RunFacts, Verdict } from '../fixtures/evidence/outcome.js';
import { gates, type GateLevel } from '../fixtures/run/target.js';
import type { Waivers } from '../fixtures/run/waivers.js';
import { rootCauses } from './causes.js';
import { likelyCauses } from './hints.js';
import {
  FORMAT,
  type Report,
  type ReportedClause,
  type ReportedFailure,
  type ReportedRow,
  type ReportedWaiver,
} from './model.js';
import { curlLine, type Way } from './outputs/curl.js';
import { shortened } from './outputs/escape.js';
import { shellOf } from './outputs/shells.js';
import { fittingExchanges, isWrong, LONGEST, rowExchange, SHOWN, type Kept } from './room.js';
import type { ClauseResult, RunVerdict } from './verdict.js';

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** An object without its undefined fields. */
function defined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}

function brief(text: string | undefined, longest: number): string | undefined {
  return text === undefined ? undefined : shortened(text, longest);
}

function reportedFailure(failure: Failure, kept: Kept, way: Way | undefined): ReportedFailure {
  const exchange = failure.exchange === undefined ? undefined : kept.full.get(failure.exchange);
  return {
    message: shortened(failure.message, LONGEST.message),
    exchange: exchange ?? null,
    ...defined({
      expected: brief(failure.expected, LONGEST.detail),
      seen: brief(failure.seen, LONGEST.detail),
      curl:
        exchange === undefined || way === undefined ? undefined : curlLine(exchange, way, shellOf(process.platform)),
    }),
  };
}

function reportedRow(row: RowResult, result: ClauseResult, kept: Kept): ReportedRow {
  const exchange = rowExchange(result, row.exchange);
  return {
    name: shortened(row.name, LONGEST.name),
    verdict: row.verdict,
    ...defined({
      note: brief(row.note, LONGEST.detail),
      exchange: exchange === undefined ? undefined : kept.rows.get(exchange),
    }),
  };
}

/** @param way of command lines that repeat a request; undefined: none are written */
function reported(
  result: ClauseResult,
  gate: GateLevel,
  hint: string,
  kept: Kept,
  way: Way | undefined,
): ReportedClause {
  const { clause, verdict, reason, blockedBy, dependsOn, asked, ran } = result;
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
    failures: result.failures.slice(0, SHOWN.failures).map((failure) => reportedFailure(failure, kept, way)),
    gates: gates(clause.level, gate),
    ran,
    ...defined({ blockedBy, dependsOn, asked }),
    rows: result.rows.slice(0, SHOWN.rows).map((row) => reportedRow(row, result, kept)),
    measurements: result.measurements.slice(0, SHOWN.measurements).map(({ key, name, value }) => ({
      ...defined({ key }),
      name: shortened(name, LONGEST.name),
      value: shortened(value, LONGEST.message),
    })),
    requests: result.requests,
    throttledMs: Math.round(result.throttledMs),
    evidence: isWrong(result)
      ? []
      : result.exchanges.slice(-SHOWN.evidence).flatMap((exchange) => kept.full.get(exchange) ?? []),
  };
}

const WAIVER_STATES = {
  waived: 'in force',
  failed: 'in force',
  passed: 'stale',
  blocked: 'idle',
  unverified: 'idle',
} as const;

function reportedWaivers(waivers: Waivers, clauses: readonly ReportedClause[]): ReportedWaiver[] {
  const verdicts = new Map(clauses.map(({ id, verdict }) => [id, verdict]));
  return [...waivers.active.values()].map((waiver) => ({
    ...waiver,
    state: WAIVER_STATES[verdicts.get(waiver.clause) ?? 'unverified'],
  }));
}

function shardsOf(runs: readonly RunFacts[]): Report['shards'] {
  const shards = runs.flatMap(({ shard }) => shard ?? []);
  if (shards.length === 0) return undefined;
  return {
    total: Math.max(...shards.map(({ total }) => total)),
    present: shards.map(({ current }) => current).sort((a, b) => a - b),
  };
}

/** The most frequent first. */
function summed(counts: Ingredients['fronts']): Report['fronts'] {
  const sums = new Map<string, number>();
  for (const [what, number] of counts.flatMap(Object.entries<number>)) sums.set(what, (sums.get(what) ?? 0) + number);
  return [...sums].map(([what, responses]) => ({ what, responses })).sort((a, b) => b.responses - a.responses);
}

/** @param shown what the configuration shows of IGNY8_HEADERS: `set: NAME, NAME` */
function headerNames(shown = ''): string[] {
  return /^set: (.+)$/.exec(shown)?.[1]?.split(', ') ?? [];
}

export interface Ingredients {
  readonly results: readonly ClauseResult[];
  readonly verdict: RunVerdict;
  /** Facts of each run that went into the report: one, or one for each shard. */
  readonly runs: readonly RunFacts[];
  /** For a run that did not get to ask its target. */
  readonly intended: { readonly baseUrl: string; readonly embedded: boolean };
  readonly gate: GateLevel;
  readonly waivers: Waivers;
  readonly suite: Report['suite'];
  /** The page of the CI run. */
  readonly url?: string;
  /** Who started the CI run. */
  readonly by?: string;
  readonly startedAt: Date;
  readonly durationMs: number;
  /** Of each check: responses of something in front of the API. */
  readonly fronts: readonly Readonly<Record<string, number>>[];
  readonly costs: readonly Cost[];
  /** The bodies are there, so that a command line can repeat a request. */
  readonly repeatable: boolean;
}

export function buildReport(ingredients: Ingredients): Report {
  const { results, verdict, runs, gate, waivers, costs, startedAt, durationMs } = ingredients;
  const [first] = runs;
  const { baseUrl, embedded } = first ?? ingredients.intended;
  const likely = likelyCauses(results.filter(isWrong));
  const kept = fittingExchanges(results);
  const way = { baseUrl, gateway: headerNames(first?.configuration['IGNY8_HEADERS']) };
  const clauses = results.map((result) =>
    reported(result, gate, likely.get(result.clause.id)?.hint ?? '', kept, ingredients.repeatable ? way : undefined),
  );
  const sum = (pick: (cost: Cost) => number): number =>
    Math.round(costs.reduce((total, cost) => total + pick(cost), 0));
  const count = (wanted: Verdict): number => clauses.filter((clause) => clause.verdict === wanted).length;
  return {
    format: FORMAT,
    target: { baseUrl, embedded, dialect: first?.dialect ?? [], ...defined({ version: first?.targetVersion }) },
    suite: ingredients.suite,
    startedAt: startedAt.toISOString(),
    durationMs: Math.round(durationMs),
    run: {
      endedAt: new Date(startedAt.getTime() + durationMs).toISOString(),
      ...defined({ url: ingredients.url, by: ingredients.by }),
    },
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
      throttledMs: sum((cost) => cost.throttledMs),
      accountsMade: sum(({ accountsMade }) => accountsMade),
    },
    clauses,
    causes: rootCauses(clauses, (id) => likely.get(id)?.title),
    problems: verdict.problems.map((problem) => shortened(problem, LONGEST.problem)),
    fronts: summed(ingredients.fronts),
    notes: [...new Set(runs.flatMap(({ warnings }) => warnings))],
    configuration: first?.configuration ?? {},
    waivers: reportedWaivers(waivers, clauses),
    ...defined({ shards: shardsOf(runs) }),
  };
}
