import { expect, test } from '@playwright/test';
import { startReference } from '../fixtures/reference/server.js';
import { runOne } from './harness/in-process.js';
import { targetOf } from './matrix/run.js';
import { startProxy } from './harness/proxy.js';

test('what a refused body leaves on the connection is seen, and a connection that is closed is no fault', async () => {
  const reference = await startReference({ passwordCost: 16 });
  for (const [name, spoils, verdict] of [
    ['unread', true, 'failed'],
    ['closed', false, 'passed'],
  ] as const) {
    const used = new WeakSet();
    const proxy = await startProxy(reference.baseUrl, {
      instead: (request, response) => {
        if (!used.has(request.socket)) return false;
        // The rest of the body before it is taken for this request.
        if (spoils) response.writeHead(400, { 'content-type': 'application/json' }).end('{"success":false}');
        else request.socket.destroy();
        return true;
      },
      answered: (request, status) => {
        if (status >= 400 && request.url?.endsWith('/auth/refresh/') === true) used.add(request.socket);
      },
    });
    const outcome = await runOne('ROB-01', targetOf(reference, { baseUrl: `${proxy.origin}/api/v1/` }));
    await proxy.close();
    expect(outcome.verdict, `${name}: ${outcome.reason ?? ''}`).toBe(verdict);
    expect(outcome.reason ?? '').toMatch(spoils ? /good request over the same connection with 400/ : /^$/);
  }
  await reference.close();
});
