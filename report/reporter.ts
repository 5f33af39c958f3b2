/** The suite's own Playwright reporter, listed last: from the outcomes of the checks to the verdict and its files. */
import type {
  FullConfig,
  FullResult,
  Reporter,
  Suite,
  TestCase,
  TestError,
  TestResult,
} from '@playwright/test/reporter';
import { clean } from '../fixtures/evidence/secrets.js';
import { usableConfiguration } from '../fixtures/setup/configuration.js';
import { publishedRun } from '../fixtures/run/run-state.js';
import { finishedCheck, plainLines } from './collect.js';
import { Conclusion } from './conclusion.js';
import type { Report } from './model.js';
import { reporterOptions } from './options.js';
import { consoleText } from './outputs/console.js';
import { visible, visibleLines } from './outputs/escape.js';
import { Progress } from './outputs/progress.js';
import { count } from './outputs/sentences.js';
import { workflowCommands } from './outputs/summary.js';
import { appendSummary, writeReport } from './report-file.js';
import { artefactFolders, scanArtefacts } from './scan.js';
import { endLikeInterrupt } from './signals.js';
import type { Finished } from './verdict.js';

export default class ConformanceReporter implements Reporter {
  private readonly finished: Finished[] = [];
  private readonly errors: string[] = [];
  private readonly progress: Progress;
  private readonly conclusion: Conclusion;
  private config: FullConfig | undefined;
  private ended = false;
  private gateFailed = false;

  private readonly options = reporterOptions(usableConfiguration(process.env), process.env, process.argv);

  constructor() {
    const { options } = this;
    const { mode } = options;
    this.conclusion = new Conclusion(options);
    this.progress = new Progress(
      process.stdout,
      mode === 'list' || mode === 'merge',
      () => publishedRun()?.underWay(Date.now()) ?? [],
    );
    if (mode !== 'run') return;
    endLikeInterrupt();
    try {
      writeReport(this.conclusion.withdrawn(), options);
    } catch {
      // Said at the end, when the report itself cannot be written.
    }
  }

  printsToStdio(): boolean {
    return true;
  }

  onBegin(config: FullConfig, suite: Suite): void {
    this.config = config;
    const tests = suite.allTests();
    this.progress.begin(tests.length);
    if (this.options.mode !== 'list') return;
    for (const test of tests) process.stdout.write(`${visible(test.title)}\n`);
    process.stdout.write(`${count(tests.length, 'check')}\n`);
  }

  onError(error: TestError): void {
    const text = plainLines(error).join('\n');
    const lines = text.startsWith('No tests found') ? 'No check matches the filter, so nothing was checked.' : text;
    if (!this.errors.includes(lines)) this.errors.push(lines);
    // Another reporter's, after this one had its say.
    if (this.ended) process.stdout.write(`${visibleLines(lines)}\n`);
  }

  onTestBegin(test: TestCase): void {
    this.progress.started(test.title.slice(0, 6));
  }

  onTestEnd(test: TestCase, result: TestResult): void {
    const finished = finishedCheck(test, result);
    if (finished === undefined) return;
    this.finished.push(finished);
    this.progress.finished(finished.clause, finished.outcome?.verdict === 'failed');
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- Playwright takes a changed status from a promise only
  async onEnd(result: FullResult): Promise<{ status: FullResult['status'] } | undefined> {
    this.ended = true;
    this.progress.end();
    if (this.options.mode === 'list') {
      for (const error of this.errors) process.stdout.write(`${visibleLines(error)}\n`);
      return undefined;
    }
    const report = this.conclusion.report(this.finished, this.errors, result, this.config?.shard ?? null);
    this.gateFailed = !report.gate.passed;
    const { out, colours, annotations } = this.options;
    const unwritten = this.write(report);
    process.stdout.write(consoleText(report, unwritten === undefined ? out : undefined, colours));
    if (unwritten !== undefined) process.stdout.write(`The report could not be written: ${unwritten}\n`);
    if (annotations) process.stdout.write(workflowCommands(report));
    // Only ever down: a failed or interrupted run keeps its own exit code.
    return this.gateFailed && result.status === 'passed' ? { status: 'failed' } : undefined;
  }

  /** @returns why the report could not be written, which fails the gate; undefined if it was */
  private write(report: Report): string | undefined {
    try {
      writeReport(report, this.options);
      if (this.options.summaryFile !== undefined) appendSummary(report, this.options.summaryFile);
      return undefined;
    } catch (error) {
      this.gateFailed = true;
      return visible(clean(error instanceof Error ? error.message : String(error)));
    }
  }

  /** After all reporters have written what they write. */
  async onExit(): Promise<void> {
    const { mode, out } = this.options;
    if (mode === 'list') return;
    const finds = await scanArtefacts(artefactFolders(this.config, out), publishedRun()?.secrets() ?? []);
    for (const { file, what } of finds) {
      process.stdout.write(`${visible(file)} held ${what}: it was removed, and the run fails.\n`);
    }
    // Playwright's exit code is set by now, and that of a merge is always 0.
    if (mode === 'resident' || (finds.length === 0 && !(mode === 'merge' && this.gateFailed))) return;
    await new Promise<void>((resolve) =>
      process.stdout.write('', () => {
        resolve();
      }),
    );
    process.exit(1);
  }
}
