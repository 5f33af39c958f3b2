import { basename, join } from 'node:path';
import { expect, test } from '@playwright/test';
import { checkLocations } from '../fixtures/run/locations.js';
import { testFilesOf } from '../fixtures/setup/test-files.js';
import { CLAUSES, type ClauseId } from '../spec/generated/clauses.js';
import { ROOT } from './harness/command-line.js';

const FOLDER = join(ROOT, 'tests');
const filesOf = (...argv: string[]): string | string[] => testFilesOf(['test', ...argv], FOLDER);
const ALL = '*.spec.ts';
const LOCATIONS = checkLocations(FOLDER);
const fileOf = (id: ClauseId): string => basename(LOCATIONS.get(id)?.file ?? '');

test('a run of one clause loads the file that declares it, and no other', () => {
  for (const { id } of CLAUSES) expect(filesOf('--grep', id), id).toEqual([fileOf(id)]);
});

test('a run of some checks loads each file that declares one of them, however they are named', () => {
  const two = ['refresh.spec.ts', 'unauthenticated.spec.ts'];
  for (const argv of [
    ['--grep', 'ref-0[15]|UNA-02'],
    ['--grep=REF-05|UNA-02'],
    ['-g', 'REF-05|UNA-02'],
    ['-g/REF-05|UNA-02/'],
  ])
    expect(filesOf(...argv), argv.join(' ')).toEqual(two);
  expect(filesOf('--grep', '@refresh')).toEqual(['refresh.spec.ts']);
  expect(filesOf('--grep', '@every-response')).toContain('whole-run.spec.ts');
  expect(filesOf('--grep', 'refresh.spec')).toContain('refresh.spec.ts');
  const must = CLAUSES.filter(({ level }) => level === 'MUST').map(({ id }) => fileOf(id));
  expect(filesOf('--grep', '@must')).toEqual([...new Set(must)].sort());
});

test('a run of all checks, and one whose pattern Playwright will refuse, loads all files', () => {
  const without = [[], ['--grep-invert', 'REF-05'], ['--grep', 'no such clause'], ['--grep', '('], ['-g', '/ref-05/']];
  for (const argv of [...without, ['--grep', 'REF-05', '--grep', 'UNA-02']])
    expect(filesOf(...argv), argv.join(' ')).toBe(ALL);
});
