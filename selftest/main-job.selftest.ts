import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@playwright/test';
import { BoundedTransport } from '../fixtures/http/raw-transport.js';
import { runCheck } from '../fixtures/check/run-check.js';
import { startReference, type ReferenceOptions } from '../fixtures/reference/server.js';
import { schemaFault } from '../report/model.js';
import { PlainError, readConfiguration } from '../fixtures/setup/configuration.js';
import { finishedOf, lookAt, verdictOf } from './harness/in-process.js';
import { FUZZ_RUNS } from '../fixtures/run/target.js';
import { FACTS, runChecks, runRow } from './matrix/run.js';
import { startProxy } from './harness/proxy.js';
import { given, runSuite, type SuiteRun } from './harness/command-line.js';

/** Runs the suite against a reference of its own, as against a server of somebody's. */
async function against(
  options: ReferenceOptions,
  env: Record<string, string> = {},
  args: readonly string[] = [],
): Promise<SuiteRun> {
  const reference = await startReference({ passwordCost: 16, ...options });
  try {
    return await runSuite({ ...given(reference), ...env }, args);
  } finally {
    await reference.close();
  }
}

test('a default run sends at most 1,500 requests', async () => {
  const row = await runRow({
    target: ({ capabilities, ...target }) => ({
      ...target,
      burst: false,
      capabilities: capabilities.filter((one) => one !== 'burst'),
      fuzz: { ...target.fuzz, runs: FUZZ_RUNS.loopback },
    }),
  });
  const reference = await startReference({ passwordCost: 16 });
  const { cost } = await lookAt(given(reference));
  await reference.close();
  expect(row.requests).toBeGreaterThan(200);
  // Two workers share less than this one process does: a few requests more.
  expect(row.requests + cost.requests + 3).toBeLessThanOrEqual(1500);
});

test('the logins of the look at a target are the first that its checks share', async () => {
  const reference = await startReference({ passwordCost: 16 });
  const { state, target, cost } = await lookAt(given(reference));
  // The owner six times and the viewer once log in, and somebody registers.
  expect(cost.auth).toBe(8);
  const bounded = new BoundedTransport();
  const services = {
    run: state,
    target,
    runId: FACTS.runId,
    prefix: 's',
    transport: bounded,
    bounded,
    cache: new Map(),
    newest: {},
  };
  const { outcome } = await runCheck(
    'UNA-01',
    async (check) => {
      for (const account of [target.owner, target.viewer])
        await check.expectAuthorized((await check.session(account)).access);
    },
    services,
  );
  await reference.close();
  expect(outcome.verdict, outcome.reason).toBe('passed');
  expect(outcome.cost).toMatchObject({ requests: 2, auth: 0 });
});

for (const address of ['http://127.0.0.1:1/api/v1', 'http://127.0.0.1:1/api/v1//', 'http://127.0.0.1:1/api/v1/']) {
  test(`BASE_URL may be written ${address}`, () => {
    expect(readConfiguration({ BASE_URL: address }).BASE_URL).toBe('http://127.0.0.1:1/api/v1/');
  });
}

test('a filter that matches nothing is not green', async () => {
  const run = await runSuite({}, ['--grep', 'no such clause']);
  expect(run.exitCode).toBe(1);
  expect(run.report?.verdict).toBe('inconclusive');
});

const UNUSABLE: readonly { name: string; env: Record<string, string>; says: RegExp }[] = [
  {
    name: 'a base URL that is none',
    env: { BASE_URL: 'staging' },
    says: /BASE_URL is “staging”, but should be an address/,
  },
  {
    name: 'credentials in the base URL',
    env: { BASE_URL: 'http://u:canary-password@127.0.0.1:1/' },
    says: /without a user name or password/,
  },
  { name: 'nothing listening', env: { BASE_URL: 'http://127.0.0.1:9/api/v1/' }, says: /nothing listens there/ },
  { name: 'a misspelt variable', env: { IGNY8_PASWORD: 'canary-password' }, says: /did you mean IGNY8_PASSWORD\?/ },
  { name: 'half a pair', env: { IGNY8_EMAIL: 'a@example.com' }, says: /IGNY8_EMAIL is set, but IGNY8_PASSWORD is not/ },
  {
    name: 'several faults at once',
    env: { IGNY8_BURST: 'yes', IGNY8_AUTH_RATE: 'fast' },
    says: /IGNY8_BURST[^]*IGNY8_AUTH_RATE/,
  },
  {
    name: 'a production host',
    env: { BASE_URL: 'https://api.igny8.com/api/v1/' },
    says: /is a production host: set IGNY8_ALLOW_PRODUCTION=yes/,
  },
  {
    name: 'no account at all',
    env: { BASE_URL: 'http://127.0.0.1:9/', IGNY8_REGISTER: 'off' },
    says: /There is no account to check with/,
  },
];
for (const { name, env, says } of UNUSABLE) {
  test(`${name}: one plain sentence`, async () => {
    const fault: unknown = await lookAt(env).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(PlainError);
    expect((fault as PlainError).message).toMatch(says);
    expect((fault as PlainError).message).not.toContain('canary-password');
  });
}

