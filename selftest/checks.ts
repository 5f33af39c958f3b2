/** Runs one check against a target of the test's own making. */
import { BoundedTransport } from '../fixtures/bounded.js';
import { runCheck } from '../fixtures/check.js';
import type { Outcome } from '../fixtures/outcome.js';
import { RunState } from '../fixtures/run.js';
import type { Target } from '../fixtures/target.js';
import type { Transport } from '../fixtures/wire.js';
import type { ClauseId } from '../spec/generated/clauses.js';
import { allChecks } from './kill/run.js';

export async function runOne(
  id: ClauseId,
  target: Target,
  more: { readonly transport?: Transport; readonly sleep?: (ms: number) => Promise<void> } = {},
): Promise<Outcome> {
  const check = (await allChecks()).find((one) => one.id === id);
  if (check === undefined) throw new Error(`${id} has no check`);
  const none = { requests: 0, auth: 0, throttledMs: 0, accountsMade: 0 };
  const state = new RunState(
    {
      runId: 'one',
      baseUrl: target.baseUrl,
      embedded: true,
      suiteVersion: '',
      contractVersion: '',
      shard: null,
      configuration: {},
      warnings: [],
      gate: 'must',
      preflight: none,
    },
    target,
  );
  const bounded = (more.transport ?? new BoundedTransport()) as BoundedTransport;
  const { outcome } = await runCheck(id, check.body, {
    run: state,
    target,
    runId: 'one',
    prefix: 'o',
    transport: bounded,
    bounded,
    ...(more.sleep === undefined ? {} : { sleep: more.sleep }),
  });
  return outcome;
}
