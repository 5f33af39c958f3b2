import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Finding, type Check } from '../fixtures/check/check.js';
import { jsonRequest } from '../fixtures/check/api.js';
import { seenStatus } from '../fixtures/check/expect.js';
import { pathOf } from '../fixtures/run/dialect.js';
import {
  costly,
  dependsOnDuplicates,
  expectNotThePassword,
  firstAndCostly,
  firstLoginOf,
  registered,
  soundAccount,
  type Judged,
} from './support/accounts/accounts.js';
import {
  AT_ONCE,
  dependsOnLetterCase,
  expectOwn,
  refusedForFields,
  registerAtOnce,
  registeredAgain,
  inOtherCase,
  takenNames,
  otherRegistrations,
} from './support/accounts/conflicts.js';
import {
  extraFields,
  logsInAsSent,
  INCOMPLETE,
  registerWith,
  TAKEN_AS_SENT,
  badEmails,
  takesNone,
  SHORT_PASSWORDS,
} from './support/accounts/register-tables.js';
import { expectTwoAccounts, madeAlike, PAIRS } from './support/accounts/pairs.js';
import { accountId, accountSlug } from './support/access/resources.js';
import { capitalDomain, sameAddress } from './support/accounts/users.js';
import type { Reply } from '../fixtures/evidence/reply.js';

clause('REG-01', async (check) => {
  const { reply } = await check.firstRegistration();
  expect(reply, 'the documented body').toHaveStatus(200, 201);
  const { registerBody, dialect } = check.target;
  if (Object.keys(registerBody).length === 0 && dialect.paths.register === undefined) return;
  // By the letter of the guide, although this target wants more, or has it elsewhere.
  const literal = await check.raw(jsonRequest('POST', pathOf('register'), check.newAccount()));
  expect(literal, `the documented body, and no more, to ${pathOf('register')}`).toHaveStatus(200, 201);
});

clause('REG-02', async (check) => {
  const { account, reply } = await registered(check);
  const first: Judged = {
    name: 'the documented body',
    judge: () => {
      expectOwn(reply, account);
      return Promise.resolve();
    },
  };
  await check.eachRow(await firstAndCostly(check, [first, ...otherRegistrations(check)]), ({ judge }) => judge());
});

clause('REG-03', async (check) => {
  // Somebody whom no other check logs in, which on some servers would end what register began.
  const { account, reply } = await registerWith(check, {});
  if (reply.status >= 300)
    throw new Blocked('REG-01', `register did not succeed: ${seenStatus(reply)}`, reply.exchange);
  expect(reply, 'the response to register').toCarryDocumentedTokens();
  const { email } = reply.user;
  if (typeof email === 'string' && !sameAddress(email, account.email))
    throw new Blocked('REG-02', 'register returns somebody else, whose tokens say nothing of this one', reply.exchange);
  const [access = '', refresh = ''] = [reply.token('access'), reply.token('refresh')];
  // As from login: they are good for as much. That login's own are, others say; how long either lives, EXP-01 and EXP-02.
  const opened = await check.askProtected(access);
  if (opened.status !== 200) await check.expectAuthorized((await check.session()).access);
  expect(opened, 'the protected route with the access token of register').toHaveStatus(200);
  const rotated = await check.api.refresh(refresh);
  if (rotated.status !== 200) await (await check.chain()).rotate();
  expect(rotated, 'refresh with the refresh token of register').toHaveStatus(200);
});

/** @throws Blocked by LOG-01 if login works for nobody, and so says nothing of this account */
async function dependsOnAnyLogin(check: Check): Promise<void> {
  const others = await check.answered('LOG-01', 'login', async () => check.api.login(await check.owner()));
  if (others.status !== 200) throw new Blocked('LOG-01', `login works for nobody: ${seenStatus(others)}`);
}

clause('REG-04', async (check) => {
  const reply = await firstLoginOf(check);
  if (reply.status === 200 && reply.token('access') === undefined)
    throw new Blocked('LOG-01', `login returns no tokens: ${seenStatus(reply)}`);
  if (reply.status !== 200) await dependsOnAnyLogin(check);
  expect(reply, 'login of the account just registered').toHaveStatus(200);
  await check.eachRow(await costly(check, TAKEN_AS_SENT), (row) => logsInAsSent(check, row));
});

clause('REG-05', async (check) => {
  await registered(check);
  await check.eachRow(await costly(check, INCOMPLETE), async ({ field, value, complete }) => {
    const { account, reply } = await registerWith(check, { [field]: value });
    expect(reply).toHaveStatus(400);
    if (!complete) return;
    // Completed, the same registration finds nobody in its way.
    const whole = await registerWith(check, { ...account, [field]: check.newAccount()[field] });
    expect(whole.reply, 'the same registration, completed').toHaveStatus(200, 201);
  });
});

clause('REG-06', async (check) => {
  await registered(check);
  await check.eachRow(await costly(check, badEmails(check)), ({ judge }) => judge());
});

clause('REG-07', async (check) => {
  const { account: first } = await registered(check);
  const before = await firstLoginOf(check);
  if (before.status !== 200) throw new Blocked('REG-04', `the first account cannot log in: ${seenStatus(before)}`);
  await check.eachRow(await firstAndCostly(check, registeredAgain(check, first)), ({ judge }) => judge(), {
    inOrder: true,
  });
});

clause('REG-08', async (check) => {
  const { account } = await registered(check);
  await dependsOnDuplicates(check);
  await check.eachRow(await firstAndCostly(check, inOtherCase(check, account.email)), ({ judge }) => judge());
  const own = await check.api.login(account);
  expect(own, 'login of the first account, with its own password').toHaveStatus(200);
});

