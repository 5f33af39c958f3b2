import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Finding, Unverified, type Chain, type Check, type Session } from '../fixtures/check/check.js';
import { named } from '../fixtures/check/judging.js';
import { oddJson } from '../fixtures/check/api.js';
import { GUIDE, pathOf } from '../fixtures/run/dialect.js';
import { expectRefreshRefused, spend, withSpareBits } from './support/rotation.js';
import { tokensOfEveryOrigin } from './support/origins.js';
import { seenStatus } from '../fixtures/check/expect.js';
import { judgeRefreshForgeries } from './support/forged-tokens.js';
import type { JsonObject } from '../fixtures/evidence/json.js';
import type { Sendable } from '../fixtures/check/sender.js';
import { Reply } from '../fixtures/evidence/reply.js';
import type { Judged } from './support/accounts.js';
import { foreignToken } from './support/accounts-login.js';
import { withQuery } from './support/protected-routes.js';
import { protectedRoutes, type ProtectedRoute } from './support/token-routes.js';
import type { TokenPair } from '../fixtures/run/run.js';
import { decode, encodePart, resign } from '../fixtures/evidence/jwt.js';

interface Rotation {
  readonly before: Session;
  readonly reply: Reply;
}

/** The one rotation that the clauses about a successful response look at, of a login that nobody else has to do with. */
function rotation(check: Check): Promise<Rotation> {
  return check.memo('rotation', async () => {
    const before = await check.login();
    return { before, reply: await check.api.refresh(before.refresh) };
  });
}

/** The same, where a clause is about something behind the success: rests on REF-01. */
async function rotated(check: Check): Promise<Rotation & TokenPair> {
  const { before, reply } = await check.answered('REF-01', 'refresh', () => rotation(check));
  const access = reply.token('access');
  // Where nothing rotates, the token presented stays: what the others ask of the access token has its meaning all the same.
  const refresh = reply.token('refresh') ?? (check.target.dialect.rotates ? undefined : before.refresh);
  if (reply.status !== 200 || access === undefined || refresh === undefined) {
    throw new Blocked('REF-01', `refresh returned no usable tokens: ${seenStatus(reply)}`, reply.exchange);
  }
  return { before, reply, access, refresh };
}

clause('REF-01', async (check) => {
  const { before, reply } = await rotation(check);
  const { paths, refreshField } = check.target.dialect;
  if (paths.refresh !== undefined || refreshField !== GUIDE.refreshField) {
    // By the letter of the guide, although this target has it elsewhere.
    const literal = await check.raw(
      oddJson('POST', pathOf('refresh'), { refresh: reply.token('refresh') ?? before.refresh }),
    );
    expect(literal, `POST ${pathOf('refresh')} with \`refresh\``).toHaveStatus(200);
  }
  expect(reply, 'a live refresh token').toHaveStatus(200);
  expect(reply, 'refresh response').toCarryDocumentedTokens();
});

/** The new access token is for the user of the login. That its claim is an id, TOK-04 says: an e-mail names the user, too. */
function expectSameUser(
  check: Check,
  reply: Reply,
  { access: old, user }: { readonly access: string; readonly user: JsonObject },
  access: string,
): void {
  const [was, is] = [old, access].map((token) => decode(token)?.claims[check.target.dialect.subject]);
  const names = [user['email'], user['username']].filter((name) => name !== undefined);
  expect(reply, 'the user of the new access token').toSatisfy(
    was === is || String(was) === String(is) || names.some((name) => name === is),
    'the one who logged in',
    'another one',
  );
}

/** The new access token opens this route, as the one from login does. */
async function opensToo({ ask }: ProtectedRoute, before: string, access: string): Promise<Reply> {
  const opened = await ask(access);
  if (opened.status >= 300) {
    const control = await ask(before);
    if (control.status >= 300)
      throw new Unverified(`The access token of the login does not open it either (${seenStatus(control)}).`);
  }
  expect(opened, 'the new access token').toHaveStatus(200, 201);
  return opened;
}

