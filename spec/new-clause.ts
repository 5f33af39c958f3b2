/**
 * `npm run new-clause -- REF-16 "After logout the refresh token is refused with 401."`: the stubs of a new clause, each in its place: the
 * sentence, the check, a defect and a hint. `--level SHOULD`, `--source "RFC 7009"`, `--needs register` say more than the defaults. What is
 * not written yet fails the run that meets it, and `npm run generate -- --check`.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ContractError, UNWRITTEN } from './contract-files.js';
import { requirements } from './from-requirements.js';

const ROOT = join(__dirname, '..');

/**
 * The file of an area: its name begins with the area's tag. Of several the one that has the clause before the new one.
 * @throws ContractError if there is none
 */
function fileOf(folder: string, tag: string, ending: string, before: string): string {
  const names = readdirSync(join(ROOT, folder)).filter((file) => file.startsWith(tag) && file.endsWith(ending));
  const has = (file: string): number => readFileSync(join(ROOT, folder, file), 'utf8').split(`'${before}'`).length;
  const [name] = names.sort((a, b) => has(b) - has(a));
  if (name === undefined)
    throw new ContractError(`There is no ${folder}/${tag}*${ending}: add the file for the new area first.`);
  return `${folder}/${name}`;
}

function change(file: string, to: (text: string) => string): void {
  const path = join(ROOT, file);
  writeFileSync(path, to(readFileSync(path, 'utf8')));
  console.log(`  ${file}`);
}

/** `entry` after the entry that `heading` begins, which ends where a line is indented as little as its own, or less. */
function insertAfter(text: string, heading: string, entry: string): string {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith(heading));
  const indent = heading.search(/\S/);
  const length = lines.slice(start + 1).findIndex((line) => line.search(/\S/) <= indent);
  const end = length === -1 ? lines.length : start + 1 + length;
  return [...lines.slice(0, end), ...entry.split('\n'), ...lines.slice(end)].join('\n');
}

function yamlString(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      level: { type: 'string', default: 'MUST' },
      source: { type: 'string', default: 'guide' },
      needs: { type: 'string', multiple: true, default: [] },
    },
  });
  const [id = '', sentence = `${positionals[0] ?? ''} ${UNWRITTEN}.`] = positionals;
  const { areas, clauses } = requirements();
  const area = areas[id.slice(0, 3)];
  if (!/^[A-Z]{3}-\d\d$/.test(id) || area === undefined) {
    throw new ContractError(
      `Which clause? e.g. npm run new-clause -- REF-16 "Its sentence." (areas: ${Object.keys(areas).join(', ')})`,
    );
  }
  if (clauses.some((clause) => clause.id === id)) throw new ContractError(`${id} exists already.`);
  if (!sentence.endsWith('.')) throw new ContractError('The sentence needs its full stop.');
  const before = clauses.findLast((clause) => clause.id.slice(0, 3) === id.slice(0, 3) && clause.id < id);
  if (before === undefined)
    throw new ContractError(`${id} would be the first of its area: add it to spec/requirements.yaml by hand.`);

  const spec = fileOf('tests', area.tag, '.spec.ts', before.id);
  const defects = fileOf('selftest/defects', area.tag, '.ts', before.id);
  console.log('To be written now:');
  change('spec/requirements.yaml', (text) =>
    insertAfter(
      text,
      `  - id: ${before.id}`,
      [
        `  - id: ${id}`,
        `    level: ${values.level}`,
        `    statement: ${yamlString(sentence)}`,
        `    source: ${yamlString(values.source)}`,
        ...(values.needs.length === 0 ? [] : [`    needs: [${values.needs.join(', ')}]`]),
      ].join('\n'),
    ),
  );
  change(
    spec,
    (text) => `${text}
clause('${id}', async (check) => {
  await check.session();
  throw new Error('${id} ${UNWRITTEN}');
});
`,
  );
  change(defects, (text) => {
    const end = text.lastIndexOf('];');
    return `${text.slice(0, end)}  {
    id: '${id.toLowerCase()}-defect',
    story: '${id} ${UNWRITTEN}.',
    clauses: ['${id}'],
    replace: () => ({}),
  },
${text.slice(end)}`;
  });
  const hints = readFileSync(join(ROOT, 'report/hints.yaml'), 'utf8');
  const hinted = clauses
    .slice(0, clauses.indexOf(before) + 1)
    .findLast((clause) => hints.includes(`\n  ${clause.id}:`));
  change('report/hints.yaml', (text) =>
    hinted === undefined
      ? text
      : insertAfter(text, `  ${hinted.id}:`, `  ${id}:\n    - hint: ${yamlString(`${id} ${UNWRITTEN}.`)}`),
  );
  const generated = spawnSync(process.execPath, [...process.execArgv, join(__dirname, 'generate.ts')], {
    stdio: 'inherit',
  });
  process.exitCode = generated.status ?? 1;
}

try {
  main();
} catch (error) {
  if (!(error instanceof ContractError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
