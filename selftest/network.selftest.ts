/* eslint-disable playwright/no-skipped-test -- a part that is not installed is named, and what it shows stays open */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from '@playwright/test';
import { BoundedTransport } from '../fixtures/http/raw-transport.js';
import { NoAnswer } from '../fixtures/http/transport.js';
import { headersOn, type Way } from '../fixtures/http/way.js';
import { findBrowser } from '../fixtures/run/browser.js';
import { startReference } from '../fixtures/reference/server.js';
import { scanArtefacts } from '../report/scan.js';
import { given, runSuite, WITH_BROWSER } from './harness/command-line.js';
import { lookAt } from './harness/in-process.js';
import {
  lineOf,
  NGINX,
  privateCertificates,
  startNginx,
  startTinyproxy,
  TINYPROXY,
  type Part,
} from './harness/network-parts.js';
import { startProxy } from './harness/proxy.js';

const HEADER = 'canary-gateway-key-51c07';
const PROXY_PASSWORD = 'canary-proxy-password-8d2';

const NO_TINYPROXY = 'tinyproxy is not installed: `apt-get install tinyproxy`';
const NO_NGINX = 'nginx is not installed: `apt-get install nginx`';

/** The one sentence with which a look at a target ends; empty if it can be checked. */
async function sentence(env: Record<string, string>): Promise<string> {
  try {
    await lookAt(env);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test('headers of the way go to its origin only, and take the place of others of their name', () => {
  const way: Way = {
    origin: 'https://api.test',
    headers: [
      ['X-Api-Key', 'gateway'],
      ['Cookie', 'gate=1'],
    ],
  };
  const own = [
    ['x-api-key', 'own'],
    ['cookie', 'own=2'],
    ['accept', '*/*'],
  ] as const;
  expect(headersOn(way, new URL('https://api.test/api/v1/'), own)).toEqual([
    ['accept', '*/*'],
    ['X-Api-Key', 'gateway'],
    ['Cookie', 'gate=1; own=2'],
  ]);
  for (const elsewhere of ['http://api.test/', 'https://api.test:8443/', 'https://docs.test/'])
    expect(headersOn(way, new URL(elsewhere), own)).toEqual(own);
});

test('everything at once: a proxy with a password, a private CA, mutual TLS and a gate by header, in the browser too', async () => {
  test.skip(TINYPROXY === undefined, NO_TINYPROXY);
  test.skip(NGINX === undefined, NO_NGINX);
  const certificates = await privateCertificates();
  const reference = await startReference({ passwordCost: 16 });
  const nginx = await startNginx(
    reference.baseUrl,
    [
      `ssl_client_certificate ${certificates.ca}; ssl_verify_client on;`,
      `if ($http_x_gateway_key != "${HEADER}") { return 403; }`,
    ],
    certificates.server,
  );
  const proxy = await startTinyproxy({ user: 'somebody', password: PROXY_PASSWORD, tunnelsTo: [nginx.port] });
  const run = await runSuite(
    {
      ...given(reference),
      ...WITH_BROWSER,
      BASE_URL: `https://localhost:${String(nginx.port)}/api/v1/`,
      IGNY8_HEADERS: `X-Gateway-Key: ${HEADER}`,
      IGNY8_PROXY: `http://somebody:${PROXY_PASSWORD}@127.0.0.1:${String(proxy.port)}`,
      IGNY8_CLIENT_CERT: certificates.client.cert,
      IGNY8_CLIENT_KEY: certificates.client.key,
      IGNY8_CA: certificates.ca,
      CI: '1',
    },
    ['--grep', 'LOG-01|LOG-15|ROB-01|REF-12|DOC-01|DOC-02|JRN-07'],
  );
  const canary = lineOf(certificates.client.key);
  await Promise.all([proxy.close(), nginx.close(), reference.close()]);
  certificates.remove();
  const failed = run.report?.clauses.filter(({ verdict }) => verdict === 'failed').map(({ id }) => id);
  expect(failed, run.output).toEqual([]);
  expect(run.report?.totals.passed, run.output).toBe(findBrowser() === undefined ? 6 : 7);
  expect(run.output).toMatch(/through the proxy 127\.0\.0\.1:\d+, with the headers X-Gateway-Key/);
  writeFileSync(join(run.folder, 'console.txt'), run.output);
  const basic = Buffer.from(`somebody:${PROXY_PASSWORD}`).toString('base64');
  expect(canary.length).toBeGreaterThan(30);
  expect(await scanArtefacts([run.folder], [HEADER, PROXY_PASSWORD, basic, canary])).toEqual([]);
});

test('a proxy of plain HTTP: every request goes over it, un-normalised paths too', async () => {
  test.skip(TINYPROXY === undefined, NO_TINYPROXY);
  const reference = await startReference({ passwordCost: 16 });
  const via: (string | undefined)[] = [];
  const front = await startProxy(reference.baseUrl, {
    answered: (request) => via.push(request.headers.via),
  });
  const proxy = await startTinyproxy({});
  const run = await runSuite(
    {
      ...given(reference),
      BASE_URL: `${front.origin}/api/v1/`,
      IGNY8_PROXY: `127.0.0.1:${String(proxy.port)}`,
    },
    ['--grep', 'LOG-0[1-3]|REF-0[15]|UNA-14'],
  );
  await Promise.all([proxy.close(), front.close(), reference.close()]);
  expect(run.exitCode, run.output).toBe(0);
  expect(via.length).toBeGreaterThan(15);
  expect(via.filter((header) => header?.includes('tinyproxy') !== true)).toEqual([]);
});

test.describe('a proxy that does not let the run through is named', () => {
  let proxy: Part | undefined;

  test.beforeAll(async () => {
    if (TINYPROXY !== undefined) proxy = await startTinyproxy({ user: 'somebody', password: PROXY_PASSWORD });
  });

  test.afterAll(async () => {
    await proxy?.close();
  });

  for (const [name, credentials, target, says] of [
    ['no password', '', 'http://127.0.0.1:9/', /the proxy .* asks for a user name and password: set IGNY8_PROXY/],
    ['no password, for a tunnel', '', 'https://127.0.0.1:443/', /asks for a user name and password: set IGNY8_PROXY/],
    ['another password', 'somebody:wrong@', 'https://127.0.0.1:443/', /does not accept the user name and password/],
    ['a port', `somebody:${PROXY_PASSWORD}@`, 'https://127.0.0.1:9/', /refused \(403\): it does not allow connections/],
  ] as const) {
    test(name, async () => {
      test.skip(proxy === undefined, NO_TINYPROXY);
      const heard = await sentence({ BASE_URL: target, IGNY8_PROXY: `${credentials}127.0.0.1:${String(proxy?.port)}` });
      expect(heard).toMatch(says);
      expect(heard).not.toContain(PROXY_PASSWORD);
    });
  }
});

test('a proxy that is not there, and one that never responds', async () => {
  expect(await sentence({ BASE_URL: 'https://127.0.0.1:443/', IGNY8_PROXY: '127.0.0.1:9' })).toMatch(
    /the proxy 127\.0\.0\.1:9 cannot be used: nothing listens there .*see IGNY8_PROXY/,
  );
  const sockets = new Set<import('node:net').Socket>();
  let closed = 0;
  const silent = createServer((socket) => {
    sockets.add(socket);
    socket
      .on('error', () => undefined)
      .on('close', () => (closed += 1))
      .resume();
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const way: Way = {
    origin: 'https://127.0.0.1',
    headers: [],
    proxy: `http://127.0.0.1:${String((silent.address() as AddressInfo).port)}`,
  };
  const error: unknown = await new BoundedTransport(way)
    .send({ method: 'GET', url: 'https://127.0.0.1/', headers: [] }, { deadlineMs: 300, maxBodyBytes: 1000 })
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(NoAnswer);
  // The connection to the proxy ends with the exchange.
  await expect.poll(() => closed).toBe(1);
  silent.close();
});

test('what TLS says is said in plain words', async () => {
  test.skip(NGINX === undefined, NO_NGINX);
  const certificates = await privateCertificates();
  const plain = await startNginx('http://127.0.0.1:9', []);
  const tls = await startNginx('http://127.0.0.1:9', [], certificates.server);
  const mutual = await startNginx(
    'http://127.0.0.1:9',
    [`ssl_client_certificate ${certificates.ca}; ssl_verify_client on;`],
    certificates.server,
  );
  const at = ({ port }: Part): string => `https://127.0.0.1:${String(port)}/api/v1/`;
  const said = {
    plain: await sentence({ BASE_URL: at(plain) }),
    unknownCa: await sentence({ BASE_URL: at(tls) }),
    noCertificate: await sentence({ BASE_URL: at(mutual), IGNY8_CA: certificates.ca }),
  };
  await Promise.all([plain.close(), tls.close(), mutual.close()]);
  certificates.remove();
  expect(said.plain).toMatch(/does not speak TLS there: is it http:\/\/ instead of https:\/\//);
  expect(said.unknownCa).toMatch(/set IGNY8_CA/);
  expect(said.noCertificate).toMatch(/IGNY8_CLIENT_CERT and IGNY8_CLIENT_KEY/);
});

test('a target whose responses take their time has more workers, unless somebody says how many', async () => {
  const reference = await startReference({ passwordCost: 16 });
  const slow = await startProxy(reference.baseUrl, { before: () => new Promise((resolve) => setTimeout(resolve, 60)) });
  const workersOf = async (more: readonly string[]): Promise<string | undefined> => {
    const env = { ...given(reference), BASE_URL: `${slow.origin}/api/v1/` };
    // Playwright's own reporter says how many it starts.
    const run = await runSuite(env, ['--grep=TOK-0[1-3]', '--reporter=line', ...more]);
    expect(run.exitCode, run.output).toBe(0);
    return /Running 3 tests using (\d+) workers?/.exec(stripVTControlCharacters(run.output))?.[1];
  };
  const workers = [await workersOf([]), await workersOf(['--workers=1'])];
  await slow.close();
  await reference.close();
  expect(workers).toEqual(['3', '1']);
});
