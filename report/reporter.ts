/** The suite's own Playwright reporter, listed last: from the outcomes of the checks to the verdict and the files of `conformance-report/`. */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  FullConfig,
  FullResult,
  Reporter,
  Suite,
  TestCase,
  TestError,
  TestResult,
} from '@playwright/test/reporter';
import { OUTCOME_ATTACHMENT, type Outcome } from '../fixtures/evidence/outcome.js';
import { publishedRun } from '../fixtures/run/run.js';
import { loadWaivers } from '../fixtures/run/waivers.js';
import { CONTRACT_VERSION, type ClauseId } from '../spec/generated/clauses.js';
import { consoleText } from './outputs/console.js';
import { shortened, visible, visibleLines } from './outputs/escape.js';
import { compareWith, readReport, schemaFault, writeWhole } from './report-file.js';
import { htmlReport } from './outputs/html.js';
import { Progress } from './outputs/progress.js';
import { buildReport, type Report } from './report.js';
import { clean } from '../fixtures/evidence/secrets.js';
import { artefactFolders, scanArtefacts } from './scan.js';
import { badge, summaryMarkdown, workflowCommands } from './outputs/summary.js';
import { givenUp, judgeClauses, judgeRun, shardProblems, type Finished, type GateLevel } from './verdict.js';
import { NOT_RUN } from './outputs/sentences.js';

/** Lines of an error of the run itself that are shown. */
const ERROR_LINES = 15;

/** What an error says, without Playwright's colours and stack traces. */
function plain(error: TestError | undefined): string[] {
  const text = (error?.message ?? error?.value ?? 'it was interrupted')
    .replace(/\u001b\[[0-9;]*m/g, '')
    .replace(/^(Plain)?Error: /, '');
  return clean(text)
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s+at /.test(line))
    .slice(0, ERROR_LINES)
    .map((line) => shortened(line, 500));
}

function outcomeOf({ attachments }: TestResult, id: ClauseId): Outcome | undefined {
  const attachment = attachments.find(({ name }) => name === OUTCOME_ATTACHMENT);
  if (attachment === undefined) return undefined;
  try {
    const text = attachment.body?.toString('utf8') ?? readFileSync(attachment.path ?? '', 'utf8');
    const outcome = JSON.parse(text) as Outcome;
    return outcome.clause === id && typeof outcome.run.runId === 'string' ? outcome : undefined;
  } catch {
    return undefined;
  }
}

/** What Playwright makes of a check that did what it should. */
const STATUS = { passed: 'passed', failed: 'failed', blocked: 'skipped', unverified: 'skipped' } as const;

/** The check itself went wrong: its own error, or a time-out, after or instead of an outcome. */
function ownError(result: TestResult, outcome: Outcome | undefined): string | undefined {
  if (outcome !== undefined && result.status === STATUS[outcome.verdict]) return undefined;
  if (result.status === 'timedOut') return 'it took longer than a check may';
  return plain(result.error)[0] ?? `it ended as ${result.status}`;
}

function gateLevel(): GateLevel {
  const level = process.env['CONFORMANCE_GATE'];
  return level === 'should' || level === 'all' ? level : 'must';
}

