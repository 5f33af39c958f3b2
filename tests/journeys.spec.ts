/**
 * The guide's client on its documented ways. What a single request must do, the clauses about it say; a journey owns only what shows on
 * the way, and depends on the others.
 */
import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Finding, type Account, type Chain, type Check } from '../fixtures/check/check.js';
import {
  aKeyword,
  dependsOnOwnRows,
  listed,
  otherTenant,
  remove,
  somebody,
  type OtherTenant,
} from './support/resources.js';
import { jsonRequest, type Bearer } from '../fixtures/check/api.js';
import { BoundedTransport } from '../fixtures/http/raw-transport.js';
import { keepingAgent } from '../fixtures/http/way.js';
import { wayTo } from '../fixtures/run/target.js';
import { GuideClient, LoginNeeded } from './support/guide-client.js';
import { exactPayload, idOf } from './support/exact.js';
import { cookiesOf } from './support/channels.js';
import { seenStatus } from '../fixtures/check/expect.js';
import { flipped } from './support/forgeries.js';
import { serverNow } from './support/lifetimes.js';
import type { Reply } from '../fixtures/evidence/reply.js';
import { keyIfProven, readToken } from './support/signing-key.js';
import { decode, resign } from '../fixtures/evidence/jwt.js';
import { withoutCredentials } from './support/unauthenticated.js';

/** The client over the suite's own calls, with a pair of its own. */
async function client(check: Check, mine: Chain, account?: Account): Promise<GuideClient<Reply>> {
  const now = serverNow(await check.expectAuthorized(mine.access));
  const started = performance.now();
  const who = account ?? (await check.owner());
  const made = new GuideClient<Reply>(
    {
      login: () => check.api.login({ email: who.email, password: who.password }),
      refresh: (refresh) => check.api.refresh(refresh),
    },
    () => now + (performance.now() - started) / 1000,
    check.target.dialect.rotates,
  );
  made.use(mine);
  return made;
}

/** Refreshes in a row that show whether one chain is good at every worker. */
const WORKERS = 4;

/** @throws Blocked by JRN-07 where a chain rotates only now and then, over new connections */
async function dependsOnAlikeRefresh(check: Check): Promise<void> {
  const mine = await check.provenChain();
  for (let i = 0; i < WORKERS; i += 1) {
    const fresh = new BoundedTransport(wayTo(check.target));
    const reply = await check.sender.sendOver(check.api.refreshRequest(mine.refresh), fresh);
    if (reply.status === 200) mine.advance(reply);
    else {
      mine.invalidate();
      throw new Blocked('JRN-07', `a chain rotates only now and then: ${seenStatus(reply)}`, reply.exchange);
    }
  }
}

/** The chain rotated a moment before: that it does not any more is what the journey found. */
async function lost(check: Check, error: unknown): Promise<never> {
  if (!(error instanceof LoginNeeded)) throw error;
  await dependsOnAlikeRefresh(check);
  const reply = error.reply as Reply | undefined;
  throw new Finding(
    `the refresh on the way: ${error.message}${reply === undefined ? '' : `, ${seenStatus(reply)}`}; the same chain rotated a moment before`,
    reply?.exchange,
  );
}

/** What the refreshed token is good for is REF-02's question. */
async function restsOnSuccessor(check: Check, access: string | undefined, reply: Reply): Promise<void> {
  if (reply.status === 200 || access === undefined) return;
  const again = await check.askProtected(access);
  if (again.status !== 200)
    throw new Blocked('REF-02', `the refreshed access token does not open the route: ${seenStatus(again)}`);
}

/** A 401 is what tells the client to refresh: where the guide's 401 is something else, it never does. */
async function dependsOn401(check: Check): Promise<void> {
  const plain = await withoutCredentials(check);
  if (plain.status !== 401) throw new Blocked('UNA-01', `missing credentials are answered with ${seenStatus(plain)}`);
}

function spoiled(access: string): string {
  const decoded = decode(access);
  if (decoded === undefined) throw new Blocked('TOK-01', 'the access token is no compact JWS');
  return `${decoded.parts[0]}.${decoded.parts[1]}.${flipped(decoded.parts[2], 'first')}`;
}

clause('JRN-01', async (check) => {
  const session = await check.login();
  expect(await check.askProtected(session.access), 'GET planner/keywords/ with the token that login gave').toHaveStatus(
    200,
  );
  await check.returnChain(session);
});

