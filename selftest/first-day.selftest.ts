/** The walk of docs/running-against-staging.md through a server that has drifted: what the page shows is what such a run says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { startReference } from '../fixtures/reference/server.js';
import { compose } from './drifts/drift.js';
import { DRIFTS } from './drifts/index.js';
import { given, ROOT, runSuite, type SuiteRun } from './harness/command-line.js';

const page = readFileSync(join(ROOT, 'docs/running-against-staging.md'), 'utf8');

function drift(id: string): (typeof DRIFTS)[number] {
  const found = DRIFTS.find((one) => one.id === id);
  if (found === undefined) throw new Error(`${id} is no drift`);
  return found;
}

/** No rotation, 403 for 401, tokens nested; and register wants one field more. */
const DRIFTED = compose(drift('trio'), drift('register-body'));

/** The clauses that own a point, one that is asked through it, and one that it leaves no question for. */
const SOME = 'LOG-01|REG-0[13]|REF-0[15]|UNA-0[15]|ENV-08';

async function run(clauses: string, more: Record<string, string> = {}): Promise<SuiteRun> {
  const { replace, options } = DRIFTED;
  const reference = await startReference({
    passwordCost: 16,
    ...options,
    ...(replace === undefined ? {} : { replace }),
  });
  try {
    return await runSuite({ ...given(reference), ...more }, ['--grep', clauses]);
  } finally {
    await reference.close();
  }
}

/** What the page shows as output. */
const shown = [...page.matchAll(/```text\n(.*?)\n```/gs)].map(([, text = '']) => text);
const plain = (text: string): string => text.replace(/\s+/g, ' ');

test('the first run names the variable to set for what register wants besides', async () => {
  const { output, report } = await run('REG-01');
  expect(output).toContain(`set IGNY8_REGISTER_BODY='{"country":"…"}'`);
  expect(plain(output)).toContain(plain(shown.find((text) => text.includes('does not let')) ?? 'nothing on the page'));
  expect(report?.target.dialect).toContainEqual(expect.objectContaining({ point: 'registration', owner: 'REG-01' }));
});

test('the second run says in which points the target differs, the owner of each fails, and the others are asked through them', async () => {
  const { output, report, exitCode } = await run(SOME, { IGNY8_REGISTER_BODY: '{"country":"PK"}' });
  expect(exitCode).toBe(1);
  const verdicts = new Map(report?.clauses.map(({ id, verdict }) => [id, verdict]));
  const points = report?.target.dialect ?? [];
  expect(points.map(({ owner }) => owner).filter((id) => id === undefined || verdicts.get(id) !== 'failed')).toEqual(
    [],
  );
  expect(verdicts.get('UNA-05')).toBe('passed');
  expect(verdicts.get('REF-05')).toBe('blocked');
  expect(verdicts.get('ENV-08')).toBe('blocked');
  expect(plain(output)).toContain(plain(shown.find((text) => text.includes('differs from')) ?? 'nothing on the page'));
});
