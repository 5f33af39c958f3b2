/**
 * `junit.xml`: a suite for each area, a test case for each clause. It fails where the gate does: what did not get to a verdict, is waived
 * or does not gate is skipped, with its reason, so that passed, failed and skipped add up to the report's own totals.
 */
import { relative, sep } from 'node:path';
import { AREAS } from '../../spec/generated/clauses.js';
import type { CheckLocation } from '../../fixtures/run/locations.js';
import type { Report, ReportedClause } from '../model.js';
import { visibleLines } from './escape.js';
import { otherProblems, targetName, verdictSentence } from './sentences.js';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** For XML 1.0, as text and within quotes: characters that it has no room for are shown as their code or left out. */
function xml(text: string): string {
  return visibleLines(text, 8000)
    .replace(/[\ufffe\uffff]/g, '')
    .replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '')
    .replace(/[\n\t]/g, (character) => (character === '\n' ? '&#10;' : '&#9;'));
}

function element(name: string, attributes: Readonly<Record<string, string | number>>, content = ''): string {
  const list = Object.entries(attributes).map(([key, value]) => ` ${key}="${xml(String(value))}"`);
  return content === '' ? `<${name}${list.join('')}/>\n` : `<${name}${list.join('')}>\n${content}</${name}>\n`;
}

function properties(values: Readonly<Record<string, string>>): string {
  const list = Object.entries(values).map(([name, value]) => element('property', { name, value }));
  return element('properties', {}, list.join(''));
}

/** Why a clause that is neither passed nor failed within the gate is skipped; undefined for those two. */
function skipped(clause: ReportedClause, report: Report): string | undefined {
  const { verdict, reason, gates, level, blockedBy } = clause;
  if (verdict === 'passed' || (verdict === 'failed' && gates)) return undefined;
  if (verdict === 'failed') return `failed, non-gating (${level}): ${reason}`;
  if (verdict === 'waived') {
    const waiver = report.waivers.find((one) => one.clause === clause.id);
    return `waived until ${waiver?.expires ?? '?'} (${waiver?.reason ?? ''}): ${reason}`;
  }
  return verdict === 'blocked' ? `blocked by ${blockedBy ?? '?'}: ${reason}` : `unverified: ${reason}`;
}

function failureText({ failures, hint }: ReportedClause): string {
  return [
    ...failures.flatMap(({ message, curl }) => [message, ...(curl === undefined ? [] : [`  ${curl}`])]),
    ...(hint === '' ? [] : [`likely cause: ${hint}`]),
  ].join('\n');
}

function testCase(clause: ReportedClause, report: Report, root: string, at: CheckLocation | undefined): string {
  const { id, area, level, statement, verdict, source, reason } = clause;
  const skip = skipped(clause, report);
  const content = [
    properties({ clause: id, level, verdict, source }),
    ...(skip === undefined ? [] : [element('skipped', { message: skip })]),
    ...(verdict === 'failed' && skip === undefined
      ? [element('failure', { type: level, message: reason }, `${xml(failureText(clause))}\n`)]
      : []),
  ];
  const place = at === undefined ? {} : { file: relative(root, at.file).split(sep).join('/'), line: at.line };
  const attributes = { name: `${id} ${statement}`, classname: area, time: clause.durationMs / 1000, ...place };
  return element('testcase', attributes, content.join(''));
}

function suite(name: string, cases: readonly ReportedClause[], report: Report, body: string): string {
  const skips = cases.filter((clause) => skipped(clause, report) !== undefined).length;
  const failures = cases.filter(({ verdict, gates }) => verdict === 'failed' && gates).length;
  const ms = cases.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const attributes = { name, tests: cases.length, failures, errors: 0, skipped: skips, time: ms / 1000 };
  return element('testsuite', { ...attributes, timestamp: report.startedAt }, body);
}

/** A run that fails without a clause that does is an error of its own. */
function runCase(report: Report): string {
  const message = [verdictSentence(report), ...otherProblems(report)].join('\n');
  const testcase = element('testcase', { name: 'The run', classname: 'run', time: 0 }, element('error', { message }));
  return element('testsuite', { name: 'The run', tests: 1, failures: 0, errors: 1, skipped: 0, time: 0 }, testcase);
}

/**
 * @param locations where the checks stand
 * @param root folder that the paths of files are relative to
 */
export function junit(report: Report, locations: ReadonlyMap<string, CheckLocation>, root: string): string {
  const { suite: version, verdict, gate, totals } = report;
  const failed = report.clauses.filter((clause) => clause.verdict === 'failed' && clause.gates).length;
  const odd = !gate.passed && failed === 0;
  const about = properties({
    target: targetName(report),
    verdict,
    gate: `${gate.level}: ${gate.passed ? 'passed' : 'failed'}`,
    suite: version.version,
    contract: version.contract,
    ...Object.fromEntries(Object.entries(totals).map(([name, number]) => [`clauses.${name}`, String(number)])),
  });
  const suites = Object.entries(AREAS).map(([id, title], i) => {
    const clauses = report.clauses.filter(({ area }) => area === id);
    const cases = clauses.map((clause) => testCase(clause, report, root, locations.get(clause.id)));
    return suite(`${id} ${title}`, clauses, report, [...(i === 0 ? [about] : []), ...cases].join(''));
  });
  const attributes = {
    name: `IGNY8 authentication: ${targetName(report)}`,
    tests: report.clauses.length + (odd ? 1 : 0),
    failures: failed,
    errors: odd ? 1 : 0,
    skipped: report.clauses.length - failed - totals.passed,
    time: report.durationMs / 1000,
  };
  const body = [...(odd ? [runCase(report)] : []), ...suites].join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', attributes, body)}`;
}
