import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@playwright/test';
import { startReference } from '../fixtures/reference/server.js';
import { curlLine } from '../report/outputs/curl.js';
import { posix, powerShell, shellOf } from '../report/outputs/shells.js';
import { documentedRequests } from '../spec/requests.js';

interface Answer {
  readonly success?: boolean;
  readonly data?: { readonly access?: string; readonly refresh?: string; readonly id?: number };
}

test('each documented request works as the cURL line that the documentation shows', async () => {
  // eslint-disable-next-line playwright/no-skipped-test -- the page shows them for a POSIX shell
  test.skip(process.platform === 'win32', 'Windows has no POSIX shell');
  const reference = await startReference({ passwordCost: 16 });
  const shell = promisify(execFile);
  const variables: Record<string, string> = { BASE_URL: reference.baseUrl, KEYWORD_ID: '1' };
  const statuses: string[] = [];
  const requests = documentedRequests();
  for (const { curl } of requests) {
    const { stdout } = await shell('bash', ['-c', `${curl} -w '\\n%{http_code}'`], {
      env: { ...process.env, ...variables },
    });
    const status = stdout.slice(stdout.lastIndexOf('\n') + 1);
    const { data } = JSON.parse(stdout.slice(0, stdout.lastIndexOf('\n'))) as Answer;
    statuses.push(status);
    if (data?.access !== undefined) variables['ACCESS_TOKEN'] = data.access;
    if (data?.refresh !== undefined) variables['REFRESH_TOKEN'] = data.refresh;
    if (data?.id !== undefined) variables['KEYWORD_ID'] = String(data.id);
  }
  await reference.close();
  expect(statuses).toEqual(
    requests.map(({ operationId }) => (operationId === 'register' || operationId === 'createKeyword' ? '201' : '200')),
  );
});

const exchange = {
  id: 'a1',
  clause: 'LOG-01',
  at: '',
  ms: 1,
  request: { method: 'GET', path: 'planner/keywords/', headers: [['x-gateway-key', 'own'] as const] },
};

test("a cURL line has a gateway's headers by variables, and only to the target's origin", () => {
  const way = { baseUrl: 'https://api.example.com/api/v1/', gateway: ['X-Gateway-Key', 'B'] };
  expect(curlLine(exchange, way, posix)).toBe(
    'curl -i https://api.example.com/api/v1/planner/keywords/ -H "X-Gateway-Key: $IGNY8_HEADER_1" -H "B: $IGNY8_HEADER_2"',
  );
  const elsewhere = { ...exchange, request: { ...exchange.request, path: 'https://other.example.com/', headers: [] } };
  expect(curlLine(elsewhere, way, posix)).toBe('curl -i https://other.example.com/');
});

const WAY = { baseUrl: 'http://127.0.0.1/', gateway: [] };

/** What stands in a header or a body, and how each shell is told: in PowerShell the body comes by standard input. */
const QUOTED: readonly { name: string; header?: string; body?: string; posix: string; powerShell: string }[] = [
  { name: 'plain', header: 'B/1', posix: "-H 'X: B/1'", powerShell: "-H 'X: B/1'" },
  { name: 'a dollar sign', header: '$a', posix: "-H 'X: $a'", powerShell: "-H 'X: $a'" },
  { name: 'a backtick', header: '`a', posix: "-H 'X: `a'", powerShell: "-H 'X: `a'" },
  { name: 'a single quote', header: "o'a", posix: String.raw`-H 'X: o'\''a'`, powerShell: "-H 'X: o''a'" },
  // PowerShell takes it for a single quote.
  { name: 'a typographic quote', header: 'o’a', posix: "-H 'X: o’a'", powerShell: "-H 'X: o’’a'" },
  {
    name: 'double quotes',
    header: '"a b"',
    posix: `-H 'X: "a b"'`,
    powerShell: String.raw`$PSNativeCommandArgumentPassing = 'Legacy'; curl.exe … -H 'X: \"a b\"'`,
  },
  {
    name: 'a backslash before a double quote',
    header: String.raw`\"`,
    posix: String.raw`-H 'X: \"'`,
    powerShell: String.raw`$PSNativeCommandArgumentPassing = 'Legacy'; curl.exe … -H 'X: \\\"'`,
  },
  {
    name: 'a token',
    header: 'Bearer «access token 1»',
    posix: '-H "X: Bearer $ACCESS_TOKEN"',
    powerShell: '-H "X: Bearer ${env:ACCESS_TOKEN}"',
  },
  {
    name: 'a token after a dollar sign',
    header: '$«token»',
    posix: `-H 'X: $'"$SECRET"`,
    powerShell: "-H ('X: $' + $env:SECRET)",
  },
  {
    name: 'JSON',
    body: '{"a":"it’s"}',
    posix: `--data-binary '{"a":"it’s"}'`,
    powerShell: `$OutputEncoding = [Text.UTF8Encoding]::new($false); '{"a":"it’’s"}' | curl.exe … -d '@-'`,
  },
  {
    name: 'JSON with a token',
    body: '{"refresh":"«refresh token 1»"}',
    posix: `--data-binary '{"refresh":"'"$REFRESH_TOKEN"'"}'`,
    powerShell: `'{"refresh":"' + $env:REFRESH_TOKEN + '"}' | curl.exe … -d '@-'`,
  },
  {
    name: 'a token alone',
    body: '«password»',
    posix: '--data-binary "$IGNY8_PASSWORD"',
    powerShell: "$env:IGNY8_PASSWORD | curl.exe … -d '@-'",
  },
  {
    name: 'a body that was shortened',
    body: '{"a":"aa… (9000 characters)',
    posix: '--data-binary @body',
    // Bare it would be a variable.
    powerShell: "--data-binary '@body'",
  },
];

/** @param told the line, or how it begins, `…`, and how it ends */
function whole(told: string, program: string): string {
  const [before, after] = told.includes('curl.exe …') ? told.split('curl.exe … ') : ['', told];
  return `${before ?? ''}${program} -i -X POST http://127.0.0.1/a/ ${after ?? ''}`;
}

for (const { name, header, body, ...told } of QUOTED) {
  test(`${name}: quoted for a POSIX shell, which reads it as it was, and for PowerShell`, async () => {
    const headers = header === undefined ? [] : [['X', header] as const];
    const request = { method: 'POST', path: 'a/', headers, ...(body === undefined ? {} : { body }) };
    const [sh, ps] = [posix, powerShell].map((shell) => curlLine({ ...exchange, request }, WAY, shell));
    expect(sh).toBe(whole(told.posix, 'curl'));
    expect(ps).toBe(whole(told.powerShell, 'curl.exe'));
    // Windows has no POSIX shell that could read it.
    if (process.platform === 'win32') return;
    const asked = `curl() { printf '%s\\0' "$@"; }; ${sh ?? ''}`;
    const { stdout } = await promisify(execFile)('sh', ['-c', asked], {
      env: { ACCESS_TOKEN: '«s»', SECRET: '«s»', REFRESH_TOKEN: '«s»', IGNY8_PASSWORD: '«s»' },
    });
    const last = stdout.split('\0').at(-2);
    const sent = header === undefined ? body : `X: ${header}`;
    expect(last).toBe(sent?.includes('characters)') === true ? '@body' : sent?.replace(/«.*»/, '«s»'));
  });
}

test('the shell is that of the machine', () => {
  expect(shellOf('win32')).toBe(powerShell);
  expect(shellOf('linux')).toBe(posix);
  expect(shellOf('darwin')).toBe(posix);
});
