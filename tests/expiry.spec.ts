/** Expiry four ways: by the key, by short lifetimes, by waiting, and by coming back days later. Each verdict names the methods used. */
import { agedTokens } from './support/tokens/aged-tokens.js';
import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Finding, Unverified, type Check } from '../fixtures/check/check.js';
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
} from './support/tokens/lifetimes.js';
import type { Reply } from '../fixtures/evidence/reply.js';
import { rotatesResigned } from './support/tokens/signing-key.js';
import { numericDate, resign } from '../fixtures/evidence/jwt.js';
import { seenStatus } from '../fixtures/check/expect.js';
import type { TokenKind } from '../fixtures/evidence/reading.js';
import { readIssued, tokensOfEveryOrigin, type IssuedToken, type OriginRow } from './support/tokens/origins.js';
import { changedRefreshTokens, withExp, type Change } from './support/tokens/changed-tokens.js';
import { successorOfAnOldLogin, successorOfAnOldOne } from './support/refresh/successor.js';
import { expectRefusal, protectedRoutes } from './support/access/token-routes.js';
import { expectRefreshRefused } from './support/refresh/rotation.js';
import { isRefusedHere, notOpenToEverybody } from './support/access/unauthenticated.js';
import { LONG_PAST, byKey, judgeLongPast } from './support/tokens/expired-tokens.js';

function judgeLifetime(reply: Reply, token: string, expected: number): void {
  const seen = lifetime(reply, token);
  const allowed = tolerance(reply);
  expect(reply, "`exp` relative to the response's `Date`").toSatisfy(
    Math.abs(seen - expected) <= allowed,
    `${String(expected)} s ahead (± ${allowed.toFixed(1)} s)`,
    `${String(seen)} s ahead`,
  );
}

/** The tokens that register and each login gave. */
async function firstTokens(check: Check, kinds: readonly TokenKind[]): Promise<OriginRow[]> {
  return (await tokensOfEveryOrigin(check, kinds)).filter(({ occasion }) => occasion !== 'refresh');
}

/** A login whose body asks for longer sessions, as other APIs know it: unknown fields have no effect. */
function loginThatStays(check: Check): Promise<Reply> {
  return check.memo('login that asks to stay', async () => {
    const { email, password } = await check.ownAccount();
    const stays = { remember_me: true, remember: true, keep_logged_in: true, expires_in: 30 * 86_400 };
    return check.raw(check.api.request('login', { email, password, ...stays }));
  });
}

async function judgeFirstLifetimes(check: Check, kind: TokenKind, expected: number): Promise<void> {
  noteConfigured(check);
  const stays = async (): Promise<Pick<IssuedToken, 'reply' | 'token'>> => {
    const reply = await loginThatStays(check);
    const token = reply.status === 200 ? reply.token(kind) : undefined;
    if (token === undefined) throw new Unverified(`Login refuses fields that it does not know: ${seenStatus(reply)}.`);
    return { reply, token };
  };
  // Where a new login ends the older ones, only an account of its own can be asked.
  const staying =
    check.accounts.canRegister || check.target.dialect.sessions === 'many'
      ? [{ name: `${kind} token from a login with \`remember_me\``, issued: stays }]
      : [];
  await check.eachRow([...(await firstTokens(check, [kind])), ...staying], async ({ name, issued }) => {
    const { reply, token } = await issued();
    const key = name === `${kind} token from login` ? `${kind}-life-from-login` : undefined;
    check.measure(name, `${String(lifetime(reply, token))} s`, key);
    judgeLifetime(reply, token, expected);
  });
}

clause('EXP-01', (check) => judgeFirstLifetimes(check, 'access', check.target.accessTtlSeconds));

clause('EXP-02', (check) => judgeFirstLifetimes(check, 'refresh', check.target.refreshTtlSeconds));

clause('EXP-03', async (check) => {
  await check.eachRow(await firstTokens(check, ['access', 'refresh']), ({ issued }) => {
    const one = issued();
    readIssued(one);
    const { reply, token } = one;
    const iat = numericDate(token, 'iat');
    if (iat === undefined)
      throw new Unverified('There is no `iat` in the token, so there is nothing to compare with the clock.');
    const ahead = iat - serverNow(reply);
    expect(reply, "`iat` relative to the response's `Date`").toSatisfy(
      Math.abs(ahead) <= tolerance(reply),
      `within ${tolerance(reply).toFixed(1)} s`,
      `${String(Math.abs(ahead))} s ${ahead > 0 ? 'ahead' : 'behind'}`,
    );
  });
});

clause('EXP-04', (check) =>
  byAnyWay(check, {
    secret: () => judgeLongPast(check),
    'short-ttl': () => endsInTime(check),
    wait: () => endsInTime(check),
  }),
);

