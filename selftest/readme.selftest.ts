import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { BOUNDS } from '../fixtures/http/transport.js';
import { verdictSentence } from '../report/outputs/sentences.js';
import { CLAUSES } from '../spec/generated/clauses.js';
import { ROOT } from './harness/command-line.js';
import { came, reportOf } from './harness/in-process.js';

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

test('the README counts the clauses of the catalogue, shows its two commands, and is short', () => {
  expect(readme).toContain(`${CLAUSES.length} clauses`);
  expect(readme).toContain('npm ci && npx playwright test');
  expect(readme).toContain('npm ci && npm test');
  expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(80);
});

test("the README's figures and its sample of the output are those of the suite", () => {
  const source = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
  const { engines } = JSON.parse(source('package.json')) as { engines: { node: string } };
  expect(readme).toContain(`Node ${engines.node.replace('>=', '')} or later`);
  expect(readme).toContain(
    `limited to ${String(BOUNDS.deadlineMs / 1000)} s and ${String(BOUNDS.maxBodyBytes / 1e6)} MB`,
  );
  const minutes = /globalTimeout: \(waits \? \d+ : (\d+)\) \* MINUTE/.exec(source('playwright.config.ts'))?.[1];
  expect(readme.replaceAll('\n', ' ')).toContain(`within ${String(minutes)} minutes`);

  const report = reportOf([came('REF-05', 'failed')]);
  const at = 'http://127.0.0.1:8000/api/v1/';
  expect(readme).toContain(verdictSentence({ ...report, target: { ...report.target, embedded: false, baseUrl: at } }));
});

const links = [...readme.matchAll(/\]\(((?!https?:)[^)#]+)\)/g)].map(([, path = '']) => path);

for (const path of new Set(links)) {
  test(`the README's link to ${path} leads somewhere`, () => {
    expect(readFileSync(join(ROOT, path)).length).toBeGreaterThan(0);
  });
}
