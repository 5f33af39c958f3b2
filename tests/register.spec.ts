import { randomBytes } from 'node:crypto';
import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Finding, Unverified, type Account, type Check } from '../fixtures/check/check.js';
import { named } from '../fixtures/check/judging.js';
import { oddJson } from '../fixtures/check/api.js';
import { seenStatus } from '../fixtures/check/expect.js';
import { firstSession, lifetime, tolerance } from './support/lifetimes.js';
import { ROLES, sameAddress } from './support/users.js';
import { Reply } from '../fixtures/evidence/reply.js';
import { listed, otherTenant } from './support/resources.js';

type Registration = Awaited<ReturnType<Check['firstRegistration']>>;

/** The same, where a clause is about something behind the success: rests on REG-01. */
async function registered(check: Check): Promise<Registration> {
  const made = await check.answered('REG-01', 'register', check.firstRegistration);
  if (made.reply.status !== 200 && made.reply.status !== 201) {
    throw new Blocked('REG-01', `register did not succeed: ${seenStatus(made.reply)}`);
  }
  return made;
}

const REQUIRED = ['email', 'username', 'password'] as const;

interface Refusal {
  readonly name: string;
  readonly field: (typeof REQUIRED)[number];
  readonly account: Required<Account>;
  readonly reply: Reply;
}

/** Each required member missing, then empty: six answers, that REG-05 and REG-12 both look at. */
function refusals({ memo, newAccount, raw }: Check): Promise<Refusal[]> {
  return memo('incomplete registrations', async () => {
    const answers: Refusal[] = [];
    for (const value of [undefined, '']) {
      for (const field of REQUIRED) {
        const account = newAccount();
        const reply = await raw(oddJson('POST', 'auth/register/', { ...account, [field]: value }));
        answers.push({ name: `${value === undefined ? 'missing' : 'empty'} ${field}`, field, account, reply });
      }
    }
    return answers;
  });
}

/** A second account with the first one's e-mail, user name and password its own. */
function duplicate(check: Check): Promise<Registration> {
  return check.memo('duplicate registration', async () => {
    const first = await registered(check);
    const account = { ...check.newAccount(), email: first.account.email };
    return { account, reply: await check.api.register(account) };
  });
}

clause('REG-01', async (check) => {
  const { reply } = await check.firstRegistration();
  expect(reply, 'the documented body').toHaveStatus(200, 201);
});

clause('REG-02', async (check) => {
  const { account, reply } = await registered(check);
  const user = reply.user;
  expect(reply, 'the user returned').toSatisfy(
    sameAddress(user['email'], account.email) && user['username'] === account.username,
    'the e-mail and the username that were sent',
    `e-mail ${sameAddress(user['email'], account.email) ? 'as sent' : JSON.stringify(user['email'] ?? null)}, username ${
      user['username'] === account.username ? 'as sent' : JSON.stringify(user['username'] ?? null)
    }`,
  );
});

clause('REG-03', async (check) => {
  const { reply } = await registered(check);
  expect(reply, 'the answer to register').toCarryDocumentedTokens();
  const [access = '', refresh = ''] = [reply.token('access'), reply.token('refresh')];
  // As from login: they are good for as much. That login's own are, others say.
  const opened = await check.askProtected(access);
  if (opened.status !== 200) await check.expectAuthorized((await check.session()).access);
  expect(opened, 'the protected route with the access token of register').toHaveStatus(200);
  const rotated = await check.api.refresh(refresh);
  if (rotated.status !== 200) await (await check.chain()).rotate();
  expect(rotated, 'refresh with the refresh token of register').toHaveStatus(200);
  const { access: ofLogin, refresh: refreshOfLogin, reply: login } = await firstSession(check);
  for (const [kind, mine, other] of [
    ['access', access, ofLogin],
    ['refresh', refresh, refreshOfLogin],
  ] as const) {
    const [seen, expected] = [lifetime(reply, mine), lifetime(login, other)];
    expect(reply, `the lifetime of its ${kind} token`).toSatisfy(
      Math.abs(seen - expected) <= tolerance(reply) + tolerance(login),
      `that of login's, ${String(Math.round(expected))} s`,
      `${String(Math.round(seen))} s`,
    );
  }
});