async function endsInTime(check: Check): Promise<void> {
  const { after } = await realEnd(check);
  if (after.status === 401 || after.status === check.target.dialect.missingCredentials) {
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
      await check.eachRow(await protectedRoutes(check, access), async ({ ask }) => {
        const control = await ask(access);
        if (control.status >= 300)
          throw new Unverified(`The unchanged token does not open it either (${seenStatus(control)}).`);
        const reply = await ask(withExp(access, key, Math.floor(now) + 20));
        expect(reply, 'an access token 20 s before its `exp`').toHaveStatus(200, 201);
      });
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
      const past = [{ name: 'ten minutes past its `exp`', change: { exp: Math.floor(now) - LONG_PAST } }];
      const rows = changedRefreshTokens(check, key, past, (reply, what) => {
        expectRefreshRefused(check, reply, what);
      });
      await check.eachRow(rows, ({ judge }) => judge());
    },
    'short-ttl': async () => {
      noteMethod(check, 'short-ttl');
      // Two of one age: a look at the first spends it, and a server may have some grace.
      const [first, second] = [await check.login(), await check.login()];
      lifetime(first.reply, first.refresh);
      const exp = Math.max(numericDate(first.refresh, 'exp') ?? 0, numericDate(second.refresh, 'exp') ?? 0);
      await waitForServer(check, exp + 2, 'the end of a refresh token');
      if (isRefusedHere(check, await check.api.refresh(first.refresh))) return;
      await waitForServer(check, exp + LARGEST_GRACE + 1, 'the end of any grace of a refresh token');
      const reply = await check.api.refresh(second.refresh);
      expectRefreshRefused(check, reply, 'a refresh token a minute past its `exp`');
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
  const { access, key, now: asked } = await byKey(check);
  let last: Reply | undefined;
  const clock = (): number => (last === undefined ? asked : serverNow(last));
  const opens = async (past: number): Promise<boolean> => {
    last = await check.askProtected(withExp(access, key, Math.floor(clock()) - past));
    return last.status === 200;
  };
  if (await opens(LONG_PAST)) throw new Blocked('EXP-04', 'a token ten minutes past its `exp` is still accepted');
  const grace = await graceOf(opens);
  check.measure('grace after exp', `${String(grace)} s, ± 1 s, by bisection`, 'access-grace');
  judgeGrace(last, grace, 'an access token');
  await graceElsewhere(check, access, key, clock());
  await graceOfAKnownOne(check, access, key, grace);

  const mine = await check.chain();
  await mine.rotate();
  await rotatesResigned(check, mine, key);
  const rotates = async (past: number): Promise<boolean> => {
    last = await check.api.refresh(withExp(mine.refresh, key, Math.floor(clock()) - past));
    if (last.status === 200) mine.advance(last);
    return last.status === 200;
  };
  if (await rotates(LONG_PAST)) throw new Blocked('EXP-06', 'a refresh token ten minutes past its `exp` is accepted');
  const ofRefresh = await graceOf(rotates);
  check.measure('grace after exp of a refresh token', `${String(ofRefresh)} s, ± 1 s, by bisection`, 'refresh-grace');
  judgeGrace(last, ofRefresh, 'a refresh token');
});

/** The other routes have no longer a grace than the list may have. */
async function graceElsewhere(check: Check, access: string, key: string, clock: number): Promise<void> {
  const [, ...routes] = await protectedRoutes(check, access);
  const now = Math.floor(clock);
  for (const route of routes) {
    const reply = await route.ask(withExp(access, key, now - LARGEST_GRACE - 5));
    if (reply.status >= 300) continue;
    const longPast = await route.ask(withExp(access, key, now - LONG_PAST));
    if (longPast.status < 300)
      throw new Blocked('EXP-04', `${route.name}: a token ten minutes past its \`exp\` is still accepted`);
    expect(reply, `${route.name}: a token ${String(LARGEST_GRACE + 5)} s past its \`exp\``).toBeRefused();
  }
}

/** A token that was good a moment ago has no longer a grace than one that comes late: a verdict may be kept, but not beyond it. */
async function graceOfAKnownOne(check: Check, access: string, key: string, grace: number): Promise<void> {
  const end = Math.floor(await askTime(check)) + 2;
  const known = withExp(access, key, end - grace);
  if ((await check.askProtected(known)).status !== 200) return;
  await waitForServer(check, end + 1, 'the end of an access token');
  if ((await check.askProtected(known)).status !== 200) return;
  await waitForServer(check, end - grace + LARGEST_GRACE + 2, 'the end of any grace of an access token');
  const reply = await check.askProtected(known);
  expect(reply, `an access token that was used before its \`exp\`, ${String(LARGEST_GRACE)} s past it`).toBeRefused();
}

