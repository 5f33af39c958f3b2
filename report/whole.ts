/** Files that nobody reads half of. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes a file in one step. @throws Error of the file system */
export function writeWhole(folder: string, name: string, content: string): void {
  mkdirSync(folder, { recursive: true });
  const draft = join(folder, `.${name}.${String(process.pid)}`);
  writeFileSync(draft, content);
  renameSync(draft, join(folder, name));
}
