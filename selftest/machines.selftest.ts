import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import ts from 'typescript';
import { ROOT } from './harness/command-line.js';

interface Package {
  readonly scripts: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const { scripts, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Package;

test('no npm script has anything in it that only a POSIX shell reads', () => {
  // `&&` is known to cmd too: no variables, quotes, globs, redirections or programs of Unix.
  const portable = /^(npm|tsx|playwright|prettier|eslint|tsc)( [\w./:-]+)*$/;
  const commands = Object.values(scripts).flatMap((script) => script.split(' && '));
  expect(commands.length).toBeGreaterThan(10);
  expect(commands.filter((command) => !portable.test(command))).toEqual([]);
});

test('only packages that package.json names are imported: with npm others are within reach too, with pnpm they are not', () => {
  const files = readdirSync(ROOT).flatMap((name) =>
    ['docs', 'fixtures', 'report', 'selftest', 'spec', 'tests'].includes(name)
      ? readdirSync(join(ROOT, name), { recursive: true, encoding: 'utf8' }).map((file) => join(ROOT, name, file))
      : [join(ROOT, name)],
  );
  const imported = files
    .filter((file) => /\.(ts|mts|mjs)$/.test(file))
    .flatMap((file) => ts.preProcessFile(readFileSync(file, 'utf8'), true, true).importedFiles)
    .map(({ fileName }) => fileName)
    .filter((name) => !/^(\.|node:)/.test(name));
  const packages = imported.map((name) =>
    name
      .split('/')
      .slice(0, name.startsWith('@') ? 2 : 1)
      .join('/'),
  );
  expect(packages.length).toBeGreaterThan(20);
  expect(packages.filter((name) => devDependencies[name] === undefined && !builtinModules.includes(name))).toEqual([]);
});
