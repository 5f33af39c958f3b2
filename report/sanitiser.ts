/**
 * Listed first among the reporters: Playwright hands all of them the same objects, so what is cleaned here reaches none of the others.
 * Playwright puts request headers into the errors of failed requests, also of those that a check caught, and its steps keep what matchers
 * were given. The client avoids all of it; this is the belt, and the scan of the artefacts is the proof.
 */
import type { Reporter, TestCase, TestError, TestResult, TestStep } from '@playwright/test/reporter';
import { maskText } from '../fixtures/secrets.js';

/** Header lines of a call log, whatever their value looks like. */
const CALL_LOG_HEADER = /^(\s*-?\s*(?:authorization|cookie|set-cookie|proxy-authorization|x-api-key):).*$/gim;

export function clean(text: string): string {
  return maskText(text.replace(CALL_LOG_HEADER, '$1 «removed»'));
}

function cleanError(error: TestError | undefined): void {
  if (error === undefined) return;
  for (const key of ['message', 'stack', 'value', 'snippet'] as const) {
    const text = error[key];
    if (text !== undefined) error[key] = clean(text);
  }
  cleanError(error.cause);
}

function cleanStep(step: TestStep): void {
  step.title = clean(step.title);
  cleanError(step.error);
  const parameters = (step as { params?: Record<string, unknown> }).params;
  if (parameters !== undefined) {
    (step as { params?: unknown }).params = JSON.parse(clean(JSON.stringify(parameters))) as unknown;
  }
  step.steps.forEach(cleanStep);
}

export default class Sanitiser implements Reporter {
  printsToStdio(): boolean {
    return false;
  }

  onStepBegin(_: TestCase, __: TestResult, step: TestStep): void {
    cleanStep(step);
  }

  onStepEnd(_: TestCase, __: TestResult, step: TestStep): void {
    cleanStep(step);
  }

  onError(error: TestError): void {
    cleanError(error);
  }

  onTestEnd(_: TestCase, result: TestResult): void {
    result.errors.forEach(cleanError);
    cleanError(result.error);
    result.steps.forEach(cleanStep);
    for (const annotation of result.annotations) {
      if (annotation.description !== undefined) annotation.description = clean(annotation.description);
    }
    // Holds the error once more, and the source of the check: nothing that the report has not.
    const extra = result.attachments.findIndex(({ name }) => name === 'error-context');
    if (extra >= 0) result.attachments.splice(extra, 1);
    result.stdout = result.stdout.map((chunk) => clean(chunk.toString()));
    result.stderr = result.stderr.map((chunk) => clean(chunk.toString()));
  }
}
