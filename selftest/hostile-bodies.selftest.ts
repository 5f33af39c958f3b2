/** Targets whose responses are made to be dear: what one costs is compared with an ordinary response of the same size, in one process. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@playwright/test';
import { GUIDE } from '../fixtures/run/dialect.js';
import { Recorder } from '../fixtures/check/recorder.js';
import { RunStopped, Sender } from '../fixtures/check/sender.js';
import { parseJson } from '../fixtures/evidence/json.js';
import { BoundedTransport } from '../fixtures/http/raw-transport.js';
import { startReference } from '../fixtures/reference/server.js';
import { RunState } from '../fixtures/run/run-state.js';
import { readDocument } from '../tests/support/responses/openapi-diff.js';
import { judgeClauses, type Finished } from '../report/verdict.js';
import { came, NO_WAIVERS, reportOf } from './harness/in-process.js';
import { startProxy } from './harness/proxy.js';
import { FACTS, runChecks, targetOf } from './matrix/run.js';

const SIZE = 100_000;
const FIELDS = Object.fromEntries(Array.from({ length: SIZE / 12 }, (_, i) => [`a${i}`, 0]));

function record(recorder: Recorder, body: Buffer, headers: readonly (readonly [string, string])[] = []): void {
  const wire = { method: 'POST', url: 'http://127.0.0.1/api/v1/auth/login/', headers: [], body: Buffer.from('{}') };
  const all = [['content-type', 'application/json'] as const, ...headers];
  recorder.response('auth/login/', wire, { status: 400, headers: all, body, sentAt: 0, receivedAt: 1 });
}

/** Milliseconds that recording one response takes: the least of some, for the machine has other things to do. */
function costOf(text: string): number {
  const body = Buffer.from(text);
  let least = Infinity;
  for (let i = 0; i < 3; i += 1) {
    const started = performance.now();
    record(new Recorder('ENV-01', 'h', GUIDE), body);
    least = Math.min(least, performance.now() - started);
  }
  return least;
}

function ofSize(unit: string, size = SIZE): string {
  return unit.repeat(Math.ceil(size / unit.length)).slice(0, size);
}

function error(text: string): string {
  return JSON.stringify({ success: false, error: text, request_id: '6f1c9c1e-1c1c-4c1c-8c1c-0123456789ab' });
}

/** What no ordinary response costs: a pattern that tries each place to the end of the text takes hundreds of times as long. */
const DEARER = 25;

test('long texts that look like what is searched for cost no more than ordinary ones', () => {
  const token = 'eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoxfQ.c2lnbmF0dXJlc2lnbmF0dXJl';
  const units = [
    ...[
      'eyJ',
      'eyJaaaaaaaa',
      'eyJabcdef-',
      'eyJabcdef.',
      `${token} `,
      'Bearer ',
      'Bearer                   ',
      'Cf7!',
      'a',
      '1',
    ],
    ...[
      'somebody@example.com ',
      'a.a@a.a.',
      '6f1c9c1e-1c1c-4c1c-8c1c-0123456789ab ',
      'c2lnbmF0dXJl/+',
      '%2e',
      '$2b$',
      'pbkdf2_sha1',
    ],
    ...[
      'at ',
      'at a.js:',
      '/app',
      '/srv/a.',
      'SELECT ',
      'UPDATE x ',
      'File "',
      '"token":"',
      '"password" : ',
      '?token=',
      '\n- cookie:',
    ],
  ];
  const list = (text: string): string => JSON.stringify({ success: true, results: ofSize(text).match(/.{1,100}/gs) });
  const ordinary = Array.from({ length: SIZE / 80 }, (_, id) => ({
    id,
    keyword: `a keyword of words ${id}`,
    site_id: 3,
  }));
  const usual = costOf(JSON.stringify({ success: true, count: ordinary.length, results: ordinary }));
  for (const unit of units) {
    for (const [form, body] of [
      ['in `error`', error(ofSize(unit))],
      ['as it is', ofSize(unit)],
      ['in a list', list(unit)],
    ] as const)
      expect(costOf(body) / usual, `${JSON.stringify(unit)} ${form}`).toBeLessThan(DEARER);
  }
  const wrong: Record<string, string> = {
    'a list of wrong values': `{"success":false,"error":"x","errors":{"email":[${ofSize('0,')}0]}}`,
    'thousands of fields': JSON.stringify(FIELDS),
    'thousands of wrong fields': JSON.stringify({ errors: FIELDS }),
    'nested arrays': ofSize('[', SIZE / 2) + ofSize(']', SIZE / 2),
  };
  for (const [name, body] of Object.entries(wrong)) expect(costOf(body) / usual, name).toBeLessThan(DEARER);
});

test('a hundred cookies in each response: the last costs what the first did, and all of them are masked', () => {
  const recorder = new Recorder('ENV-01', 'h', GUIDE);
  const cookies = (of: number): [string, string][] =>
    Array.from({ length: 100 }, (_, i) => ['set-cookie', `c${i}=value-of-cookie-${of}-${i}-0123456789; Path=/`]);
  const body = (of: number): Buffer =>
    Buffer.from(error(`value-of-cookie-${of}-3-0123456789 ${ofSize('word ', 3000)}`));
  const some = (from: number): number => {
    let least = Infinity;
    for (let of = from; of < from + 20; of += 1) {
      const started = performance.now();
      record(recorder, body(of), cookies(of));
      least = Math.min(least, performance.now() - started);
    }
    return least;
  };
  some(0);
  const first = some(20);
  for (let of = 40; of < 600; of += 1) record(recorder, body(of), cookies(of));
  expect(some(600) / first).toBeLessThan(DEARER / 5);
  expect(JSON.stringify(recorder.exchanges).includes('value-of-cookie')).toBe(false);
});

