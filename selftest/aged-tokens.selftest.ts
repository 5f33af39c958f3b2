import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { readAgedTokens } from '../tests/support/tokens/aged-tokens.js';
import type { Outcome } from '../fixtures/evidence/outcome.js';
import { startReference, type Reference, type ReferenceOptions } from '../fixtures/reference/server.js';
import { runOne } from './harness/in-process.js';
import { targetOf } from './matrix/run.js';

const DAY = 86_400_000;
const KEY = 'a-key-for-the-aged-tokens';

function newFile(): string {
  return join(mkdtempSync(join(tmpdir(), 'aged-')), 'tokens.json');
}

/** One nightly run: EXP-06, with nothing but the file to go by. */
function night(reference: Reference, file: string, key = KEY): Promise<Outcome> {
  const { secret: _, ...target } = targetOf(reference, {
    capabilities: ['register', 'aged'],
    agedTokens: { file, key },
  });
  return runOne('EXP-06', target);
}

async function withReference(options: ReferenceOptions, work: (reference: Reference) => Promise<void>): Promise<void> {
  const reference = await startReference({ passwordCost: 16, ...options });
  await work(reference);
  await reference.close();
}

const later = (reference: Reference, days: number): void => {
  reference.setClock(() => Date.now() + days * DAY);
};

test('a week of nights: planted, still good on the last day, refused after the end', async () => {
  await withReference({}, async (reference) => {
    const file = newFile();
    const first = await night(reference, file);
    expect(first.verdict).toBe('unverified');
    expect(first.reason).toMatch(/planted; run again/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    // Of a JWT the dots tell as well: three letters of base64 come together by chance in one run of two hundred.
    expect(readFileSync(file, 'utf8')).not.toMatch(/eyJ[\w-]+\.[\w-]+\./);
    later(reference, 6.5);
    expect((await night(reference, file)).measurements.map(({ value }) => value)).toContain(
      'still good, as it must be',
    );
    later(reference, 7.1);
    const last = await night(reference, file);
    expect(last.verdict, last.reason).toBe('passed');
    expect(last.measurements.map(({ value }) => value)).toContain('tokens planted by an earlier run');
  });
});

test('a refresh token that never ends is found', async () => {
  await withReference({ replace: () => ({ verifyTimes: () => undefined }) }, async (reference) => {
    const file = newFile();
    await night(reference, file);
    later(reference, 8);
    const outcome = await night(reference, file);
    expect(outcome.verdict).toBe('failed');
    expect(outcome.reason).toMatch(/8\.0 days old .* expected 401, got 200/);
  });
});

test('a damaged file, another key and another target: said, and no verdict', async () => {
  await withReference({}, async (reference) => {
    const file = newFile();
    await night(reference, file);
    expect((await night(reference, file, 'another-key-altogether')).reason).toMatch(
      /damaged, or IGNY8_AGED_TOKENS_KEY/,
    );
    writeFileSync(`${file}.lock`, '');
    expect((await night(reference, file)).reason).toMatch(/Another run is using/);
    await withReference({}, async (other) => {
      const elsewhere = newFile();
      writeFileSync(elsewhere, readFileSync(file));
      later(other, 8);
      expect((await night(other, elsewhere)).verdict).toBe('unverified');
      expect(await readAgedTokens(elsewhere, KEY)).toHaveLength(4);
    });
    writeFileSync(file, 'no JSON');
    await expect(readAgedTokens(file, KEY)).rejects.toThrow(/damaged/);
  });
});