/** The target as the environment has it, for a run that did not get to ask it. */
function intendedTarget(): Report['target'] {
  const given = process.env['BASE_URL']?.trim() ?? '';
  // An address may have a password in it.
  const shown =
    /^https?:/i.test(given) && URL.canParse(given) && !/\/\/[^/]*@/.test(given) ? given.replace(/\/*$/, '/') : '';
  return { baseUrl: shortened(shown, 300), embedded: given === '' };
}

export default class ConformanceReporter implements Reporter {
  private readonly finished: Finished[] = [];
  private readonly errors: string[] = [];
  private readonly out = process.env['CONFORMANCE_OUT'] || 'conformance-report';
  private readonly listing = process.argv.includes('--list');
  private readonly merging = process.argv.includes('merge-reports');
  /** Playwright's user interface and editors run checks again and again in one process. */
  private readonly resident = process.argv.some((argument) => /^(--ui(-.*)?|test-server)$/.test(argument));
  private readonly progress = new Progress(process.stdout, this.listing || this.merging);
  private config: FullConfig | undefined;
  private ended = false;
  private gateFailed = false;

  printsToStdio(): boolean {
    return true;
  }

  onBegin(config: FullConfig, suite: Suite): void {
    this.config = config;
    const tests = suite.allTests();
    this.progress.begin(tests.length);
    if (!this.listing) return;
    for (const test of tests) process.stdout.write(`${visible(test.title)}\n`);
    process.stdout.write(`${String(tests.length)} checks\n`);
  }

  onError(error: TestError): void {
    const text = plain(error).join('\n');
    const lines = text.startsWith('No tests found') ? 'No check matches the filter, so nothing was checked.' : text;
    if (!this.errors.includes(lines)) this.errors.push(lines);
    // Another reporter's, after this one had its say.
    if (this.ended) process.stdout.write(`${visibleLines(lines)}\n`);
  }

  /** A check that waits long says so on its standard error. */
  onStdErr(chunk: string | Buffer): void {
    for (const line of clean(chunk.toString()).split('\n')) {
      if (/^[A-Z]{3}-\d\d: /.test(line)) this.progress.say(visible(line, 200));
    }
  }

  onTestBegin(test: TestCase): void {
    this.progress.started(test.title.slice(0, 6));
  }

  onTestEnd(test: TestCase, result: TestResult): void {
    const id = test.annotations.find(({ type }) => type === 'clause')?.description as ClauseId | undefined;
    if (id === undefined) return;
    // What an interrupted check says, it says of the interruption.
    const outcome = result.status === 'interrupted' ? undefined : outcomeOf(result, id);
    const error = ownError(result, outcome);
    this.finished.push({
      clause: id,
      ...(outcome === undefined ? {} : { outcome }),
      ...(error === undefined ? {} : { error }),
    });
    this.progress.finished(id, outcome?.verdict === 'failed');
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- Playwright takes a changed status from a promise only
  async onEnd(result: FullResult): Promise<{ status: FullResult['status'] } | undefined> {
    this.ended = true;
    this.progress.end();
    if (this.listing) {
      for (const error of this.errors) process.stdout.write(`${visibleLines(error)}\n`);
      return undefined;
    }
    try {
      const report = this.report(result);
      this.gateFailed = !report.gate.passed;
      this.write(report);
      process.stdout.write(consoleText(report, this.out, process.stdout.isTTY && !process.env['NO_COLOR']));
    } catch (error) {
      this.gateFailed = true;
      const why = error instanceof Error ? error.message : String(error);
      process.stdout.write(`The report could not be written: ${visible(clean(why))}\n`);
    }
    // Only ever down: a failed or interrupted run keeps its own exit code.
    return this.gateFailed && result.status === 'passed' ? { status: 'failed' } : undefined;
  }

  /** @throws Error if a file cannot be written, or report.json would not be as its schema has it */
  private write(report: Report): void {
    const fault = schemaFault(report);
    if (fault !== undefined) throw new Error(`report.json would not be as its schema has it: ${fault}`);
    writeWhole(this.out, 'report.json', `${JSON.stringify(report, undefined, 2)}\n`);
    writeWhole(this.out, 'report.html', htmlReport(report));
    const summary = summaryMarkdown(report);
    writeWhole(this.out, 'summary.md', summary);
    writeWhole(this.out, 'badge.json', badge(report));
    const page = process.env['GITHUB_STEP_SUMMARY'];
    if (page) appendFileSync(page, summary);
    if (process.env['GITHUB_ACTIONS'] === 'true') process.stdout.write(workflowCommands(report));
  }

  private aborted(status: FullResult['status']): string | undefined {
    const [error] = this.errors;
    if (error !== undefined) {
      return this.errors.length === 1 ? error : `${error} (and ${String(this.errors.length - 1)} more errors)`;
    }
    if (status === 'timedout') return 'The run took longer than it may, and was ended.';
    if (status === 'interrupted') return 'The run was interrupted.';
    const stopped = publishedRun()?.stopped ?? givenUp(this.finished);
    return stopped === undefined ? undefined : `The run was given up: ${stopped}.`;
  }

  private report({ status, startTime, duration }: FullResult): Report {
    const waivers = loadWaivers(process.env['CONFORMANCE_WAIVERS'] || 'waivers.yaml', Date.now());
    const runs = [
      ...new Map(
        this.finished.flatMap(({ outcome }) => (outcome === undefined ? [] : [[outcome.run.runId, outcome.run]])),
      ).values(),
    ];
    const partial = !this.merging && (this.config?.shard ?? null) !== null;
    const aborted = this.aborted(status);
    const notRun = partial ? 'No check of it ran in this shard.' : NOT_RUN;
    const results = judgeClauses(this.finished, waivers, aborted?.split('\n')[0] ?? notRun);
    const gate = runs[0]?.gate ?? gateLevel();
    const judge = (why: string | undefined): ReturnType<typeof judgeRun> =>
      judgeRun(results, {
        gate,
        waivers,
        partial,
        requireVerified: process.env['CONFORMANCE_REQUIRE_VERIFIED'] === 'on' && !partial,
        shardProblems: this.merging ? shardProblems(this.finished) : [],
        ...(why === undefined ? {} : { aborted: why }),
      });
    let verdict = judge(aborted);
    if (status === 'failed' && verdict.gatePassed)
      verdict = judge('Playwright counts a failure that belongs to no clause: see its own report.');
    const { version } = JSON.parse(readFileSync(join(__dirname, '../package.json'), 'utf8')) as {
      version: string;
    };
    const report = buildReport({
      results,
      verdict,
      runs,
      gate,
      waivers,
      target: runs[0] ?? intendedTarget(),
      suiteVersion: runs[0]?.suiteVersion ?? version,
      contractVersion: runs[0]?.contractVersion ?? CONTRACT_VERSION,
      startedAt: startTime,
      durationMs: duration,
      costs: [
        // The look before the checks counts once for each run.
        ...runs.map(({ preflight }) => preflight),
        ...this.finished.flatMap(({ outcome }) => (outcome === undefined ? [] : [outcome.cost])),
      ],
    });
    return this.withBaseline(report);
  }

  private withBaseline(report: Report): Report {
    const path = process.env['CONFORMANCE_BASELINE'];
    if (!path) return report;
    const earlier = readReport(path);
    if (typeof earlier === 'string') {
      return { ...report, notes: [...report.notes, `CONFORMANCE_BASELINE: ${earlier} Nothing is compared.`] };
    }
    const other =
      earlier.target.embedded !== report.target.embedded ||
      (!report.target.embedded && earlier.target.baseUrl !== report.target.baseUrl);
    const note = `CONFORMANCE_BASELINE: ${path} is about another target (${earlier.target.embedded ? 'the embedded one' : earlier.target.baseUrl}).`;
    return {
      ...report,
      ...(other ? { notes: [...report.notes, note] } : {}),
      baseline: compareWith(earlier, report),
    };
  }

  /** After all reporters have written what they write. */
  async onExit(): Promise<void> {
    if (this.listing) return;
    const finds = await scanArtefacts(artefactFolders(this.config, this.out), publishedRun()?.secrets() ?? []);
    for (const { file, what } of finds) {
      process.stdout.write(`${visible(file)} held ${what}: it was removed, and the run fails.\n`);
    }
    // Playwright's exit code is set by now, and that of a merge is always 0.
    if (this.resident || (finds.length === 0 && !(this.merging && this.gateFailed))) return;
    await new Promise<void>((resolve) =>
      process.stdout.write('', () => {
        resolve();
      }),
    );
    process.exit(1);
  }
}
