import { jsonRequest } from '../fixtures/check/api.js';
import { Blocked, Finding, Unverified, type Account, type Check } from '../fixtures/check/check.js';
import { clause, expect } from '../fixtures/check/clause.js';
import { seenStatus } from '../fixtures/check/expect.js';
import type { Row } from '../fixtures/check/judging.js';
import type { Sendable } from '../fixtures/check/sender.js';
import { userIn } from '../fixtures/evidence/reading.js';
import { Reply } from '../fixtures/evidence/reply.js';
import { BoundedTransport } from '../fixtures/http/raw-transport.js';
import { keepingAgent } from '../fixtures/http/way.js';
import { pathOf } from '../fixtures/run/dialect.js';
import { wayTo } from '../fixtures/run/target.js';
import { firstAndCostly, registered, Victims, type Judged } from './support/accounts/accounts.js';
import { compareRefusals } from './support/accounts/alike.js';
import { madeAlike, PAIRS } from './support/accounts/pairs.js';
import {
  BESIDE,
  dependsOnLoginBeside,
  expectNoLogin,
  expectRefusedNearly,
  INCOMPLETE_LOGINS,
  leftOutBeside,
  loginBeside,
  judgeOdd,
  NEARLY,
  NEARLY_ODD,
  STRANGERS,
  strayAuthorizations,
  WRONG_PASSWORDS,
  expectOwnUser,
  registersWith,
} from './support/accounts/login-tables.js';
import { firstSession } from './support/tokens/lifetimes.js';
import { expectOwnLogins, twoUsers, secondLogin, twoAtOnce } from './support/accounts/together.js';
import { timingSideChannel } from './support/accounts/timing.js';
import { isRefusedHere } from './support/access/unauthenticated.js';
import { sameAddress } from './support/accounts/users.js';
import { faultsOfUser, shownUsers, expectShown } from './support/accounts/shown-users.js';

clause('LOG-01', async (check) => {
  const { account, reply } = await check.firstLogin();
  expect(reply, 'the right credentials').toHaveStatus(200);
  expect(reply, 'login response').toCarryDocumentedTokens();
  // Where it stands, LOG-02 says.
  expect(reply, 'login response').toSatisfy(Object.keys(reply.user).length > 0, 'a user', 'none');
  const { paths } = check.target.dialect;
  if (paths.login !== undefined) {
    // By the letter of the guide, although this target has it elsewhere.
    const { email, password } = account;
    const literal = await check.raw(jsonRequest('POST', pathOf('login'), { email, password }));
    expect(literal, `POST ${pathOf('login')}`).toHaveStatus(200);
  }
});

clause('LOG-02', async (check) => {
  const { user, reply: first } = await firstSession(check);
  if (Object.keys(user).length === 0) throw new Blocked('LOG-01', 'there is no `user` in the response', first.exchange);
  await check.eachRow(await shownUsers(check), ({ reply }) => {
    if (reply.status !== 200) throw new Unverified(`Login returned ${seenStatus(reply)}.`);
    const place = userIn(reply.json)?.place;
    const elsewhere = place === 'data.user' ? [] : [`it stands in ${place ?? 'no place'} instead of \`data.user\``];
    const faults = [...elsewhere, ...faultsOfUser(reply.user)];
    expect(reply, 'user').toSatisfy(
      faults.length === 0,
      'id (integer), email, username, role (a known one), account with id, name, slug',
      faults.join(', '),
    );
  });
});

clause('LOG-03', async (check) => {
  const { user: first } = await firstSession(check);
  if (typeof first['email'] !== 'string') throw new Blocked('LOG-02', '`user` has no e-mail');
  const rows: Judged[] = (await shownUsers(check)).map(({ name, account, reply }) => ({
    name,
    judge: () => {
      expectShown(account, reply);
      return Promise.resolve();
    },
  }));
  if (check.accounts.canRegister) {
    await registered(check);
    rows.push(
      ...PAIRS.map((pair) => ({
        name: `two users: ${pair.name}`,
        judge: async () => {
          for (const { account, login } of (await madeAlike(check, pair)) ?? []) expectShown(account, login);
        },
      })),
    );
  }
  await check.eachRow(await firstAndCostly(check, rows), ({ judge }) => judge(), { inOrder: true });
});

