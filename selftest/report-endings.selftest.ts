import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { startReference } from '../fixtures/reference/server.js';
import type { Report } from '../report/model.js';
import { given, runSuite } from './harness/command-line.js';
import { reportOf } from './harness/in-process.js';
import { startProxy } from './harness/proxy.js';

for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} in mid-run: a report that says inconclusive, and no exit code 0; the earlier report is withdrawn before`, async () => {
    // eslint-disable-next-line playwright/no-skipped-test -- there is nothing to see
    test.skip(process.platform === 'win32', 'Windows sends no signals');
    const out = mkdtempSync(join(tmpdir(), 'conformance-'));
    const file = join(out, 'report.json');
    writeFileSync(file, JSON.stringify(reportOf([])).replace('"inconclusive"', '"conformant"'));
    const read = (): Report => JSON.parse(readFileSync(file, 'utf8')) as Report;
    const reference = await startReference({ passwordCost: 16 });
    let child: ChildProcess | undefined;
    let underWay: Report | undefined;
    const proxy = await startProxy(reference.baseUrl, {
      instead: (request) => {
        if (request.url?.endsWith('/auth/refresh/') === true && underWay === undefined) {
          underWay = read();
          child?.kill(signal);
        }
        return false;
      },
    });
    const env = { ...given(reference), BASE_URL: `${proxy.origin}/api/v1/`, CONFORMANCE_OUT: out };
    const run = await runSuite(env, ['--grep', 'REF-'], { started: (process) => (child = process) });
    await proxy.close();
    await reference.close();
    expect(underWay).toMatchObject({ verdict: 'inconclusive', problems: [expect.stringMatching(/has not ended/)] });
    expect(run.exitCode, run.output).not.toBe(0);
    expect(read()).toMatchObject({ verdict: 'inconclusive', problems: [expect.stringMatching(/interrupted/)] });
    expect(run.output).toMatch(/Inconclusive for http/);
  });
}

test('a report that cannot be written: the verdict is told all the same, and the exit code is 1', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  mkdirSync(join(folder, 'html'));
  // Nothing can be made below a file, whoever runs this.
  writeFileSync(join(folder, 'file'), '');
  const run = await runSuite({ CONFORMANCE_OUT: join(folder, 'file', 'report') }, ['--grep', 'UNA-01']);
  expect(run.exitCode).toBe(1);
  expect(run.output).toMatch(/The embedded target conforms in what was checked: 1 of 1 selected clause holds/);
  expect(run.output).toMatch(/The report could not be written: /);
});

test('CONFORMANCE_EVIDENCE=shape leaves of each body its structure only; and each check may be asked twice', async () => {
  const run = await runSuite({ CONFORMANCE_EVIDENCE: 'shape' }, ['--grep', 'LOG-01|LOG-02', '--repeat-each=2']);
  expect(run.exitCode, run.output).toBe(0);
  expect(run.report?.totals.passed).toBe(2);
  const exchanges = run.report?.clauses.flatMap(({ evidence }) => evidence) ?? [];
  expect(exchanges.length).toBeGreaterThan(0);
  for (const { request, response } of exchanges) {
    expect(request.body ?? '{}').toMatch(/^(\{"email":"string","password":"(string|«secret»)"\}|\{\})$/);
    expect(response?.body).toMatch(/^\{"success":"boolean",/);
  }
});
