import { expect, test } from '@playwright/test';
import { startReference } from '../fixtures/reference/index.js';
import { signedRank } from '../fixtures/timing.js';
import { runOne } from './checks.js';
import { mulberry } from './defects/chance.js';
import { targetOf } from './kill/run.js';

/** Noise with a long tail, as answers have it. */
function noise(random: () => number): number {
  return -Math.log(1 - random()) * 5;
}

test('the rank test has no false alarm in 2,000 series without an effect, and finds a clear one in all', () => {
  const random = mulberry(11);
  let alarms = 0;
  let found = 0;
  for (let series = 0; series < 2000; series += 1) {
    const same = Array.from({ length: 40 }, () => noise(random) - noise(random));
    // Two conditions, as the check has them: significant, and larger than a fifth of a login of 40 ms.
    const { z, shift } = signedRank(same);
    if (Math.abs(z) > 3.2905 && Math.abs(shift) > 8) alarms += 1;
    if (series % 20 === 0) {
      const shifted = signedRank(same.map((value) => value + 35));
      if (Math.abs(shifted.z) > 3.2905 && shifted.low > 0) found += 1;
    }
  }
  expect(alarms).toBe(0);
  expect(found).toBe(100);
});

test('LOG-07 finds a hasher that runs for known users only, and says by how much', async () => {
  const reference = await startReference({
    passwordCost: 2 ** 14,
    replace: () => ({ checkNobody: () => Promise.resolve() }),
  });
  const outcome = await runOne('LOG-07', targetOf(reference));
  await reference.close();
  expect(outcome.verdict, outcome.reason).toBe('failed');
  expect(outcome.measurements.map(({ name }) => name)).toContain(
    'a wrong password takes longer than an unknown e-mail by',
  );
});

test('LOG-07 raises no false alarm on constant-time login', async () => {
  const reference = await startReference({ passwordCost: 2 ** 14 });
  const outcome = await runOne('LOG-07', targetOf(reference));
  await reference.close();
  // On a machine too noisy to tell it says so.
  expect(['passed', 'unverified'], outcome.reason).toContain(outcome.verdict);
});
