/**
 * Refresh tokens that wait, encrypted, for a later run: so a nightly job proves the seven days without anybody waiting for them.
 * Each run plants two, tries those that are due, and forgets them. The file: AES-256-GCM, key by scrypt from IGNY8_AGED_TOKENS_KEY.
 */
import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { Finding, Unverified, type Check } from '../../../fixtures/check/check.js';
import { seenStatus } from '../../../fixtures/check/expect.js';
import { askTime, lifetime, noteMethod, serverNow } from './lifetimes.js';
import { remember } from '../../../fixtures/evidence/secrets.js';
import { numericDate } from '../../../fixtures/evidence/jwt.js';

const Entry = z.strictObject({
  baseUrl: z.string(),
  refresh: z.string(),
  /** Seconds since the epoch, by the server's clock. */
  plantedAt: z.number(),
  exp: z.number(),
  /** Tried in its last day, or after its end. */
  use: z.enum(['before', 'after']),
});
export type AgedToken = z.infer<typeof Entry>;

const Sealed = z.strictObject({
  format: z.literal('igny8-aged-tokens/1'),
  salt: z.string(),
  iv: z.string(),
  tag: z.string(),
  data: z.string(),
});

/** Seconds before `exp` in which a token that must still be good is due; and after it, from when one must be refused. */
const LAST_DAY = 86_400;
const GRACE = 60;
/** A run plants again only after this many seconds: a busy day shall not fill the file. */
const PLANT_EVERY = 20 * 3600;
/** Milliseconds after which a lock was left by a run that died. */
const STALE_LOCK_MS = 10 * 60_000;

function keyOf(secret: string, salt: Buffer): Buffer {
  return scryptSync(secret, salt, 32);
}

/** @throws Unverified, in plain words, for a file that is damaged or sealed with another key */
export async function readAgedTokens(file: string, secret: string): Promise<AgedToken[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return [];
    throw new Unverified(
      `The file of aged tokens cannot be read (${(error as { code?: string }).code ?? 'error'}): see IGNY8_AGED_TOKENS.`,
    );
  }
  try {
    const sealed = Sealed.parse(JSON.parse(text));
    const bytes = (value: string): Buffer => Buffer.from(value, 'base64');
    const decipher = createDecipheriv('aes-256-gcm', keyOf(secret, bytes(sealed.salt)), bytes(sealed.iv));
    decipher.setAuthTag(bytes(sealed.tag));
    const plain = Buffer.concat([decipher.update(bytes(sealed.data)), decipher.final()]).toString('utf8');
    return z.array(Entry).parse(JSON.parse(plain));
  } catch {
    throw new Unverified(
      'The file of aged tokens is damaged, or IGNY8_AGED_TOKENS_KEY is not the key that it was sealed with: remove the file to begin anew.',
    );
  }
}

/** Replaces the file in one step, readable by its owner only. */
export async function writeAgedTokens(file: string, secret: string, tokens: readonly AgedToken[]): Promise<void> {
  const salt = randomBytes(16);
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret, salt), iv);
  const data = Buffer.concat([cipher.update(JSON.stringify(tokens), 'utf8'), cipher.final()]);
  const text = (bytes: Buffer): string => bytes.toString('base64');
  const sealed = {
    format: 'igny8-aged-tokens/1',
    salt: text(salt),
    iv: text(iv),
    tag: text(cipher.getAuthTag()),
    data: text(data),
  };
  const draft = `${file}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, JSON.stringify(sealed), { mode: 0o600 });
  await rename(draft, file);
}

/** Runs `work` while no other run touches the file. @throws Unverified if another one does */
async function locked<T>(file: string, work: () => Promise<T>): Promise<T> {
  const lock = `${file}.lock`;
  for (let attempt = 0; ; attempt += 1) {
    try {
      await (await open(lock, 'wx', 0o600)).close();
      break;
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code !== 'EEXIST')
        throw new Unverified(
          `The file of aged tokens cannot be locked (${code ?? 'error'}): does the folder of IGNY8_AGED_TOKENS exist?`,
        );
      const age =
        Date.now() -
        (await stat(lock).then(
          ({ mtimeMs }) => mtimeMs,
          () => 0,
        ));
      if (age < STALE_LOCK_MS || attempt > 0)
        throw new Unverified('Another run is using the file of aged tokens; this one left it alone.');
      await rm(lock, { force: true });
    }
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

function days(seconds: number): string {
  return `${(seconds / 86_400).toFixed(1)} days`;
}

async function plant(check: Check, use: AgedToken['use']): Promise<AgedToken> {
  const { refresh, reply } = await check.login();
  lifetime(reply, refresh);
  return {
    baseUrl: check.target.baseUrl,
    refresh,
    plantedAt: serverNow(reply),
    exp: numericDate(refresh, 'exp') ?? 0,
    use,
  };
}

/**
 * Tries the tokens that are due and plants new ones.
 * @throws Finding if one was refused within its life or accepted after it; Unverified if none was due after its end
 */
export async function agedTokens(check: Check): Promise<void> {
  const { file = '', key = '' } = check.target.agedTokens ?? {};
  await locked(file, async () => {
    const all = await readAgedTokens(file, key);
    for (const { refresh } of all) remember(refresh, 'planted refresh token');
    const others = all.filter(({ baseUrl }) => baseUrl !== check.target.baseUrl);
    let mine = all.filter(({ baseUrl }) => baseUrl === check.target.baseUrl);
    const now = await askTime(check);
    const isDue = ({ use, exp }: AgedToken): boolean =>
      use === 'after' ? now > exp + GRACE : now > exp - LAST_DAY && now < exp - GRACE;
    const due = mine.filter(isDue);
    // Missed its last day: nothing can be learned from it any more.
    mine = mine.filter((token) => !isDue(token) && !(token.use === 'before' && now >= token.exp - GRACE));
    const newest = Math.max(0, ...mine.map(({ plantedAt }) => plantedAt));
    if (now - newest > PLANT_EVERY) mine.push(await plant(check, 'before'), await plant(check, 'after'));
    await writeAgedTokens(file, key, [...others, ...mine]);

    for (const { use, refresh, plantedAt, exp } of due) {
      const reply = await check.api.refresh(refresh);
      const age = days(now - plantedAt);
      if (use === 'after' && reply.status !== 401) {
        throw new Finding(
          `a real refresh token, ${age} old and ${days(now - exp)} past its \`exp\`: expected 401, got ${seenStatus(reply)}`,
          reply.exchange,
        );
      }
      if (use === 'before' && reply.status !== 200) {
        throw new Finding(
          `a real refresh token, ${age} old and ${days(exp - now)} before its \`exp\`: expected 200, got ${seenStatus(reply)}`,
          reply.exchange,
        );
      }
      check.measure(
        `a real refresh token, ${age} old`,
        use === 'after' ? 'refused, as it must be' : 'still good, as it must be',
      );
    }
    if (due.some(({ use }) => use === 'after')) noteMethod(check, 'aged');
    else {
      const next = Math.min(...mine.filter(({ use }) => use === 'after').map(({ exp }) => exp + GRACE));
      throw new Unverified(
        `A refresh token is planted; run again with the same file after ` +
          `${new Date(next * 1000).toISOString().slice(0, 16)}Z (the target's clock).`,
      );
    }
  });
}