/** REF-02 of tokens that others were given: whose they are, by their subject. */
async function laterRefreshes(check: Check): Promise<Judged[]> {
  const all = await tokensOfEveryOrigin(check, ['access']);
  return all
    .filter(({ occasion }) => occasion === 'refresh')
    .map(({ name, issued }) => ({
      name,
      judge: () => {
        const { reply, token, login, user } = issued();
        expectSameUser(check, reply, { access: login?.token('access') ?? '', user }, token);
        return Promise.resolve();
      },
    }));
}

clause('REF-02', async (check) => {
  const { before, access, refresh } = await rotated(check);
  const owner = await check.session();
  await check.expectAuthorized(owner.access);
  const routes = await protectedRoutes(check, owner.access);
  const foreign = await foreignToken(check);
  const rows: Judged[] = routes.map((route) => ({
    name: `${route.name} with the new access token`,
    judge: async () => {
      expectSameUser(check, await opensToo(route, before.access, access), before, access);
    },
  }));
  rows.push(...(await laterRefreshes(check)));
  if (foreign !== undefined)
    rows.push({
      name: 'a refresh beside the live access token of somebody else',
      judge: async () => {
        const reply = await check.api.refresh(refresh, { access: foreign });
        const next = reply.status === 200 ? reply.token('access') : undefined;
        if (next === undefined) throw new Unverified(`It is answered with ${seenStatus(reply)}: see REF-07.`);
        expectSameUser(check, reply, before, next);
      },
    });
  await check.eachRow(rows, ({ judge }) => judge());
});

clause('REF-03', async (check) => {
  const { before, reply, access } = await rotated(check);
  expect(reply, 'the new access token').toSatisfy(access !== before.access, 'another one', 'the old one');
});

clause('REF-04', async (check) => {
  const { before, reply, refresh } = await rotated(check);
  if (reply.token('refresh') === undefined)
    throw new Blocked('REF-01', 'refresh gives no refresh token', reply.exchange);
  expect(reply, 'the new refresh token').toSatisfy(refresh !== before.refresh, 'another one', 'the one presented');
});

/** A spent token presented again when `later` others have come after its successor, and then the newest of its chain. */
function reuse(check: Check, later: number): Promise<{ reuse: Reply; newest: Reply }> {
  return check.memo(`reuse after ${String(later)}`, async () => {
    const { chain: mine } = await check.expendable();
    const spent = await spend(check, mine);
    for (let turn = 0; turn < later; turn += 1) await mine.rotate();
    mine.invalidate();
    const again = await check.api.refresh(spent);
    return { reuse: again, newest: await check.api.refresh(mine.refresh) };
  });
}

const REUSES = [
  { name: 'the spent refresh token', later: 0 },
  { name: 'a refresh token that was spent two rotations ago', later: 1 },
  { name: 'a refresh token that was spent four rotations ago', later: 3 },
];

/** The same token in another spelling: whoever remembers spent tokens as text does not know it again. */
async function respelled(check: Check): Promise<void> {
  const { chain: mine } = await check.expendable();
  const spent = await spend(check, mine);
  mine.invalidate();
  for (const spelled of [`${spent}=`, withSpareBits(spent), ` ${spent} `, `Bearer ${spent}`])
    expectRefreshRefused(check, await check.api.refresh(spelled), 'the spent token, spelled in another way', 400);
}

/** A spent token in other company: a new session of its user, and that one's access token. */
async function afterNewLogin(check: Check): Promise<void> {
  const { chain: mine, account } = await check.expendable();
  const spent = await spend(check, mine);
  mine.invalidate();
  const { access } = await check.login(account);
  expectRefreshRefused(check, await check.api.refresh(spent, { access }), 'the spent refresh token');
}

clause('REF-05', async (check) => {
  const rows = REUSES.map(({ name, later }) => ({
    name,
    judge: async () => {
      expectRefreshRefused(check, (await reuse(check, later)).reuse, name);
    },
  }));
  rows.push(
    {
      name: 'the spent refresh token with padding, other spare bits, blanks around it, `Bearer` in front',
      judge: () => respelled(check),
    },
    {
      name: "the spent refresh token after a new login of its user, beside that login's access token",
      judge: () => afterNewLogin(check),
    },
  );
  await check.eachRow(rows, ({ judge }) => judge());
});

