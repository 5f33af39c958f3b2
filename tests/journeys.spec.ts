/**
 * The guide's client on its documented ways. What a single request must do, the clauses about it say; a journey owns only what shows on
 * the way, and depends on the others.
 */
import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, type Check } from '../fixtures/check/check.js';
import { aKeyword, dependsOnOwnRows, otherTenant } from './support/access/resources.js';
import { jsonRequest, type Bearer } from '../fixtures/check/api.js';
import { LoginNeeded } from './support/journeys/guide-client.js';
import { exactRows } from './support/responses/exact.js';
import { cookiesOf } from './support/access/channels.js';
import { seenStatus } from '../fixtures/check/expect.js';
import { serverNow } from './support/tokens/lifetimes.js';
import type { Reply } from '../fixtures/evidence/reply.js';
import { keyIfProven } from './support/tokens/signing-key.js';
import { decode, resign } from '../fixtures/evidence/jwt.js';
import { dependsOn401 } from './support/access/unauthenticated.js';
import {
  client,
  judgeRepeatedWrite,
  lost,
  restsOnSuccessor,
  loginOf,
  endedToken,
  nearItsEnd,
} from './support/journeys/journey.js';
import {
  IN_A_ROW,
  alike,
  judgeCounters,
  judgeNewcomer,
  judgeWrites,
  judgeRotations,
  dependsOnSome,
  firstIdOf,
  hasRows,
} from './support/journeys/alike-workers.js';
import {
  cookiesToSend,
  judgeWritesBeside,
  expectOwnList,
  worksWithoutCookies,
  opensNothingAlone,
} from './support/access/cookies-beside.js';
import { spoiled } from './support/tokens/forgeries.js';

clause('JRN-01', async (check) => {
  const session = await check.login();
  expect(
    await check.askProtected(session.access),
    'GET planner/keywords/ with the token that login returned',
  ).toHaveStatus(200);
  await check.returnChain(session);
});

clause('JRN-02', async (check) => {
  await dependsOn401(check);
  const mine = await check.chain();
  await mine.rotate();
  const guide = await client(check, mine);
  const expired = await endedToken(check, mine.access);
  // As a client that sleeps through the end of its token: it learns of it by the 401, not by its own clock.
  let first: Reply | undefined;
  const reply = await guide
    .request(async (access) => {
      const answer = await check.askProtected(first === undefined ? expired : access);
      first ??= answer;
      return answer;
    })
    .catch(async (error: unknown) => lost(check, error));
  const { access, refresh } = guide.tokens;
  mine.invalidate();
  if (first?.status === 200) throw new Blocked('EXP-04', 'the expired token is still accepted');
  if (first?.status === 401) await restsOnSuccessor(check, access, reply);
  expect(reply, 'the request repeated after one refresh').toHaveStatus(200);
  if (access !== undefined && refresh !== undefined) {
    const owner = await check.owner();
    await check.run.returnChain(owner.email, { access, refresh });
  }
});

clause('JRN-03', async (check) => {
  const { chain: mine, account } = await check.expendable();
  const spent = mine.refresh;
  await mine.rotate();
  mine.invalidate();
  const guide = await client(check, mine, account);
  // Both tokens gone, in the way that a thief or a second tab makes them go: by a spent one presented again.
  await check.api.refresh(spent);
  guide.forget();
  const reply = await guide.login().catch((error: unknown) => {
    if (error instanceof LoginNeeded && error.reply !== undefined) return error.reply as Reply;
    throw error;
  });
  if (reply.status !== 200) {
    // Where nobody can log in who is new like this one, it is not its past that stands in the way.
    const other = await check.api.login(
      check.target.register ? loginOf(await check.registerAccount()) : loginOf(account),
    );
    if (other.status !== 200) throw new Blocked('REG-04', `another new account cannot log in: ${seenStatus(other)}`);
  }
  expect(reply, 'login after both tokens are gone').toHaveStatus(200);
  const { access } = check.sessionOf(reply, account);
  await check.expectAuthorized(access);
});

clause('JRN-04', async (check) => {
  await dependsOn401(check);
  const mine = await check.chain();
  await mine.rotate();
  const guide = await client(check, mine);
  guide.use({ access: spoiled(mine.access), refresh: mine.refresh });
  mine.invalidate();
  // Several at once, as a page that loads and saves: they share one refresh, and all succeed.
  const { body } = aKeyword(check);
  const [list, again, write] = await Promise.all([
    guide.request((access) => check.askProtected(access)),
    guide.request((access) => check.askProtected(access)),
    ...(check.target.write ? [guide.request((access) => check.api.createKeyword(body, { access }))] : []),
  ]).catch(async (error: unknown) => lost(check, error));
  const { access } = guide.tokens;
  for (const reply of [list, again]) {
    await restsOnSuccessor(check, access, reply);
    expect(reply, 'the rejected request, after one refresh').toHaveStatus(200);
  }
  if (write !== undefined && access !== undefined) await judgeRepeatedWrite(check, access, write);
  check.measure('refreshes for all rejected requests', String(guide.refreshes));
});

clause('JRN-05', async (check) => {
  const mine = await check.chain();
  await mine.rotate();
  const late = await nearItsEnd(check, mine.access);
  const good = await check.askProtected(late);
  if (good.status !== 200 && late !== mine.access) {
    throw new Blocked('EXP-05', `a token with a minute left is refused: ${seenStatus(good)}`);
  }
  expect(good, 'the token, a minute before its `exp`').toHaveStatus(200);
  const refreshed = await check.api.refresh(mine.refresh);
  if (refreshed.status !== 200) mine.invalidate();
  expect(refreshed, 'refresh ahead of time').toHaveStatus(200);
  mine.advance(refreshed);
  const successor = await check.askProtected(mine.access);
  await restsOnSuccessor(check, mine.access, successor);
  expect(successor, 'its successor').toHaveStatus(200);
});

