/** The files of a report: validated before they are written, and written in one step. */
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { schemaFault, type Report } from './model.js';
import { badge } from './outputs/badge.js';
import { htmlReport } from './outputs/html.js';
import { summaryMarkdown } from './outputs/summary.js';

/** Writes a file in one step: nobody ever reads half of it. */
export function writeWhole(folder: string, name: string, content: string): void {
  mkdirSync(folder, { recursive: true });
  const draft = join(folder, `.${name}.${String(process.pid)}`);
  writeFileSync(draft, content);
  renameSync(draft, join(folder, name));
}

/**
 * Writes every file of a report.
 * @param summaryFile file to which the summary is appended
 * @throws Error if a file cannot be written, or report.json would not be as its schema has it
 */
export function writeReport(report: Report, folder: string, summaryFile?: string): void {
  const fault = schemaFault(report);
  if (fault !== undefined) throw new Error(`report.json would not be as its schema has it: ${fault}`);
  const summary = summaryMarkdown(report);
  writeWhole(folder, 'report.json', `${JSON.stringify(report, undefined, 2)}\n`);
  writeWhole(folder, 'report.html', htmlReport(report));
  writeWhole(folder, 'summary.md', summary);
  writeWhole(folder, 'badge.json', badge(report));
  if (summaryFile !== undefined) appendFileSync(summaryFile, summary);
}
