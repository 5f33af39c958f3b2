/** The proof that nothing secret was written: every artefact searched for every secret of the run, in the spellings that files give it. */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import type { FullConfig } from '@playwright/test/reporter';
import { unzipSync } from 'fflate';
import { secretsOfEnvironment } from '../fixtures/evidence/given-secrets.js';
import { inBase64, OWN_PASSWORD_PREFIX } from '../fixtures/evidence/secrets.js';
import { Searcher } from '../fixtures/evidence/searcher.js';
import { CLAUSES } from '../spec/generated/clauses.js';

export interface Find {
  /** The file, which was removed. */
  readonly file: string;
  readonly what: string;
}

/** Bytes of a file, or of an entry of an archive, beyond which it is not searched, and so not kept either. */
const LARGEST = 128e6;
const DEEPEST_ARCHIVE = 4;

/** Long enough for a signed token. A run at a time, so that no text keeps the search busy for longer than another. */
const TOKEN_RUN = /[\w.-]{60,}/g;
const OWN_PASSWORD = new RegExp(`${OWN_PASSWORD_PREFIX}[\\w-]{8,}`);

class Unsearchable extends Error {}

/** The bytes in a file: its own, those of the entries of archives, and of archives embedded in HTML. */
function* contents(bytes: Buffer, depth = 0): Generator<Buffer> {
  if (bytes.subarray(0, 4).toString('latin1') === 'PK\u0003\u0004') {
    if (depth === DEEPEST_ARCHIVE) throw new Unsearchable('archives within archives');
    const members = unzipSync(bytes, {
      filter: ({ originalSize }) => {
        if (originalSize > LARGEST) throw new Unsearchable('an archive with a very large entry');
        return true;
      },
    });
    for (const member of Object.values(members))
      yield* contents(Buffer.from(member.buffer, member.byteOffset, member.length), depth + 1);
    return;
  }
  yield bytes;
  for (let at = 0; ;) {
    at = bytes.indexOf('data:application/zip;base64,', at);
    if (at < 0) return;
    const from = at + 28;
    const ends = [bytes.indexOf('<', from), bytes.indexOf('"', from), bytes.length].filter((end) => end >= 0);
    at = Math.min(...ends);
    yield* contents(Buffer.from(bytes.subarray(from, at).toString('latin1'), 'base64'), depth + 1);
  }
}

/** Whether a signed token is in a text, whoever made it: three parts, the last as long as an HMAC's. */
function holdsSignedToken(text: string): boolean {
  if (!text.includes('.eyJ')) return false;
  for (const [run] of text.matchAll(TOKEN_RUN)) {
    const parts = run.split('.');
    const signed = parts.some(
      (part, i) =>
        /eyJ[\w-]{10}/.test(part) && /^eyJ[\w-]{10}/.test(parts[i + 1] ?? '') && (parts[i + 2]?.length ?? 0) >= 40,
    );
    if (signed) return true;
  }
  return false;
}

/** What of a file's content may not be in it; undefined if it is clean. */
export function secretIn(content: Buffer, searcher: Searcher): string | undefined {
  try {
    for (const bytes of contents(content)) {
      const text = bytes.toString('latin1');
      if (searcher.finds(bytes) || inBase64(text, (decoded) => searcher.finds(decoded))) return 'a secret of this run';
      if (holdsSignedToken(text)) return 'something shaped like a signed token';
      if (OWN_PASSWORD.test(text)) return 'a password that the suite made';
    }
  } catch (error) {
    return error instanceof Unsearchable
      ? `what cannot be searched (${error.message})`
      : 'an archive that cannot be read';
  }
  return undefined;
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true, recursive: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch {
    return [];
  }
}

/**
 * Searches all files in the folders. A file with a find is removed: whoever needs it runs again, once the leak is mended.
 * @param secrets of this run; those that the environment names are added
 */
export async function scanArtefacts(folders: readonly string[], secrets: readonly string[]): Promise<Find[]> {
  // A target may call a public text its token; what the catalogue itself says can be no secret.
  const ours = JSON.stringify(CLAUSES);
  const named = secretsOfEnvironment(process.env);
  const searcher = new Searcher();
  for (const secret of new Set([...secrets, ...named])) if (!ours.includes(secret)) searcher.add(secret);
  const finds: Find[] = [];
  for (const file of new Set((await Promise.all(folders.map(filesIn))).flat())) {
    const large = (await stat(file)).size > LARGEST;
    const what = large ? 'more than can be searched' : secretIn(await readFile(file), searcher);
    if (what === undefined) continue;
    await rm(file, { force: true });
    finds.push({ file, what });
  }
  return finds;
}

/** Where a run leaves something: our own folder, and those of Playwright's reporters and tests. */
export function artefactFolders(config: FullConfig | undefined, out: string): string[] {
  const base = config?.configFile === undefined ? process.cwd() : resolve(config.configFile, '..');
  const folders = [out, 'playwright-report', 'blob-report', 'test-results'];
  for (const [, options] of config?.reporter ?? []) {
    const { outputFolder, outputDir, outputFile } = (options ?? {}) as Record<string, string | undefined>;
    if (outputFile !== undefined) folders.push(resolve(base, outputFile, '..'));
    folders.push(...[outputFolder, outputDir].filter((folder) => folder !== undefined));
  }
  for (const name of ['PLAYWRIGHT_HTML_OUTPUT_DIR', 'PLAYWRIGHT_BLOB_OUTPUT_DIR'])
    folders.push(process.env[name] ?? out);
  folders.push(...(config?.projects.map(({ outputDir }) => outputDir) ?? []));
  return [...new Set(folders.map((folder) => (isAbsolute(folder) ? folder : resolve(base, folder))))];
}
