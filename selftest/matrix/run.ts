/** Runs every check of the suite against one server, without a Playwright test for each: the same bodies, hundreds of times. */
import type { Browser } from '@playwright/test';
import { readdirSync } from 'node:fs';
import { Agent } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { BoundedTransport } from '../../fixtures/http/raw-transport.js';
import { DIRECT } from '../../fixtures/http/way.js';
import { collectChecks, type DeclaredCheck } from '../../fixtures/check/clause.js';
import { oddJson } from '../../fixtures/check/api.js';
import type { Cache } from '../../fixtures/check/check.js';
import { runCheck } from '../../fixtures/check/run-check.js';
import { RunStopped, Sender, type Sendable } from '../../fixtures/check/sender.js';
import type { Reply } from '../../fixtures/evidence/reply.js';
import { NoAnswer, type Transport } from '../../fixtures/http/transport.js';
import type { Outcome, RunFacts } from '../../fixtures/evidence/outcome.js';
import { startReference, type Reference } from '../../fixtures/reference/server.js';
import { firstContact } from '../../fixtures/setup/first-contact.js';
import { Pacer } from '../../fixtures/run/pacing.js';
import { RunState, type RunHooks } from '../../fixtures/run/run-state.js';
import { PHASES } from '../../fixtures/run/run.js';
import { buildTarget, defined, type Described, type Target } from '../../fixtures/run/target.js';
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

/** Asks what the preflight asks, and learns the dialect of a target; of what cannot be checked at all the rows then say so. */
export async function meet(
  target: Target,
  transport: Transport,
  hooks: RunHooks = {},
): Promise<{ readonly target: Target; readonly state: RunState }> {
  const before = new RunState({ ...FACTS, baseUrl: target.baseUrl }, target);
  const sender = new Sender('preflight', target, before, transport, transport, 'p');
  const ask = (request: Sendable): Promise<Reply | undefined> =>
    sender.sendRaw(request).catch((error: unknown) => {
      if (error instanceof NoAnswer || error instanceof RunStopped) return undefined;
      throw error;
    });
  const anonymous = await ask({ method: 'GET', path: 'planner/keywords/' });
  const refresh = await ask(oddJson('POST', 'auth/refresh/', {}));
  const login = await ask(oddJson('POST', 'auth/login/', target.owner ?? {}));
  const probes = defined({ anonymous, refresh, login });
  const { dialect, shared } = await firstContact(target, sender, FACTS.runId, probes);
  const known = { ...target, dialect };
  const pacer = new Pacer(target.authRate, () => undefined);
  const beginning = {
    pacer,
    observations: await before.observations(),
    secrets: before.secrets(),
    sessions: new Map<string, never>(),
  };
  return {
    target: known,
    state: new RunState({ ...FACTS, baseUrl: target.baseUrl }, known, hooks, { ...beginning, ...shared }),
  };
}

export interface MatrixRow {
  readonly outcomes: ReadonlyMap<ClauseId, Outcome>;
  readonly requests: number;
  readonly auth: number;
  readonly ms: number;
  readonly dialect: Target['dialect'];
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
  // A connection for each request would be most of the work.
  const agent = hooks.agent ?? new Agent({ keepAlive: true });
  const bounded = new BoundedTransport(DIRECT, agent);
  const { target: known, state } = await meet(target, bounded, hooks);
  const cache: Cache = new Map();
  const newest = {};
  const outcomes = new Map<ClauseId, Outcome>();
  for (const { id, body } of allChecks()) {
    if (wanted?.(id) === false) continue;
    // LOG-07 times the target, and here nothing is quiet enough; it is a MAY, and has a proof of its own.
    if (id === 'LOG-07') continue;
    const { outcome, error, crashed } = await runCheck(id, body, {
      run: state,
      target: known,
      cache,
      newest,
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
    dialect: known.dialect,
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
