import { expect, test } from '@playwright/test';
import { startReference } from '../fixtures/reference/server.js';
import { given } from './harness/command-line.js';
import { lookAt } from './harness/in-process.js';
import { startProxy } from './harness/proxy.js';

/** Milliseconds that an instance takes to wake up, as public reports have it. */
const WAKING_MS = 12_000;

test('a target that wakes up for 12 s before its first response can be checked', async () => {
  const reference = await startReference({ passwordCost: 16 });
  const asleep = new Promise<void>((resolve) => setTimeout(resolve, WAKING_MS));
  let first = true;
  const proxy = await startProxy(reference.baseUrl, {
    before: async () => {
      if (!first) return;
      first = false;
      await asleep;
    },
  });
  const looked = await lookAt({ ...given(reference), BASE_URL: `${proxy.origin}/api/v1/` }).then(
    ({ cost }) => cost.requests,
    (error: unknown) => (error as Error).message,
  );
  await proxy.close();
  await reference.close();
  expect(looked).toEqual(expect.any(Number));
});
