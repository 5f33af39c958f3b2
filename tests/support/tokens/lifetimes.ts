/** Lifetimes, judged by the server's own clock: its `Date` at the moment of the response, never ours alone. */
import { Blocked, Unverified, type Check, type Session } from '../../../fixtures/check/check.js';
import { seenStatus } from '../../../fixtures/check/expect.js';
import type { Exchange } from '../../../fixtures/evidence/outcome.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { decode, numericDate } from '../../../fixtures/evidence/jwt.js';

/** Seconds: `Date` and `exp` are whole seconds, and written at two moments. The round trip comes on top. */
export const TOLERANCE_SECONDS = 5;

/** Seconds past `exp` that a server may still accept a token (EXP-07). */
export const LARGEST_GRACE = 60;

/** Seconds, the most that a tolerance for this response may be. */
export function tolerance(reply: Reply): number {
  return TOLERANCE_SECONDS + reply.ms / 1000;
}

/** The server's clock at a response, in seconds since the epoch. */
export function serverNow(reply: Reply): number {
  const date = reply.serverDateMs;
  if (date === undefined)
    throw new Unverified('The response has no `Date`, so there is no clock to judge a lifetime by.');
  return date / 1000;
}

/** Seconds from the response's `Date` to the token's `exp`. Depends on TOK-01 and TOK-05. */
export function lifetime(reply: Reply, token: string): number {
  if (decode(token) === undefined) throw new Blocked('TOK-01', 'the token is not a compact JWS');
  const exp = numericDate(token, 'exp');
  if (exp === undefined || exp > 1e11) throw new Blocked('TOK-05', '`exp` is not a NumericDate');
  return exp - serverNow(reply);
}

/** The login whose lifetimes EXP-01 and EXP-02 judge. */
export async function firstSession(check: Check): Promise<Session> {
  const { account, reply } = await check.answered('LOG-01', 'login', check.firstLogin);
  return check.sessionOf(reply, account);
}

/** Says so where the configured lifetime was judged and not the documented one. */
export function noteConfigured(check: Check): void {
  if (check.target.shortTtl) {
    check.measure(
      'judged against',
      'the lifetimes that the target was started with; the documented 15 minutes and 7 days were not seen',
    );
  }
}

const METHODS = {
  secret: 'tokens signed with the key',
  'short-ttl': 'real tokens with short lifetimes',
  wait: 'waiting for real expiry',
  aged: 'tokens planted by an earlier run',
} as const;

/** Says by which method a verdict was reached. */
export function noteMethod(check: Check, method: keyof typeof METHODS): void {
  check.measure('method', METHODS[method], `by-${method}`);
}

/** Seconds since the epoch by the server's clock, now. */
export async function askTime(check: Check): Promise<number> {
  return serverNow(await check.api.listKeywords());
}

/**
 * Waits until the server's clock has reached a moment, asking it again as that comes near.
 * @param until seconds since the epoch, by the server's clock
 * @param what shown on the console while it waits
 */
export async function waitForServer(check: Check, until: number, what: string): Promise<void> {
  for (;;) {
    const left = until - (await askTime(check));
    if (left <= 0) return;
    await check.run.waiting(`${what} (${check.id})`, left * 1000);
    // `Date` is cut to whole seconds: half a second short of it, ask again.
    const nap = Math.min(Math.max(left * 1000 - 500, 300), 60_000);
    await check.sleep(nap);
  }
}

/** One use of a token near its end, as other workers may know of it too. */
interface Use {
  readonly status: number;
  /** The response, in words. */
  readonly seen: string;
  readonly exchange: Exchange;
  /** From or to `exp`, by the server's clock. */
  readonly seconds: string;
}

function useOf(reply: Reply, exp: number): Use {
  const seconds = Math.abs(serverNow(reply) - exp).toFixed(0);
  return { status: reply.status, seen: seenStatus(reply), exchange: reply.exchange, seconds };
}

/** Seconds past `exp` at which a token is tried: often at first, and last when no grace is left. */
const TRIED_AFTER = [1, 3, 10, 20, 40, LARGEST_GRACE + 1];

/**
 * A real access token set aside, used just before its end, and after it until it is refused. Once per run: whoever asks waits for the
 * same token, so that a run is as long as one wait.
 */
export async function realEnd(check: Check): Promise<{ readonly before: Use; readonly after: Use }> {
  const { shortTtl, accessTtlSeconds } = check.target;
  noteMethod(check, shortTtl ? 'short-ttl' : 'wait');
  const make = async (): Promise<{ before: Use; after: Use }> => {
    const { access, reply } = await check.login();
    lifetime(reply, access);
    const exp = numericDate(access, 'exp') ?? 0;
    await waitForServer(check, exp - (shortTtl ? 2 : 20), 'the last seconds of an access token');
    const before = useOf(await check.askProtected(access), exp);
    let after = before;
    for (const past of TRIED_AFTER) {
      await waitForServer(check, exp + past, 'the end of an access token');
      after = useOf(await check.askProtected(access), exp);
      if (after.status !== 200) break;
    }
    return { before, after };
  };
  return check.once('real end', make, (accessTtlSeconds + 5 * LARGEST_GRACE) * 1000);
}

/** What a clause about expiry can use, by what the run was given. */
type Ways = Partial<Record<'secret' | 'short-ttl' | 'wait' | 'aged', () => Promise<void>>>;

/**
 * Takes each way that the run was given; one is enough.
 * @throws Unverified if none of them could be gone, with all that stood in the way
 */
export async function byAnyWay(check: Check, ways: Ways): Promise<void> {
  const obstacles: string[] = [];
  let gone = 0;
  for (const [need, way] of Object.entries(ways)) {
    if (!check.target.capabilities.some((one) => one === need)) continue;
    try {
      await way();
      gone += 1;
    } catch (error) {
      if (!(error instanceof Unverified)) throw error;
      obstacles.push(error.message);
    }
  }
  if (gone === 0) throw new Unverified(obstacles.join(' '));
  for (const obstacle of obstacles) check.measure('another method could not be used', obstacle);
}
