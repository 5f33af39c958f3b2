import { spawn } from 'node:child_process';
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
