/** The proof that nothing secret was written: every artefact searched for every secret of the run, in the spellings that files give it. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';

/** Characters of a secret that are compared first: shorter secrets are searched whole. */
const SEED = 12;

export interface Find {
  /** The file, which was removed. */
  readonly file: string;
  readonly what: string;
}

function spellings(secret: string): Set<string> {
  const found = new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]);
  for (const shift of [0, 1, 2]) {
    const encoded = Buffer.from(' '.repeat(shift) + secret).toString('base64');
    // The ends depend on what stands beside the secret.
    const inner = encoded.slice(shift === 0 ? 0 : 4, encoded.length - 4);
    if (inner.length >= SEED) found.add(inner).add(inner.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return found;
}

/** Looks for many texts at once: by the first characters of each, then the whole. */
export class Searcher {
  private readonly bySeed = new Map<string, string[]>();
  private readonly short: string[] = [];

  constructor(secrets: readonly string[]) {
    for (const secret of new Set(secrets)) {
      for (const spelling of spellings(secret)) {
        if (spelling.length < SEED) this.short.push(spelling);
        else {
          const seed = spelling.slice(0, SEED);
          this.bySeed.set(seed, [...(this.bySeed.get(seed) ?? []), spelling]);
        }
      }
    }
  }

  /** True if one of the secrets is in the text. */
  finds(text: string): boolean {
    if (this.short.some((secret) => secret.length >= 6 && text.includes(secret))) return true;
    if (this.bySeed.size === 0) return false;
    for (let i = 0; i + SEED <= text.length; i += 1) {
      const candidates = this.bySeed.get(text.slice(i, i + SEED));
      if (candidates?.some((candidate) => text.startsWith(candidate, i)) === true) return true;
    }
    return false;
  }
}

/** A signed token, whoever made it: three parts, the last as long as an HMAC's. */
const SIGNED_TOKEN = /eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{40,}/;

const LARGEST_MEMBER_BYTES = 64e6;

/** The texts in a file: itself, the members of archives, and archives embedded in HTML. */
function* texts(content: Buffer, depth = 0): Generator<string> {
  if (content.subarray(0, 2).toString('latin1') === 'PK' && depth < 4) {
    const members = unzipSync(content, { filter: ({ originalSize }) => originalSize < LARGEST_MEMBER_BYTES });
    for (const member of Object.values(members)) yield* texts(Buffer.from(member), depth + 1);
    return;
  }
  const text = content.toString('utf8');
  yield text;
  for (const [, archive] of text.matchAll(/data:application\/zip;base64,([A-Za-z0-9+/=]+)/g)) {
    yield* texts(Buffer.from(archive ?? '', 'base64'), depth + 1);
  }
  // Playwright's JSON keeps attachments in base64.
  if (depth < 3) {
    for (const [, body] of text.matchAll(/"body":\s*"([A-Za-z0-9+/=]{40,})"/g))
      yield Buffer.from(body ?? '', 'base64').toString('utf8');
  }
}

function* files(folder: string): Generator<string> {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return;
  }
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else yield path;
  }
}

/** True if a file's content has one of the secrets, or anything shaped like a signed token, in it. */
export function holdsSecret(content: Buffer, searcher: Searcher): string | undefined {
  try {
    for (const text of texts(content)) {
      if (searcher.finds(text)) return 'a secret of this run';
      if (SIGNED_TOKEN.test(text)) return 'something shaped like a signed token';
    }
  } catch {
    return 'an archive that cannot be read';
  }
  return undefined;
}

/** Searches all files in the folders. A file with a find is removed. */
export function scanArtefacts(folders: readonly string[], secrets: readonly string[]): Find[] {
  const searcher = new Searcher(secrets.filter((secret) => secret.length >= 6));
  const finds: Find[] = [];
  for (const file of new Set(folders.flatMap((folder) => [...files(folder)]))) {
    const what = holdsSecret(readFileSync(file), searcher);
    if (what === undefined) continue;
    rmSync(file, { force: true });
    finds.push({ file, what });
  }
  return finds;
}