/** The first login of the account just registered: REG-04's question, and what REG-07 rests on. */
async function firstLogin(check: Check): Promise<Reply> {
  const { account } = await registered(check);
  return check.memo('login of the registered', () =>
    check.api.login({ email: account.email, password: account.password }),
  );
}

clause('REG-04', async (check) => {
  const reply = await firstLogin(check);
  if (reply.status === 200 && reply.token('access') === undefined) {
    throw new Blocked('LOG-01', `login gives no tokens: ${seenStatus(reply)}`);
  }
  if (reply.status !== 200) {
    // Is it this account, or is login down for everybody?
    const others = await check.answered('LOG-01', 'login', async () => {
      const who = await check.owner();
      return check.api.login({ email: who.email, password: who.password });
    });
    if (others.status !== 200) throw new Blocked('LOG-01', `login works for nobody: ${seenStatus(others)}`);
  }
  expect(reply, 'login of the account just registered').toHaveStatus(200);
});

clause('REG-05', async (check) => {
  await registered(check);
  await check.eachRow(await refusals(check), async ({ name, account, reply }) => {
    expect(reply).toHaveStatus(400);
    // Only where e-mail and password went along could an account have appeared that somebody logs in to.
    if (name !== 'empty username') return;
    const login = await check.api.login({ email: account.email, password: account.password });
    expect(login, 'login to the account that was refused').not.toHaveStatus(200);
  });
});

clause('REG-06', async (check) => {
  await registered(check);
  // The second is taken where only a part has to match, the third where any text may stand in front of the last @.
  const malformed = ['no-at-sign.example.com', 'two words@example.com', 'two@signs@example.com'];
  await check.eachRow(
    named(malformed, (email) => `e-mail “${email}”`),
    async ({ value: email }) => {
      const reply = await check.api.register({
        ...check.newAccount(),
        email: email.replace('two', `two${randomBytes(4).toString('hex')}`),
      });
      expect(reply).toHaveStatus(400);
    },
  );
});

clause('REG-07', async (check) => {
  const first = await registered(check);
  const before = await firstLogin(check);
  if (before.status !== 200) throw new Blocked('REG-04', `the first account cannot log in: ${seenStatus(before)}`);
  const { reply } = await duplicate(check);
  expect(reply, 'a second registration with the same e-mail').toHaveStatus(400, 409);
  const again = await check.api.login({ email: first.account.email, password: first.account.password });
  expect(again, 'the first account, with its own password').toHaveStatus(200);
});

clause('REG-08', async (check) => {
  const first = await registered(check);
  const exact = await duplicate(check);
  if (exact.reply.status < 400) throw new Blocked('REG-07', 'the same e-mail is accepted twice in any letter case');
  const { email } = first.account;
  const reply = await check.api.register({ ...check.newAccount(), email: email.toLowerCase() });
  expect(reply, 'the same e-mail in other letter case').toHaveStatus(400, 409);
});

clause('REG-09', async (check) => {
  const { account, reply } = await registered(check);
  if (!sameAddress(reply.user['email'], account.email)) {
    throw new Blocked('REG-02', 'the answer is not about the account that was registered');
  }
  // Refusals too: a form that is sent back with what was in it has the password in it.
  const answers = (await check.observations()).filter(({ operationId }) => operationId === 'register');
  check.eachAnswer(answers, ({ password }) => (password === undefined ? undefined : `${password} is in it`));
});

