/** Expiry four ways: by the key, by short lifetimes, by waiting, and by coming back days later. Each verdict names the methods used. */
import { agedTokens } from './support/aged-tokens.js';
import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Finding, Unverified, type Chain, type Check } from '../fixtures/check/check.js';
import { named } from '../fixtures/check/judging.js';
import {
  askTime,
  byAnyWay,
  firstSession,
  LARGEST_GRACE,
  lifetime,
  noteConfigured,
  noteMethod,
  realEnd,
  serverNow,
  tolerance,
  waitForServer,
} from './support/lifetimes.js';
import type { Reply } from '../fixtures/evidence/reply.js';
import { keyIfProven, provenKey, readToken, rotatesResigned } from './support/signing-key.js';
import { decode, numericDate, resign } from '../fixtures/evidence/jwt.js';
import { expectUnauthenticated, notOpenToEverybody } from './support/unauthenticated.js';

/** Seconds past `exp` at which nobody's clock can be the excuse. */
const LONG_PAST = 600;

function judgeLifetime(reply: Reply, token: string, expected: number): void {
  const seen = lifetime(reply, token);
  const allowed = tolerance(reply);
  expect(reply, "`exp`, from the answer's Date").toSatisfy(
    Math.abs(seen - expected) <= allowed,
    `${String(expected)} s ahead, ± ${allowed.toFixed(1)} s`,
    `${String(seen)} s ahead`,
  );
}

clause('EXP-01', async (check) => {
  const { reply, access } = await firstSession(check);
  noteConfigured(check);
  check.measure('access token from login', `${String(lifetime(reply, access))} s`, 'access-life-from-login');
  judgeLifetime(reply, access, check.target.accessTtlSeconds);
});

clause('EXP-02', async (check) => {
  const { reply, refresh } = await firstSession(check);
  noteConfigured(check);
  check.measure('refresh token from login', `${String(lifetime(reply, refresh))} s`, 'refresh-life-from-login');
  judgeLifetime(reply, refresh, check.target.refreshTtlSeconds);
});

clause('EXP-03', async (check) => {
  const { reply, access, refresh } = await firstSession(check);
  if (decode(access) === undefined) throw new Blocked('TOK-01', 'the access token is no compact JWS');
  if (numericDate(access, 'iat') === undefined && numericDate(refresh, 'iat') === undefined) {
    throw new Unverified('There is no `iat` in the tokens, so nothing is to be held against the clock.');
  }
  const faults = Object.entries({ access, refresh }).flatMap(([kind, token]) => {
    const iat = numericDate(token, 'iat');
    if (iat === undefined) return [];
    const ahead = iat - serverNow(reply);
    return Math.abs(ahead) <= tolerance(reply)
      ? []
      : [`${kind}: ${String(Math.abs(ahead))} s ${ahead > 0 ? 'ahead' : 'behind'}`];
  });
  expect(reply, '`iat`').toSatisfy(
    faults.length === 0,
    `in step with the answer's Date, ± ${tolerance(reply).toFixed(1)} s`,
    faults.join('; '),
  );
});

/** A live access token, and the target's key, proved on it. */
async function byKey(check: Check): Promise<{ access: string; key: string; now: number }> {
  const { access } = await check.session();
  const reply = await check.expectAuthorized(access);
  const key = await provenKey(check, access);
  noteMethod(check, 'secret');
  return { access, key, now: serverNow(reply) };
}

function withExp(token: string, key: string, exp: unknown): string {
  return resign(token, key, { claims: { exp } });
}

clause('EXP-04', (check) =>
  byAnyWay(check, {
    secret: async () => {
      const { access, key, now } = await byKey(check);
      const reply = await check.askProtected(withExp(access, key, Math.floor(now) - LONG_PAST));
      await expectUnauthenticated(check, reply, 'an access token ten minutes past its `exp`');
      await expectUnauthenticated(
        check,
        await check.askProtected(withExp(access, key, 0)),
        'an access token whose `exp` is 0',
      );
      await check.expectAuthorized(access);
    },
    'short-ttl': () => endsInTime(check),
    wait: () => endsInTime(check),
  }),
);

async function endsInTime(check: Check): Promise<void> {
  const { after } = await realEnd(check);
  if (after.status === 401) {
    check.measure('a real access token was refused', `${after.seconds} s past its \`exp\`, or before`);
    return;
  }
  await notOpenToEverybody(check, after.status);
  throw new Finding(
    `a real access token ${after.seconds} s past its \`exp\`: expected 401, got ${after.seen}`,
    after.exchange,
  );
}

clause('EXP-05', (check) =>
  byAnyWay(check, {
    secret: async () => {
      const { access, key, now } = await byKey(check);
      const reply = await check.askProtected(withExp(access, key, Math.floor(now) + 20));
      expect(reply, 'an access token 20 s before its `exp`').toHaveStatus(200);
    },
    'short-ttl': () => goodToItsEnd(check),
    wait: () => goodToItsEnd(check),
  }),
);

