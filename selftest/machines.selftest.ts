import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test, type FullConfig } from '@playwright/test';
import ts from 'typescript';
import { refuseUnwritable } from '../fixtures/setup/folders.js';
import { ROOT, runSuite } from './harness/command-line.js';

interface Package {
  readonly scripts: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly overrides: Readonly<Record<string, string>>;
  readonly resolutions: Readonly<Record<string, string>>;
}

const { scripts, devDependencies, overrides, resolutions } = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
) as Package;

/** The folders of the suite's sources. */
const SOURCES = ['docs', 'fixtures', 'report', 'selftest', 'spec', 'tests'];

test('no npm script has anything in it that only a POSIX shell reads', () => {
  // `&&` is known to cmd too: no variables, quotes, globs, redirections or programs of Unix.
  const portable = /^(npm|tsx|playwright|prettier|eslint|tsc)( [\w./:-]+)*$/;
  const commands = Object.values(scripts).flatMap((script) => script.split(' && '));
  expect(commands.length).toBeGreaterThan(10);
  expect(commands.filter((command) => !portable.test(command))).toEqual([]);
});

test('only packages that package.json names are imported: with npm others are within reach too, with pnpm they are not', () => {
  const files = readdirSync(ROOT).flatMap((name) =>
    SOURCES.includes(name)
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

test('what npm is told of packages further down is told pnpm and Yarn too', () => {
  expect(resolutions).toEqual(overrides);
});

test('where Playwright cannot write: one sentence with what to set, before the first request', () => {
  const folder = mkdtempSync(join(tmpdir(), 'checkout-'));
  // Nothing can be made below a file, whoever runs this.
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const config = (where: string): FullConfig =>
    ({
      configFile: join(folder, 'playwright.config.ts'),
      projects: [{ outputDir: join(where, 'test-results') }],
      reporter: [
        ['html', { outputFolder: join(where, 'html') }],
        ['blob', { outputFolder: join(where, 'blob') }],
      ],
    }) as unknown as FullConfig;
  expect(() => {
    refuseUnwritable(config(folder));
  }).not.toThrow();
  expect(() => {
    refuseUnwritable(config(file));
  }).toThrow(/--output=DIR\n.*set PLAYWRIGHT_HTML_OUTPUT_DIR\n.*set PLAYWRIGHT_BLOB_OUTPUT_DIR$/);
});

/** @param mode of folders; a file is never run, so it has the same without that right */
function permit(path: string, mode: number): void {
  const found = lstatSync(path);
  if (found.isSymbolicLink()) return;
  if (found.isDirectory()) {
    // To be read it must be open; to be changed too.
    chmodSync(path, 0o755);
    for (const name of readdirSync(path)) permit(join(path, name), mode);
  }
  chmodSync(path, found.isDirectory() ? mode : mode & 0o666);
}

/** Whether any user may go there. */
function openToAll(path: string): boolean {
  const above = dirname(path);
  return (statSync(path).mode & 0o001) !== 0 && (above === path || openToAll(above));
}

/** Root may write everywhere: somebody without rights, 65534 on every Unix, shows what a read-only checkout is. */
function somebody(): { readonly uid?: number } {
  const unhindered = process.getuid?.() === 0;
  return unhindered && [join(ROOT, 'node_modules'), process.execPath].every(openToAll) ? { uid: 65_534 } : {};
}

test('a read-only checkout at a path with blanks and letters beyond ASCII, and a user without a home', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'checkout-'));
  chmodSync(folder, 0o755);
  const root = join(folder, 'with a blank', "ü 'n % #");
  for (const name of ['fixtures', 'report', 'spec', 'tests', 'package.json', 'playwright.config.ts', 'tsconfig.json'])
    cpSync(join(ROOT, name), join(root, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'), 'junction');
  permit(folder, 0o555);
  const run = await runSuite({ CI: 'true' }, ['--grep', 'REF-01|UNA-01'], { root, ...somebody(), without: ['HOME'] });
  permit(folder, 0o755);
  const junit = readFileSync(join(run.folder, 'report', 'junit.xml'), 'utf8');
  rmSync(folder, { recursive: true });
  expect(run.exitCode, run.output).toBe(0);
  expect(run.report?.totals.passed).toBe(2);
  expect(run.output).not.toMatch(/warning|EACCES|EROFS|\n\s+at /i);
  // From the folder of the suite, wherever it is.
  expect(junit).toMatch(/ file="tests\/refresh\.spec\.ts" line="\d+"/);
});
