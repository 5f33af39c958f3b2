import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Unverified, type Chain, type Check, type Session } from '../fixtures/check/check.js';
import { named } from '../fixtures/check/judging.js';
import { oddJson } from '../fixtures/check/api.js';
import { GUIDE, pathOf } from '../fixtures/run/dialect.js';
import { expectRefreshRefused, spend, dependsOnRotations } from './support/refresh/rotation.js';
import { tokensOfEveryOrigin } from './support/tokens/origins.js';
import { seenStatus } from '../fixtures/check/expect.js';
import { judgeRefreshForgeries } from './support/tokens/forged-tokens.js';
import type { Judged } from './support/accounts/accounts.js';
import { foreignToken } from './support/accounts/login-tables.js';
import { protectedRoutes } from './support/access/token-routes.js';
import {
  rotation,
  rotated,
  expectSameUser,
  opensToo,
  laterRefreshes,
  besideForeign,
  besideOthers,
} from './support/refresh/first-rotation.js';
import { reuse, REUSES, respelled, afterNewLogin } from './support/refresh/spent-tokens.js';
import { NO_JWTS, elsewhere, REFUSED_BEFORE, authorizations, badTokens } from './support/refresh/refresh-requests.js';
import { RACES, race, RACERS } from './support/refresh/refresh-race.js';

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
  if (foreign !== undefined) rows.push(besideForeign(check, before, refresh, foreign));
  if (check.accounts.canRegister && check.target.dialect.sessions === 'many') rows.push(besideOthers(check));
  await check.eachRow(rows, ({ judge }) => judge(), { inOrder: true });
});

clause('REF-03', async (check) => {
  const { before, reply, access } = await rotated(check);
  expect(reply, 'the new access token').toSatisfy(access !== before.access, 'another one', 'the old one');
  const seen = new Set([access]);
  // Each access token of a chain is new, not only the first after the login's.
  const later = (await tokensOfEveryOrigin(check, ['access'])).filter(({ occasion }) => occasion === 'refresh');
  await check.eachRow(
    later,
    ({ issued }) => {
      const { reply: of, token } = issued();
      expect(of, 'its access token').toSatisfy(!seen.has(token), 'another one than each before', 'an earlier one');
      seen.add(token);
    },
    { inOrder: true },
  );
});

clause('REF-04', async (check) => {
  const { before, reply, refresh } = await rotated(check);
  if (reply.token('refresh') === undefined)
    throw new Blocked('REF-01', 'refresh returns no refresh token', reply.exchange);
  expect(reply, 'the new refresh token').toSatisfy(refresh !== before.refresh, 'another one', 'the one presented');
  // Of the later ones, and of what began with register, too.
  const seen = new Set([before.refresh, refresh]);
  const later = (await tokensOfEveryOrigin(check, ['refresh'])).filter(({ occasion }) => occasion === 'refresh');
  await check.eachRow(
    later,
    ({ issued }) => {
      const { reply: of, token, login } = issued();
      seen.add(login?.token('refresh') ?? '');
      expect(of, 'its refresh token').toSatisfy(!seen.has(token), 'another one than each before', 'an earlier one');
      seen.add(token);
    },
    { inOrder: true },
  );
});

clause('REF-05', async (check) => {
  const rows = REUSES.map(({ name, later }) => ({
    name,
    judge: async () => {
      expectRefreshRefused(check, (await reuse(check, later)).reuse, 'the spent token');
    },
  }));
  rows.push(
    {
      name: 'the spent refresh token with padding, other spare bits, blanks around it, `Bearer` in front',
      judge: () => respelled(check),
    },
    {
      name: "the spent refresh token after a new login of its user, together with that login's access token",
      judge: () => afterNewLogin(check),
    },
  );
  await check.eachRow(rows, ({ judge }) => judge(), { inOrder: true });
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

clause('REF-07', async (check) => {
  const mine = await check.provenChain();
  const foreign = await foreignToken(check);
  await check.eachRow(
    authorizations(mine.access, check.target.secret, foreign),
    async ({ authorization }) => {
      const headers = authorization === undefined ? [] : [['authorization', authorization] as const];
      const reply = await check.api.refresh(mine.refresh, { headers });
      if (reply.status !== 200) await dependsOnRotations(check);
      expect(reply, 'refresh').toHaveStatus(200);
      mine.advance(reply);
    },
    { inOrder: true },
  );
});

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
  await check.eachRow(
    badTokens(mine.refresh).map((row) => ({ ...row, name: `refresh token ${row.name}` })),
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

clause('REF-11', judgeRefreshForgeries);

clause('REF-12', async (check) => {
  const winners: number[] = [];
  for (const origin of RACES) winners.push(await race(check, origin));
  check.measure('simultaneous uses that got tokens', `${winners.join(', ')} of ${String(RACERS)} each`);
});

clause('REF-13', async (check) => {
  await check.eachRow(
    REUSES,
    async ({ name, later }) => {
      const { reuse: again, newest } = await reuse(check, later);
      if (again.status < 400) throw new Blocked('REF-05', `a spent refresh token is still good: ${seenStatus(again)}`);
      // Refused with a wrong status, as the spent one was, it is refused: the status is REF-05's.
      expectRefreshRefused(
        check,
        newest,
        `the newest refresh token of the chain after ${name} came again`,
        again.status,
      );
    },
    { inOrder: true },
  );
});

const ONE_SESSION = 'A new login invalidates earlier ones of its user here, so there are no two logins to compare.';

/** One login is rotated twice, and then another of the same user, which was never rotated before: some servers know only the newest. */
async function leavesAlone(check: Check, other: Session, mine: Chain): Promise<void> {
  if (mine.refresh === other.refresh) throw new Blocked('LOG-10', 'two logins return the same refresh token');
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
    try {
      await leavesAlone(check, signedUp, await check.chain(signedUp.account));
    } catch (error) {
      // The control: what register gives is good where nobody logs in as well.
      const alone = await check.api.refresh((await check.registerAndLogin()).refresh);
      if (alone.status !== 200)
        throw new Blocked(
          'REG-03',
          `the refresh token of register is dead anyhow: ${seenStatus(alone)}`,
          alone.exchange,
        );
      throw error;
    }
  };
  await check.eachRow(
    [
      {
        name: 'another login',
        judge: async () => {
          const account = await check.owner();
          await leavesAlone(check, await check.login(account), await check.chain(account));
        },
      },
      ...(check.accounts.canRegister ? [{ name: 'the session from register', judge: ofSignUp }] : []),
    ],
    ({ judge }) => judge(),
  );
});

clause('REF-15', async (check) => {
  // A login of its own: how often a chain rotates is REF-06's question.
  const session = await check.login();
  let live = session.refresh;
  await check.eachRow(
    REFUSED_BEFORE,
    async ({ name, type, body, by, ...row }) => {
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
    },
    { inOrder: true },
  );
});