async function goodToItsEnd(check: Check): Promise<void> {
  const { before } = await realEnd(check);
  if (before.status !== 200) {
    throw new Finding(
      `a real access token ${before.seconds} s before its \`exp\`: expected 200, got ${before.seen}`,
      before.exchange,
    );
  }
  check.measure('a real access token was accepted', `${before.seconds} s before its \`exp\``);
}

clause('EXP-06', (check) =>
  byAnyWay(check, {
    secret: async () => {
      const { key, now } = await byKey(check);
      const mine = await check.chain();
      await mine.rotate();
      await rotatesResigned(check, mine, key);
      const reply = await check.api.refresh(withExp(mine.refresh, key, Math.floor(now) - LONG_PAST));
      if (reply.status !== 401) mine.invalidate();
      expect(reply, 'a refresh token ten minutes past its `exp`').toHaveStatus(401);
      // Still good: it was the `exp`, not the chain, that was refused.
      await mine.rotate();
    },
    'short-ttl': async () => {
      noteMethod(check, 'short-ttl');
      // Two of one age: a look at the first spends it, and a server may have some grace.
      const [first, second] = [await check.login(), await check.login()];
      lifetime(first.reply, first.refresh);
      const exp = Math.max(numericDate(first.refresh, 'exp') ?? 0, numericDate(second.refresh, 'exp') ?? 0);
      await waitForServer(check, exp + 2, 'the end of a refresh token');
      if ((await check.api.refresh(first.refresh)).status === 401) return;
      await waitForServer(check, exp + LARGEST_GRACE + 1, 'the end of any grace of a refresh token');
      expect(await check.api.refresh(second.refresh), 'a refresh token a minute past its `exp`').toHaveStatus(401);
    },
    aged: () => agedTokens(check),
  }),
);

/** The longest time past its `exp`, in whole seconds, at which a token is still accepted. */
async function graceOf(accepts: (past: number) => Promise<boolean>): Promise<number> {
  if (!(await accepts(1))) return 0;
  let good = 1;
  let refused = LONG_PAST;
  while (refused - good > 1) {
    const middle = Math.floor((good + refused) / 2);
    if (await accepts(middle)) good = middle;
    else refused = middle;
  }
  return good;
}

clause('EXP-07', async (check) => {
  const { access, key } = await byKey(check);
  let last: Reply | undefined;
  const opens = async (past: number): Promise<boolean> => {
    const now = await askTime(check);
    last = await check.askProtected(withExp(access, key, Math.floor(now) - past));
    return last.status === 200;
  };
  if (await opens(LONG_PAST)) throw new Blocked('EXP-04', 'a token ten minutes past its `exp` is still accepted');
  const grace = await graceOf(opens);
  check.measure('grace after exp', `${String(grace)} s, ± 1 s, by bisection`, 'access-grace');
  judgeGrace(last, grace, 'an access token');

  const mine = await check.chain();
  await mine.rotate();
  await rotatesResigned(check, mine, key);
  const rotates = async (past: number): Promise<boolean> => {
    const now = await askTime(check);
    last = await check.api.refresh(withExp(mine.refresh, key, Math.floor(now) - past));
    if (last.status === 200) mine.advance(last);
    return last.status === 200;
  };
  if (await rotates(LONG_PAST)) throw new Blocked('EXP-06', 'a refresh token ten minutes past its `exp` is accepted');
  const ofRefresh = await graceOf(rotates);
  check.measure('grace after exp of a refresh token', `${String(ofRefresh)} s, ± 1 s, by bisection`, 'refresh-grace');
  judgeGrace(last, ofRefresh, 'a refresh token');
});

function judgeGrace(last: Reply | undefined, seconds: number, what: string): void {
  if (last === undefined) return;
  expect(last, `the grace after \`exp\` of ${what}`).toSatisfy(
    seconds <= LARGEST_GRACE + 1,
    `at most ${String(LARGEST_GRACE)} s`,
    `${String(seconds)} s`,
  );
}

/** Seconds by which a refresh token must be older than the one it is exchanged for, so that a copied \`exp\` shows. */
const SHOWS_AFTER = 15;

/** Presents a refresh token that by the key has lived for a while; undefined if the target takes no such token. */
async function presentedOld(
  check: Check,
  mine: Chain,
  key: string,
): Promise<{ reply: Reply; spent: string } | undefined> {
  const { refreshTtlSeconds, accessTtlSeconds, owner } = check.target;
  await mine.rotate();
  const { exp, iat } = readToken(mine.refresh).claims;
  const gone = Math.floor(Math.min(refreshTtlSeconds, accessTtlSeconds) / 2);
  const claims = {
    ...(typeof exp === 'number' ? { exp: exp - gone } : {}),
    // No token is older than its account: one that this run made is too young.
    ...(typeof iat === 'number' && owner !== undefined ? { iat: iat - gone } : {}),
  };
  const spent = resign(mine.refresh, key, { claims });
  const reply = await check.api.refresh(spent);
  if (reply.status === 200) mine.advance(reply);
  else mine.invalidate();
  return reply.status === 200 ? { reply, spent } : undefined;
}

