import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@playwright/test';
import { startReference } from '../fixtures/reference/server.js';
import { curlLine } from '../report/outputs/curl.js';
import { documentedRequests } from '../spec/requests.js';

interface Answer {
  readonly success?: boolean;
  readonly data?: { readonly access?: string; readonly refresh?: string; readonly id?: number };
}

test('each documented request works as the cURL line that the documentation shows', async () => {
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

test("a cURL line has a gateway's headers by variables, and only to the target's origin", () => {
  const exchange = {
    id: 'a1',
    clause: 'LOG-01',
    at: '',
    ms: 1,
    request: { method: 'GET', path: 'planner/keywords/', headers: [['x-gateway-key', 'own'] as const] },
  };
  const way = { baseUrl: 'https://api.example.com/api/v1/', gateway: ['X-Gateway-Key', 'B'] };
  expect(curlLine(exchange, way)).toBe(
    'curl -i https://api.example.com/api/v1/planner/keywords/ -H "X-Gateway-Key: $IGNY8_HEADER_1" -H "B: $IGNY8_HEADER_2"',
  );
  const elsewhere = { ...exchange, request: { ...exchange.request, path: 'https://other.example.com/', headers: [] } };
  expect(curlLine(elsewhere, way)).toBe('curl -i https://other.example.com/');
});