clause('REG-10', async (check) => {
  await registered(check);
  const own = await check.session();
  // Whose id is sent: nobody that another check has to do with.
  const { account: victim, reply: plain } = await registerWith(check, {});
  const rows = extraFields(plain.user['role'], plain.user['id'], {
    id: accountId(own.user),
    slug: accountSlug(own.user),
  });
  await check.eachRow(await firstAndCostly(check, rows), (row) => takesNone(check, own.access, plain, row));
  const login = await check.api.login(victim);
  if (login.status !== 200 && (await firstLoginOf(check)).status !== 200)
    throw new Blocked('REG-04', `nobody who registered can log in: ${seenStatus(login)}`, login.exchange);
  expect(login, 'login of the user whose `id` was sent').toHaveStatus(200);
});

clause('REG-11', async (check) => {
  await registered(check);
  await check.eachRow(await firstAndCostly(check, SHORT_PASSWORDS), async ({ of }) => {
    const { reply } = await registerWith(check, { password: of(check.newAccount().password) });
    expect(reply).toHaveStatus(400);
    const fields = Object.keys(reply.fieldErrors);
    // Without any `errors` it is REG-12 that has something to say.
    expect(reply, 'its `errors`').toSatisfy(
      fields.length === 0 || fields.includes('password'),
      'to name `password`',
      `named: ${fields.join(', ')}`,
    );
  });
});

/** `errors` has an array of strings for the field. */
function expectNamed(reply: Reply, field: string): void {
  const texts = reply.fieldErrors[field];
  expect(reply, '`errors`').toSatisfy(
    Array.isArray(texts) && texts.length > 0 && texts.every((text) => typeof text === 'string' && text !== ''),
    `${field}: an array of strings`,
    texts === undefined
      ? `no \`${field}\` in \`errors\``
      : `${field}: ${Array.isArray(texts) ? 'an array of something else' : typeof texts}`,
  );
}

clause('REG-12', async (check) => {
  await registered(check);
  let asked = 0;
  const taken = new Set<string>();
  await check.eachRow(
    await costly(check, refusedForFields(check)),
    async ({ refused, fields }) => {
      const { reply } = await registerWith(check, fields);
      // Whether it is refused with 400, REG-05 and REG-06 say.
      if (reply.status !== 400) {
        refused.forEach((field) => taken.add(field));
        return;
      }
      asked += 1;
      // Each refused field: the first alone sends a client round once for every other.
      for (const field of refused.filter((one) => !taken.has(one))) expectNamed(reply, field);
    },
    { inOrder: true },
  );
  if (asked === 0) throw new Blocked('REG-05', 'no incomplete registration was refused with 400');
});

clause('REG-13', async (check) => {
  const { reply } = await registered(check);
  expect(reply, 'the documented body').toHaveStatus(201);
});

clause('REG-14', async (check) => {
  const { account, reply } = await registered(check);
  // The same name and the same company's domain, as colleagues have it.
  const plain: Judged = {
    name: 'the same first and last name, and domain',
    judge: async () => {
      const second = await registerWith(check, { first_name: account.first_name, last_name: account.last_name });
      if (second.reply.status !== 200 && second.reply.status !== 201)
        throw new Blocked('REG-01', `the second registration did not succeed: ${seenStatus(second.reply)}`);
      await expectTwoAccounts(check, [{ account, reply }, second]);
    },
  };
  const alike = PAIRS.map((pair) => ({
    name: pair.name,
    judge: async () => {
      const both = await madeAlike(check, pair);
      if (both !== undefined) await expectTwoAccounts(check, both);
    },
  }));
  await check.eachRow(await firstAndCostly(check, [plain, ...alike]), ({ judge }) => judge(), { inOrder: true });
});

clause('REG-15', async (check) => {
  const first = await soundAccount(check);
  await check.eachRow(await firstAndCostly(check, takenNames(check, first.username)), ({ judge }) => judge());
});

/** @throws Blocked by REG-08 if a duplicate in different letter case is refused, and changes the first account all the same */
async function dependsOnOtherCase(check: Check): Promise<void> {
  const { account } = await registerWith(check, {});
  await registerWith(check, { email: capitalDomain(account.email) });
  const own = await check.api.login(account);
  if (own.status !== 200)
    throw new Blocked(
      'REG-08',
      `after a duplicate in capitals the first account gets ${seenStatus(own)}`,
      own.exchange,
    );
}

clause('REG-16', async (check) => {
  await dependsOnDuplicates(check);
  const { email } = check.newAccount();
  const spelled = [email, capitalDomain(email)];
  const accounts = Array.from({ length: AT_ONCE }, (_, i) => ({
    ...check.newAccount(),
    email: spelled[i % spelled.length] ?? email,
  }));
  const replies = await registerAtOnce(check, accounts);
  for (const reply of replies)
    if (reply.status >= 300) expect(reply, 'one of the simultaneous registrations').toHaveStatus(400, 409);
  const winners = accounts.filter((_, i) => (replies[i]?.status ?? 500) < 300);
  const [winner] = winners;
  if (winners.length > 1) await dependsOnLetterCase(check, winners);
  if (winner === undefined || winners.length > 1)
    throw new Finding(
      `${String(winners.length)} of ${String(AT_ONCE)} simultaneous registrations of one e-mail succeeded, expected 1`,
      replies.findLast(({ status }) => status < 300)?.exchange,
    );
  const login = await check.api.login(winner);
  if (login.status !== 200) await dependsOnOtherCase(check);
  expect(login, 'login with the password of the registration that succeeded').toHaveStatus(200);
  const loser = accounts.find((account) => account !== winner) ?? winner;
  const other = { email: winner.email, password: loser.password };
  await expectNotThePassword(check, other, 'login with the password of one that was refused');
});
