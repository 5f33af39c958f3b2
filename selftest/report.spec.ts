import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { startReference, type Parts } from '../fixtures/reference/index.js';
import { schemaFault } from '../report/files.js';
import type { Report } from '../report/report.js';
import { ROOT, runSuite, type SuiteRun } from './suite.js';

async function against(
  replace: ((parts: Parts) => Partial<Parts>) | undefined,
  env: Record<string, string>,
  args: readonly string[] = [],
): Promise<SuiteRun> {
  const reference = await startReference({ passwordCost: 16, ...(replace === undefined ? {} : { replace }) });
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

function waiverFile(...entries: Record<string, string>[]): string {
  const path = join(mkdtempSync(join(tmpdir(), 'waivers-')), 'waivers.yaml');
  const lines = entries.map(
    (entry) =>
      `- ${Object.entries(entry)
        .map(([name, value]) => `${name}: ${value}`)
        .join('\n  ')}`,
  );
  writeFileSync(path, lines.join('\n'));
  return path;
}

const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
const waiver = (clause: string, expires: string): Record<string, string> => ({
  clause,
  reason: 'known',
  link: 'https://tracker.example.com/1',
  owner: 'ada',
  expires,
});

test.describe('waivers', () => {
  const spentAccepted = (parts: Parts): Partial<Parts> => ({
    spend: async (claims) =>
      parts.openChain(parts.userById(claims['user_id']) ?? (await Promise.reject(new Error('nobody')))),
  });
  const grep = ['--grep', 'REF-0[15]'];

  test('a waived failure does not gate, and the check still runs', async () => {
    const run = await against(spentAccepted, { CONFORMANCE_WAIVERS: waiverFile(waiver('REF-05', inDays(30))) }, grep);
    expect(run.exitCode, run.output).toBe(0);
    expect(run.report?.clauses.find(({ id }) => id === 'REF-05')?.verdict).toBe('waived');
  });

  test('those that are expired, too long, unknown or twice fail the gate, each with what to do', async () => {
    const file = waiverFile(
      waiver('REF-05', inDays(-2)),
      waiver('REF-02', inDays(400)),
      waiver('REF-99', inDays(30)),
      waiver('REF-01', inDays(30)),
      waiver('REF-01', inDays(31)),
    );
    const run = await against(undefined, { CONFORMANCE_WAIVERS: file }, ['--grep', 'REF-05']);
    expect(run.exitCode, run.output).toBe(1);
    for (const says of [/REF-05 expired/, /at most 180 days/, /REF-99 is no clause/, /REF-01 is waived twice/])
      expect(run.output).toMatch(says);
    expect(schemaFault(run.report)).toBeUndefined();
  });

  test('one that is stale fails the gate and says what to do', async () => {
    const file = waiverFile(waiver('REF-01', inDays(30)));
    const run = await against(undefined, { CONFORMANCE_WAIVERS: file }, ['--grep', 'REF-01']);
    expect(run.exitCode, run.output).toBe(1);
    expect(run.output).toMatch(/REF-01/);
  });

  test('a first waiver file is written from a report', async () => {
    const run = await against(spentAccepted, {}, grep);
    expect(run.exitCode).toBe(1);
    const out = join(run.folder, 'first.yaml');
    const written = spawnSync(
      process.execPath,
      [
        'node_modules/tsx/dist/cli.mjs',
        'report/first-waivers.ts',
        join(run.folder, 'report', 'report.json'),
        '--owner',
        'ada',
        '--link',
        'https://tracker.example.com/1',
        '--out',
        out,
      ],
      { cwd: ROOT, encoding: 'utf8' },
    );
    expect(written.status, written.stderr).toBe(0);
    expect((await against(spentAccepted, { CONFORMANCE_WAIVERS: out }, grep)).exitCode).toBe(0);
  });
});

test('what changed since an earlier report', async () => {
  const before = await against(undefined, {}, ['--grep', 'REG-13']);
  const after = await against(
    (parts) => ({ register: async (context) => ({ ...(await parts.register(context)), status: 200 }) }),
    { CONFORMANCE_BASELINE: join(before.folder, 'report', 'report.json') },
    ['--grep', 'REG-13'],
  );
  expect(after.report?.baseline).toMatchObject({ newlyFailing: ['REG-13'], fixed: [] });
  expect(after.output).toMatch(/newly failing/i);
});

test('shards, merged, say what one run says; a missing one is noticed', async () => {
  const some = ['--workers=1', '--grep', 'REF-0[15]|RID-|LOG-0[14]'];
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
  const shares: number[] = [];
  for (const shard of ['1/2', '2/2']) {
    const run = await runSuite(env, [`--shard=${shard}`, ...some]);
    expect(run.exitCode, run.output).toBe(0);
    shares.push(run.report?.requests.total ?? 0);
    for (const name of readdirSync(join(run.folder, 'blob'))) {
      cpSync(join(run.folder, 'blob', name), join(blobs, `${shard[0] ?? ''}-${name}`));
      if (shard === '1/2') cpSync(join(run.folder, 'blob', name), join(one, name));
    }
  }
  const whole = await runSuite(env, some);
  await reference.close();
  // Each has a share of the work, and neither all of it.
  for (const share of shares) expect(share).toBeLessThan(0.9 * (whole.report?.requests.total ?? 0));
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
  expect(merged.report.totals).toEqual(whole.report?.totals);
  const missing = merge(one);
  expect(missing.status).toBe(1);
  expect(missing.report.verdict).toBe('inconclusive');
  expect(missing.output).toMatch(/[Ss]hard 2/);
});
