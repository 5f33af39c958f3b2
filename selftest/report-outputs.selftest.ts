import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { checkLocations } from '../fixtures/run/locations.js';
import { schemaFault, type Report } from '../report/model.js';
import { badge } from '../report/outputs/badge.js';
import { consoleText } from '../report/outputs/console.js';
import { htmlReport } from '../report/outputs/html.js';
import { junit } from '../report/outputs/junit.js';
import { Progress } from '../report/outputs/progress.js';
import { verdictSentence } from '../report/outputs/sentences.js';
import { summaryMarkdown } from '../report/outputs/summary.js';
import { withoutData } from '../report/shape.js';
import type { Finished } from '../report/verdict.js';
import { CLAUSES } from '../spec/generated/clauses.js';
import { ROOT } from './harness/command-line.js';
import { came, reportOf } from './harness/in-process.js';

const ALL = CLAUSES.length;

/** All clauses passed, but for those given. */
function allBut(...others: readonly Finished[]): Finished[] {
  const rest = CLAUSES.filter(({ id }) => !others.some(({ clause }) => clause === id));
  return [...rest.map(({ id }) => came(id, 'passed')), ...others];
}

function waivedBy(clause: string, blocks: readonly string[]): string {
  const file = join(mkdtempSync(join(tmpdir(), 'waivers-')), 'waivers.yaml');
  const expires = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
  const waiver = { clause, reason: 'known', link: 'https://tracker.example.com/1', owner: 'ada', expires, blocks };
  writeFileSync(file, JSON.stringify([waiver]));
  return file;
}

const BEHIND_WAIVER = allBut(
  came('REF-01', 'failed'),
  came('REF-11', 'blocked', { blockedBy: 'REF-01' }),
  came('REG-13', 'failed'),
  came('LOG-04', 'unverified'),
);

function behindWaiver(): Report {
  return reportOf(BEHIND_WAIVER, { waivers: waivedBy('REF-01', ['REF-11']) });
}

test('what is not judged because of a waiver is told wherever the verdict is', () => {
  const report = behindWaiver();
  expect(schemaFault(report)).toBeUndefined();
  expect(report.verdict).toBe('conformant with waivers');
  expect(report.gate.passed).toBe(true);
  expect(verdictSentence(report)).toBe(
    'The embedded target conforms with waivers: 1 waiver. ' +
      `${String(ALL - 4)} of ${String(ALL)} clauses hold, 2 not judged (2 MUST), 1 non-gating failure.`,
  );
  for (const text of [consoleText(report, 'out', false), summaryMarkdown(report), htmlReport(report, '')]) {
    expect(text).toMatch(/conforms with waivers/);
    expect(text).toMatch(/[Nn]ot judged because of (the )?waiver[^]*REF-11/);
  }
  const { message, color } = JSON.parse(badge(report)) as Record<string, string>;
  expect(message).toContain('2 not judged');
  expect(color).toBe('orange');
});

test('every headline names the target, and none says conforms where nothing holds', () => {
  for (const report of [
    reportOf(allBut()),
    reportOf([came('REG-13', 'failed'), came('ENV-09', 'failed')]),
    reportOf([]),
    reportOf(allBut(came('REF-05', 'failed'))),
  ]) {
    expect(verdictSentence(report)).toMatch(/embedded target/);
    expect((JSON.parse(badge(report)) as { label: string }).label).toMatch(/embedded target/);
    if (report.totals.passed === 0) expect(consoleText(report, 'out', false)).not.toMatch(/conforms/);
  }
});

