import { expect, test } from '@playwright/test';
import type { Outcome } from '../fixtures/evidence/outcome.js';
import { startReference, type Parts, type ReferenceOptions } from '../fixtures/reference/server.js';
import type { Capability, ClauseId } from '../spec/generated/clauses.js';
import { runOne } from './harness/in-process.js';
import { targetOf } from './matrix/run.js';

/** One clause about real tokens, against a target whose clock moves on where the check would wait. */
async function waiting(
  id: ClauseId,
  need: Extract<Capability, 'wait' | 'short-ttl'>,
  replace: (parts: Parts) => Partial<Parts> = () => ({}),
): Promise<Outcome & { readonly waitedSeconds: number }> {
  const options: ReferenceOptions = need === 'wait' ? {} : { accessTtlSeconds: 5, refreshTtlSeconds: 8 };
  const reference = await startReference({ passwordCost: 16, ...options, replace });
  const { secret: _, ...target } = targetOf(reference, {
    capabilities: ['register', need],
    shortTtl: need === 'short-ttl',
    ...options,
  });
  let passed = 0;
  const outcome = await runOne(id, target, {
    sleep: (ms) => {
      passed += ms;
      reference.setClock(() => Date.now() + passed);
      return Promise.resolve();
    },
  });
  await reference.close();
  return { ...outcome, waitedSeconds: passed / 1000 };
}

const grace =
  (seconds: number) =>
  (parts: Parts): Partial<Parts> => ({
    verifyTimes: (given, kind) => {
      parts.verifyTimes(typeof given['exp'] === 'number' ? { ...given, exp: given['exp'] + seconds } : given, kind);
    },
  });

test('by waiting: a real access token is good to its end, and refused after it', async () => {
  for (const id of ['EXP-04', 'EXP-05'] as const) {
    const outcome = await waiting(id, 'wait');
    expect(outcome.verdict, outcome.reason).toBe('passed');
    expect(outcome.measurements.map(({ value }) => value)).toContain('waiting for real expiry');
    // As long as the wait, and no longer.
    expect(outcome.waitedSeconds).toBeGreaterThan(850);
    expect(outcome.waitedSeconds).toBeLessThan(920);
  }
});

for (const need of ['wait', 'short-ttl'] as const) {
  test(`${need}: a grace of half a minute is none too long, one of five minutes is`, async () => {
    for (const id of need === 'wait' ? (['EXP-04'] as const) : (['EXP-04', 'EXP-06'] as const)) {
      expect((await waiting(id, need, grace(30))).verdict).toBe('passed');
      const long = await waiting(id, need, grace(300));
      expect(long.verdict).toBe('failed');
      expect(long.reason).toMatch(/expected 401, got 200/);
    }
  });

  test(`${need}: a token that ends before its time`, async () => {
    const outcome = await waiting('EXP-05', need, grace(need === 'wait' ? -60 : -3));
    expect(outcome.verdict).toBe('failed');
    expect(outcome.reason).toMatch(/before its `exp`: expected 200, got 401/);
  });
}
