import { expect, test } from '@playwright/test';
import { compareTimes, type TimingVerdict } from '../tests/support/accounts/timing.js';
import { mulberry } from './defects/seeded-random.js';

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
