import { expect, test } from '@playwright/test';
import { startReference, type Reference } from '../fixtures/reference/server.js';
import { given, runSuite, type SuiteRun } from './harness/command-line.js';
import { nginxMissing, startNginx } from './harness/nginx.js';

/** Runs the suite by the command line against the embedded target, through a real nginx. */
async function runThrough(reference: Reference, firewall: boolean): Promise<SuiteRun> {
  const nginx = await startNginx(reference.baseUrl, { firewall });
  try {
    return await runSuite({
      ...given(reference),
      BASE_URL: `${nginx.origin}/api/v1/`,
      IGNY8_DOCS_URL: `${nginx.origin}/api/docs/`,
    });
  } finally {
    await nginx.close();
  }
}

const faults = ({ report }: SuiteRun): string[] =>
  (report?.clauses ?? [])
    .filter(({ verdict }) => verdict === 'failed' || verdict === 'blocked')
    .map(({ id, verdict, reason }) => `${id} ${verdict}: ${reason}`);

for (const { name, firewall } of [
  { name: 'nginx with proxy_pass', firewall: false },
  { name: 'nginx with ModSecurity and its core rules', firewall: true },
]) {
  test(`behind a real ${name}: conformant, no false alarm`, async () => {
    const missing = nginxMissing(firewall);
    // eslint-disable-next-line playwright/no-skipped-test -- a machine without the packages cannot show it, and says which
    test.skip(missing !== undefined, missing);
    const reference = await startReference({ passwordCost: 16 });
    const run = await runThrough(reference, firewall);
    await reference.close();
    expect(faults(run), run.output).toEqual([]);
    expect(run.report?.verdict).toBe('conformant');
    expect(run.exitCode).toBe(0);
    // One note says who answered, and for which of them the API was never asked.
    expect(run.report?.fronts.map(({ what }) => what.replace(/\d{3}/, 'status'))).toContain('nginx, status in HTML');
    expect(run.output.match(/came from something in front of the API \(nginx/g)).toHaveLength(1);
  });
}