clause('LOG-04', async (check) => {
  await firstSession(check);
  const victims = new Victims(check);
  const rows: Judged[] = WRONG_PASSWORDS.map(({ name, of, ...row }) => ({
    name,
    judge: async () => {
      const { reply } = await victims.attempt((right) => of(right, check.newAccount()));
      expectNoLogin(check, reply, row);
    },
  }));
  if (check.accounts.canRegister)
    rows.push(
      ...BESIDE.map((beside) => ({
        name: `another password ${beside.name}`,
        judge: async () => {
          const right = await victims.next();
          const body = { email: right.email, password: check.newAccount().password };
          const reply = await loginBeside(check, right, body, beside);
          if (reply.status !== 401) await dependsOnLoginBeside(check, right, beside);
          expectNoLogin(check, reply);
        },
      })),
    );
  await check.eachRow(await firstAndCostly(check, rows), ({ judge }) => judge(), { inOrder: true });
  await victims.finish();
});

clause('LOG-05', async (check) => {
  await firstSession(check);
  const known = await check.ownAccount();
  await check.eachRow(await firstAndCostly(check, STRANGERS), async ({ of, ...row }) => {
    const reply = await check.raw(check.api.request('login', of(known, check.newAccount())));
    expectNoLogin(check, reply, row);
  });
});

clause('LOG-06', async (check) => {
  await firstSession(check);
  const { known, unknown, tellTales } = await compareRefusals(check);
  for (const [[reply], by, what] of [
    [known, 'LOG-04', 'a wrong password'],
    [unknown, 'LOG-05', 'an unknown e-mail'],
  ] as const)
    if (!isRefusedHere(check, reply)) throw new Blocked(by, `${what} gets ${seenStatus(reply)}`, reply.exchange);
  if (known[0].status !== unknown[0].status)
    throw new Finding(
      `${String(known[0].status)} to a wrong password, ${String(unknown[0].status)} to an unknown e-mail`,
    );
  expect(unknown[0], 'an unknown e-mail compared with a wrong password').toSatisfy(
    tellTales.length === 0,
    'no difference but ids, times and counters',
    `a difference in ${tellTales.slice(0, 8).join(', ')}: “${known[0].error ?? ''}” and “${unknown[0].error ?? ''}”`,
  );
});

clause('LOG-07', { phase: 'burst' }, timingSideChannel);

clause('LOG-08', async (check) => {
  await firstSession(check);
  const victims = new Victims(check);
  const known = await check.ownAccount();
  const rows: Judged[] = INCOMPLETE_LOGINS.map(({ name, of, also = [], missing, mayCount }) => ({
    name,
    judge: async () => {
      // What names an e-mail without its password may count as a wrong one.
      const right = mayCount === true ? await victims.next() : known;
      const reply = await victims.refusal(of(right, check.newAccount()));
      if (missing) expectIncomplete(reply);
      else expectNoLogin(check, reply, { also });
    },
  }));
  if (check.accounts.canRegister)
    rows.push({
      name: `missing email, and missing password, ${BESIDE[0].name}`,
      judge: async () => {
        const right = await victims.next();
        for (const { name, reply } of await leftOutBeside(check, right)) {
          if (reply.status > 400) await dependsOnLoginBeside(check, right, BESIDE[0]);
          expectIncomplete(reply, name);
        }
      },
    });
  await check.eachRow(await firstAndCostly(check, rows), ({ judge }) => judge(), { inOrder: true });
  await victims.finish();
});

function expectIncomplete(reply: Reply, what?: string): void {
  expect(reply, what).toHaveStatus(400);
  expect(reply, what).toCarryNoToken();
}

clause('LOG-09', async (check) => {
  await firstSession(check);
  const victims = new Victims(check);
  const rows: Judged[] = NEARLY.map(({ name, of }) => ({ name, judge: () => expectRefusedNearly(victims, of) }));
  if (check.accounts.canRegister) {
    await registered(check);
    rows.push(...NEARLY_ODD.map((row) => ({ name: row.name, judge: () => judgeOdd(check, row) })));
  }
  await check.eachRow(await firstAndCostly(check, rows), ({ judge }) => judge(), { inOrder: true });
  await victims.finish();
});

