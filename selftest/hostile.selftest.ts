import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from '@playwright/test';
import { generate } from 'selfsigned';
import { BoundedTransport } from '../fixtures/http/raw-transport.js';
import { DIRECT } from '../fixtures/http/way.js';
import { PlainError } from '../fixtures/setup/configuration.js';
import { startReference } from '../fixtures/reference/server.js';
import { PlaywrightTransport } from '../fixtures/http/playwright-transport.js';
import { BOUNDS, NoAnswer } from '../fixtures/http/transport.js';
import { PATIENCE, type Patience } from '../fixtures/setup/preflight.js';
import { lookAt } from './harness/in-process.js';
import { startProxy, type Handling } from './harness/proxy.js';
import { runSuite, type SuiteRun } from './harness/command-line.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(answer: Answer): Promise<{ address: string; close(): void }> {
  const server = createServer((request, response) => {
    request.resume();
    response.on('error', () => undefined);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const json = { 'content-type': 'application/json' };

/** A body that never ends; stops by itself after a bounded time. */
const endless: Answer = (_, response) => {
  response.writeHead(200, json);
  const chunk = Buffer.alloc(65_536, 'a');
  const end = Date.now() + 20_000;
  const more = (): void => {
    if (response.destroyed || Date.now() > end) return;
    if (response.write(chunk)) setImmediate(more);
    else response.once('drain', more);
  };
  more();
};

/** 200 MB of zeros, as so many members of one gzip file (RFC 1952 §2.2): this process need not hold them. */
const bomb = Buffer.concat(new Array<Buffer>(200).fill(gzipSync(Buffer.alloc(1_000_000))));
const gzipBomb: Answer = (_, response) => {
  response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(bomb);
};

const trickle: Answer = (_, response) => {
  response.writeHead(200, json);
  const timer = setInterval(() => response.write(' '), 200);
  response.on('close', () => {
    clearInterval(timer);
  });
};

const reset: Answer = (request) => request.socket.resetAndDestroy();

const broken: Answer = (_, response) => {
  response.writeHead(200, { ...json, 'content-length': '1000' });
  response.write('{"success":');
  setTimeout(() => response.socket?.destroy(), 20);
};

const hugeHeader: Answer = (_, response) => {
  response.writeHead(200, { ...json, 'x-huge': 'a'.repeat(100_000) }).end('{}');
};

test('the bounded client survives whatever comes, within its bounds', async () => {
  const cases: [string, Answer, RegExp][] = [
    ['endless', endless, /larger than 1000000 bytes/],
    ['gzip bomb', gzipBomb, /larger than 1000000 bytes when decompressed/],
    ['trickle', trickle, /no response within 1 s/],
    ['reset', reset, /reset/],
    ['broken off', broken, /broke off/],
    ['huge header', hugeHeader, /headers are larger/],
  ];
  for (const [name, answer, says] of cases) {
    const server = await serve(answer);
    const before = process.memoryUsage.rss();
    const request = {
      method: 'GET',
      url: server.address,
      headers: [['authorization', 'Bearer canary-of-hostile']] as [string, string][],
    };
    const error: unknown = await new BoundedTransport(DIRECT)
      // Only the one that never ends meets its deadline, however slow this machine is.
      .send(request, { deadlineMs: answer === trickle ? 1000 : 60_000, maxBodyBytes: 1_000_000 })
      .catch((reason: unknown) => reason);
    server.close();
    expect(error, name).toBeInstanceOf(NoAnswer);
    expect((error as NoAnswer).message, name).toMatch(says);
    expect((error as NoAnswer).message).not.toContain('canary');
    expect(process.memoryUsage.rss() - before, name).toBeLessThan(150e6);
  }
});

/** For the server that never ends a response: nobody has to wait the whole minute for it. */
const HURRY: Patience = { ...PATIENCE, deadlineMs: 2_000 };

const REFUSED: readonly { name: string; answer: Answer; says: RegExp }[] = [
  { name: 'a body without end', answer: endless, says: /its body is larger than/ },
  { name: 'a gzip bomb', answer: gzipBomb, says: /when decompressed/ },
  { name: 'a byte now and then', answer: trickle, says: /no response within 2 s/ },
  { name: 'resets', answer: reset, says: /the connection was reset/ },
  { name: 'wrong lengths', answer: broken, says: /broke off/ },
  {
    name: 'redirects',
    answer: (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:9/elsewhere/' }).end(),
    says: /redirects everything/,
  },
];
for (const { name, answer, says } of REFUSED) {
  test(`${name}: one clear sentence`, async () => {
    const server = await serve(answer);
    const env = { BASE_URL: server.address, IGNY8_EMAIL: 'a@example.com', IGNY8_PASSWORD: 'canary-password' };
    const fault: unknown = await lookAt(env, answer === trickle ? HURRY : PATIENCE).catch((error: unknown) => error);
    server.close();
    expect(fault).toBeInstanceOf(PlainError);
    expect((fault as PlainError).message).toMatch(says);
    expect((fault as PlainError).message).not.toContain('canary-password');
  });
}

test('something that is no HTTP', async () => {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end('220 mail.example.com ESMTP\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await expect(lookAt({ BASE_URL: address })).rejects.toThrow(/is not HTTP/);
  server.close();
});

test('odd JSON and hostile text: judged, shown as text, and never conformant', async () => {
  const hostile =
    '{"success":false,"error":"<script>alert(1)</script>\\u001b[31m\\n::error::pwned [x](javascript:1) `|`","request_id":"\\u202e"}';
  const bodies = [
    '\ufeff{"success":true}',
    '['.repeat(100_000),
    '{"success":1e999,"__proto__":{"x":1},"data":{"access":5,"refresh":{},"user":[]}}',
    hostile,
  ];
  let asked = 0;
  const server = await serve((request, response) => {
    asked += 1;
    if (request.url?.endsWith('/auth/register/') === true) response.writeHead(409, json).end(hostile);
    else response.writeHead(asked % 3 === 0 ? 200 : 400, json).end(bodies[asked % bodies.length]);
  });
  const run = await runSuite({ BASE_URL: server.address, GITHUB_ACTIONS: 'true' }, [
    '--grep',
    'REG-01|ENV-0[17]|RID-05',
  ]);
  server.close();
  expect(run.exitCode).toBe(1);
  expect(run.report?.verdict).not.toBe('conformant');
  expect(run.report?.clauses.find(({ id }) => id === 'REG-01')?.reason).toContain('<script>alert(1)</script>');
  expect(run.output).not.toMatch(/\u001b\[31m|\u202e|\n::error::pwned/);
  for (const [name, shown, never] of [
    ['report.html', '&lt;script&gt;alert(1)', '<script>alert(1)'],
    ['summary.md', 'alert\\(1\\)', '[x](javascript:1)'],
  ] as const) {
    const text = readFileSync(join(run.folder, 'report', name), 'utf8');
    expect(text, name).toContain(shown);
    expect(text, name).not.toContain(never);
  }
});

/** Requests of the look at a target with an account, and a few more. */
const LOOK = 16;

test('a target that turns hostile after the preflight ends in time', async () => {
  let asked = 0;
  const instead: Handling['instead'] = (request, response) => {
    asked += 1;
    if (asked <= LOOK) return false;
    gzipBomb(request, response);
    return true;
  };
  const run = await behind({ instead }, ['--grep', 'LOG-0[1-3]|UNA-0[12]']);
  expect(run.exitCode).toBe(1);
  expect(run.report?.verdict).not.toBe('conformant');
  expect(run.output).toMatch(/its body (never ended|is larger than)/);
});

/** The suite against a proxy in front of a conforming target, with an account. */
async function behind(handling: Handling, args: readonly string[]): Promise<SuiteRun> {
  const reference = await startReference({ passwordCost: 16 });
  const proxy = await startProxy(reference.baseUrl, handling);
  const { email, password } = reference.seeds.owner;
  const run = await runSuite(
    { BASE_URL: `${proxy.origin}/api/v1/`, IGNY8_EMAIL: email, IGNY8_PASSWORD: password },
    args,
  );
  await proxy.close();
  await reference.close();
  expect(run.output).not.toMatch(/\n\s+at |UnhandledPromise/);
  return run;
}

test('a server that dies, comes back, and answers 503 now and then, as a gateway does: the others are judged', async () => {
  let asked = 0;
  const run = await behind(
    {
      instead: (request, response) => {
        asked += 1;
        if (asked > 35 && asked <= 43) {
          request.socket.destroy();
          return true;
        }
        if (asked !== 18 && asked !== 31) return false;
        response.writeHead(503, { 'content-type': 'text/html' }).end('<html><h1>Service Unavailable</h1></html>');
        return true;
      },
    },
    ['--grep', 'ENV-07|UNA-0|REF-0[1-5]'],
  );
  expect(run.exitCode, run.output).toBe(1);
  expect(run.output).not.toMatch(/times in a row/);
  // What could not be asked is not passed.
  expect(run.report?.verdict).not.toBe('conformant');
  // The gateway's page says nothing of how the API writes its errors.
  expect(run.report?.fronts, run.output).toEqual([{ what: 'an unknown server, 503 in HTML', responses: 2 }]);
  expect(run.report?.clauses.find(({ id }) => id === 'ENV-07')?.verdict, run.output).toBe('passed');
  expect(run.report?.totals.passed, run.output).toBeGreaterThan(5);
});

test('a redirect to another origin is not followed, and nothing reaches it', async ({ playwright }) => {
  const reached: string[] = [];
  const elsewhere = await serve((request, response) => {
    reached.push(`${request.method ?? ''} ${request.url ?? ''}`);
    response.writeHead(200, json).end('{}');
  });
  const server = await serve((_, response) => response.writeHead(307, { location: elsewhere.address }).end());
  const byPlaywright = new PlaywrightTransport(playwright.request, DIRECT);
  for (const transport of [byPlaywright, new BoundedTransport(DIRECT)]) {
    for (const [method, body] of [
      ['GET', undefined],
      ['POST', Buffer.from('{"password":"canary-password"}')],
    ] as const) {
      const headers = [['authorization', 'Bearer canary-of-hostile']] as const;
      const request = { method, url: server.address, headers, ...(body === undefined ? {} : { body }) };
      expect((await transport.send(request, BOUNDS)).status).toBe(307);
    }
  }
  await byPlaywright.close();
  server.close();
  elsewhere.close();
  expect(reached).toEqual([]);
});

test('a TLS certificate that nobody vouches for: one clear sentence', async () => {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }]);
  const server = createHttps({ cert, key }, (_, response) => response.end('{}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/`;
  await expect(lookAt({ BASE_URL: address })).rejects.toThrow(/its TLS certificate is self-signed/);
  server.close();
});
