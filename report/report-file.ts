/** The files of a report: validated before they are written, and each written in one step. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkLocations } from '../fixtures/run/locations.js';
import { schemaFault, type Report } from './model.js';
import type { ReporterOptions } from './options.js';
import { badge } from './outputs/badge.js';
import { htmlReport } from './outputs/html.js';
import { junit } from './outputs/junit.js';
import { summaryMarkdown } from './outputs/summary.js';
import { writeWhole } from './whole.js';

const ROOT = join(__dirname, '..');

/**
 * Writes every file of a report.
 * @throws Error if a file cannot be written, or report.json would not be as its schema has it
 */
export function writeReport(report: Report, { out, junit: forJunit }: ReporterOptions): void {
  const fault = schemaFault(report);
  if (fault !== undefined) throw new Error(`report.json would not be as its schema has it: ${fault}`);
  const json = `${JSON.stringify(report, undefined, 2)}\n`;
  writeWhole(out, 'report.json', json);
  writeWhole(out, 'report.html', htmlReport(report, json));
  writeWhole(out, 'summary.md', summaryMarkdown(report));
  writeWhole(out, 'badge.json', badge(report));
  if (forJunit) writeWhole(out, 'junit.xml', junit(report, checkLocations(join(ROOT, 'tests')), ROOT));
}

/** Appends the summary to the page of a CI job. @throws Error if that cannot be written */
export function appendSummary(report: Report, file: string): void {
  appendFileSync(file, summaryMarkdown(report));
}