clause('LOG-10', async (check) => {
  const first = await firstSession(check);
  const rows = [
    { name: 'one after the other', pair: async () => [first, await secondLogin(check)] as const },
    { name: 'at the same moment', pair: () => twoAtOnce(check) },
  ];
  await check.eachRow(
    await firstAndCostly(check, rows),
    async ({ pair }) => {
      const [one, other] = await pair();
      const same = (['access', 'refresh'] as const).filter((name) => one[name] === other[name]);
      expect(other.reply, 'the tokens of two logins').toSatisfy(
        same.length === 0,
        'different ones',
        `the same ${same.join(' and ')} token`,
      );
    },
    { inOrder: true },
  );
});

clause('LOG-11', async (check) => {
  const { account, access, user: first } = await firstSession(check);
  if (first['email'] !== undefined && !sameAddress(first['email'], account.email))
    throw new Blocked('LOG-03', 'login returns a different user from the one who logged in');
  const headers = await strayAuthorizations(check, access);
  const rows: Judged[] = headers.map(({ name, header }) => ({
    name: `login with ${name}`,
    judge: async () => {
      expectOwnUser(await check.api.login(account, { headers: [['authorization', header]] }), account);
    },
  }));
  if (check.accounts.canRegister) {
    await registered(check);
    for (const { name, header, register } of headers)
      if (register === true) rows.push({ name: `register with ${name}`, judge: () => registersWith(check, header) });
  }
  await check.eachRow(await firstAndCostly(check, rows), ({ judge }) => judge());
});

clause('LOG-13', async (check) => {
  await firstSession(check);
  // A URL is what access logs keep: where the run may make an account of its own, no given password goes into it.
  const { email, password } = await check.ownAccount();
  const path = `${check.api.path('login')}?${new URLSearchParams({ email, password }).toString()}`;
  const json = [['content-type', 'application/json']] as const;
  const rows: (Row & { readonly request: Sendable })[] = [
    { name: 'GET', request: { method: 'GET', path } },
    { name: 'POST without a body', request: { method: 'POST', path } },
    { name: 'POST with an empty JSON object', request: { method: 'POST', path, headers: json, body: '{}' } },
  ];
  await check.eachRow(await firstAndCostly(check, rows), async ({ request }) => {
    const reply = await check.raw(request);
    expect(reply, 'the credentials in the query string').toCarryNoToken();
  });
});

/** Logins of each user that are sent together. */
const LOGINS_EACH = 2;

/** A way to send several requests at the same moment. */
interface Way extends Row {
  readonly send: (requests: readonly Sendable[]) => Promise<unknown[]>;
  /** Refused logins of nobody that are sent between the others. */
  readonly strangers?: number;
}

function waysOf(check: Check, kept: BoundedTransport): Way[] {
  return [
    {
      name: 'over new connections, alongside logins that are refused',
      send: (requests) => check.sender.sendAtOnce(requests),
      strangers: LOGINS_EACH,
    },
    {
      name: 'over kept connections',
      send: (requests) => Promise.all(requests.map((request) => check.sender.sendOver(request, kept))),
    },
  ];
}

clause('LOG-15', async (check) => {
  const users = await twoUsers(check);
  const logins = Array.from({ length: LOGINS_EACH }, () => users).flat();
  const login = ({ email, password }: Account): Sendable => check.api.request('login', { email, password });
  const way = wayTo(check.target);
  const agent = keepingAgent(way);
  const kept = new BoundedTransport(way, agent);
  await check
    .eachRow(
      await firstAndCostly(check, waysOf(check, kept)),
      async ({ send, strangers = 0 }) => {
        const refused = Array.from({ length: strangers }, () => login(check.newAccount()));
        const replies = await send([...logins.map(({ account }) => login(account)), ...refused]);
        expectOwnLogins(check, users, replies.slice(0, logins.length));
        for (const reply of replies.slice(logins.length)) if (reply instanceof Reply) expect(reply).toCarryNoToken();
      },
      { inOrder: true },
    )
    .finally(() => {
      agent.destroy();
    });
});
