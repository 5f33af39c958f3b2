/** The report of a run: one versioned document, from which every other output is derived. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import addFormats from 'ajv-formats';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Cost, Exchange, Measurement, RunFacts, Verdict } from '../fixtures/outcome.js';
import { curlLine } from './curl.js';
import { hintFor } from './hints.js';
import type { ClauseResult, RunVerdict } from './verdict.js';

export const FORMAT = 'igny8-auth-conformance/1';

export interface ReportedFailure {
  readonly message: string;
  readonly expected?: string;
  readonly seen?: string;
  readonly exchange: Exchange | null;
  readonly curl?: string;
}

export interface ReportedClause {
  readonly id: string;
  readonly area: string;
  readonly level: 'MUST' | 'SHOULD' | 'MAY';
  readonly statement: string;
  readonly source: string;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly hint: string;
  readonly durationMs: number;
  readonly blockedBy?: string;
  readonly failures: readonly ReportedFailure[];
  readonly measurements: readonly Measurement[];
}

export interface Baseline {
  readonly startedAt: string;
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
  readonly gate: { readonly level: RunFacts['gate']; readonly passed: boolean };
  readonly verdict: RunVerdict['verdict'];
  readonly totals: Readonly<Record<Verdict, number>>;
  readonly requests: {
    readonly total: number;
    readonly auth: number;
    readonly throttledMs: number;
    readonly accountsMade: number;
  };
  readonly clauses: readonly ReportedClause[];
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  readonly configuration: Readonly<Record<string, string>>;
  readonly baseline?: Baseline;
}

/** Failures of one clause that are reported in full; of more the message says how many. */
const SHOWN_FAILURES = 12;

function reported(result: ClauseResult): ReportedClause {
  const { clause, verdict, reason, blockedBy, failures, measurements, durationMs } = result;
  return {
    id: clause.id,
    area: clause.area,
    level: clause.level,
    statement: clause.statement,
    source: clause.source,
    verdict,
    reason: verdict === 'passed' ? '' : (reason ?? ''),
    hint: hintFor(result),
    durationMs: Math.round(durationMs),
    ...(blockedBy === undefined ? {} : { blockedBy }),
    failures: failures.slice(0, SHOWN_FAILURES).map((failure) => ({
      message: failure.message,
      ...(failure.expected === undefined ? {} : { expected: failure.expected }),
      ...(failure.seen === undefined ? {} : { seen: failure.seen }),
      exchange: failure.exchange ?? null,
      ...(failure.exchange === undefined ? {} : { curl: curlLine(failure.exchange) }),
    })),
    measurements,
  };
}

export interface Ingredients {
  readonly results: readonly ClauseResult[];
  readonly verdict: RunVerdict;
  readonly facts: RunFacts | undefined;
  readonly gate: RunFacts['gate'];
  readonly suiteVersion: string;
  readonly contractVersion: string;
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly costs: readonly Cost[];
}

export function buildReport({ results, verdict, facts, gate, costs, ...run }: Ingredients): Report {
  const clauses = results.map(reported);
  const sum = (pick: (cost: Cost) => number): number =>
    Math.round(costs.reduce((total, cost) => total + pick(cost), 0));
  const count = (wanted: Verdict): number => clauses.filter((clause) => clause.verdict === wanted).length;
  return {
    format: FORMAT,
    target: { baseUrl: facts?.baseUrl ?? '', embedded: facts?.embedded ?? false },
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
      total: sum((cost) => cost.requests),
      auth: sum((cost) => cost.auth),
      throttledMs: sum((cost) => cost.throttledMs),
      accountsMade: sum((cost) => cost.accountsMade),
    },
    clauses,
    problems: verdict.problems,
    notes: facts?.warnings ?? [],
    configuration: facts?.configuration ?? {},
  };
}

/** What changed against an earlier report. */
export function compareWith(earlier: Report, report: Report): Baseline {
  const before = new Map(earlier.clauses.map(({ id, verdict }) => [id, verdict]));
  const ids = (wanted: (now: Verdict, then: Verdict | undefined) => boolean): string[] =>
    report.clauses.filter(({ id, verdict }) => wanted(verdict, before.get(id))).map(({ id }) => id);
  const wrong = (verdict: Verdict | undefined): boolean => verdict === 'failed' || verdict === 'waived';
  const open = (verdict: Verdict | undefined): boolean => verdict === 'unverified' || verdict === 'blocked';
  return {
    startedAt: earlier.startedAt,
    newlyFailing: ids((now, then) => wrong(now) && !wrong(then)),
    fixed: ids((now, then) => now === 'passed' && wrong(then)),
    newlyUnverified: ids((now, then) => open(now) && !open(then)),
  };
}

let validate: ((value: unknown) => string | undefined) | undefined;

/** What of a value is not as report.schema.json has it; undefined if it is a report. */
export function schemaFault(value: unknown): string | undefined {
  if (validate === undefined) {
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
    addFormats.default(ajv);
    const schema = JSON.parse(readFileSync(new URL('report.schema.json', import.meta.url), 'utf8')) as object;
    const check = ajv.compile(schema);
    validate = (report) => (check(report) ? undefined : ajv.errorsText(check.errors, { dataVar: 'report' }));
  }
  return validate(value);
}

/**
 * Reads an earlier report.
 * @returns the report, or one sentence that says why it is none
 */
export function readReport(path: string): Report | string {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8')) as unknown;
    return schemaFault(report) === undefined ? (report as Report) : `${path} is no report of this suite (${FORMAT}).`;
  } catch (error) {
    return (error as { code?: string }).code === 'ENOENT' ? `${path} is not there.` : `${path} cannot be read as JSON.`;
  }
}

/** Writes a file in one step: nobody ever reads half of it. */
export function writeWhole(folder: string, name: string, content: string): void {
  mkdirSync(folder, { recursive: true });
  const draft = join(folder, `.${name}.${String(process.pid)}`);
  writeFileSync(draft, content);
  renameSync(draft, join(folder, name));
}