test('cookies that share what is hashed are told apart, and found', () => {
  const recorder = new Recorder('ENV-01', 'h', GUIDE);
  const pair = (i: number, j: number): string => `left-part-${i}-of-a-cookie-and-the-right-part-${j}-of-it`;
  for (let i = 0; i < 40; i += 1)
    record(
      recorder,
      Buffer.from('{}'),
      Array.from({ length: 20 }, (_, j) => ['set-cookie', `sid=${pair(i, j)}`]),
    );
  record(recorder, Buffer.from(error(`here: ${pair(3, 7)}`)));
  expect(recorder.exchanges.at(-1)?.response?.body).not.toContain('left-part');
});

test('fields nested a hundred thousand deep in every response: each check comes to a verdict of its own', async () => {
  test.slow();
  const deep = `${ofSize('[', 100_000)}${ofSize(']', 100_000)}`;
  const reference = await startReference({ passwordCost: 16 });
  const proxy = await startProxy(reference.baseUrl, {
    changed: (body) => body.replace(/\}$/, `,"deep":${deep}}`).replace('"user":{', `"user":{"deep":${deep},`),
  });
  const target = targetOf(reference, { baseUrl: `${proxy.origin}/api/v1/` });
  const { outcomes } = await runChecks(target, {}, (id) => /^(LOG|ENV|REG-0|TOK-0|JRN-01|FOR-0[1-4])/.test(id));
  await proxy.close();
  await reference.close();
  const reasons = [...outcomes.values()].map(({ clause, reason }) => `${clause}: ${reason ?? ''}`).join('\n');
  expect(reasons).not.toMatch(/broke|call stack/);
  expect(outcomes.get('ENV-09')?.verdict, reasons).toBe('failed');
  for (const id of ['LOG-01', 'LOG-06', 'JRN-01', 'ENV-08'] as const)
    expect(outcomes.get(id)?.verdict, reasons).toBe('passed');
  for (const outcome of outcomes.values()) expect(JSON.stringify(outcome).length).toBeLessThan(1e6);
});

test('JSON is cut where it is nested without end, and kept where it is not', () => {
  const body = { data: { user: { account: { id: 9, tags: ['a', { b: null }] } } }, success: true };
  expect(parseJson(JSON.stringify(body))).toEqual(body);
  expect(JSON.stringify(parseJson(`{"a":${ofSize('[', 200_000)}${ofSize(']', 200_000)},"b":1}`))).toMatch(
    /^\{"a":\[+null\]+,"b":1\}$/,
  );
  expect(parseJson('[')).toBeUndefined();
});

test('a served document that goes in circles or without end is none, and no check breaks on it', () => {
  expect(readDocument(`openapi: 3.1.0\npaths: ${ofSize('[', 50_000)}`)).toBeUndefined();
  expect(readDocument(`openapi: 3.1.0\npaths:\n${ofSize('- ', 50_000)}`)).toBeUndefined();
  expect(readDocument('openapi: 3.1.0\npaths: {}\n')).toEqual({ openapi: '3.1.0', paths: {} });
});

test('a target that leaves every seventh request without a response: the run is given up, and says why', async () => {
  let asked = 0;
  const server = createServer((_: IncomingMessage, response: ServerResponse) => {
    asked += 1;
    if (asked % 7 !== 0) response.writeHead(200, { 'content-type': 'application/json' }).end('{"success":true}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const reference = await startReference({ passwordCost: 16 });
  const target = targetOf(reference, { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
  const state = new RunState(FACTS, target);
  const transport = new BoundedTransport();
  const sender = new Sender('ENV-01', target, state, transport, transport, 's');
  const faults: string[] = [];
  let stopped: unknown;
  while (stopped === undefined && asked < 500) {
    await sender.send({ method: 'GET', path: 'planner/keywords/', deadlineMs: 100 }).catch((fault: unknown) => {
      if (fault instanceof RunStopped) stopped = fault;
      else faults.push(String(fault));
    });
  }
  server.closeAllConnections();
  server.close();
  await reference.close();
  expect((stopped as RunStopped).reason).toBe(
    'the target gave no response in time to 20 requests, so the run was stopped',
  );
  expect(state.stopped).toBe((stopped as RunStopped).reason);
  expect(faults).toHaveLength(20);
  expect(faults[0]).toMatch(/GET planner\/keywords\/: no response within 0\.1 s/);
});

test('a run that was given up: a clause that failed for lateness alone was not judged, what else was found stays found', () => {
  const late = { message: 'GET planner/keywords/: no response within 10 s', late: true } as const;
  const stopped = came('REF-06', 'unverified', { stopped: 'the target gave no response in time to 20 requests' });
  const onlyLate = came('REF-05', 'failed', { failures: [late] });
  const both = came('REF-07', 'failed', { failures: [late, { message: 'expected 401, got 200' }] });
  const verdictsOf = (...finished: readonly Finished[]): Record<string, string> =>
    Object.fromEntries(
      judgeClauses(finished, NO_WAIVERS, 'No check of it ran.')
        .filter(({ ran }) => ran)
        .map(({ clause, verdict }) => [clause.id, verdict]),
    );
  expect(verdictsOf(onlyLate, came('LOG-01', 'passed'))).toEqual({ 'REF-05': 'failed', 'LOG-01': 'passed' });
  expect(verdictsOf(onlyLate, both, stopped)).toEqual({
    'REF-05': 'unverified',
    'REF-06': 'unverified',
    'REF-07': 'failed',
  });
  const { verdict } = reportOf([onlyLate, stopped, came('LOG-01', 'passed')]);
  expect(verdict).toBe('inconclusive');
});