test('the head of the page says who ran what, where and when, and how the target differs from the guide', () => {
  const report = reportOf(allBut(came('UNA-01', 'failed')));
  const head = (of: Report): string => /<header[^]*<\/header>/.exec(htmlReport(of, '{}'))?.[0] ?? '';
  expect(head(report)).toMatch(
    /outside CI[^]*SHA-256[^]*44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a/,
  );
  expect(head(report)).toContain('no difference from the guide was seen');

  const point = { point: 'missing credentials', guide: '401', target: '403', owner: 'UNA-01' };
  const run = { ...report.run, url: 'https://ci.example.com/runs/7', by: 'ada' };
  const text = head({ ...report, run, target: { ...report.target, version: 'v2.7', dialect: [point] } });
  expect(text).toMatch(/by ada in CI: <a href="https:\/\/ci\.example\.com\/runs\/7"/);
  expect(text).toMatch(/<strong>v2\.7<\/strong>/);
  expect(text).toMatch(/missing credentials[^]*401[^]*403[^]*#UNA-01[^]*failed/);
});

test('a clause whose prerequisite was not selected: the command that selects it', () => {
  const report = reportOf([came('REF-05', 'blocked', { blockedBy: 'LOG-01' }), came('ENV-01', 'passed')]);
  expect(report.clauses.find(({ id }) => id === 'REF-05')).toMatchObject({
    verdict: 'unverified',
    dependsOn: 'LOG-01',
  });
  expect(consoleText(report, 'out', false)).toContain('npx playwright test --grep "LOG-01|REF-05"');
});

test('a run that was given up is inconclusive, and says why; a report of format 1 is still read', () => {
  const stopped = 'the target gave no response 12 times in a row, so the run was stopped';
  const report = reportOf(allBut(came('REF-05', 'unverified', { stopped })));
  expect(report).toMatchObject({ verdict: 'inconclusive', problems: [`The run was given up: ${stopped}.`] });

  const baseline = join(mkdtempSync(join(tmpdir(), 'earlier-')), 'report.json');
  const { run: _, ...old } = reportOf(allBut(came('REF-05', 'failed')));
  writeFileSync(baseline, JSON.stringify({ ...old, format: 'igny8-auth-conformance/1' }));
  const waived = reportOf(allBut(came('REF-05', 'failed')), { baseline, waivers: waivedBy('REF-05', []) });
  expect(waived.baseline).toMatchObject({ newlyWaived: ['REF-05'], newlyFailing: [], fixed: [] });
});

test('rows and how many were asked are in the report, each with its exchange', () => {
  const exchange = {
    id: 'w0-1',
    clause: 'REF-09',
    request: { method: 'POST', path: 'auth/refresh/', headers: [], body: '{"refresh":"«access»"}' },
    response: { status: 401, headers: [], body: '{"success":false,"error":"Invalid token"}' },
    at: '2026-03-01T12:00:00.000Z',
    ms: 3,
  } as const;
  const rows = [{ name: 'an access token from login', verdict: 'passed', exchange: 'w0-1' }] as const;
  const more = { rows, asked: { rows: 1, of: 3, seed: 7 }, exchanges: [exchange] };
  const report = reportOf(allBut(came('REF-09', 'passed', more)));
  expect(schemaFault(report)).toBeUndefined();
  const clause = report.clauses.find(({ id }) => id === 'REF-09');
  expect(clause).toMatchObject({ asked: { rows: 1, of: 3, seed: 7 }, rows: [{ name: rows[0].name, exchange }] });
  expect(htmlReport(report, '')).toMatch(/1 of 3 rows, seed 7/);
  // The same with the structure of bodies only.
  expect(withoutData(exchange)).toMatchObject({
    request: { body: '{"refresh":"string"}' },
    response: { body: '{"success":"boolean","error":"string"}' },
  });
});

test('junit.xml: passed, failed and skipped add up to the totals, and each test points at its check', () => {
  const report = behindWaiver();
  const locations = checkLocations(join(ROOT, 'tests'));
  expect(locations.size).toBe(CLAUSES.length);
  const text = junit(report, locations, ROOT);
  expect(text).toMatch(new RegExp(`<testsuites [^>]*tests="${String(ALL)}" failures="0" errors="0" skipped="4"`));
  expect(text.match(/<skipped /g)).toHaveLength(4);
  expect(text).toMatch(/<skipped message="waived until \d{4}-\d\d-\d\d \(known\): what REF-01 saw"/);
  expect(text).toMatch(/<skipped message="blocked by REF-01: what REF-11 saw"/);
  expect(text).toMatch(/<skipped message="failed, non-gating \(SHOULD\): what REG-13 saw"/);
  const line = readFileSync(join(ROOT, 'tests/refresh.spec.ts'), 'utf8')
    .split('\n')
    .findIndex((one) => one.startsWith("clause('REF-11'"));
  expect(text).toMatch(new RegExp(`name="REF-11 [^>]*file="tests/refresh.spec.ts" line="${String(line + 1)}"`));
  expect(junit(reportOf(allBut(came('REF-05', 'failed'))), locations, ROOT)).toMatch(
    /failures="1"[^]*<failure type="MUST"/,
  );
  // A run that failed without a failing clause is not green.
  expect(junit(reportOf([]), locations, ROOT)).toMatch(/errors="1"[^]*<error message="Inconclusive/);
});

test('code stands as code in the summary, and nothing of a target does anything there', () => {
  const reason = 'expected `data.access`, got `<img src=x>` | [a](http://b) @all ` ::error::';
  const summary = summaryMarkdown(reportOf(allBut(came('REF-05', 'unverified', { reason }))));
  expect(summary).toContain('expected `data.access`, got `<img src=x>` \\|');
  expect(summary).not.toMatch(/@all|\]\(http|::error/);
});

test('the history says since when a clause fails, and survives damage', () => {
  const history = join(mkdtempSync(join(tmpdir(), 'history-')), 'cached');
  const run = (...others: readonly Finished[]): Report => reportOf(allBut(...others), { history });
  run();
  run(came('REF-05', 'failed'));
  const report = run(came('REF-05', 'failed'));
  expect(schemaFault(report)).toBeUndefined();
  expect(report.history?.map(({ gatePassed }) => gatePassed)).toEqual([true, false, false]);
  expect(summaryMarkdown(report)).toMatch(/REF\\?-05 fails since 2026\\?-03\\?-01 \(2 runs\)/);
  // A selection is compared with it, and not kept.
  expect(reportOf([came('LOG-01', 'passed')], { history }).history).toHaveLength(4);
  expect(run().history).toHaveLength(4);
  writeFileSync(join(history, 'history.json'), '{');
  const anew = run();
  expect(anew.history).toHaveLength(1);
  expect(anew.notes).toContainEqual(expect.stringMatching(/^CONFORMANCE_HISTORY: .*cannot be read as JSON/));
});

test('without a terminal: one sentence of progress, with what is waited for', () => {
  const written: string[] = [];
  const stream = { write: (text: string) => written.push(text) };
  const progress = new Progress(stream, false, () => [{ what: 'the end of an access token (EXP-04)', ms: 723_000 }]);
  progress.begin(3);
  progress.started('EXP-04');
  progress.started('REF-05');
  progress.finished('REF-05', true);
  expect(progress.sentence()).toBe(
    '1 of 3 checks done, 1 failed; running EXP-04; waiting for the end of an access token (EXP-04), 12 min 3 s left',
  );
  progress.end();
  expect(written).toEqual([]);
});
