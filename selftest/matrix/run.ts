/** Runs every check of the suite against one server, without a Playwright test for each: the same bodies, hundreds of times. */
import type { Browser } from '@playwright/test';
import { readdirSync } from 'node:fs';
import { Agent } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { BoundedTransport } from '../../fixtures/http/raw-transport.js';
import { collectChecks, PHASES, type DeclaredCheck } from '../../fixtures/check/clause.js';
import { runCheck } from '../../fixtures/check/check.js';
import type { Outcome, RunFacts } from '../../fixtures/evidence/outcome.js';
import { startReference, type Reference } from '../../fixtures/reference/server.js';
import { RunState } from '../../fixtures/run/run.js';
import { buildTarget, type Described, type Target } from '../../fixtures/run/target.js';
import { CLAUSES, type ClauseId } from '../../spec/generated/clauses.js';
import type { Defect } from '../defects/defect.js';
import { MemoryAgent } from './memory.js';

let declared: readonly DeclaredCheck[] | undefined;

/** The checks of `tests/`, in the catalogue's order within each phase. */
export function allChecks(): readonly DeclaredCheck[] {
  if (declared !== undefined) return declared;
  const collected = collectChecks();
  const folder = join(__dirname, '../../tests');
  const load = createRequire(__filename);
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.spec.ts'))) load(join(folder, file));
  const order = CLAUSES.map(({ id }) => id);
  return (declared = [...collected].sort(
    (a, b) => PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase) || order.indexOf(a.id) - order.indexOf(b.id),
  ));
}

/** scrypt's N: the matrix is about answers, not about the strength of a hash. */
const PASSWORD_COST = 16;

export function targetOf(reference: Reference, more: Partial<Described> = {}): Target {
  const { owner, viewer, foreignResource, deniedSite, keywordBody } = reference.seeds;
  return buildTarget({
    baseUrl: reference.baseUrl,
    embedded: true,
    owner,
    viewer,
    foreignResource,
    deniedSite,
    keywordBody,
    secret: reference.jwtSecret,
    burst: true,
    docsUrl: reference.docsUrl,
    fuzz: { seed: 20_251_116, runs: 12 },
    ...more,
  });
}

/** Of a run without a command line. */
export const FACTS: RunFacts = {
  runId: 'matrix',
  baseUrl: '',
  embedded: true,
  suiteVersion: '',
  contractVersion: '',
  shard: null,
  configuration: {},
  warnings: [],
  gate: 'must',
  plainReporters: false,
  preflight: { requests: 0, auth: 0, throttledMs: 0, accountsMade: 0 },
};

export interface MatrixRow {
  readonly outcomes: ReadonlyMap<ClauseId, Outcome>;
  readonly requests: number;
  readonly auth: number;
  readonly ms: number;
}

/** Runs the checks that `wanted` names (default: all) against a target. */
export async function runChecks(
  target: Target,
  hooks: {
    /** Keeps the connections of all checks; default: one over the network. */
    agent?: Agent;
    enforceLimits?: (on: boolean) => void;
    browser?: () => Promise<Browser>;
    sleep?: (ms: number) => Promise<void>;
  } = {},
  wanted?: (id: ClauseId) => boolean,
): Promise<MatrixRow> {
  const started = performance.now();
  const state = new RunState({ ...FACTS, baseUrl: target.baseUrl }, target, hooks);
  // A connection for each request would be most of the work.
  const agent = hooks.agent ?? new Agent({ keepAlive: true });
  const bounded = new BoundedTransport(agent);
  const outcomes = new Map<ClauseId, Outcome>();
  for (const { id, body } of allChecks()) {
    if (wanted?.(id) === false) continue;
    // LOG-07 times the target, and here nothing is quiet enough; it is a MAY, and has a proof of its own.
    if (id === 'LOG-07') continue;
    const { outcome, error, crashed } = await runCheck(id, body, {
      run: state,
      target,
      runId: FACTS.runId,
      prefix: 'm',
      transport: bounded,
      bounded,
      ...(hooks.browser === undefined ? {} : { browser: hooks.browser }),
      ...(hooks.sleep === undefined ? {} : { sleep: hooks.sleep }),
    });
    if (crashed) throw new Error(`the check of ${id} broke`, { cause: error });
    outcomes.set(id, outcome);
  }
  agent.destroy();
  const costs = [...outcomes.values()].map(({ cost }) => cost);
  return {
    outcomes,
    requests: costs.reduce((sum, cost) => sum + cost.requests, 0),
    auth: costs.reduce((sum, cost) => sum + cost.auth, 0),
    ms: performance.now() - started,
  };
}

/** What a row of the matrix does to the embedded target. */
export interface Change extends Pick<Defect, 'replace' | 'options' | 'server'> {
  /** What a run is given less. */
  readonly target?: (target: Target) => Target;
}

/** Runs the checks against the embedded target with one defect or as one variant, or as it is. */
export async function runRow(
  defect: Change | undefined,
  wanted?: (id: ClauseId) => boolean,
  browser?: () => Promise<Browser>,
): Promise<MatrixRow> {
  if (defect?.server !== undefined) {
    const server = await defect.server();
    try {
      return await runChecks(server.target, {}, wanted);
    } finally {
      await server.close();
    }
  }
  const reference = await startReference({
    passwordCost: PASSWORD_COST,
    ...defect?.options,
    ...(defect?.replace === undefined ? {} : { replace: defect.replace }),
  });
  const clock = defect?.options?.clock ?? Date.now;
  let passed = 0;
  try {
    const target = targetOf(reference, { browser: browser !== undefined });
    return await runChecks(
      defect?.target?.(target) ?? target,
      {
        agent: new MemoryAgent(reference),
        enforceLimits: (on) => {
          reference.enforceLimits(on ? { authPerMinute: 8 } : 'off');
        },
        // Nobody waits: the target's clock is moved.
        sleep: (ms) => {
          passed += ms;
          reference.setClock(() => clock() + passed);
          return Promise.resolve();
        },
        ...(browser === undefined ? {} : { browser }),
      },
      wanted,
    );
  } finally {
    await reference.close();
  }
}

export function failing(row: MatrixRow): ClauseId[] {
  return [...row.outcomes.values()].filter(({ verdict }) => verdict === 'failed').map(({ clause }) => clause);
}
