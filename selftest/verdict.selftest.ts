import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { stringify } from 'yaml';
import { decode } from '../fixtures/evidence/jwt.js';
import type { RunFacts } from '../fixtures/evidence/outcome.js';
import { loadWaivers } from '../fixtures/run/waivers.js';
import { shardProblems } from '../report/shards.js';
import { judgeClauses, type ClauseResult, type Finished, type RunVerdict } from '../report/verdict.js';
import type { ClauseId } from '../spec/generated/clauses.js';
import { came, finishedOf, NO_WAIVERS, verdictOf } from './harness/in-process.js';
import type { Defect } from './defects/defect.js';
import { runRow } from './matrix/run.js';

/** What checks find in the embedded target, with a part of it replaced or as it is. */
async function found(ids: readonly ClauseId[], replace?: Defect['replace']): Promise<Finished[]> {
  const { outcomes } = await runRow(replace === undefined ? undefined : { replace }, (id) => ids.includes(id));
  return finishedOf(outcomes);
}

type Entry = readonly [clause: string, days: number, blocks?: readonly string[]];

function waiverFile(...entries: readonly Entry[]): string {
  const path = join(mkdtempSync(join(tmpdir(), 'waivers-')), 'waivers.yaml');
  const about = { reason: 'known', link: 'https://tracker.example.com/1', owner: 'ada' };
  const expires = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  writeFileSync(
    path,
    stringify(entries.map(([clause, days, blocks = []]) => ({ clause, ...about, expires: expires(days), blocks }))),
  );
  return path;
}

/** Registers with 200 instead of 201: REG-13, a SHOULD. */
const registersWith200: Defect['replace'] = (parts) => ({
  register: async (context) => ({ ...(await parts.register(context)), status: 200 }),
});

test('a failing SHOULD does not gate, unless asked to; by itself it shows no conformance', async () => {
  const finished = await found(['REG-13'], registersWith200);
  expect(finished.map(({ outcome }) => outcome?.verdict)).toEqual(['failed']);
  expect(verdictOf([...finished, ...(await found(['REG-01']))])).toMatchObject({ verdict: 'conformant' });
  expect(verdictOf(finished)).toMatchObject({ verdict: 'inconclusive', gatePassed: false });
  expect(verdictOf(finished, 'should')).toMatchObject({ verdict: 'not conformant', gatePassed: false });
});

test('only what cannot be checked is not green', async () => {
  const finished = await found(['NET-01']);
  expect(finished.map(({ outcome }) => outcome?.verdict)).toEqual(['unverified']);
  expect(verdictOf(finished)).toMatchObject({ verdict: 'inconclusive', gatePassed: false });
  expect(verdictOf([])).toMatchObject({ verdict: 'inconclusive', gatePassed: false });
});

test('waivers that are expired, too long, unknown, twice or stale fail the gate, each with what to do', async () => {
  const finished = await found(['REF-01', 'REF-05']);
  expect(verdictOf(finished)).toMatchObject({ verdict: 'conformant', gatePassed: true });
  for (const [entries, says] of [
    [[['REF-05', -2]], /REF-05 expired on [\d-]+: fix the target, or have ada renew it/],
    [[['REF-02', 400]], /at most 180 days are allowed/],
    [[['REF-99', 30]], /REF-99 is not a clause of the contract/],
    [
      [
        ['LOG-01', 30],
        ['LOG-01', 31],
      ],
      /LOG-01 is waived twice: remove one/,
    ],
    [[['REF-01', 30]], /waiver of REF-01 is stale because the clause passes now: remove it/],
  ] as const) {
    const { gatePassed, problems } = verdictOf(finished, 'must', loadWaivers(waiverFile(...entries), Date.now()));
    expect(gatePassed, String(says)).toBe(false);
    expect(problems).toEqual([expect.stringMatching(says)]);
  }
});

/** Forged refresh tokens are accepted, and a refresh gives no new one: what needs a live chain cannot be asked. */
const forgedAndNotRotated: Defect['replace'] = (parts) => ({
  verifySignature: (token, kind) =>
    kind === 'refresh' ? (decode(token)?.claims ?? {}) : parts.verifySignature(token, kind),
  refresh: async (context) => {
    const answer = await parts.refresh(context);
    return { ...answer, data: { access: (answer as { data: { access: string } }).data.access } };
  },
});

