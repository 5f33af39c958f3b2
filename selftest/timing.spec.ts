import { expect, test } from '@playwright/test';
import { startReference } from '../fixtures/reference/index.js';
import { compareTimes, type TimingVerdict } from '../fixtures/timing.js';
import { runOne } from './checks.js';
import { mulberry } from './defects/chance.js';
import { targetOf } from './kill/run.js';

/** Verdicts of the whole procedure over simulated logins of some 40 ms, whose times have a long tail as answers have it. */
async function simulated(series: number, leakMs: number, tailMs: number): Promise<Record<TimingVerdict, number>> {
  const random = mulberry(11);
  const login = (): number => 40 + Math.floor(-Math.log(1 - random()) * tailMs);
  const verdicts = { differs: 0, alike: 0, 'not enough evidence': 0 };
  for (let i = 0; i < series; i += 1) {
    const { verdict } = await compareTimes(() => {
      const known = login();
      return Promise.resolve({ known, difference: known - (login() - leakMs) });
    });
    verdicts[verdict] += 1;
  }
  return verdicts;
}

test('two looks at a planned sample: no false alarm in 1,000 series, quiet or noisy, and a clear leak found in all', async () => {
  expect(await simulated(500, 0, 3)).toMatchObject({ differs: 0 });
  expect(await simulated(500, 0, 25)).toMatchObject({ differs: 0 });
  expect(await simulated(100, 35, 5)).toMatchObject({ differs: 100 });
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
