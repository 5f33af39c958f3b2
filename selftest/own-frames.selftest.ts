import http from 'node:http';
import https from 'node:https';
import { expect, test } from '@playwright/test';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { keepOwnFrames } from '../fixtures/run/own-frames.js';

/** Notes what it takes a request for: with TLS or without, by the stack that it was called with. */
class Asked extends HttpsProxyAgent<string> {
  private tell: ((secure: boolean) => void) | undefined;
  readonly secure = new Promise<boolean>((resolve) => (this.tell = resolve));

  override connect(_: http.ClientRequest, { secureEndpoint }: { secureEndpoint: boolean }): Promise<never> {
    this.tell?.(secureEndpoint);
    return new Promise(() => undefined);
  }
}

const atOnce = (ask: () => void): void => {
  ask();
};
const deepWithin = (ask: () => void, levels = 20): void => {
  if (levels === 0) ask();
  else deepWithin(ask, levels - 1);
};

test('a library that reads its stack finds what it looks for, whoever called it', async () => {
  const before = Error.prepareStackTrace;
  keepOwnFrames();
  try {
    for (const [name, request, call] of [
      ['called by the suite', https.request, atOnce],
      ['called by the suite, deep within', https.request, deepWithin],
      ['called by nobody of the suite', https.request, (ask: () => void) => setImmediate(ask)],
      ['without TLS', http.request, atOnce],
    ] as const) {
      const agent = new Asked('http://127.0.0.1:9');
      const options: https.RequestOptions = { host: 'localhost', port: 9, agent };
      const ask = request as (options: https.RequestOptions) => unknown;
      // Bound, and not called in a function of this file: that would be in the stack.
      call(ask.bind(undefined, options));
      expect(await agent.secure, name).toBe(request === https.request);
    }
  } finally {
    Error.prepareStackTrace = before;
  }
});
