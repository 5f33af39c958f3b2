import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { startReference, type Parts } from '../fixtures/reference/server.js';
import type { Report } from '../report/model.js';
import { CLAUSES } from '../spec/generated/clauses.js';
import { ROOT, runSuite, type SuiteRun } from './harness/command-line.js';
import { came, reportOf } from './harness/in-process.js';

function failed({ report }: SuiteRun): string[] {
  return report?.clauses.filter(({ verdict }) => verdict === 'failed').map(({ id }) => id) ?? [];
}

async function against(
  replace: (parts: Parts) => Partial<Parts>,
  env: Record<string, string>,
  args: readonly string[],
): Promise<SuiteRun> {
  const reference = await startReference({ passwordCost: 16, replace });
  const { owner } = reference.seeds;
  const run = await runSuite(
    {
      BASE_URL: reference.baseUrl,
      IGNY8_EMAIL: owner.email,
      IGNY8_PASSWORD: owner.password,
      IGNY8_JWT_SECRET: reference.jwtSecret,
      ...env,
    },
    args,
  );
  await reference.close();
  return run;
}

/** Spent tokens are accepted (a MUST), and whoever registers gets 200 (a SHOULD wants 201). */
const twoDefects = (parts: Parts): Partial<Parts> => ({
  spend: async (claims) =>
    parts.openChain(parts.userById(claims['user_id']) ?? (await Promise.reject(new Error('nobody')))),
  register: async (context) => ({ ...(await parts.register(context)), status: 200 }),
});

test('a MUST and a SHOULD: the right clauses, the likely cause, a first waiver with which the gate holds, and what is new', async () => {
  const grep = ['--grep', 'REF-0[15]|REG-(01|13)'];
  const run = await against(twoDefects, {}, grep);
  expect(run.exitCode).toBe(1);
  expect(run.report?.verdict).toBe('not conformant');
  expect(failed(run)).toEqual(['REG-13', 'REF-05']);
  expect(run.output).toContain('BLACKLIST_AFTER_ROTATION');

  const folder = mkdtempSync(join(tmpdir(), 'waived-'));
  const out = join(folder, 'first.yaml');
  const report = join(run.folder, 'report', 'report.json');
  // A waiver is written for the MUST alone: the SHOULD does not gate, and is new since an earlier report.
  const baseline = join(folder, 'report.json');
  writeFileSync(baseline, JSON.stringify(reportOf([came('REG-01', 'passed'), came('REG-13', 'passed')])));
  const link = 'https://tracker.example.com/1';
  const written = spawnSync(
    process.execPath,
    [
      ...['node_modules/tsx/dist/cli.mjs', 'report/first-waivers.ts', report],
      ...['--owner', 'ada', '--link', link, '--out', out],
    ],
    { cwd: ROOT, encoding: 'utf8' },
  );
  expect(written.status, written.stderr).toBe(0);
  const waived = await against(twoDefects, { CONFORMANCE_WAIVERS: out, CONFORMANCE_BASELINE: baseline }, grep);
  expect(waived.exitCode, waived.output).toBe(0);
  // The check still ran.
  expect(waived.report?.clauses.find(({ id }) => id === 'REF-05')?.verdict).toBe('waived');
  expect(failed(waived)).toEqual(['REG-13']);
  expect(waived.report?.baseline).toMatchObject({ newlyFailing: ['REG-13'], fixed: [] });
  expect(waived.output).toMatch(/newly failing/i);
});

const CHOSEN = 'REF-0[15]|RID-|LOG-0[14]';

test('shards, merged, say what one run says; a missing one is noticed', async () => {
  const some = ['--workers=1', '--grep', CHOSEN];
  const blobs = mkdtempSync(join(tmpdir(), 'blobs-'));
  const one = mkdtempSync(join(tmpdir(), 'blobs-'));
  const reference = await startReference({ passwordCost: 16 });
  const { owner } = reference.seeds;
  const env = {
    BASE_URL: reference.baseUrl,
    IGNY8_EMAIL: owner.email,
    IGNY8_PASSWORD: owner.password,
    IGNY8_JWT_SECRET: reference.jwtSecret,
    FUZZ_SEED: '1',
  };
  const shares: Report[] = [];
  for (const shard of ['1/2', '2/2']) {
    const run = await runSuite(env, [`--shard=${shard}`, ...some]);
    expect(run.exitCode, run.output).toBe(0);
    if (run.report !== undefined) shares.push(run.report);
    for (const name of readdirSync(join(run.folder, 'blob'))) {
      cpSync(join(run.folder, 'blob', name), join(blobs, `${shard[0] ?? ''}-${name}`));
      if (shard === '1/2') cpSync(join(run.folder, 'blob', name), join(one, name));
    }
  }
  await reference.close();
  const merge = (folder: string): { status: number | null; report: Report; output: string } => {
    const out = mkdtempSync(join(tmpdir(), 'merged-'));
    const merged = spawnSync(
      process.execPath,
      ['node_modules/@playwright/test/cli.js', 'merge-reports', '-c', 'playwright.config.ts', folder],
      {
        cwd: ROOT,
        encoding: 'utf8',
        env: { ...process.env, CONFORMANCE_OUT: out, PLAYWRIGHT_HTML_OUTPUT_DIR: join(out, 'html') },
      },
    );
    return {
      status: merged.status,
      output: merged.stdout + merged.stderr,
      report: JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as Report,
    };
  };
  const merged = merge(blobs);
  expect(merged.status, merged.output).toBe(0);
  expect(merged.report.verdict).toBe('conformant');
  // All that was chosen passed, and each shard did a share of the work.
  const chosen = CLAUSES.filter(({ id }) => new RegExp(CHOSEN).test(id)).map(({ id }) => id);
  expect(merged.report.clauses.filter(({ verdict }) => verdict === 'passed').map(({ id }) => id)).toEqual(chosen);
  const requests = shares.map((share) => share.requests.total);
  expect(merged.report.requests.total).toBe(requests.reduce((sum, one) => sum + one, 0));
  for (const share of requests) expect(share).toBeLessThan(0.9 * merged.report.requests.total);
  const missing = merge(one);
  expect(missing.status).toBe(1);
  expect(missing.report.verdict).toBe('inconclusive');
  expect(missing.output).toMatch(/[Ss]hard 2/);
});
