import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { CLAUSES } from '../spec/generated/clauses.js';
import { ROOT } from './harness/command-line.js';

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

test('the README counts the clauses of the catalogue, shows its two commands, and is short', () => {
  expect(readme).toContain(`${CLAUSES.length} clauses`);
  expect(readme).toContain('npm ci && npx playwright test');
  expect(readme).toContain('npm ci && npm test');
  expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(80);
});

const links = [...readme.matchAll(/\]\(((?!https?:)[^)#]+)\)/g)].map(([, path = '']) => path);

for (const path of new Set(links)) {
  test(`the README's link to ${path} leads somewhere`, () => {
    expect(readFileSync(join(ROOT, path)).length).toBeGreaterThan(0);
  });
}
