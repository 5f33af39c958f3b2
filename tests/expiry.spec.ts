/** Expiry four ways: by the key, by short lifetimes, by waiting, and by coming back days later. Each verdict says which it rests on. */
import { agedTokens } from '../fixtures/aged-tokens.js';
import { clause, expect } from '../fixtures/clause.js';
import { Blocked, Unverified, type Check } from '../fixtures/check.js';
import {
  askTime,
  firstLogin,
  lifetime,
  noteConfigured,
  provenKey,
  restsOn,
  serverNow,
  tolerance,
  waitForServer,
} from '../fixtures/expiry.js';
import type { Reply } from '../fixtures/reply.js';
import { decode, numericDate, resign } from '../fixtures/tokens.js';
import { expectUnauthenticated } from '../fixtures/unauthenticated.js';

/** Seconds past `exp` at which nobody's clock can be the excuse, and the grace that a server may have. */
const LONG_PAST = 600;
const LARGEST_GRACE = 60;

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
  const { reply, access } = await firstLogin(check);
  noteConfigured(check);
  check.measure('access token from login', `${String(lifetime(reply, access))} s`);
  judgeLifetime(reply, access, check.target.accessTtlSeconds);
});

clause('EXP-02', async (check) => {
  const { reply, refresh } = await firstLogin(check);
  noteConfigured(check);
  check.measure('refresh token from login', `${String(lifetime(reply, refresh))} s`);
  judgeLifetime(reply, refresh, check.target.refreshTtlSeconds);
});