clause('JRN-02', async (check) => {
  await dependsOn401(check);
  const mine = await check.chain();
  await mine.rotate();
  const guide = await client(check, mine);
  let expired = spoiled(mine.access);
  const key = await keyIfProven(check, mine.access);
  if (key !== undefined) {
    const now = serverNow(await check.expectAuthorized(mine.access));
    expired = resign(mine.access, key, { claims: { exp: Math.floor(now) - 600 } });
  }
  check.measure('rests on', key === undefined ? 'a spoiled token' : 'a token expired by the key');
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

const loginOf = ({ email, password }: Account): { email: string; password: string } => ({ email, password });

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
  // Two at once, as a page that loads: they share one refresh, and both succeed.
  const replies = await Promise.all([
    guide.request((access) => check.askProtected(access)),
    guide.request((access) => check.askProtected(access)),
  ]).catch(async (error: unknown) => lost(check, error));
  for (const reply of replies) await restsOnSuccessor(check, guide.tokens.access, reply);
  for (const reply of replies) expect(reply, 'the rejected request, after one refresh').toHaveStatus(200);
  check.measure('refreshes for two rejected requests', String(guide.refreshes));
});

clause('JRN-05', async (check) => {
  const mine = await check.chain();
  await mine.rotate();
  const before = mine.access;
  readToken(before);
  const opened = await check.answered('JRN-01', 'the protected route', () => check.askProtected(before));
  if (opened.status !== 200) {
    await check.expectAuthorized((await check.session()).access);
    throw new Blocked('REF-02', `the refreshed access token does not open the route: ${seenStatus(opened)}`);
  }
  let late = before;
  const key = await keyIfProven(check, before);
  if (key !== undefined) {
    const now = serverNow(opened);
    late = resign(before, key, { claims: { exp: Math.floor(now) + 60 } });
    check.measure('rests on', 'a token with a minute left, by the key');
  }
  const good = await check.askProtected(late);
  if (good.status !== 200 && late !== before) {
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

clause('JRN-06', async (check) => {
  const { access } = await check.session();
  const now = serverNow(await check.expectAuthorized(access));
  const exp = decode(access)?.claims['exp'];
  if (typeof exp !== 'number' || exp > 1e11) throw new Blocked('TOK-05', '`exp` is no NumericDate');
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
});

/** Requests in a row: enough to reach each of several workers. */
const IN_A_ROW = { list: 16, item: 16, write: 8, refused: 2, refresh: 8, newcomer: 4 };

type Ask = (fresh: BoundedTransport, i: number) => Promise<Reply>;

/** The same request again and again, over a connection each: over a kept one all would go to the same worker. */
async function alike(check: Check, times: number, ask: Ask, status = 200): Promise<readonly Reply[]> {
  const replies: Reply[] = [];
  for (let i = 0; i < times; i += 1) {
    const reply = await ask(new BoundedTransport(wayTo(check.target)), i);
    expect(reply, `request ${String(i + 1)} of ${String(times)}`).toHaveStatus(status);
    replies.push(reply);
  }
  return replies;
}

/** How often `X-Throttle-Remaining` is not lower than in the response before, and in how many pairs of responses. */
function notLower(replies: readonly Reply[]): { readonly times: number; readonly of: number } {
  const seen = replies.map((reply) => Number(reply.header('x-throttle-remaining') ?? NaN));
  const steps = seen.slice(1).map((next, i) => next - (seen[i] ?? NaN));
  // Used up, it stays at 0.
  const comparable = steps.filter((step, i) => !Number.isNaN(step) && seen[i + 1] !== 0);
  return { times: comparable.filter((step) => step >= 0).length, of: comparable.length };
}

/** Counters of one client: those of several workers count each for itself (7 7 6 6), those of one go down at each request. */
async function judgeCounters(check: Check, access: string, replies: readonly Reply[]): Promise<void> {
  const fresh = notLower(replies);
  if (fresh.times * 5 < fresh.of || fresh.of < IN_A_ROW.list / 2) return;
  // The control: over one connection, and so at one worker, they go down. Where they do not, it is how this target counts.
  const agent = keepingAgent(wayTo(check.target), { maxSockets: 1 });
  try {
    const kept = new BoundedTransport(wayTo(check.target), agent);
    const request = jsonRequest('GET', check.api.path('listKeywords'), undefined, { access });
    const control: Reply[] = [];
    for (let i = 0; i < IN_A_ROW.list / 2; i += 1) control.push(await check.sender.sendOver(request, kept));
    if (notLower(control).times > 0) return;
  } finally {
    agent.destroy();
  }
  const [last] = replies.slice(-1);
  if (last !== undefined)
    expect(last, '`X-Throttle-Remaining` over new connections').toSatisfy(
      false,
      'lower at each request, as over one connection',
      `not lower in ${String(fresh.times)} of ${String(fresh.of)}`,
    );
}

/** Milliseconds that a replica may lag behind a registration, and between two looks. */
const SETTLING_MS = 3000;
const LOOK_AGAIN_MS = 500;

/** Somebody who registered a moment ago is known to every worker. */
async function judgeNewcomer(check: Check): Promise<void> {
  const { access } = await check.registerAndLogin();
  const list = jsonRequest('GET', check.api.path('listKeywords'), undefined, { access });
  const ask: Ask = (fresh) => check.sender.sendOver(list, fresh);
  for (let waited = 0; ; waited += LOOK_AGAIN_MS) {
    try {
      await alike(check, IN_A_ROW.newcomer, ask);
      return;
    } catch (error) {
      if (waited >= SETTLING_MS) throw error;
      await check.sleep(LOOK_AGAIN_MS);
    }
  }
}

/** Writes with one live token, to a row that the run made in an account that it made. */
async function judgeWrites(check: Check): Promise<void> {
  const who = await somebody(check);
  const { row } = who;
  try {
    const requests = [
      // Refused for its body, so that it leaves nothing behind: it is refused alike each time.
      jsonRequest('POST', check.api.path('createKeyword'), {}, who),
      ...(row === undefined ? [] : [jsonRequest('PATCH', row.path, aKeyword(check).body, who)]),
    ];
    for (const request of requests) {
      const first = await check.raw(request);
      if (first.status === 401) throw new Blocked('UNA-14', `${request.method} returned ${seenStatus(first)}`);
      const times = first.status < 300 ? IN_A_ROW.write : IN_A_ROW.refused;
      await alike(check, times, (fresh) => check.sender.sendOver(request, fresh), first.status);
    }
  } finally {
    if (row !== undefined) await remove(check, who, row);
  }
}

clause('JRN-07', async (check) => {
  const { access } = await check.session();
  const list = check.api.path('listKeywords');
  const id = idOf((await listed(check, access)).rows[0]);
  const get = (path: string, times: number): Promise<readonly Reply[]> =>
    alike(check, times, (fresh) => check.sender.sendOver(jsonRequest('GET', path, undefined, { access }), fresh));
  const item = async (): Promise<void> => {
    if (id !== undefined) await get(check.api.path('getKeyword', id), IN_A_ROW.item);
  };
  const refresh = async (): Promise<void> => {
    const mine = await check.provenChain();
    await alike(check, IN_A_ROW.refresh, async (fresh) => {
      const reply = await check.sender.sendOver(check.api.refreshRequest(mine.refresh), fresh);
      if (reply.status === 200) mine.advance(reply);
      else mine.invalidate();
      return reply;
    });
  };
  await check.eachRow(
    [
      { name: 'the list', judge: async () => judgeCounters(check, access, await get(list, IN_A_ROW.list)) },
      ...(id === undefined ? [] : [{ name: 'one row by its id', judge: item }]),
      ...(check.target.write ? [{ name: 'writes', judge: () => judgeWrites(check) }] : []),
      { name: 'refresh, each by the token of the last', judge: refresh },
      ...(check.accounts.canRegister
        ? [{ name: 'somebody who registered a moment ago', judge: () => judgeNewcomer(check) }]
        : []),
    ],
    ({ judge }) => judge(),
  );
});

interface Cookies {
  readonly name: string;
  readonly cookies: string;
}

/** The cookies that register and login set; those of another user too, where this run knows one. */
async function cookiesToSend(check: Check, login: Reply, other: OtherTenant | undefined): Promise<Cookies[]> {
  // Where a user has one session, a login of the other would end the one that other checks use.
  const single = check.target.dialect.sessions === 'one';
  const theirs = other === undefined || single ? '' : cookiesOf((await check.login(other.credentials)).reply);
  const register = check.accounts.canRegister ? cookiesOf((await check.firstRegistration()).reply) : '';
  return [
    { name: 'its own cookies', cookies: cookiesOf(login) },
    { name: "another user's cookies", cookies: theirs },
    { name: "another user's cookies of register", cookies: register },
  ].filter(({ cookies }) => cookies !== '');
}

/** Writes beside cookies: what comes of them is the bearer token's user's own. */
async function judgeWritesBeside(
  check: Check,
  access: string,
  cookie: readonly [string, string],
  write: Reply,
): Promise<void> {
  const headers = [cookie];
  const { text, body } = aKeyword(check);
  const made = await check.api.createKeyword(body, { access, headers });
  expect(made, 'a write').toHaveStatus(write.status);
  const id = idOf(exactPayload(made));
  if (id === undefined) return;
  const row = { id, text, path: check.api.path('getKeyword', id) };
  const read = (): Promise<Reply> => check.api.getResource(row.path, { access });
  const plain = await read();
  expect(plain, "the new row, read by the bearer token's user").toSatisfy(
    plain.status === 200 && plain.text.includes(text),
    'there',
    seenStatus(plain),
  );
  expect(await check.api.getResource(row.path, { access, headers }), 'the same, with the cookies').toHaveStatus(200);
  for (const method of ['PATCH', 'PUT', 'DELETE']) {
    const change = method === 'DELETE' ? undefined : aKeyword(check);
    const reply = await check.raw(jsonRequest(method, row.path, change?.body, { access, headers }));
    // What the target does not have, it has not beside cookies either: the same without them tells.
    if (reply.status >= 400) {
      const without = await check.raw(jsonRequest(method, row.path, change?.body, { access }));
      expect(reply, method).toHaveStatus(without.status);
    } else if (change !== undefined) {
      const after = await read();
      expect(after, `the row after ${method}`).toSatisfy(
        after.text.includes(change.text),
        'changed',
        'as it was before',
      );
    }
  }
}

clause('JRN-08', async (check) => {
  const { account, access, refresh, reply: login } = await check.login();
  const other = await otherTenant(check);
  const rows = await cookiesToSend(check, login, other);
  check.measure('cookies set by login', String(cookiesOf(login).split(';').filter(Boolean).length));
  const chain = { access, refresh };
  const refreshed = async (headers: Bearer['headers'] = []): Promise<Reply> => {
    const reply = await check.api.refresh(chain.refresh, { headers });
    Object.assign(chain, { access: reply.token('access') ?? '', refresh: reply.token('refresh') ?? '' });
    return reply;
  };
  const control = [
    { by: 'JRN-01' as const, reply: await check.askProtected(chain.access) },
    { by: 'REF-01' as const, reply: await refreshed() },
  ];
  for (const { by, reply } of control)
    if (reply.status !== 200) throw new Blocked(by, `without cookies: ${seenStatus(reply)}`);
  if (other !== undefined) await dependsOnOwnRows(check, chain.access, other);
  const write = check.target.write ? await check.api.createKeyword(aKeyword(check).body, chain) : undefined;
  await check.eachRow(rows, async ({ cookies }) => {
    const cookie = ['cookie', cookies] as const;
    // Cookies that let in by themselves are UNA-11's.
    const alone = await check.api.listKeywords({ headers: [cookie] });
    if (alone.status === 200) throw new Blocked('UNA-11', 'the cookies alone open the list', alone.exchange);
    const ofToken = (list: Reply, what: string): void => {
      expect(list, what).toHaveStatus(200);
      expect(list, what).toSatisfy(
        other?.keyword === undefined || !list.text.includes(other.keyword.text),
        'that of the bearer token',
        "the other user's",
      );
    };
    ofToken(await check.api.listKeywords({ access: chain.access, headers: [cookie] }), 'the list');
    if (write !== undefined && write.status < 300) await judgeWritesBeside(check, chain.access, cookie, write);
    expect(await refreshed([cookie]), 'refresh').toHaveStatus(200);
    ofToken(await check.api.listKeywords({ access: chain.access }), 'the list, by the token of that refresh');
  });
  await check.returnChain({ account, access: chain.access, refresh: chain.refresh });
});
