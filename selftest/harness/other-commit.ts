/** Another commit of this repository, ready to run in a folder of its own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './command-line.js';

export interface OtherCommit {
  readonly root: string;
  remove(): void;
}

/**
 * Checks a commit out beside this one, and installs what its lock file names; what is installed here serves if both name the same.
 * @throws Error in one sentence, if there is no such commit, or its packages cannot be installed
 */
export function checkOut(commit: string): OtherCommit {
  const root = join(mkdtempSync(join(tmpdir(), 'commit-')), 'suite');
  const added = spawnSync('git', ['worktree', 'add', '--detach', root, commit], { cwd: ROOT, encoding: 'utf8' });
  if (added.status !== 0)
    throw new Error(`There is no commit ${commit} here to compare with: fetch it, or name another one.`);
  const remove = (): void => {
    execFileSync('git', ['worktree', 'remove', '--force', root], { cwd: ROOT });
  };
  const lock = (folder: string): string => readFileSync(join(folder, 'package-lock.json'), 'utf8');
  if (lock(root) === lock(ROOT)) symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  else {
    // By a shell, because npm is a script on Windows.
    const installed = spawnSync('npm ci --no-audit --no-fund --prefer-offline', { cwd: root, shell: true });
    if (installed.status !== 0) {
      remove();
      throw new Error(`The packages of ${commit} cannot be installed, so it cannot be compared with.`);
    }
  }
  return { root, remove };
}