clause('REF-06', async (check) => {
  // From its login on: other checks may have rotated a borrowed one before.
  const { chain: mine } = await check.expendable();
  await spend(check, mine);
  for (const turn of ['second', 'third']) {
    const reply = await check.api.refresh(mine.refresh);
    expect(reply, `the ${turn} refresh in a row, with the token that the last one returned`).toHaveStatus(200);
    expect(reply, 'refresh response').toCarryBothTokens();
    mine.advance(reply);
  }
});

/** An access token past its `exp`: signed with the key where the run has it, else with its old signature. */
function expired(access: string, secret: string | undefined): string {
  const decoded = decode(access);
  const past = { exp: 1_500_000_000 };
  if (decoded === undefined) return 'expired';
  return secret === undefined
    ? `${decoded.parts[0]}.${encodePart({ ...decoded.claims, ...past })}.${decoded.parts[2]}`
    : resign(access, secret, { claims: past });
}

/** Refreshes in a row that REF-07 and REF-15 may need of one chain. */
const TURNS = 6;

/** @throws Blocked by REF-06 if a chain does not last as long as that, whatever stands beside its token */
async function dependsOnRotations(check: Check): Promise<void> {
  const lasts = await check.memo('as many rotations', async () => {
    let { refresh } = await check.login();
    for (let turn = 0; turn < TURNS; turn += 1) {
      const reply = await check.api.refresh(refresh);
      if (reply.status !== 200) return reply;
      refresh = reply.token('refresh') ?? refresh;
    }
    return undefined;
  });
  if (lasts !== undefined)
    throw new Blocked('REF-06', `a chain is refused when it is rotated often: ${seenStatus(lasts)}`, lasts.exchange);
}

clause('REF-07', async (check) => {
  const mine = await check.provenChain();
  const foreign = await foreignToken(check);
  const rows = [
    { name: 'none', authorization: undefined },
    { name: 'an expired access token', authorization: `Bearer ${expired(mine.access, check.target.secret)}` },
    { name: 'a token that is no JWT', authorization: 'Bearer null' },
    { name: 'another scheme', authorization: 'Token 0123456789abcdef' },
    ...(foreign === undefined ? [] : [{ name: 'the live token of somebody else', authorization: `Bearer ${foreign}` }]),
  ];
  await check.eachRow(
    rows.map((row) => ({ ...row, name: `Authorization: ${row.name}` })),
    async ({ authorization }) => {
      const headers = authorization === undefined ? [] : [['authorization', authorization] as const];
      const reply = await check.api.refresh(mine.refresh, { headers });
      if (reply.status !== 200) await dependsOnRotations(check);
      expect(reply, 'refresh').toHaveStatus(200);
      mine.advance(reply);
    },
  );
});

const NO_JWTS = ['not-a-token', 'a.b.c', '0123456789abcdef'.repeat(8), '..', 'null', '{}', 'eyJ.eyJ.', '新.しい.😀'];

clause('REF-08', async (check) => {
  await check.provenChain();
  await check.eachRow(
    named(NO_JWTS, (text) => `“${text.slice(0, 20)}” as refresh token`),
    async ({ value }) => {
      expectRefreshRefused(check, await check.api.refresh(value), 'refresh', 400);
    },
  );
});

clause('REF-09', async (check) => {
  const mine = await check.provenChain();
  const others = await tokensOfEveryOrigin(check, ['access']);
  await check.eachRow(
    [
      { name: 'access token of the chain', token: () => mine.access },
      ...others.map(({ name, issued }) => ({ name, token: () => issued().token })),
    ],
    async ({ token }) => {
      const reply = await check.api.refresh(token());
      if (reply.status < 400) mine.invalidate();
      expectRefreshRefused(check, reply, 'an access token in `refresh`');
    },
  );
  await mine.rotate();
});

