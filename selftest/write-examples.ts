/**
 * `npm run examples`: writes docs/examples, each page from a real run of the command line against a reference of its own, and
 * docs/images.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startReference } from '../fixtures/reference/server.js';
import { htmlReport } from '../report/outputs/html.js';
import { given, runSuite, WITH_BROWSER } from './harness/command-line.js';
import { EXAMPLE_ROOM, examplePath, examples, LARGEST_EXAMPLE, type Example } from './harness/examples.js';
import { takePictures } from './harness/pictures.js';

/** @throws Error if the run or its page is not what an example should be */
async function write({ file, options, fails }: Example): Promise<void> {
  const reference = await startReference({ port: 8000, limits: 'off', ...options });
  try {
    const env = { ...given(reference), ...WITH_BROWSER, IGNY8_TARGET_VERSION: 'example', FUZZ_SEED: '7' };
    const { report, output, folder, exitCode } = await runSuite(env);
    if (report === undefined || exitCode !== (fails.length === 0 ? 0 : 1)) throw new Error(output);
    const failed = report.clauses.filter(({ verdict }) => verdict === 'failed').map(({ id }) => id);
    if (failed.toSorted().join() !== fails.toSorted().join()) throw new Error(`${file}: ${failed.join()} failed.`);
    // Of the report that the run has searched for secrets.
    const json = readFileSync(join(folder, 'report/report.json'), 'utf8');
    const page = htmlReport(report, json, EXAMPLE_ROOM);
    if (page.length > LARGEST_EXAMPLE) throw new Error(`${file} would have ${String(page.length)} characters.`);
    mkdirSync(dirname(examplePath(file)), { recursive: true });
    writeFileSync(examplePath(file), page);
    const pictured = fails.at(-1);
    if (pictured !== undefined) await takePictures(examplePath(file), join(folder, 'html/index.html'), pictured);
    rmSync(folder, { recursive: true });
  } finally {
    await reference.close();
  }
}

async function main(): Promise<void> {
  for (const example of examples()) await write(example);
}

void main();
