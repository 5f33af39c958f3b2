/**
 * The report of a run: one versioned document, from which every other output is made. Types, validation and the published JSON Schema
 * (report.schema.json, written by `npm run schema`) all come from here.
 */
import { z } from 'zod';
import type { Exchange } from '../fixtures/evidence/outcome.js';
import { WaiverSchema } from '../fixtures/run/waivers.js';

export const FORMAT = 'igny8-auth-conformance/2';
/** Reports of these formats are read as a baseline, and for first waivers: format 2 only adds to format 1. */
export const READABLE_FORMATS: readonly string[] = ['igny8-auth-conformance/1', FORMAT];

const list = <T extends z.ZodType>(item: T): z.ZodReadonly<z.ZodArray<T>> => z.array(item).readonly();
const text = z.string();
const count = z.int().min(0);
const id = z.string().regex(/^[A-Z]{3}-\d{2}$/);
const ids = list(id);

const VerdictSchema = z.enum(['passed', 'failed', 'waived', 'blocked', 'unverified']);
const GateSchema = z.enum(['must', 'should', 'all']);
export const RunVerdictSchema = z.enum(['conformant', 'conformant with waivers', 'not conformant', 'inconclusive']);

const headers = list(z.tuple([text, text]).readonly());

const ExchangeSchema = z
  .strictObject({
    id: text.describe('Unique within the run.'),
    clause: text.describe('The clause whose check sent it.'),
    request: z.strictObject({
      method: text,
      path: text.describe('Below the base URL.'),
      headers,
      body: text.exactOptional(),
    }),
    response: z.strictObject({ status: z.int(), headers, body: text }).exactOptional(),
    fault: text.exactOptional().describe('Why there is no whole response.'),
    requestId: text.exactOptional().describe('`request_id` of the response.'),
    at: text.describe('When it was sent, local clock.'),
    ms: z.number().min(0).describe('Milliseconds until the last byte of the response.'),
    tokens: list(
      z.strictObject({
        fingerprint: text,
        header: z.unknown().exactOptional(),
        claims: z.unknown().exactOptional(),
      }),
    )
      .exactOptional()
      .describe('The tokens in it, by fingerprint, header and claims.'),
    front: text.exactOptional().describe('What answered in place of the API, e.g. `nginx, 403 in HTML`.'),
  })
  .describe('One request and its response, secrets removed, shortened.')
  .meta({ id: 'exchange' }) satisfies z.ZodType<Exchange>;

const FailureSchema = z.strictObject({
  message: text.describe('What was sent, what was expected, what was seen.'),
  expected: text.exactOptional(),
  seen: text.exactOptional(),
  exchange: ExchangeSchema.nullable(),
  curl: text.exactOptional().describe('Repeats the request, with shell variables for secrets.'),
});
export type ReportedFailure = z.infer<typeof FailureSchema>;

const RowSchema = z.strictObject({
  name: text.describe('What was sent, in words.'),
  verdict: z.enum(['passed', 'failed', 'unverified']),
  note: text.exactOptional().describe('What is worth a word in addition to the verdict.'),
  exchange: ExchangeSchema.exactOptional(),
});
export type ReportedRow = z.infer<typeof RowSchema>;

const AskedSchema = z.strictObject({
  rows: count.describe('Rows that this run asked.'),
  of: count.describe('Rows that the clause has.'),
  seed: z.int().exactOptional().describe('By what the rows were chosen, where not all were asked.'),
});

