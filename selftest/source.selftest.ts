import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from '@playwright/test';
import { ROOT } from './harness/command-line.js';

// The longest first.
for (const [name, ...args] of [
  ['lint of the code', 'lint:code'],
  ['what is generated of the contract is not stale', 'generate', '--', '--check'],
  ['the documented requests are those of the contract', 'docs', '--', '--check'],
  ['types', 'typecheck'],
  ['format, workflows, and lint of the OpenAPI document', 'lint:text'],
] as const) {
  test(name, async () => {
    // By a shell, because npm is a script on Windows.
    const command = ['npm run --silent', ...args].join(' ');
    const child = spawn(command, { cwd: ROOT, shell: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const closed = new Promise((resolve) => child.on('close', resolve));
    const said = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect(await closed, said.join('\n')).toBe(0);
  });
}

test('what is judged over all responses stands in the last file, and nothing else does', () => {
  // Its checks wait for those of the other files: one of them in an earlier file would wait for a worker that waits itself.
  const specs = readdirSync(join(ROOT, 'tests')).filter((name) => name.endsWith('.spec.ts'));
  specs.sort((a, b) => a.localeCompare(b));
  const declared = specs.map((name) => {
    const source = readFileSync(join(ROOT, 'tests', name), 'utf8');
    const last = /^const phase = 'every-response';$/m.test(source);
    return [...source.matchAll(/^clause\('[A-Z]{3}-\d{2}', (\{ phase(?:: '([a-z-]+)')? \})?/gm)].map(
      ([, given, named]) => (given === undefined ? 'checks' : (named ?? (last ? 'every-response' : 'unknown'))),
    );
  });
  expect(new Set(declared.pop())).toEqual(new Set(['every-response']));
  expect(declared.flat().length).toBeGreaterThan(100);
  expect(declared.flat()).not.toContain('every-response');
});
