/** How far the self-tests are, where there is no terminal: a line each minute, as a run of the suite has it. */
import type { FullConfig, Reporter, Suite, TestCase, TestResult } from '@playwright/test/reporter';
import { shortened } from '../../fixtures/evidence/visible.js';
import { Progress } from '../../report/outputs/progress.js';

/** Characters of a test's title. */
const SHOWN = 50;

const titleOf = ({ title }: TestCase): string => `“${shortened(title, SHOWN)}”`;

export default class SelfTestProgress implements Reporter {
  private readonly progress = new Progress(process.stdout, false, () => [], 'self-tests');

  printsToStdio(): boolean {
    return true;
  }

  onBegin(_: FullConfig, suite: Suite): void {
    this.progress.begin(suite.allTests().length);
  }

  onTestBegin(test: TestCase): void {
    this.progress.started(titleOf(test));
  }

  onTestEnd(test: TestCase, { status }: TestResult): void {
    this.progress.finished(titleOf(test), status !== test.expectedStatus && status !== 'skipped');
  }

  onEnd(): void {
    this.progress.end();
  }
}
