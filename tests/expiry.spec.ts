/** Expiry four ways: by the key, by short lifetimes, by waiting, and by coming back days later. Each verdict says which it rests on. */
import { agedTokens } from '../fixtures/aged-tokens.js';
import { clause, expect } from '../fixtures/clause.js';
import { Blocked, Finding, Unverified, type Check } from '../fixtures/check.js';
import {
  askTime,
  byAnyWay,
  firstLogin,
  LARGEST_GRACE,
  lifetime,
  noteConfigured,
  realEnd,
  restsOn,
  serverNow,
  tolerance,
  waitForServer,
} from '../fixtures/expiry.js';
import type { Reply } from '../fixtures/reply.js';
import { provenKey, rotatesResigned } from '../fixtures/signing-key.js';
import { decode, numericDate, resign } from '../fixtures/tokens.js';
import { expectUnauthenticated, notAsWithoutCredentials } from '../fixtures/unauthenticated.js';

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

clause('EXP-04', (check) =>
  byAnyWay(check, {
    secret: async () => {
      const { access, key, now } = await byKey(check);
      const reply = await check.door(withExp(access, key, Math.floor(now) - LONG_PAST));
      await expectUnauthenticated(check, reply, 'an access token ten minutes past its `exp`');
      await check.opens(access);
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
  await notAsWithoutCredentials(check, after.status);
  throw new Finding(
    `a real access token ${after.seconds} s past its \`exp\`: expected 401, got ${after.seen}`,
    after.exchange,
  );
}

clause('EXP-05', (check) =>
  byAnyWay(check, {
    secret: async () => {
      const { access, key, now } = await byKey(check);
      const reply = await check.door(withExp(access, key, Math.floor(now) + 20));
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
      const reply = await check.api.refresh({ refresh: withExp(mine.refresh, key, Math.floor(now) - LONG_PAST) });
      if (reply.status !== 401) mine.spoil();
      expect(reply, 'a refresh token ten minutes past its `exp`').toHaveStatus(401);
      // Still good: it was the `exp`, not the chain, that was refused.
      await mine.rotate();
    },
    'short-ttl': async () => {
      restsOn(check, 'short lifetimes');
      // Two of one age: a look at the first spends it, and a server may have some grace.
      const [first, second] = [await check.login(), await check.login()];
      lifetime(first.reply, first.refresh);
      const exp = Math.max(numericDate(first.refresh, 'exp') ?? 0, numericDate(second.refresh, 'exp') ?? 0);
      await waitForServer(check, exp + 2, 'the end of a refresh token');
      if ((await check.api.refresh({ refresh: first.refresh })).status === 401) return;
      await waitForServer(check, exp + LARGEST_GRACE + 1, 'the end of any grace of a refresh token');
      expect(
        await check.api.refresh({ refresh: second.refresh }),
        'a refresh token a minute past its `exp`',
      ).toHaveStatus(401);
    },
    aged: () => agedTokens(check),
  }),
);

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
  await rotatesResigned(check, mine, key);
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
  await rotatesResigned(check, mine, key);
  const reply = await check.api.refresh({ refresh: withExp(mine.refresh, key, undefined) });
  if (reply.status < 400) mine.spoil();
  expect(reply, 'a refresh token without `exp`').toBeRefused();
  await mine.rotate();
});
