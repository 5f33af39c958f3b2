import { expect, test } from '@playwright/test';
import { startReference } from '../fixtures/reference/server.js';
import { consoleText } from '../report/outputs/console.js';
import { finishedOf, reportOf } from './harness/in-process.js';
import { nginxMissing, startNginx } from './harness/nginx.js';
import { runChecks, targetOf } from './matrix/run.js';

// In one process: by the command line network.selftest.ts goes through a real nginx.
for (const { name, firewall } of [
  { name: 'nginx with proxy_pass', firewall: false },
  { name: 'nginx with ModSecurity and its core rules', firewall: true },
]) {
  test(`behind a real ${name}: conformant, no false alarm`, async () => {
    const missing = nginxMissing(firewall);
    // eslint-disable-next-line playwright/no-skipped-test -- a machine without the packages cannot show it, and says which
    test.skip(missing !== undefined, missing);
    const reference = await startReference({ passwordCost: 16 });
    const nginx = await startNginx(reference.baseUrl, { firewall });
    const addresses = { baseUrl: `${nginx.origin}/api/v1/`, docsUrl: `${nginx.origin}/api/docs/` };
    const { outcomes } = await runChecks(targetOf(reference, { ...addresses, burst: false }));
    await nginx.close();
    await reference.close();
    const report = reportOf(finishedOf(outcomes));
    const output = consoleText(report, undefined, false);
    const faults = report.clauses.filter(({ verdict }) => verdict === 'failed' || verdict === 'blocked');
    expect(
      faults.map(({ id, verdict, reason }) => `${id} ${verdict}: ${reason}`),
      output,
    ).toEqual([]);
    expect(report).toMatchObject({ verdict: 'conformant', gate: { passed: true } });
    expect(report.totals.passed).toBeGreaterThan(115);
    // One note says who answered, and for which of them the API was never asked.
    expect(report.fronts.map(({ what }) => what.replace(/\d{3}/, 'status'))).toContain('nginx, status in HTML');
    expect(output.match(/came from something in front of the API \(nginx/g)).toHaveLength(1);
  });
}
