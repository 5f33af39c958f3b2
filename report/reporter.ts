/** The suite's own Playwright reporter, listed last: from the outcomes of the checks to the verdict and the files of `conformance-report/`. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type {
  FullConfig,
  FullResult,
  Reporter,
  Suite,
  TestCase,
  TestError,
  TestResult,
} from '@playwright/test/reporter';
import { OUTCOME_ATTACHMENT, type Cost, type Outcome, type RunFacts } from '../fixtures/outcome.js';
import { RUN_SLOT, type RunState } from '../fixtures/run.js';
import { loadWaivers } from '../fixtures/waivers.js';
import { CONTRACT_VERSION, type ClauseId } from '../spec/generated/clauses.js';
import { consoleText } from './console.js';
import { visible } from './escape.js';
import { htmlReport } from './html.js';
import { buildReport, compareWith, readReport, schemaFault, writeWhole, type Report } from './report.js';
import { clean } from './sanitiser.js';
import { scanArtefacts } from './scan.js';
import { badge, summaryMarkdown, workflowCommands } from './summary.js';
import { judgeClauses, judgeRun, shardProblems, type Finished, type GateLevel } from './verdict.js';

const ANSI = /\u001b\[[0-9;]*m/g;

function firstLine(error: TestError | undefined): string {
  return visible(clean((error?.message ?? error?.value ?? '').replace(ANSI, '').split('\n')[0] ?? ''), 300);
}

function outcomeOf(result: TestResult): Outcome | undefined {
  const attachment = result.attachments.find(({ name }) => name === OUTCOME_ATTACHMENT);
  try {
    const text =
      attachment?.body?.toString('utf8') ??
      (attachment?.path === undefined ? undefined : readFileSync(attachment.path, 'utf8'));
    return text === undefined ? undefined : (JSON.parse(text) as Outcome);
  } catch {
    return undefined;
  }
}

function gateLevel(): GateLevel {
  const level = process.env['CONFORMANCE_GATE'];
  return level === 'should' || level === 'all' ? level : 'must';
}

export default class ConformanceReporter implements Reporter {
  private readonly finished: Finished[] = [];
  private readonly errors: string[] = [];
  private readonly startedAt = new Date();
  private readonly out = process.env['CONFORMANCE_OUT'] ?? 'conformance-report';
  private readonly listing = process.argv.includes('--list');
  private readonly merging = process.argv.includes('merge-reports');
  private readonly colours = process.stdout.isTTY && !process.env['NO_COLOR'];
  private total = 0;
  private config: FullConfig | undefined;
  private exitCode = 0;

  printsToStdio(): boolean {
    return true;
  }

  onBegin(config: FullConfig, suite: Suite): void {
    this.config = config;
    this.total = suite.allTests().length;
    if (this.listing) {
      for (const test of suite.allTests()) process.stdout.write(`${test.title}\n`);
      process.stdout.write(`${String(this.total)} checks\n`);
    }
  }

  onError(error: TestError): void {
    const lines = visible(
      clean(
        (error.message ?? error.value ?? 'an unknown error')
          .replace(ANSI, '')
          .replace(/^Error: /, '')
          .replace(/\n/g, '\u0001'),
      ),
      4000,
    );
    this.errors.push(lines.replaceAll('\\u0001', '\n'));
  }

  onTestEnd(test: TestCase, result: TestResult): void {
    const id = test.annotations.find(({ type }) => type === 'clause')?.description as ClauseId | undefined;
    if (id === undefined) return;
    const outcome = outcomeOf(result);
    this.finished.push({
      clause: id,
      ...(outcome === undefined ? {} : { outcome }),
      ...(outcome === undefined ? { error: firstLine(result.error) } : {}),
    });
    if (this.colours && !this.merging) {
      process.stdout.write(`\r\u001b[2K${String(this.finished.length)}/${String(this.total)} ${id}`);
    }
  }

  private aborted(status: FullResult['status']): string | undefined {
    const [error] = this.errors;
    if (error !== undefined) return error;
    if (status === 'timedout') return 'The run took longer than it may and was ended.';
    if (status === 'interrupted') return 'The run was interrupted.';
    return this.live()?.stopped;
  }

  /** The run in this process; none in a merge, or where the global setup did not get so far. */
  private live(): RunState | undefined {
    return (globalThis as Record<symbol, unknown>)[RUN_SLOT] as RunState | undefined;
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- Playwright takes a changed status from a promise only
  async onEnd({ status, duration, startTime }: FullResult): Promise<{ status: FullResult['status'] } | undefined> {
    if (this.listing) {
      for (const error of this.errors) process.stdout.write(`${error}\n`);
      return undefined;
    }
    if (this.colours) process.stdout.write('\r\u001b[2K');
    const report = this.report(status, startTime, duration);
    const fault = schemaFault(report);
    if (fault !== undefined) throw new Error(`report.json would not be as its schema has it: ${fault}`);
    writeWhole(this.out, 'report.json', `${JSON.stringify(report, undefined, 2)}\n`);
    writeWhole(this.out, 'report.html', htmlReport(report));
    const summary = summaryMarkdown(report);
    writeWhole(this.out, 'summary.md', summary);
    writeWhole(this.out, 'badge.json', badge(report));
    const page = process.env['GITHUB_STEP_SUMMARY'];
    if (page !== undefined && page !== '') appendFileSync(page, summary);
    if (process.env['GITHUB_ACTIONS'] === 'true') process.stdout.write(workflowCommands(report));
    process.stdout.write(consoleText(report, this.out, this.colours));
    if (report.gate.passed) return undefined;
    this.exitCode = 1;
    return { status: 'failed' };
  }

  private report(status: FullResult['status'], startedAt: Date, durationMs: number): Report {
    const waivers = loadWaivers(process.env['CONFORMANCE_WAIVERS'] ?? 'waivers.yaml', Date.now());
    const runs = this.finished.flatMap(({ outcome }) => (outcome === undefined ? [] : [outcome.run]));
    const facts: RunFacts | undefined = runs[0];
    const aborted = this.aborted(status);
    const results = judgeClauses(this.finished, waivers, aborted ?? 'It was not selected in this run.');
    const gate = facts?.gate ?? gateLevel();
    const verdict = judgeRun(results, {
      gate,
      waivers,
      requireVerified: process.env['CONFORMANCE_REQUIRE_VERIFIED'] === 'on',
      shardProblems: this.merging ? shardProblems(this.finished) : [],
      ...(aborted === undefined ? {} : { aborted }),
    });
    // The look before the checks counts once for each shard.
    const looks = new Map(runs.map((run) => [run.shard?.current ?? 0, run.preflight]));
    const costs: Cost[] = [
      ...looks.values(),
      ...this.finished.flatMap(({ outcome }) => (outcome === undefined ? [] : [outcome.cost])),
    ];
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    const report = buildReport({
      results,
      verdict,
      facts,
      gate,
      suiteVersion: facts?.suiteVersion ?? version,
      contractVersion: facts?.contractVersion ?? CONTRACT_VERSION,
      startedAt: this.merging ? startedAt : this.startedAt,
      durationMs,
      costs,
    });
    const earlier = process.env['CONFORMANCE_BASELINE'];
    if (earlier === undefined || earlier === '') return report;
    const baseline = readReport(earlier);
    if (typeof baseline === 'string')
      return { ...report, notes: [...report.notes, `CONFORMANCE_BASELINE: ${baseline}`] };
    return { ...report, baseline: compareWith(baseline, report) };
  }

  /** After all reporters have written what they write. */
  async onExit(): Promise<void> {
    if (this.listing) return;
    const html = this.config?.reporter.find(([name]) => name === 'html')?.[1] as { outputFolder?: string } | undefined;
    const folders = [this.out, html?.outputFolder ?? 'playwright-report', 'test-results', 'blob-report'];
    const finds = scanArtefacts(folders.filter(existsSync), this.live()?.secrets() ?? []);
    for (const { file, what } of finds) {
      process.stdout.write(`${visible(file)} held ${what}: it was removed, and the run fails.\n`);
    }
    // Playwright's own exit code is set by now, and that of a merge is always 0.
    if (finds.length > 0 || (this.merging && this.exitCode !== 0)) {
      await new Promise<void>((resolve) =>
        process.stdout.write('', () => {
          resolve();
        }),
      );
      process.exit(1);
    }
  }
}
