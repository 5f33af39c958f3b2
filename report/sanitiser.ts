/**
 * Listed first among the reporters: Playwright hands all of them the same objects, so what is cleaned here reaches none of the others.
 * Playwright puts request headers into the errors of failed requests, also of those that a check caught, and its steps keep what matchers
 * were given. The client avoids all of it; this is the belt, and the scan of the artefacts is the proof. It leans on how Playwright 1.65
 * shares its objects, which no document promises: hence the pinned version, and the self-test with canaries.
 */
import { rmSync } from 'node:fs';
import type { Reporter, TestCase, TestError, TestResult, TestStep } from '@playwright/test/reporter';
import { OUTCOME_ATTACHMENT, type Outcome } from '../fixtures/evidence/outcome.js';
import { clean } from '../fixtures/evidence/secrets.js';
import { usableConfiguration } from '../fixtures/setup/configuration.js';
import { withoutData } from './shape.js';

const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** The same for what a target may have had a hand in: its controls do nothing on anybody's console. */
function inert(text: string): string {
  return clean(text).replace(CONTROLS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const COLOURS = /\u001b\[[0-9;]*m/g;

function cleanError(error: TestError | undefined): void {
  if (error === undefined) return;
  for (const key of ['message', 'stack', 'value', 'snippet'] as const) {
    const text = error[key];
    if (text !== undefined) error[key] = inert(text.replace(COLOURS, ''));
  }
  cleanError(error.cause);
}

/** Strings of a value, to any depth, cleaned in place of the old ones. */
function cleanValue(value: unknown): unknown {
  if (typeof value === 'string') return clean(value);
  if (Array.isArray(value)) return value.map(cleanValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, cleanValue(member)]));
}

function cleanAnnotation(annotation: { description?: string }): void {
  if (annotation.description !== undefined) annotation.description = inert(annotation.description);
}

/** An outcome without the contents of its exchanges' bodies. */
function withoutBodies(text: string): string {
  const outcome = JSON.parse(text) as Outcome;
  const failures = outcome.failures.map((failure) =>
    failure.exchange === undefined ? failure : { ...failure, exchange: withoutData(failure.exchange) },
  );
  return JSON.stringify({ ...outcome, failures, exchanges: outcome.exchanges.map(withoutData) });
}

/** Titles kept cleaned, for they come again hundreds of times. */
const KEPT_TITLES = 2000;

/**
 * Each thing is cleaned once, when it is complete and before the reporters after this one see it: a step's title and parameters when it
 * begins, its error when it ends, an attachment when its step or its test does.
 */
export default class Sanitiser implements Reporter {
  private readonly titles = new Map<string, string>();
  private readonly cleaned = new WeakSet();

  /** `shape`: bodies are kept as their structure only. */
  private readonly evidence = usableConfiguration(process.env).CONFORMANCE_EVIDENCE;

  printsToStdio(): boolean {
    return false;
  }

  onStepBegin(_: TestCase, __: TestResult, step: TestStep): void {
    step.title = this.title(step.title);
    const holder = step as { params?: unknown };
    if (holder.params !== undefined) holder.params = cleanValue(holder.params);
  }

  onStepEnd(_: TestCase, __: TestResult, step: TestStep): void {
    cleanError(step.error);
    step.annotations.forEach(cleanAnnotation);
    this.cleanAttachments(step.attachments);
  }

  onError(error: TestError): void {
    cleanError(error);
  }

  onTestEnd(test: TestCase, result: TestResult): void {
    result.errors.forEach(cleanError);
    cleanError(result.error);
    const steps = (list: readonly TestStep[]): void => {
      for (const step of list) {
        this.cleanAttachments(step.attachments);
        steps(step.steps);
      }
    };
    steps(result.steps);
    [...test.annotations, ...result.annotations].forEach(cleanAnnotation);
    this.cleanAttachments(result.attachments);
    result.stdout = result.stdout.map((chunk) => clean(chunk.toString()));
    result.stderr = result.stderr.map((chunk) => clean(chunk.toString()));
  }

  private title(title: string): string {
    const before = this.titles.get(title);
    if (before !== undefined) return before;
    const cleaned = inert(title);
    if (this.titles.size < KEPT_TITLES) this.titles.set(title, cleaned);
    return cleaned;
  }

  private cleanAttachments(attachments: TestResult['attachments']): void {
    for (const attachment of [...attachments]) {
      if (attachment.name === 'error-context') {
        // Holds the error once more, and the source of the check: nothing that the report has not.
        attachments.splice(attachments.indexOf(attachment), 1);
        if (attachment.path !== undefined) rmSync(attachment.path, { force: true });
      } else if (attachment.body !== undefined && !this.cleaned.has(attachment)) {
        this.cleaned.add(attachment);
        if (!/^text\/|json/.test(attachment.contentType)) continue;
        const text = attachment.body.toString('utf8');
        const shape = attachment.name === OUTCOME_ATTACHMENT && this.evidence === 'shape';
        const cleaned = clean(shape ? withoutBodies(text) : text);
        if (cleaned !== text) attachment.body = Buffer.from(cleaned);
      }
    }
  }
}
