import { join, relative, sep } from 'node:path';
import { expect, test } from '@playwright/test';
import { checkLocations } from '../fixtures/run/locations.js';
import { CLAUSES } from '../spec/generated/clauses.js';
import { ROOT, runSuite } from './harness/command-line.js';

interface Listed {
  readonly specs?: readonly {
    readonly title: string;
    readonly file: string;
    readonly line: number;
    readonly column: number;
  }[];
  readonly suites?: readonly Listed[];
}

const specsOf = ({ specs = [], suites = [] }: Listed): NonNullable<Listed['specs']> => [
  ...specs,
  ...suites.flatMap(specsOf),
];

test('each check is at the line that declares it: for the buttons of an editor, and for `playwright test FILE:LINE`', async () => {
  const { output } = await runSuite({}, ['--list', '--reporter=json']);
  const listed = JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1)) as Listed;
  const folder = join(ROOT, 'tests');
  const declared = [...checkLocations(folder)].map(([id, { file, line }]) => {
    return `${id} ${relative(folder, file).split(sep).join('/')}:${line}:1`;
  });
  expect(declared).toHaveLength(CLAUSES.length);
  const seen = specsOf(listed).map(({ title, file, line, column }) => `${title.slice(0, 6)} ${file}:${line}:${column}`);
  expect(seen.sort()).toEqual(declared.sort());
});