/** True if a list shows rows that another user's list has. */
async function seesRowsOf(check: Check, other: string, access: string): Promise<boolean> {
  const reply = await check.askProtected(access);
  if (reply.status !== 200) return false;
  const theirs = new Set((await listed(check, other)).rows.map((row) => String((row as { id?: unknown } | null)?.id)));
  const { rows } = await listed(check, access);
  return rows.some((row) => theirs.has(String((row as { id?: unknown } | null)?.id)));
}

/** Where anybody sees them, it is FOR-06's to say. */
async function everybodySeesRowsOf(check: Check, other: string): Promise<boolean> {
  const somebody = await otherTenant(check);
  return somebody !== undefined && seesRowsOf(check, other, somebody.access);
}

clause('REG-10', async (check) => {
  const plain = (await registered(check)).reply.user;
  const own = await check.session();
  const { user: owner } = own;
  const ownerAccount = (owner['account'] as { id?: unknown } | undefined)?.id;
  const id = 987_654_321;
  const account = check.newAccount();
  const body = {
    ...account,
    role: plain['role'] === 'developer' ? 'system_bot' : 'developer',
    is_staff: true,
    is_superuser: true,
    account: ownerAccount,
    account_id: ownerAccount,
    id,
  };
  const reply = await check.raw(oddJson('POST', 'auth/register/', body));
  // Refused as a whole: nothing took effect. What a server may not do with it is fall over.
  if (reply.status >= 400 && reply.status < 500) return;
  const { user, access, reply: login } = await check.login(account);
  if (!sameAddress(user['email'], account.email))
    throw new Blocked('LOG-03', 'login shows another user than the one registered');
  const effects = [
    (user['role'] === body.role ||
      (ROLES.includes(String(plain['role'])) &&
        ROLES.includes(String(user['role'])) &&
        user['role'] !== plain['role'])) &&
      'role',
    user['is_staff'] === true && 'is_staff',
    user['is_superuser'] === true && 'is_superuser',
    user['id'] === id && 'id',
    ownerAccount !== undefined &&
      (plain['account'] as { id?: unknown } | undefined)?.id !== ownerAccount &&
      (user['account'] as { id?: unknown } | undefined)?.id === ownerAccount &&
      'account',
    (await seesRowsOf(check, own.access, access)) &&
      !(await everybodySeesRowsOf(check, own.access)) &&
      "a look at other accounts' rows",
  ].filter((effect) => effect !== false);
  expect(login, 'the account registered with members that are not its own to set').toSatisfy(
    effects.length === 0,
    'none of them to take effect',
    `taken over: ${effects.join(', ')}`,
  );
});

clause('REG-11', async (check) => {
  await registered(check);
  const account = check.newAccount();
  const reply = await check.api.register({ ...account, password: account.password.slice(0, 7) });
  expect(reply, 'a password of seven characters').toHaveStatus(400);
  const named = Object.keys(reply.fieldErrors);
  // Without any `errors` it is REG-12 that has something to say.
  expect(reply, 'its `errors`').toSatisfy(
    named.length === 0 || named.includes('password'),
    'to name `password`',
    `named: ${named.join(', ')}`,
  );
});

clause('REG-12', async (check) => {
  await registered(check);
  const refused = (await refusals(check)).filter(({ reply }) => reply.status === 400);
  if (refused.length === 0) throw new Blocked('REG-05', 'no incomplete registration was refused with 400');
  // Each refused field: the first alone sends a client round once for every other.
  const { email: _, password: __, ...others } = check.newAccount();
  const both = await check.raw(oddJson('POST', 'auth/register/', others));
  const alone = (['email', 'password'] as const).filter((field) =>
    refused.some(({ name }) => name === `missing ${field}`),
  );
  const rows = alone.map((field) => ({
    name: 'missing email and password',
    field,
    reply: both,
  }));
  await check.eachRow(both.status === 400 ? [...refused, ...rows] : refused, ({ field, reply }) => {
    const texts = reply.fieldErrors[field];
    expect(reply, '`errors`').toSatisfy(
      Array.isArray(texts) && texts.length > 0 && texts.every((text) => typeof text === 'string' && text !== ''),
      `${field}: a list of texts`,
      texts === undefined
        ? `no \`${field}\` in \`errors\``
        : `${field}: ${Array.isArray(texts) ? 'a list of something else' : typeof texts}`,
    );
    return Promise.resolve();
  });
});

