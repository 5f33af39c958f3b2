/** What a refresh token that has lived for a while is exchanged for (EXP-08, EXP-09). */
import { Blocked, type Chain, type Check } from '../../../fixtures/check/check.js';
import { seenStatus } from '../../../fixtures/check/expect.js';
import { numericDate, resign } from '../../../fixtures/evidence/jwt.js';
import { portable, replyOf } from '../../../fixtures/check/portable.js';
import type { TokenKind } from '../../../fixtures/evidence/reading.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { askTime, serverNow, waitForServer } from '../tokens/lifetimes.js';
import { LAST_REFRESH, tokensOfEveryOrigin } from '../tokens/origins.js';
import { keyIfProven, readToken } from '../tokens/signing-key.js';

/** Seconds by which a refresh token must be older than the one it is exchanged for, so that a copied `exp` shows. */
const SHOWS_AFTER = 15;

/** Seconds that are left of an old refresh token: fewer than an access token lives, which some servers end together with it. */
const LEFT_OF_OLD = 300;

/** Presents a refresh token that by the key has lived for a while; undefined if the target takes no such token. */
async function presentedOld(
  check: Check,
  mine: Chain,
  key: string,
): Promise<Pick<Successor, 'reply' | 'spent' | 'accessBefore'> | undefined> {
  const { refreshTtlSeconds, accessTtlSeconds, owner } = check.target;
  await mine.rotate();
  const { exp, iat } = readToken(mine.refresh).claims;
  const gone = Math.floor(Math.min(refreshTtlSeconds, accessTtlSeconds) / 2);
  const claims = {
    ...(typeof exp === 'number' ? { exp: exp - Math.max(gone, refreshTtlSeconds - LEFT_OF_OLD) } : {}),
    // No token is older than its account: one that this run made is too young.
    ...(typeof iat === 'number' && owner !== undefined ? { iat: iat - gone } : {}),
  };
  const spent = resign(mine.refresh, key, { claims });
  const accessBefore = mine.access;
  const reply = await check.api.refresh(spent);
  if (reply.status === 200) mine.advance(reply);
  else mine.invalidate();
  return reply.status === 200 ? { reply, spent, accessBefore } : undefined;
}

/** Lets a refresh token grow old enough for a copied `exp` to show. */
async function growOld(check: Check, refresh: string): Promise<void> {
  const { shortTtl, refreshTtlSeconds } = check.target;
  const exp = numericDate(refresh, 'exp');
  if (shortTtl || exp === undefined) return;
  const age = (await askTime(check)) - (exp - refreshTtlSeconds);
  if (age >= 0 && age < SHOWS_AFTER) await check.sleep((SHOWS_AFTER - age) * 1000);
}

/** Seconds after which a login is old enough for an end that its tokens share to show; more than the tolerance of a lifetime. */
const OLD_ENOUGH = 7;

/**
 * What a refresh token of a login of some seconds ago is exchanged for, whose chain others made: a server may remember when its tokens
 * end, or when they began, whatever the token says. Asked once in a run, for both kinds.
 */
export async function successorOfAnOldLogin(
  check: Check,
  kind: TokenKind,
): Promise<{ readonly reply: Reply; readonly token: string; readonly before: string | undefined }> {
  const row = (await tokensOfEveryOrigin(check, ['refresh'])).find(({ name }) => name.endsWith(LAST_REFRESH));
  const last = row?.issued();
  const login = last?.login;
  if (last === undefined || login === undefined)
    throw new Blocked('REF-01', 'refreshes in a row gave no refresh token');
  const kept = await check.once('successor of an old login', async () => {
    await waitForServer(check, serverNow(login) + OLD_ENOUGH, 'a login to grow old');
    return portable(await check.answered('REF-01', 'refresh', () => check.api.refresh(last.token)));
  });
  const reply = replyOf(kept);
  const token = reply.token(kind);
  if (reply.status !== 200 || token === undefined)
    throw new Blocked('REF-01', `refresh returned no ${kind} token: ${seenStatus(reply)}`, reply.exchange);
  if (token === last.token)
    throw new Blocked('REF-04', 'refresh returns the refresh token that was presented', reply.exchange);
  return { reply, token, before: last.reply.token(kind) };
}

export interface Successor {
  readonly reply: Reply;
  readonly access: string;
  readonly refresh: string;
  /** The refresh token that was presented. */
  readonly spent: string;
  /** The access token that the last response of its chain had returned. */
  readonly accessBefore: string;
}

/**
 * A pair got for a refresh token that has not its whole life before it any more: one that was made a moment ago would hide a successor
 * that takes over its `exp`.
 */
export function successorOfAnOldOne(check: Check): Promise<Successor> {
  return check.memo('successor of an old one', async () => {
    let mine = await check.chain();
    const key = await keyIfProven(check, mine.access);
    const old = key === undefined ? undefined : await presentedOld(check, mine, key);
    const ofAnother = async (): Promise<Pick<Successor, 'reply' | 'spent' | 'accessBefore'>> => {
      if (key !== undefined) mine = await check.chain();
      await growOld(check, mine.refresh);
      const { refresh: spent, access: accessBefore } = mine;
      return { reply: await mine.rotate(), spent, accessBefore };
    };
    const exchanged = old ?? (await ofAnother());
    return { ...exchanged, access: mine.access, refresh: mine.refresh };
  });
}