/** Lets a refresh token grow old enough for a copied `exp` to show. */
async function growOld(check: Check, refresh: string): Promise<void> {
  const { shortTtl, refreshTtlSeconds } = check.target;
  const exp = numericDate(refresh, 'exp');
  if (shortTtl || exp === undefined) return;
  const age = (await askTime(check)) - (exp - refreshTtlSeconds);
  if (age >= 0 && age < SHOWS_AFTER) await check.sleep((SHOWS_AFTER - age) * 1000);
}

interface Successor {
  readonly reply: Reply;
  readonly access: string;
  readonly refresh: string;
  /** The refresh token that was presented. */
  readonly spent: string;
}

/**
 * A pair got for a refresh token that has not its whole life before it any more: one that was made a moment ago would hide a successor
 * that takes over its `exp`.
 */
function successorOfAnOldOne(check: Check): Promise<Successor> {
  return check.memo('successor of an old one', async () => {
    let mine = await check.chain();
    const key = await keyIfProven(check, mine.access);
    const old = key === undefined ? undefined : await presentedOld(check, mine, key);
    let { reply, spent } = old ?? { reply: undefined, spent: '' };
    if (reply === undefined) {
      if (key !== undefined) mine = await check.chain();
      await growOld(check, mine.refresh);
      spent = mine.refresh;
      reply = await mine.rotate();
    }
    return { reply, spent, access: mine.access, refresh: mine.refresh };
  });
}

async function judgeSuccessor(check: Check, kind: 'access' | 'refresh'): Promise<void> {
  const first = await firstSession(check);
  const successor = await successorOfAnOldOne(check);
  const { reply } = successor;
  if (successor.refresh === successor.spent) throw new Blocked('REF-04', 'refresh gives the same refresh token back');
  noteConfigured(check);
  const expected = kind === 'access' ? check.target.accessTtlSeconds : check.target.refreshTtlSeconds;
  const atLogin = lifetime(first.reply, first[kind]);
  const seen = lifetime(reply, successor[kind]);
  check.measure(`${kind} token from refresh`, `${String(seen)} s`, `${kind}-life-from-refresh`);
  // The same wrong lifetime at both is one fault, and that of the login's clause.
  const off = Math.abs(seen - expected) > tolerance(reply);
  if (
    off &&
    Math.abs(atLogin - expected) > tolerance(first.reply) &&
    Math.abs(seen - atLogin) <= 2 * tolerance(reply)
  ) {
    throw new Blocked(
      kind === 'access' ? 'EXP-01' : 'EXP-02',
      `it lives ${String(seen)} s, as the one from login does`,
    );
  }
  judgeLifetime(reply, successor[kind], expected);
}

clause('EXP-08', (check) => judgeSuccessor(check, 'access'));

clause('EXP-09', (check) => judgeSuccessor(check, 'refresh'));

clause('EXP-10', async (check) => {
  const { access, key, now } = await byKey(check);
  const ahead = { nbf: Math.floor(now) + LONG_PAST };
  expect(
    await check.askProtected(resign(access, key, { claims: ahead })),
    'an access token whose `nbf` is ten minutes ahead',
  ).toBeRefused();
  const mine = await check.chain();
  await mine.rotate();
  await rotatesResigned(check, mine, key);
  const reply = await check.api.refresh(resign(mine.refresh, key, { claims: ahead }));
  if (reply.status < 400) mine.invalidate();
  expect(reply, 'a refresh token whose `nbf` is ten minutes ahead').toBeRefused();
  await mine.rotate();
});

clause('EXP-11', async (check) => {
  const { access, key } = await byKey(check);
  const rows: { name: string; exp: unknown }[] = [
    { name: 'no `exp`', exp: undefined },
    { name: '`exp` null', exp: null },
    { name: 'a word for `exp`', exp: 'tomorrow' },
  ];
  await check.eachRow(
    named(rows, ({ name }) => `an access token with ${name}`),
    async ({ value: { exp } }) => {
      expect(await check.askProtected(withExp(access, key, exp))).toBeRefused();
    },
  );
  await check.expectAuthorized(access);
  const mine = await check.chain();
  await mine.rotate();
  await rotatesResigned(check, mine, key);
  for (const { name, exp } of rows) {
    const reply = await check.api.refresh(withExp(mine.refresh, key, exp));
    if (reply.status < 400) mine.invalidate();
    expect(reply, `a refresh token with ${name}`).toBeRefused();
  }
  await mine.rotate();
});