clause('REG-13', async (check) => {
  const { reply } = await registered(check);
  expect(reply, 'the documented body').toHaveStatus(201);
});

clause('REG-14', async (check) => {
  const { reply } = await registered(check);
  const second = await check.api.register(check.newAccount());
  if (second.status !== 200 && second.status !== 201) {
    throw new Blocked('REG-01', `the second registration did not succeed: ${seenStatus(second)}`);
  }
  const ids = [reply, second].map((answer) => (answer.user['account'] as { id?: unknown } | undefined)?.id);
  if (ids.includes(undefined)) throw new Unverified('The answer to register does not tell which account was made.');
  expect(second, 'the accounts of two registrations').toSatisfy(
    ids[0] !== ids[1],
    'two different ones',
    'the same one',
  );
});

clause('REG-15', async (check) => {
  const first = (await registered(check)).account;
  const before = await firstLogin(check);
  if (before.status !== 200) throw new Blocked('REG-04', `the first account cannot log in: ${seenStatus(before)}`);
  const rows = [
    {
      name: 'a user name that is taken',
      judge: async () => {
        const reply = await check.api.register({ ...check.newAccount(), username: first.username });
        if (reply.status >= 300) {
          expect(reply, 'the registration').toHaveStatus(400, 409);
          return;
        }
        const { username } = reply.user;
        expect(reply, 'the user name of the new account').toSatisfy(
          username !== undefined && username !== first.username,
          'a different one',
          username === undefined ? 'none' : 'the one that is taken',
        );
      },
    },
    {
      name: "a user name that is another user's e-mail",
      judge: async () => {
        const reply = await check.api.register({ ...check.newAccount(), username: first.email });
        expect(reply, 'the registration').toSatisfy(reply.status < 500, 'accepted or refused', seenStatus(reply));
        const again = await check.api.login({ email: first.email, password: first.password });
        expect(again, 'login of the user with that e-mail').toHaveStatus(200);
        expect(again, 'the user who logged in').toSatisfy(
          sameAddress(again.user['email'], first.email),
          'the one with that e-mail',
          'another one',
        );
      },
    },
  ];
  await check.eachRow(rows, ({ judge }) => judge());
});

/** Registrations of one e-mail that are sent together. */
const AT_ONCE = 5;

clause('REG-16', async (check) => {
  await registered(check);
  const { email } = check.newAccount();
  const accounts = Array.from({ length: AT_ONCE }, () => ({ ...check.newAccount(), email }));
  const replies = await check.sender.sendAtOnce(accounts.map((body) => oddJson('POST', 'auth/register/', body)));
  const winners = accounts.filter((_, i) => {
    const reply = replies[i];
    return reply instanceof Reply && reply.status < 300;
  });
  for (const reply of replies) {
    if (!(reply instanceof Reply)) throw reply;
    if (reply.status === 429)
      throw new Unverified('The rate limit refused some of the simultaneous registrations: set IGNY8_AUTH_RATE.');
    if (reply.status >= 300) expect(reply, 'one of the simultaneous registrations').toHaveStatus(400, 409);
  }
  const last = replies.findLast((reply): reply is Reply => reply instanceof Reply && reply.status < 300);
  const [winner] = winners;
  if (winner === undefined || last === undefined || winners.length > 1)
    throw new Finding(
      `${String(winners.length)} of ${String(AT_ONCE)} simultaneous registrations of one e-mail succeeded, expected 1`,
      last?.exchange,
    );
  const login = await check.api.login({ email, password: winner.password });
  expect(login, 'login with the password of the registration that succeeded').toHaveStatus(200);
});
