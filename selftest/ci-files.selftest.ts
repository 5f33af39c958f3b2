import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { parse } from 'yaml';
import { ROOT } from './harness/command-line.js';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: Record<string, string> };

for (const path of ['ci/Dockerfile', 'ci/gitlab.yml']) {
  test(`${path} uses the image of the Playwright version that is installed`, () => {
    expect(read(path)).toContain(`mcr.microsoft.com/playwright:v${devDependencies['@playwright/test'] ?? ''}-`);
  });
}

test('the self-tests run on each Node that is maintained, from the oldest that package.json allows', () => {
  const { jobs } = parse(read('.github/workflows/ci.yml')) as {
    jobs: Record<string, { strategy: { matrix: { node: number[] } } }>;
  };
  expect(jobs['test']?.strategy.matrix.node).toEqual([20, 22, 24]);
  expect((JSON.parse(read('package.json')) as { engines: { node: string } }).engines.node).toBe('>=20.19');
});

test('the container runs as a user without rights, and copies no secrets', () => {
  const lines = read('ci/Dockerfile').split('\n');
  const user = lines.findIndex((line) => line.startsWith('USER '));
  expect(lines[user]).not.toMatch(/root/);
  expect(user).toBeLessThan(lines.findIndex((line) => line.startsWith('ENTRYPOINT')));
  expect(read('.dockerignore').split('\n')).toEqual(expect.arrayContaining(['.env', 'node_modules', '.git']));
});

test('what Gitea does not know is not in its workflow', () => {
  const workflow = read('.gitea/workflows/conformance.yml');
  const keys = Object.keys(parse(workflow) as object);
  expect(keys).not.toEqual(expect.arrayContaining(['concurrency']));
  expect(keys).not.toEqual(expect.arrayContaining(['permissions']));
  expect(workflow).not.toMatch(/^\s*timeout-minutes:|upload-artifact@v4/m);
});

for (const path of ['.github/workflows/conformance.yml', '.gitea/workflows/conformance.yml', 'ci/gitlab.yml']) {
  test(`${path} gives the gate to the exit code, and keeps the reports when it fails`, () => {
    const text = read(path);
    expect(() => parse(text) as unknown).not.toThrow();
    expect(text).toContain('npx playwright test');
    expect(text).toMatch(/if: always\(\)|when: always/);
    expect(text).toMatch(/conformance-report/);
  });
}
