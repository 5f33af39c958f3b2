import { expect, test } from '@playwright/test';
import { startReference } from '../fixtures/reference/server.js';
import { NoAnswer, type Transport, type WireReply } from '../fixtures/http/transport.js';
import { runOne } from './harness/in-process.js';
import { targetOf } from './matrix/run.js';

/** An https target, as far as NET-01 looks at one. */
function channel(hsts: string | undefined, plain: number | 'refused', location?: string): Transport {
  return {
    send: ({ url }) => {
      const isPlain = url.startsWith('http:');
      if (isPlain && plain === 'refused') return Promise.reject(new NoAnswer('nothing listens there'));
      const headers: [string, string][] = [['content-type', 'application/json']];
      if (!isPlain && hsts !== undefined) headers.push(['Strict-Transport-Security', hsts]);
      if (isPlain && location !== undefined) headers.push(['Location', location]);
      const status = isPlain && plain !== 'refused' ? plain : 401;
      const reply: WireReply = { status, headers, body: Buffer.from('{}'), sentAt: Date.now(), receivedAt: Date.now() };
      return Promise.resolve(reply);
    },
  };
}

test('NET-01 passes and fails for its own reasons', async () => {
  const reference = await startReference({ passwordCost: 16 });
  const target = targetOf(reference, { baseUrl: 'https://conformance.invalid/api/v1/', capabilities: ['https'] });
  await reference.close();
  const verdicts = await Promise.all(
    [
      channel('max-age=31536000', 'refused'),
      channel('max-age=31536000', 301, 'https://conformance.invalid/'),
      channel(undefined, 'refused'),
      channel('max-age=0', 'refused'),
      channel('max-age=31536000', 200),
      channel('max-age=31536000', 301, 'http://conformance.invalid/other/'),
    ].map((transport) => runOne('NET-01', target, { transport })),
  );
  expect(verdicts.map(({ verdict }) => verdict)).toEqual(['passed', 'passed', 'failed', 'failed', 'failed', 'failed']);
});