/** By the key: a token past its `exp` is refused, and one in its last minute is good. @param now seconds, by the target's clock */
async function judgeBothSides(check: Check, access: string, key: string, now: number): Promise<void> {
  // Past the largest grace (EXP-07): what a client takes for ended must not open the door.
  const ended = await check.askProtected(resign(access, key, { claims: { exp: Math.floor(now) - 600 } }));
  if (ended.status === 200) throw new Blocked('EXP-04', 'a token ten minutes past its `exp` is still accepted');
  if (check.target.owner === undefined) {
    check.measure('seen', 'not a token in its last minute: it would be older than the account that this run made');
    return;
  }
  // In its last minute by both its claims, as any token is once: the server must not go by an age of its own.
  const end = Math.floor(now) + 60;
  const old = resign(access, key, { claims: { iat: end - check.target.accessTtlSeconds, exp: end } });
  expect(await check.askProtected(old), 'a token in the last minute of its life').toHaveStatus(200);
}

clause('JRN-06', async (check) => {
  const { access } = await check.session();
  const now = serverNow(await check.expectAuthorized(access));
  const exp = decode(access)?.claims['exp'];
  if (typeof exp !== 'number' || exp > 1e11) throw new Blocked('TOK-05', '`exp` is not a NumericDate');
  const left = exp - now;
  const reply = await check.askProtected(access);
  expect(reply, 'a token that is accepted').toSatisfy(
    left > 0,
    '`exp` ahead',
    `\`exp\` ${String(Math.round(-left))} s behind`,
  );
  const key = await keyIfProven(check, access);
  if (key === undefined) {
    check.measure(
      'seen',
      'only the accepted side; the refused one needs a target that takes what IGNY8_JWT_SECRET signed',
    );
    return;
  }
  await judgeBothSides(check, access, key, now);
});

clause('JRN-07', async (check) => {
  const { access } = await check.session();
  const list = check.api.path('listKeywords');
  const opened = await dependsOnSome(check, { access, path: list, by: 'JRN-01' });
  if (exactRows(opened) === undefined) throw new Blocked('ENV-08', 'there are no rows in the list', opened.exchange);
  const get = (path: string, times: number, token: string): Promise<readonly Reply[]> =>
    alike(check, times, (fresh) =>
      check.sender.sendOver(jsonRequest('GET', path, undefined, { access: token }), fresh),
    );
  let lists: readonly Reply[] = [];
  const item = async (): Promise<void> => {
    const id = firstIdOf(lists);
    // A refreshed token may be known to the worker that made it alone; where sessions end each other, the shared one must do.
    const many = check.target.dialect.sessions === 'many';
    const token = many ? (await check.provenChain()).access : access;
    const path = check.api.path('getKeyword', id);
    if (many) await dependsOnSome(check, { access: token, path, by: 'REF-02' });
    await get(path, IN_A_ROW.item, token);
    // It was there all the time.
    for (const reply of lists) expect(reply, 'the list').toSatisfy(hasRows(reply), 'rows, as in the others', 'none');
  };
  await check.eachRow(
    [
      {
        name: 'the list',
        judge: async () => {
          lists = await get(list, IN_A_ROW.list, access);
          await judgeCounters(check, access, lists);
        },
      },
      { name: 'one row by its id, and the list that it is in', judge: item },
      ...(check.target.write ? [{ name: 'writes', judge: () => judgeWrites(check) }] : []),
      { name: 'refresh, each by the token of the last', judge: () => judgeRotations(check) },
      ...(check.accounts.canRegister
        ? [{ name: 'somebody who registered a moment ago', judge: () => judgeNewcomer(check) }]
        : []),
    ],
    ({ judge }) => judge(),
    { inOrder: true },
  );
});

clause('JRN-08', async (check) => {
  const { account, access, refresh, reply: login } = await check.login();
  const other = await otherTenant(check);
  check.measure('cookies set by login', String(cookiesOf(login).split(';').filter(Boolean).length));
  const chain = { access, refresh };
  const refreshed = async (headers: Bearer['headers'] = []): Promise<Reply> => {
    const reply = await check.api.refresh(chain.refresh, { headers });
    Object.assign(chain, { access: reply.token('access') ?? '', refresh: reply.token('refresh') ?? '' });
    return reply;
  };
  const first = await worksWithoutCookies(check, chain.access, () => refreshed());
  const rows = await cookiesToSend(check, login, first, other);
  if (other !== undefined) await dependsOnOwnRows(check, chain.access, other);
  const write = check.target.write ? await check.api.createKeyword(aKeyword(check).body, chain) : undefined;
  await check.eachRow(
    rows,
    async ({ cookies }) => {
      const cookie = ['cookie', cookies] as const;
      await opensNothingAlone(check, cookie);
      expectOwnList(await check.api.listKeywords({ access: chain.access, headers: [cookie] }), other, 'the list');
      if (write !== undefined && write.status < 300) await judgeWritesBeside(check, chain.access, cookie, write);
      expect(await refreshed([cookie]), 'refresh').toHaveStatus(200);
      const list = await check.api.listKeywords({ access: chain.access });
      expectOwnList(list, other, 'the list, by the token of that refresh');
    },
    { inOrder: true },
  );
  await check.returnChain({ account, access: chain.access, refresh: chain.refresh });
});
