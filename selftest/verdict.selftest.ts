import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { stringify } from 'yaml';
import type { RunFacts } from '../fixtures/evidence/outcome.js';
import { loadWaivers } from '../fixtures/run/waivers.js';
import { shardProblems, type Finished } from '../report/verdict.js';
import type { ClauseId } from '../spec/generated/clauses.js';
import { finishedOf, verdictOf } from './harness/in-process.js';
import type { Defect } from './defects/defect.js';
import { runRow } from './matrix/run.js';

/** What checks find in the embedded target, with a part of it replaced or as it is. */
async function found(ids: readonly ClauseId[], replace?: Defect['replace']): Promise<Finished[]> {
  const { outcomes } = await runRow(replace === undefined ? undefined : { replace }, (id) => ids.includes(id));
  return finishedOf(outcomes);
}

function waiverFile(...entries: readonly (readonly [clause: string, days: number])[]): string {
  const path = join(mkdtempSync(join(tmpdir(), 'waivers-')), 'waivers.yaml');
  const about = { reason: 'known', link: 'https://tracker.example.com/1', owner: 'ada' };
  const expires = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  writeFileSync(path, stringify(entries.map(([clause, days]) => ({ clause, ...about, expires: expires(days) }))));
  return path;
}

test('a failing SHOULD does not gate, unless asked to', async () => {
  const finished = await found(['REG-13'], (parts) => ({
    register: async (context) => ({ ...(await parts.register(context)), status: 200 }),
  }));
  expect(finished.map(({ outcome }) => outcome?.verdict)).toEqual(['failed']);
  expect(verdictOf([...finished, ...(await found(['REG-01']))]).gatePassed).toBe(true);
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
    [[['REF-05', -2]], /REF-05 expired on [\d-]+: mend the target, or have ada renew it/],
    [[['REF-02', 400]], /at most 180 days are allowed/],
    [[['REF-99', 30]], /REF-99 is no clause of the contract/],
    [
      [
        ['LOG-01', 30],
        ['LOG-01', 31],
      ],
      /LOG-01 is waived twice: remove one/,
    ],
    [[['REF-01', 30]], /waiver of REF-01 is stale, for the clause passes now: remove it/],
  ] as const) {
    const { gatePassed, problems } = verdictOf(finished, 'must', loadWaivers(waiverFile(...entries), Date.now()));
    expect(gatePassed, String(says)).toBe(false);
    expect(problems).toEqual([expect.stringMatching(says)]);
  }
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
    [[shard('a', 1), shard('b', 2), shard('c', 2)], /^Shard 2 of 2 is there twice/],
    [[shard('a', 1), shard('b', 2, { suiteVersion: '0.0.1' })], /^A shard is foreign: they differ in suite/],
  ] as const) {
    expect(shardProblems(shards)).toEqual([expect.stringMatching(says)]);
    expect(verdictOf(shards)).toMatchObject({ verdict: 'inconclusive', gatePassed: false });
  }
});
