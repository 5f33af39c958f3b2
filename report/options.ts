/** What the reporters go by: the configuration as far as it can be used, and how Playwright was started. */
import type { GateLevel } from '../fixtures/run/target.js';

export interface ReporterOptions {
  /** `resident`: Playwright's user interface and editors run checks again and again in one process. */
  readonly mode: 'run' | 'list' | 'merge' | 'resident';
  /** Folder of the reports. */
  readonly out: string;
  readonly gate: GateLevel;
  readonly requireVerified: boolean;
  /** The waiver file, which need not exist. */
  readonly waivers: string;
  /** An earlier report.json. */
  readonly baseline?: string;
  /** File, or folder of the file, that keeps the last runs. */
  readonly history?: string;
  /** Write junit.xml. */
  readonly junit: boolean;
  /** `shape`: bodies are kept as their structure only. */
  readonly evidence: 'full' | 'shape';
  /** The target that the run is meant for: for a run that did not get to ask it. `baseUrl` is empty where it cannot be used. */
  readonly target: { readonly baseUrl: string; readonly embedded: boolean };
  /** The page of the CI run. */
  readonly runUrl?: string;
  /** Who started the CI run. */
  readonly runBy?: string;
  /** File to which a job page's summary is appended. */
  readonly summaryFile?: string;
  /** Write workflow commands to the console. */
  readonly annotations: boolean;
  readonly colours: boolean;
}

/** The configuration's part of it, see fixtures/setup/configuration.ts. */
export interface Configured {
  readonly BASE_URL?: string | undefined;
  readonly CONFORMANCE_OUT?: string | undefined;
  readonly CONFORMANCE_GATE?: GateLevel | undefined;
  readonly CONFORMANCE_REQUIRE_VERIFIED?: 'on' | 'off' | undefined;
  readonly CONFORMANCE_WAIVERS?: string | undefined;
  readonly CONFORMANCE_BASELINE?: string | undefined;
  readonly CONFORMANCE_HISTORY?: string | undefined;
  readonly CONFORMANCE_EVIDENCE?: 'full' | 'shape' | undefined;
}

function modeOf(argv: readonly string[]): ReporterOptions['mode'] {
  if (argv.includes('--list')) return 'list';
  if (argv.includes('merge-reports')) return 'merge';
  return argv.some((argument) => /^(--ui(-.*)?|test-server)$/.test(argument)) ? 'resident' : 'run';
}

/** The page of the CI run that this is; undefined where there is none, or what the environment says is no address. */
function runUrl(env: NodeJS.ProcessEnv): string | undefined {
  const of = (kind: 'GITHUB' | 'GITEA'): string | undefined => {
    const [server, repository, run] = ['SERVER_URL', 'REPOSITORY', 'RUN_ID'].map((name) => env[`${kind}_${name}`]);
    return server && repository && run ? `${server}/${repository}/actions/runs/${run}` : undefined;
  };
  const url = of('GITEA') ?? of('GITHUB') ?? (env['CI_JOB_URL'] || env['BUILD_URL']);
  return url !== undefined && /^https?:\/\/[^\s@]+$/.test(url) && URL.canParse(url) ? url : undefined;
}

/** The account that started the CI run; undefined where nothing says so, or what does is no name. */
function runBy(env: NodeJS.ProcessEnv): string | undefined {
  const by = env['GITEA_ACTOR'] || env['GITHUB_ACTOR'] || env['GITLAB_USER_LOGIN'];
  return by !== undefined && /^[\w.[\]-]{1,60}$/.test(by) ? by : undefined;
}

/** @param configured the variables that can be used; a run with others ends before its first check, and is reported all the same */
export function reporterOptions(
  configured: Configured,
  env: NodeJS.ProcessEnv,
  argv: readonly string[],
): ReporterOptions {
  const [url, by] = [runUrl(env), runBy(env)];
  return {
    mode: modeOf(argv),
    out: configured.CONFORMANCE_OUT ?? 'conformance-report',
    gate: configured.CONFORMANCE_GATE ?? 'must',
    requireVerified: configured.CONFORMANCE_REQUIRE_VERIFIED === 'on',
    waivers: configured.CONFORMANCE_WAIVERS ?? 'waivers.yaml',
    ...(configured.CONFORMANCE_BASELINE === undefined ? {} : { baseline: configured.CONFORMANCE_BASELINE }),
    ...(configured.CONFORMANCE_HISTORY === undefined ? {} : { history: configured.CONFORMANCE_HISTORY }),
    junit: Boolean(env['CI']),
    evidence: configured.CONFORMANCE_EVIDENCE ?? 'full',
    target: { baseUrl: configured.BASE_URL ?? '', embedded: !env['BASE_URL']?.trim() },
    ...(url === undefined ? {} : { runUrl: url }),
    ...(url === undefined || by === undefined ? {} : { runBy: by }),
    ...(env['GITHUB_STEP_SUMMARY'] ? { summaryFile: env['GITHUB_STEP_SUMMARY'] } : {}),
    annotations: env['GITHUB_ACTIONS'] === 'true' || env['GITEA_ACTIONS'] === 'true',
    colours: process.stdout.isTTY && !env['NO_COLOR'],
  };
}