clause('REF-10', async (check) => {
  const mine = await check.provenChain();
  const rows: { name: string; token: unknown; statuses: number[] }[] = [
    { name: 'missing', token: undefined, statuses: [400] },
    { name: 'null', token: null, statuses: [400] },
    { name: 'a number', token: 12345, statuses: [400] },
    { name: 'a boolean', token: true, statuses: [400] },
    { name: 'an array', token: ['a.b.c'], statuses: [400] },
    { name: 'an array with the live token in it', token: [mine.refresh], statuses: [400] },
    { name: 'an object', token: { token: 'a.b.c' }, statuses: [400] },
    { name: 'empty', token: '', statuses: [400, 401] },
    { name: 'spaces', token: '   ', statuses: [400, 401] },
  ];
  await check.eachRow(
    rows.map((row) => ({ ...row, name: `refresh token ${row.name}` })),
    async ({ token, statuses }) => {
      const reply = await check.raw(check.api.refreshRequest(token));
      if (statuses.includes(401)) expectRefreshRefused(check, reply, 'refresh', 400);
      else expect(reply).toHaveStatus(...statuses);
    },
  );
  await check.eachRow(elsewhere(check, mine.refresh), async ({ request }) => {
    const reply = await check.raw(request);
    if (reply.status < 400) mine.invalidate();
    // A bearer token that is none may be refused first: that it is looked at, REF-07 says.
    expectRefreshRefused(check, reply, 'refresh', 400);
  });
  await mine.rotate();
});

/** The live refresh token in any place but the one that the guide has for it. */
function elsewhere(check: Check, token: string): { name: string; request: Sendable }[] {
  const plain = (headers: Sendable['headers'] = []): Sendable => check.api.request('refresh', {}, { headers });
  const cookies = ['refresh', 'refresh_token', 'refreshToken', 'jwt-refresh-token'].map((name) => `${name}=${token}`);
  return [
    { name: 'missing, and the live one as bearer token', request: plain([['authorization', `Bearer ${token}`]]) },
    { name: 'missing, and the live one in cookies', request: plain([['cookie', cookies.join('; ')]]) },
    { name: 'missing, and the live one in `X-Refresh-Token`', request: plain([['x-refresh-token', token]]) },
    {
      name: 'missing, and the live one in the query',
      request: withQuery(plain(), new URLSearchParams({ refresh: token, refresh_token: token }).toString()),
    },
  ];
}

clause('REF-11', judgeRefreshForgeries);

/** Requests of one race, and races in a row. */
const RACERS = 8;
const RACES = 3;

clause('REF-12', async (check) => {
  const counts: number[] = [];
  for (let race = 0; race < RACES; race += 1) {
    const { chain: mine } = await check.expendable();
    await spend(check, mine);
    const request = check.api.refreshRequest(mine.refresh);
    const answers = await check.sender.sendAtOnce(Array.from({ length: RACERS }, () => request));
    mine.invalidate();
    const winners = answers.filter(
      (answer): answer is Reply =>
        answer instanceof Reply && answer.status === 200 && answer.token('refresh') !== undefined,
    );
    counts.push(winners.length);
    // Who comes too late is refused; that the server falls over is no refusal.
    for (const loser of answers) {
      if (!(loser instanceof Reply)) throw loser;
      if (!winners.includes(loser)) expect(loser, 'the loser of a race').toBeNoServerError();
    }
    if (winners.length === 1) continue;
    const first = answers.find((answer): answer is Reply => answer instanceof Reply);
    if (winners.length === 0) {
      throw new Finding(
        `none of ${String(RACERS)} simultaneous uses of one live refresh token was answered with tokens: an honest client with two tabs is logged out`,
        first?.exchange,
      );
    }
    let working = 0;
    for (const winner of winners)
      working += (await check.askProtected(winner.token('access') ?? '')).status === 200 ? 1 : 0;
    throw new Finding(
      `${String(winners.length)} of ${String(RACERS)} simultaneous uses of one refresh token were answered with tokens, expected 1; ${String(working)} of these access tokens work`,
      winners[1]?.exchange,
    );
  }
  check.measure('simultaneous uses answered with tokens', `${counts.join(', ')} of ${String(RACERS)} each`);
});

