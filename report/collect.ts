/** From Playwright's tests to what the verdict is made of. */
import { readFileSync } from 'node:fs';
import type { TestCase, TestError, TestResult } from '@playwright/test/reporter';
import { OUTCOME_ATTACHMENT, type Outcome } from '../fixtures/evidence/outcome.js';
import { clean } from '../fixtures/evidence/secrets.js';
import type { ClauseId } from '../spec/generated/clauses.js';
import { shortened } from './outputs/escape.js';
import type { Finished } from './verdict.js';

/** Lines of an error of the run itself that are shown. */
const ERROR_LINES = 15;

/** What an error says, a line each, without Playwright's colours and stack traces. */
export function plainLines(error: TestError | undefined): string[] {
  const text = (error?.message ?? error?.value ?? 'it was interrupted')
    .replace(/\u001b\[[0-9;]*m/g, '')
    .replace(/^(Plain)?Error: /, '');
  return clean(text)
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s+at /.test(line))
    .slice(0, ERROR_LINES)
    .map((line) => shortened(line, 500));
}

/** What Playwright makes of a check that did what it should. */
const STATUS = { passed: 'passed', failed: 'failed', blocked: 'skipped', unverified: 'skipped' } as const;

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

/** The check itself went wrong: its own error, or a time-out, after or instead of an outcome. */
function ownError(result: TestResult, outcome: Outcome | undefined): string | undefined {
  if (outcome !== undefined && result.status === STATUS[outcome.verdict]) return undefined;
  if (result.status === 'timedOut') return 'it took longer than a check may';
  return plainLines(result.error)[0] ?? `it ended as ${result.status}`;
}

/** What came of a check; undefined for a test that is none. */
export function finishedCheck(test: TestCase, result: TestResult): Finished | undefined {
  const id = test.annotations.find(({ type }) => type === 'clause')?.description as ClauseId | undefined;
  if (id === undefined) return undefined;
  // What an interrupted check says, it says of the interruption.
  const outcome = result.status === 'interrupted' ? undefined : outcomeOf(result, id);
  const error = ownError(result, outcome);
  return {
    clause: id,
    ...(outcome === undefined ? {} : { outcome }),
    ...(error === undefined ? {} : { error }),
  };
}
