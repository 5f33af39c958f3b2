/** Runs the suite as a user does: the command line, in a process of its own, with its artefacts in a folder of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Reference } from '../../fixtures/reference/server.js';
import type { Report } from '../../report/model.js';

export const ROOT = join(__dirname, '../..');

export interface SuiteRun {
  readonly exitCode: number | null;
  /** Both streams, as they came. */
  readonly output: string;
  /** Where the artefacts are. */
  readonly folder: string;
  readonly seconds: number;
  /** Undefined if none was written. */
  readonly report: Report | undefined;
}

/** What the environment of the self-tests must not pass on. */
function plainEnvironment(without: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) =>
        !without.includes(name) &&
        !/^(IGNY8_|CONFORMANCE_|FUZZ_|PLAYWRIGHT_|PW_|TEST_|BASE_URL$|CI$|GITHUB_|FORCE_COLOR$)/.test(name),
    ),
  );
}

/** What a user who has everything would set for a reference: address, accounts, resources and key. */
export function given({ baseUrl, jwtSecret, seeds }: Reference): Record<string, string> {
  return {
    BASE_URL: baseUrl,
    IGNY8_EMAIL: seeds.owner.email,
    IGNY8_PASSWORD: seeds.owner.password,
    IGNY8_VIEWER_EMAIL: seeds.viewer.email,
    IGNY8_VIEWER_PASSWORD: seeds.viewer.password,
    IGNY8_FOREIGN_RESOURCE: seeds.foreignResource,
    IGNY8_DENIED_SITE: seeds.deniedSite,
    IGNY8_JWT_SECRET: jwtSecret,
  };
}

/** A browser takes as long as all else together: only the tests that are about it have one. */
const NO_BROWSER = { CHROMIUM_PATH: '/nowhere' };
export const WITH_BROWSER = { CHROMIUM_PATH: '' };

/** Milliseconds after which a run hangs, and is ended: half a minute is usual, so a slow machine has no part in it. */
const HANGS_MS = 20 * 60_000;

export interface Circumstances {
  /** The working directory, in which `.env` is looked for; default: that of the suite. */
  readonly cwd?: string;
  /** Where the suite is; default: this checkout. */
  readonly root?: string;
  /** The user and group that run it; default: whoever runs this. */
  readonly uid?: number;
  /** Variables of this process that the run does not have. */
  readonly without?: readonly string[];
  /** Is handed the process, for a test that ends it. */
  readonly started?: (child: ChildProcess) => void;
}

/** A worker for a few clauses: one more would take longer to start than they take. */
function oneWorkerForFew(args: readonly string[]): string[] {
  return args.includes('--grep') && !args.some((one) => one.startsWith('--workers')) ? ['--workers=1'] : [];
}

export async function runSuite(
  env: Record<string, string>,
  args: readonly string[] = [],
  { root = ROOT, cwd = root, uid, without = [], started }: Circumstances = {},
): Promise<SuiteRun> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  if (uid !== undefined) chownSync(folder, uid, uid);
  const began = performance.now();
  const child = spawn(
    process.execPath,
    [
      join(root, 'node_modules/@playwright/test/cli.js'),
      'test',
      ...(cwd === root ? [] : ['-c', join(root, 'playwright.config.ts')]),
      `--output=${join(folder, 'results')}`,
      ...oneWorkerForFew(args),
      ...args,
    ],
    {
      cwd,
      env: {
        ...plainEnvironment(without),
        CONFORMANCE_OUT: join(folder, 'report'),
        PLAYWRIGHT_HTML_OUTPUT_DIR: join(folder, 'html'),
        PLAYWRIGHT_BLOB_OUTPUT_DIR: join(folder, 'blob'),
        ...NO_BROWSER,
        ...env,
      },
      ...(uid === undefined ? {} : { uid, gid: uid }),
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  started?.(child);
  let output = '';
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const timer = setTimeout(() => child.kill('SIGKILL'), HANGS_MS);
  const exitCode = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  let report: Report | undefined;
  try {
    report = JSON.parse(readFileSync(join(folder, 'report', 'report.json'), 'utf8')) as Report;
  } catch {
    // There is none: for the test to say whether that is right.
  }
  return { exitCode, output, folder, seconds: (performance.now() - began) / 1000, report };
}