clause('REF-13', async (check) => {
  await check.eachRow(REUSES, async ({ name, later }) => {
    const { reuse: again, newest } = await reuse(check, later);
    if (again.status < 400) throw new Blocked('REF-05', `a spent refresh token is still good: ${seenStatus(again)}`);
    // Refused with a wrong status, as the spent one was, it is refused: the status is REF-05's.
    expectRefreshRefused(check, newest, `the newest refresh token of the chain after ${name} came again`, again.status);
  });
});

const ONE_SESSION = 'A new login ends the older ones of its user here, so there are no two to be told apart.';

/** One login is rotated twice, and then another of the same user, which was never rotated before: some servers know only the newest. */
async function leavesAlone(check: Check, other: Session, mine: Chain): Promise<void> {
  if (mine.refresh === other.refresh) throw new Blocked('LOG-10', 'two logins give the same refresh token');
  if ((await check.askProtected(other.access)).status !== 200) throw new Unverified(ONE_SESSION);
  await mine.rotate();
  await mine.rotate();
  expect(await check.askProtected(other.access), "the access token of the user's other login").toHaveStatus(200);
  const reply = await check.api.refresh(other.refresh);
  expect(reply, "the refresh token of the user's other login").toHaveStatus(200);
  const [access, refresh = other.refresh] = [reply.token('access'), reply.token('refresh')];
  if (access !== undefined) await check.returnChain({ account: other.account, access, refresh });
}

clause('REF-14', async (check) => {
  if (check.target.dialect.sessions === 'one') throw new Unverified(ONE_SESSION);
  const ofSignUp = async (): Promise<void> => {
    const signedUp = await check.registerAndLogin();
    const later = await check.login(signedUp.account);
    await check.returnChain(later);
    await leavesAlone(check, signedUp, await check.chain(signedUp.account));
  };
  await check.eachRow(
    [
      { name: 'another login', judge: async () => leavesAlone(check, await check.login(), await check.chain()) },
      ...(check.accounts.canRegister ? [{ name: 'the session of sign-up', judge: ofSignUp }] : []),
    ],
    ({ judge }) => judge(),
  );
});

/** Ways to be refused before anything is rotated, with the live token in the request. */
const REFUSED_BEFORE = [
  { name: 'malformed JSON', type: 'application/json', body: (good: string) => good.slice(0, -1), by: 'ROB-01' },
  { name: 'another content type', type: 'text/plain', body: asItIs, by: 'ROB-03' },
  { name: 'an array as the token', type: 'application/json', body: inArray, by: 'REF-10' },
  { name: 'a charset that there is none of', type: 'application/json; charset=x-none', body: asItIs, by: 'ROB-05' },
  { name: 'a wrong method', type: 'application/json', body: asItIs, by: 'ENV-11', method: 'PUT' },
] as const;

function asItIs(good: string): string {
  return good;
}

function inArray(good: string): string {
  return good.replace(/:(".*")\}$/, ':[$1]}');
}

clause('REF-15', async (check) => {
  // A login of its own: how often a chain rotates is REF-06's question.
  const session = await check.login();
  let live = session.refresh;
  await check.eachRow(REFUSED_BEFORE, async ({ name, type, body, by, ...row }) => {
    const refused = await check.raw({
      method: 'method' in row ? row.method : 'POST',
      path: check.api.path('refresh'),
      headers: [['content-type', type]],
      body: body(String(check.api.refreshRequest(live).body)),
    });
    if (refused.status < 400) {
      live = refused.token('refresh') ?? live;
      throw new Blocked(by, `${name} was accepted: ${seenStatus(refused)}`);
    }
    const reply = await check.api.refresh(live);
    if (reply.status !== 200) await dependsOnRotations(check);
    expect(reply, `the refresh token of a request that was refused for ${name}`).toHaveStatus(200);
    live = reply.token('refresh') ?? live;
  });
});