for (const name of ['several faults at once', 'nothing listening']) {
  test(`${name}: no stack trace, exit 1, and a report that says so`, async () => {
    const { env, says } = UNUSABLE.find((one) => one.name === name) ?? { env: {}, says: /never/ };
    const account = { IGNY8_EMAIL: 'a@example.com', IGNY8_PASSWORD: 'canary-password' };
    const run = await runSuite({ ...env, ...account });
    expect(run.exitCode, run.output).toBe(1);
    expect(run.output).toMatch(says);
    expect(run.output).not.toMatch(/\n\s+at |canary-password/);
    expect(run.report?.verdict).toBe('inconclusive');
    expect(schemaFault(run.report)).toBeUndefined();
  });
}

test('--trace and --retries are refused', async () => {
  const run = await runSuite({}, ['--trace=on', '--retries=1']);
  expect(run.exitCode).toBe(1);
  expect(run.output).toMatch(/Tracing is refused[^]*Retries are refused/);
});

async function constant(status: number, type: string, body: string): Promise<{ address: string; server: Server }> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, address: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/api/v1/` };
}

for (const [name, status, body, looks, holds] of [
  // Beside the three probes: somebody tries to register, and to log in.
  ['200 {}', 200, '{}', 6, ['REG-01', 'ENV-07']],
  [
    '401',
    401,
    '{"success":false,"error":"Authentication required"}',
    4,
    ['ENV-03', 'ENV-04', 'ENV-05', 'ENV-06', 'ENV-07', 'ENV-09', 'ROB-10'],
  ],
] as const) {
  test(`a server that answers everything with ${name} passes only what is true of its one answer`, async () => {
    const { server, address } = await constant(status, 'application/json', body);
    const { target, cost } = await lookAt({ BASE_URL: address });
    const { outcomes } = await runChecks(target);
    server.closeAllConnections();
    server.close();
    expect(cost.requests).toBe(looks);
    expect(outcomes.size).toBeGreaterThan(120);
    expect([...outcomes.values()].filter(({ verdict }) => verdict === 'passed').map(({ clause }) => clause)).toEqual(
      holds,
    );
    expect(verdictOf(finishedOf(outcomes))).toMatchObject({ verdict: 'not conformant', gatePassed: false });
  });
}

for (const [name, status, type, body, says] of [
  ['404', 404, 'application/json', '{"success":false,"error":"Resource not found"}', /Nothing of the API is at/],
  ['an HTML page', 200, 'text/html', '<!doctype html><title>App</title>', /this is a web site and not the API/],
] as const) {
  test(`a server that answers everything with ${name}: one plain sentence`, async () => {
    const { server, address } = await constant(status, type, body);
    await expect(lookAt({ BASE_URL: address })).rejects.toThrow(says);
    server.close();
  });
}

test('a conforming target behind a tight limit: no false failure, and the waiting is told', async () => {
  // Tight enough to be met on a slow machine too.
  const run = await against({ limits: { authPerMinute: 3, windowSeconds: 15 } }, {}, ['--grep', 'LOG-0[1-4]']);
  expect(run.exitCode, run.output).toBe(0);
  expect(run.report?.totals.failed).toBe(0);
  expect(run.report?.requests.throttledMs).toBeGreaterThan(0);
  expect(run.output).toMatch(/waiting \d+ s for the target's limit on auth requests/);
});

test('bursts go one at a time, however many workers there are', async () => {
  const reference = await startReference({ passwordCost: 16 });
  let underWay = 0;
  let most = 0;
  let logins = 0;
  const proxy = await startProxy(reference.baseUrl, {
    instead: (request, response) => {
      if (request.url?.endsWith('/auth/login/') !== true) return false;
      logins += 1;
      underWay += 1;
      most = Math.max(most, underWay);
      response.on('close', () => (underWay -= 1));
      return false;
    },
  });
  const bursts = ['--grep', 'LOG-07|THR-0[23]', '--workers=4', '--fully-parallel'];
  const run = await runSuite({ ...given(reference), BASE_URL: `${proxy.origin}/api/v1/`, IGNY8_BURST: 'on' }, bursts);
  await proxy.close();
  await reference.close();
  expect(logins, run.output).toBeGreaterThan(100);
  expect(most).toBe(1);
});

test('short lifetimes verify EXP-04, 05 and 06 without the key', async () => {
  const run = await runSuite({ IGNY8_ACCESS_TTL_SECONDS: '5', IGNY8_REFRESH_TTL_SECONDS: '8' }, [
    '--grep',
    'EXP-0[456]',
  ]);
  expect(run.exitCode, run.output).toBe(0);
  expect(run.report?.totals.passed).toBe(3);
  expect(run.output).not.toContain('IGNY8_JWT_SECRET is not');
});