clause('EXP-03', async (check) => {
  const { reply, access, refresh } = await firstLogin(check);
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
  const reply = await check.opens(access);
  const key = await provenKey(check, access);
  restsOn(check, 'the signing key');
  return { access, key, now: serverNow(reply) };
}

function withExp(token: string, key: string, exp: unknown): string {
  return resign(token, key, { claims: { exp } });
}

/** A real token used just before and just after its end. @returns its `exp`, seconds since the epoch */
async function untilItsEnd(check: Check): Promise<{ access: string; exp: number }> {
  return check.memo('an access token laid aside', async () => {
    const { access, reply } = await check.login();
    lifetime(reply, access);
    restsOn(check, check.target.shortTtl ? 'short lifetimes' : 'waiting for real expiry');
    return { access, exp: numericDate(access, 'exp') ?? 0 };
  });
}

clause('EXP-04', async (check) => {
  if (check.target.secret !== undefined) {
    const { access, key, now } = await byKey(check);
    const reply = await check.door(withExp(access, key, Math.floor(now) - LONG_PAST));
    await expectUnauthenticated(check, reply, 'an access token ten minutes past its `exp`');
    await check.opens(access);
    return;
  }
  const { access, exp } = await untilItsEnd(check);
  // The latest moment at which it must be refused; a server's grace may be as long as EXP-07 has it.
  await waitForServer(check, exp + (check.target.shortTtl ? 5 : LARGEST_GRACE), 'the end of an access token');
  await expectUnauthenticated(check, await check.door(access), 'an access token past its `exp`');
});

clause('EXP-05', async (check) => {
  if (check.target.secret !== undefined) {
    const { access, key, now } = await byKey(check);
    const reply = await check.door(withExp(access, key, Math.floor(now) + 20));
    expect(reply, 'an access token 20 s before its `exp`').toHaveStatus(200);
    return;
  }
  // A token of its own: EXP-04 may have waited its own one away.
  const { access, reply } = await check.login();
  lifetime(reply, access);
  restsOn(check, check.target.shortTtl ? 'short lifetimes' : 'waiting for real expiry');
  const exp = numericDate(access, 'exp') ?? 0;
  await waitForServer(check, exp - (check.target.shortTtl ? 2 : 20), 'the last seconds of an access token');
  const asked = await check.door(access);
  if (asked.status !== 200 && serverNow(asked) >= exp)
    throw new Blocked('EXP-01', 'the token ended before it could be tried');
  expect(asked, 'an access token shortly before its `exp`').toHaveStatus(200);
});

clause('EXP-06', async (check) => {
  if (check.target.secret !== undefined) {
    const { key, now } = await byKey(check);
    const mine = await check.chain();
    await mine.rotate();
    if (decode(mine.refresh) === undefined) throw new Blocked('TOK-01', 'the refresh token is no compact JWS');
    const reply = await check.api.refresh({ refresh: withExp(mine.refresh, key, Math.floor(now) - LONG_PAST) });
    if (reply.status !== 401) mine.spoil();
    expect(reply, 'a refresh token ten minutes past its `exp`').toHaveStatus(401);
    // Still good: it was the `exp`, not the chain, that was refused.
    await mine.rotate();
  } else if (check.target.shortTtl) {
    restsOn(check, 'short lifetimes');
    const { refresh, reply } = await check.login();
    lifetime(reply, refresh);
    await waitForServer(check, (numericDate(refresh, 'exp') ?? 0) + 3, 'the end of a refresh token');
    expect(await check.api.refresh({ refresh }), 'a refresh token past its `exp`').toHaveStatus(401);
  }
  if (check.target.agedTokens !== undefined) await agedTokens(check, check.target.agedTokens);
});

clause('EXP-07', async (check) => {
  const { access, key } = await byKey(check);
  const accepted = async (past: number): Promise<{ good: boolean; reply: Reply }> => {
    const now = await askTime(check);
    const reply = await check.door(withExp(access, key, Math.floor(now) - past));
    return { good: reply.status === 200, reply };
  };
  if ((await accepted(LONG_PAST)).good)
    throw new Blocked('EXP-04', 'a token ten minutes past its `exp` is still accepted');
  let good = 0;
  let refused = LONG_PAST;
  let last = await accepted(1);
  if (last.good) {
    good = 1;
    while (refused - good > 1) {
      const middle = Math.floor((good + refused) / 2);
      last = await accepted(middle);
      if (last.good) good = middle;
      else refused = middle;
    }
  }
  check.measure('grace after exp', `${String(good)} s, ± 1 s, by bisection`);
  expect(last.reply, 'the grace after `exp`').toSatisfy(
    good <= LARGEST_GRACE + 1,
    `at most ${String(LARGEST_GRACE)} s`,
    `${String(good)} s`,
  );
});

async function judgeSuccessor(check: Check, kind: 'access' | 'refresh'): Promise<void> {
  const first = await firstLogin(check);
  const mine = await check.chain();
  const reply = await mine.rotate();
  noteConfigured(check);
  const expected = kind === 'access' ? check.target.accessTtlSeconds : check.target.refreshTtlSeconds;
  const atLogin = lifetime(first.reply, first[kind]);
  const seen = lifetime(reply, mine[kind]);
  check.measure(`${kind} token from refresh`, `${String(seen)} s`);
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
  judgeLifetime(reply, mine[kind], expected);
}

clause('EXP-08', (check) => judgeSuccessor(check, 'access'));

clause('EXP-09', (check) => judgeSuccessor(check, 'refresh'));

clause('EXP-10', async (check) => {
  const { access, key, now } = await byKey(check);
  const ahead = { nbf: Math.floor(now) + LONG_PAST };
  expect(
    await check.door(resign(access, key, { claims: ahead })),
    'an access token whose `nbf` is ten minutes ahead',
  ).toBeRefused();
  const mine = await check.chain();
  await mine.rotate();
  const reply = await check.api.refresh({ refresh: resign(mine.refresh, key, { claims: ahead }) });
  if (reply.status < 400) mine.spoil();
  expect(reply, 'a refresh token whose `nbf` is ten minutes ahead').toBeRefused();
  await mine.rotate();
});

clause('EXP-11', async (check) => {
  const { access, key } = await byKey(check);
  const rows: { name: string; exp: unknown }[] = [
    { name: 'no `exp`', exp: undefined },
    { name: '`exp` null', exp: null },
  ];
  await check.each(
    rows,
    ({ name }) => `an access token with ${name}`,
    async ({ exp }) => {
      expect(await check.door(withExp(access, key, exp))).toBeRefused();
    },
  );
  await check.opens(access);
  const mine = await check.chain();
  await mine.rotate();
  const reply = await check.api.refresh({ refresh: withExp(mine.refresh, key, undefined) });
  if (reply.status < 400) mine.spoil();
  expect(reply, 'a refresh token without `exp`').toBeRefused();
  await mine.rotate();
});