function judgeGrace(last: Reply | undefined, seconds: number, what: string): void {
  if (last === undefined) return;
  expect(last, `the grace after \`exp\` of ${what}`).toSatisfy(
    seconds <= LARGEST_GRACE + 1,
    `at most ${String(LARGEST_GRACE)} s`,
    `${String(seconds)} s`,
  );
}

/** @throws Blocked where refresh returns no refresh token of its own: then there is no new life to be judged */
function dependsOnRotation({ dialect }: Check['target']): void {
  if (dialect.rotates) return;
  const owner = dialect.points.find(({ point }) => point === 'rotation')?.owner ?? 'REF-01';
  throw new Blocked(owner, 'refresh returns no new refresh token');
}

async function judgeSuccessors(check: Check, kind: TokenKind): Promise<void> {
  if (kind === 'refresh') dependsOnRotation(check.target);
  const first = await firstSession(check);
  noteConfigured(check);
  const expected = kind === 'access' ? check.target.accessTtlSeconds : check.target.refreshTtlSeconds;
  const atLogin = lifetime(first.reply, first[kind]);
  const ofRefresh = (await tokensOfEveryOrigin(check, [kind])).filter(({ occasion }) => occasion === 'refresh');
  const ofOldOne = async (): Promise<Pick<IssuedToken, 'reply' | 'token'> & { before: string }> => {
    const successor = await successorOfAnOldOne(check);
    if (kind === 'refresh' && successor.refresh === successor.spent)
      throw new Blocked('REF-04', 'refresh returns the refresh token that was presented', successor.reply.exchange);
    const before = kind === 'access' ? successor.accessBefore : successor.spent;
    return { reply: successor.reply, token: successor[kind], before };
  };
  const ofOldLogin =
    check.target.dialect.sessions === 'many'
      ? [{ name: `${kind} token from a login of some seconds ago`, issued: () => successorOfAnOldLogin(check, kind) }]
      : [];
  await check.eachRow(
    [{ name: `${kind} token from a refresh token of some age`, issued: ofOldOne }, ...ofOldLogin, ...ofRefresh],
    async ({ name, issued }) => {
      const successor: { reply: Reply; token: string; before?: string | undefined } = await issued();
      const { reply, token } = successor;
      const seen = lifetime(reply, token);
      const ofOld = issued === ofOldOne;
      check.measure(
        ofOld ? `${kind} token from refresh` : name,
        `${String(seen)} s`,
        ofOld ? `${kind}-life-from-refresh` : undefined,
      );
      // The same wrong lifetime at both is one fault, and that of the login's clause.
      const off = (life: number, reply: Reply): boolean => Math.abs(life - expected) > tolerance(reply);
      if (off(seen, reply) && off(atLogin, first.reply) && Math.abs(seen - atLogin) <= 2 * tolerance(reply)) {
        const by = kind === 'access' ? 'EXP-01' : 'EXP-02';
        throw new Blocked(by, `it lives ${String(seen)} s, as the one from login does`);
      }
      // One that came again ends when it always did.
      if (off(seen, reply) && successor.before === token)
        throw new Blocked('REF-03', 'refresh returns the access token that it had returned before', reply.exchange);
      judgeLifetime(reply, token, expected);
    },
  );
}

clause('EXP-08', (check) => judgeSuccessors(check, 'access'));

clause('EXP-09', (check) => judgeSuccessors(check, 'refresh'));

/** An access token with changed claims at each protected route, and refresh tokens with them: all refused. */
async function judgeChanges(check: Check, access: string, key: string, changes: readonly Change[]): Promise<void> {
  const routes = await protectedRoutes(check, access);
  await check.eachRow(
    [
      // The first shows a route that goes its own way; which of them it falls for, the list shows.
      ...routes.flatMap((route, i) =>
        (i === 0 ? changes : changes.slice(0, 1)).map(({ name, change }) => ({
          name: `${route.name}: an access token with ${name}`,
          judge: () => expectRefusal(check, route, resign(access, key, { claims: change }), 'the token'),
        })),
      ),
      ...changedRefreshTokens(check, key, changes, (reply, name) => {
        expect(reply, `with ${name}`).toBeRefused();
      }),
    ],
    ({ judge }) => judge(),
  );
  await check.expectAuthorized(access);
}

clause('EXP-10', async (check) => {
  const { access, key, now } = await byKey(check);
  await judgeChanges(check, access, key, [
    { name: '`nbf` ten minutes ahead', change: { nbf: Math.floor(now) + LONG_PAST } },
  ]);
});

clause('EXP-11', async (check) => {
  const { access, key } = await byKey(check);
  await judgeChanges(check, access, key, [
    { name: 'no `exp`', change: { exp: undefined } },
    { name: '`exp` null', change: { exp: null } },
    { name: 'a word as `exp`', change: { exp: 'tomorrow' } },
    { name: '`exp` true', change: { exp: true } },
    { name: '`exp` empty', change: { exp: '' } },
  ]);
});