const ClauseSchema = z
  .strictObject({
    id,
    area: text.describe('The first part of the id.'),
    level: z.enum(['MUST', 'SHOULD', 'MAY']),
    statement: text.describe('What must hold; parts in backticks are code.'),
    source: text.describe('Where the contract says so.'),
    verdict: VerdictSchema.describe(
      '`waived`: failed, and known. `blocked`: a clause that it depends on failed in this run. `unverified`: not checked.',
    ),
    reason: text.describe('Why it is not passed, in words, and what to set or fix; empty if it is.'),
    hint: text.describe("Likely cause in the target's framework; may be empty."),
    durationMs: count,
    failures: list(FailureSchema).describe('What was not as the clause says.'),
    gates: z.boolean().describe('A failure of it fails the gate.'),
    ran: z.boolean().describe('False if no check of it ran: it was not selected, or the run ended before.'),
    blockedBy: id.exactOptional().describe('Only of blocked clauses: the clause that it depends on.'),
    dependsOn: id
      .exactOptional()
      .describe('Only of unverified clauses: a clause that it depends on, which did not fail in this run.'),
    rows: list(RowSchema).describe('What the check asked, one row for each thing that the sentence covers.'),
    asked: AskedSchema.exactOptional(),
    measurements: list(
      z.strictObject({
        key: text.exactOptional().describe('For machines; `name` is for readers and may change.'),
        name: text,
        value: text,
      }),
    ).describe('What was measured on the way.'),
    requests: count.describe('Requests that its check sent.'),
    throttledMs: count.describe("Milliseconds that it waited for the target's rate limit."),
    evidence: list(ExchangeSchema).describe('Of clauses without failures: the last exchanges of the check.'),
  })
  .meta({ id: 'clause' });
export type ReportedClause = z.infer<typeof ClauseSchema>;

const CauseSchema = z.strictObject({
  title: text.describe('In words; of a single clause, what was wrong with it.'),
  hint: text.describe("Likely cause in the target's framework; may be empty."),
  gates: z.boolean().describe('One of its clauses fails the gate.'),
  clauses: ids.describe('The clauses that failed.'),
  blocks: ids.describe('The clauses that could not be judged because of them.'),
});
export type Cause = z.infer<typeof CauseSchema>;

const ReportedWaiverSchema = WaiverSchema.extend({
  clause: id,
  blocks: ids.describe('The clauses that may be blocked because of it.'),
  state: z
    .enum(['in force', 'stale', 'idle'])
    .describe('`stale`: the clause passes now, which fails the gate. `idle`: it could not be judged.'),
});
export type ReportedWaiver = z.infer<typeof ReportedWaiverSchema>;

const BaselineSchema = z.strictObject({
  startedAt: text,
  verdict: text,
  newlyFailing: ids.describe('Failed now, not then.'),
  newlyWaived: ids.describe('Waived now, not then.'),
  fixed: ids.describe('Passed now, failed or waived then.'),
  newlyUnverified: ids.describe('Unverified or blocked now, neither then.'),
});
export type Baseline = z.infer<typeof BaselineSchema>;

export const HistoryRunSchema = z.strictObject({
  startedAt: text,
  verdict: RunVerdictSchema,
  gatePassed: z.boolean(),
  passed: count,
  failed: ids,
  waived: ids,
  url: text.exactOptional(),
  version: text.exactOptional().describe('Build of the target.'),
});
export type HistoryRun = z.infer<typeof HistoryRunSchema>;

const DialectSchema = z.strictObject({
  point: text,
  guide: text.describe("The guide's way."),
  target: text.describe("The target's way, which the checks understood."),
  owner: id.exactOptional().describe('The clause that judges it; absent where both ways conform.'),
});

