/** Part of `npm run lint`: the workflows, by the service that GitHub's own editor extension asks. Nothing is fetched. */
import { readdirSync, readFileSync } from 'node:fs';
import { validate } from '@actions/languageservice';
import { TextDocument } from 'vscode-languageserver-textdocument';

const folder = new URL('../../.github/workflows/', import.meta.url);
for (const name of readdirSync(folder)) {
  const file = new URL(name, folder);
  const found = await validate(TextDocument.create(file.href, 'yaml', 1, readFileSync(file, 'utf8')));
  for (const { message, range } of found) {
    const words = typeof message === 'string' ? message : message.value;
    console.error(`.github/workflows/${name}:${String(range.start.line + 1)}: ${words}`);
    process.exitCode = 1;
  }
}
