import { expect, test } from '@playwright/test';
import { startReference } from '../fixtures/reference/server.js';
import type { Report } from '../report/model.js';
import { consoleText } from '../report/outputs/console.js';
import { given, runSuite } from './harness/command-line.js';
import { finishedOf, reportOf } from './harness/in-process.js';
import { nginxMissing, startNginx } from './harness/nginx.js';
import { runChecks, targetOf } from './matrix/run.js';

const faults = (report: Report | undefined): string[] =>
  (report?.clauses ?? [])
    .filter(({ verdict }) => verdict === 'failed' || verdict === 'blocked')
    .map(({ id, verdict, reason }) => `${id} ${verdict}: ${reason}`);

/** No false alarm; and one note says who answered, and for which of them the API was never asked. */
function expectConformant(report: Report | undefined, output: string): void {
  expect(faults(report), output).toEqual([]);
  expect(report?.verdict).toBe('conformant');
  expect(report?.fronts.map(({ what }) => what.replace(/\d{3}/, 'status'))).toContain('nginx, status in HTML');
  expect(output.match(/came from something in front of the API \(nginx/g)).toHaveLength(1);
}

test('behind a real nginx with proxy_pass: conformant, no false alarm', async () => {
  const missing = nginxMissing(false);
  // eslint-disable-next-line playwright/no-skipped-test -- a machine without the packages cannot show it, and says which
  test.skip(missing !== undefined, missing);
  const reference = await startReference({ passwordCost: 16 });
  const nginx = await startNginx(reference.baseUrl);
  const target = targetOf(reference, {
    baseUrl: `${nginx.origin}/api/v1/`,
    docsUrl: `${nginx.origin}/api/docs/`,
    burst: false,
  });
  const { outcomes } = await runChecks(target);
  await nginx.close();
  await reference.close();
  const report = reportOf(finishedOf(outcomes));
  expect(report.totals.passed).toBeGreaterThan(115);
  expectConformant(report, consoleText(report, undefined, false));
});

test('behind a real nginx with ModSecurity and its core rules, by the command line: conformant, no false alarm', async () => {
  const missing = nginxMissing(true);
  // eslint-disable-next-line playwright/no-skipped-test -- a machine without the packages cannot show it, and says which
  test.skip(missing !== undefined, missing);
  const reference = await startReference({ passwordCost: 16 });
  const nginx = await startNginx(reference.baseUrl, { firewall: true });
  const run = await runSuite({
    ...given(reference),
    BASE_URL: `${nginx.origin}/api/v1/`,
    IGNY8_DOCS_URL: `${nginx.origin}/api/docs/`,
  });
  await nginx.close();
  await reference.close();
  expectConformant(run.report, run.output);
  expect(run.exitCode).toBe(0);
});