export const ReportSchema = z
  .strictObject({
    format: z.literal(FORMAT).describe('Name and version of this format.'),
    target: z
      .strictObject({
        baseUrl: text.describe('Its address, with a slash at the end; empty where the run did not get as far.'),
        embedded: z.boolean().describe('True for the reference implementation that the suite brings along.'),
        version: text.exactOptional().describe('Its build, as IGNY8_TARGET_VERSION says.'),
        dialect: list(DialectSchema).describe("The points in which its dialect differs from the guide's."),
      })
      .describe('The server that was checked.'),
    suite: z.strictObject({
      version: text.describe('Version of the suite.'),
      contract: text.describe('Version of the contract that it checks.'),
      commit: text.exactOptional().describe('Commit of the suite, if known.'),
    }),
    startedAt: z.iso.datetime().describe('Local clock; of merged shards, the first.'),
    durationMs: count.describe('Milliseconds; of merged shards, those of the longest.'),
    run: z.strictObject({
      endedAt: z.iso.datetime().describe('Local clock.'),
      url: z.url().exactOptional().describe('The CI run that made it.'),
      by: text.exactOptional().describe('Who started that CI run, as the CI says.'),
    }),
    gate: z.strictObject({
      level: GateSchema.describe('Clauses of this level and of stronger ones decide.'),
      passed: z
        .boolean()
        .describe('True if and only if the exit code is 0: the verdict is conformant, and no waiver is at fault.'),
    }),
    verdict: RunVerdictSchema.describe(
      '`not conformant`: a clause that gates failed. `inconclusive`: none did, but the run does not show that they hold; see `problems`.',
    ),
    totals: z
      .strictObject({ passed: count, failed: count, waived: count, blocked: count, unverified: count })
      .describe('Clauses by verdict; the sum is always the whole catalogue.'),
    requests: z
      .strictObject({
        total: count.describe('Requests, those of the preflight included.'),
        auth: count.describe('Requests to login and register among them.'),
        throttledMs: count.describe(
          "Milliseconds that checks waited for the target's rate limit, summed over workers.",
        ),
        accountsMade: count.describe('Accounts registered.'),
      })
      .describe('What the run cost the target.'),
    clauses: list(ClauseSchema).describe('Every clause of the catalogue, in its order.'),
    causes: list(CauseSchema).describe(
      'The failed clauses, grouped by what probably is one fault; the most important first.',
    ),
    problems: list(text).describe(
      'Why the run is inconclusive or the gate fails, other than failed clauses: one sentence each.',
    ),
    notes: list(text).describe('What the preflight had to say.'),
    fronts: list(z.strictObject({ what: text, responses: count })).describe(
      'What in front of the API answered by itself, and how often: those responses are not judged as the API’s.',
    ),
    configuration: z
      .record(text, text)
      .describe('Effective configuration: variable → value, of secrets only that they are set.'),
    waivers: list(ReportedWaiverSchema).describe('The waivers that are in date.'),
    shards: z
      .strictObject({ total: z.int().min(1), present: list(z.int().min(1)) })
      .exactOptional()
      .describe('Only of sharded runs: how many shards there are, and which of them this report is made of.'),
    history: list(HistoryRunSchema)
      .exactOptional()
      .describe(
        'The last runs against this target, the oldest first and this one last, where CONFORMANCE_HISTORY is set.',
      ),
    baseline: BaselineSchema.exactOptional().describe(
      'What changed against the report that CONFORMANCE_BASELINE names.',
    ),
  })
  .describe(
    'One document for each run, from which every other output is made. Nothing in it is secret: ' +
      'passwords, tokens and keys are replaced by «what they were».',
  );
export type Report = z.infer<typeof ReportSchema>;
export type ReportedVerdict = Report['verdict'];

/** What of a value is not as the format has it, one line; undefined if it is a report. */
export function schemaFault(value: unknown): string | undefined {
  const [issue] = ReportSchema.safeParse(value).error?.issues ?? [];
  return issue === undefined ? undefined : `report.${issue.path.join('.')}: ${issue.message}`;
}

/** The published JSON Schema (draft 2020-12). */
export function jsonSchema(): object {
  return {
    $id: FORMAT,
    title: 'Report of a run of the IGNY8 authentication conformance suite',
    ...z.toJSONSchema(ReportSchema, {
      // `readonly` is a promise of the types, and says nothing to a reader of the file.
      override: ({ jsonSchema: schema }) => {
        delete schema.readOnly;
      },
    }),
  };
}