test('forged refresh tokens behind first-day waivers: the gate fails, and REF-11 is named', async () => {
  const finished = await found(['LOG-01', 'REF-01', 'REF-04', 'REF-11'], forgedAndNotRotated);
  const failed = finished.filter(({ clause, outcome }) => clause !== 'REF-11' && outcome?.verdict === 'failed');
  expect(failed.map(({ clause }) => clause)).toContain('REF-01');
  const waivers = loadWaivers(waiverFile(...failed.map(({ clause }) => [clause, 30] as const)), Date.now());
  const { gatePassed, problems } = verdictOf(finished, 'must', waivers);
  expect(gatePassed).toBe(false);
  const outright = finished.some(({ clause, outcome }) => clause === 'REF-11' && outcome?.verdict === 'failed');
  expect(outright ? 'REF-11' : problems.join('\n')).toContain('REF-11');
});

test('a waiver covers its own clause: what is blocked behind it is named in it, or the gate fails', () => {
  const finished = [
    came('LOG-01', 'passed'),
    came('REF-01', 'failed'),
    came('REF-04', 'blocked', { blockedBy: 'REF-01' }),
    came('REF-11', 'blocked', { blockedBy: 'REF-04' }),
  ];
  const waived = (blocks: readonly string[]): RunVerdict =>
    verdictOf(finished, 'must', loadWaivers(waiverFile(['REF-01', 30, blocks]), Date.now()));
  expect(waived(['REF-04', 'REF-11'])).toEqual({ verdict: 'conformant with waivers', gatePassed: true, problems: [] });
  expect(waived(['REF-04'])).toMatchObject({
    verdict: 'inconclusive',
    gatePassed: false,
    problems: [expect.stringMatching(/^REF-11 could not be judged because of REF-01, and the waiver .* `blocks`/)],
  });
  expect(waived(['REF-99']).problems).toContainEqual(
    expect.stringMatching(/names REF-99, which is not in the contract/),
  );
});

test('nothing is blocked but behind a failure of the same run', () => {
  const judged = (...finished: readonly Finished[]): ClauseResult | undefined =>
    judgeClauses(finished, NO_WAIVERS, 'No check of it ran.').find(({ clause }) => clause.id === 'REF-05');
  expect(judged(came('REF-05', 'blocked', { blockedBy: 'REF-01' }), came('REF-01', 'failed'))).toMatchObject({
    verdict: 'blocked',
  });
  const passed = judged(came('REF-05', 'blocked', { blockedBy: 'REF-01' }), came('REF-01', 'passed'));
  expect(passed).toMatchObject({ verdict: 'unverified', dependsOn: 'REF-01' });
  expect(passed?.reason).toBe('what REF-05 saw; REF-01 itself passed in this run');
  const alone = judged(came('REF-05', 'blocked', { blockedBy: 'REF-01' }));
  expect(alone?.reason).toBe('what REF-05 saw; REF-01 itself was not checked in this run');
  expect(verdictOf([came('REF-05', 'blocked', { blockedBy: 'REF-01' }), came('LOG-01', 'passed')])).toMatchObject({
    verdict: 'inconclusive',
    problems: [expect.stringMatching(/^REF-05 could not be judged because of REF-01, which did not fail in this run/)],
  });
});

test('shards that are missing, there twice or foreign are named', async () => {
  const [one] = await found(['LOG-01']);
  const shard = (runId: string, current: number, more: Partial<RunFacts> = {}): Finished => {
    if (one?.outcome === undefined) throw new Error('LOG-01 left no outcome');
    const run = { ...one.outcome.run, runId, shard: { current, total: 2 }, ...more };
    return { ...one, outcome: { ...one.outcome, run } };
  };
  expect(shardProblems([shard('a', 1), shard('b', 2)])).toEqual([]);
  for (const [shards, says] of [
    [[shard('a', 1)], /^Shard 2 of 2 is missing/],
    [[shard('a', 1), shard('b', 2), shard('c', 2)], /^Shard 2 of 2 appears twice/],
    [
      [shard('a', 1), shard('b', 2, { suiteVersion: '0.0.1' })],
      /^The shards do not belong together: they differ in suite/,
    ],
  ] as const) {
    expect(shardProblems(shards)).toEqual([expect.stringMatching(says)]);
    expect(verdictOf(shards)).toMatchObject({ verdict: 'inconclusive', gatePassed: false });
  }
});
