import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Finding, Unverified, type Check } from '../fixtures/check/check.js';
import { jsonRequest } from '../fixtures/check/api.js';
import { seenStatus } from '../fixtures/check/expect.js';
import { pathOf } from '../fixtures/run/dialect.js';
import {
  costly,
  dependsOnDuplicates,
  duplicate,
  expectNotThePassword,
  firstAndCostly,
  firstLoginOf,
  registered,
  soundAccount,
  type Judged,
} from './support/accounts.js';
import {
  AT_ONCE,
  duplicateOfNew,
  expectOtherName,
  expectOwn,
  expectUntouched,
  nameLikeEmail,
  nameRace,
  refusedForFields,
  registerAtOnce,
} from './support/accounts-conflicts.js';
import {
  acceptedByRegister,
  effectsOn,
  everybodySeesRowsOf,
  extraFields,
  logsInAsSent,
  type Extra,
  INCOMPLETE,
  MALFORMED_EMAILS,
  newAddress,
  PADDED_EMAILS,
  registerWith,
  seesRowsOf,
  TAKEN_AS_SENT,
} from './support/accounts-register.js';
import { lifetime, tolerance } from './support/lifetimes.js';
import { expectTwoAccounts, madeAlike, PAIRS } from './support/accounts-pairs.js';
import { accountId } from './support/resources.js';
import { capitalDomain, sameAddress } from './support/users.js';

const TOGETHER = { together: true };

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
  const others: Judged[] = [
    {
      name: 'an e-mail with its domain in capitals',
      judge: async () => {
        const made = await registerWith(check, { email: capitalDomain(check.newAccount().email) });
        if (acceptedByRegister(check, made) !== undefined) expectOwn(made.reply, made.account);
      },
    },
    {
      name: 'several different users at the same moment',
      judge: async () => {
        const accounts = Array.from({ length: AT_ONCE }, check.newAccount);
        for (const [i, one] of (await registerAtOnce(check, accounts)).entries()) {
          expect(one, 'one of several registrations at the same moment').toHaveStatus(200, 201);
          expectOwn(one, accounts[i] ?? account);
        }
      },
    },
  ];
  const first: Judged = {
    name: 'the documented body',
    judge: () => {
      expectOwn(reply, account);
      return Promise.resolve();
    },
  };
  await check.eachRow(await firstAndCostly(check, [first, ...others]), ({ judge }) => judge());
});

clause('REG-03', async (check) => {
  // Somebody whom no other check logs in, which on some servers would end what register began.
  const { account, reply } = await registerWith(check, {});
  if (reply.status >= 300)
    throw new Blocked('REG-01', `register did not succeed: ${seenStatus(reply)}`, reply.exchange);
  expect(reply, 'the response to register').toCarryDocumentedTokens();
  const [access = '', refresh = ''] = [reply.token('access'), reply.token('refresh')];
  // As from login: they are good for as much. That login's own are, others say.
  const opened = await check.askProtected(access);
  if (opened.status !== 200) await check.expectAuthorized((await check.session()).access);
  expect(opened, 'the protected route with the access token of register').toHaveStatus(200);
  const rotated = await check.api.refresh(refresh);
  if (rotated.status !== 200) await (await check.chain()).rotate();
  expect(rotated, 'refresh with the refresh token of register').toHaveStatus(200);
  const { access: ofLogin, refresh: refreshOfLogin, reply: login } = await check.login(account);
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

/** @throws Blocked by LOG-01 if login works for nobody, and so says nothing of this account */
async function dependsOnAnyLogin(check: Check): Promise<void> {
  const others = await check.answered('LOG-01', 'login', async () => check.api.login(await check.owner()));
  if (others.status !== 200) throw new Blocked('LOG-01', `login works for nobody: ${seenStatus(others)}`);
}

clause('REG-04', async (check) => {
  const reply = await firstLoginOf(check);
  if (reply.status === 200 && reply.token('access') === undefined)
    throw new Blocked('LOG-01', `login gives no tokens: ${seenStatus(reply)}`);
  if (reply.status !== 200) await dependsOnAnyLogin(check);
  expect(reply, 'login of the account just registered').toHaveStatus(200);
  await check.eachRow(await costly(check, TAKEN_AS_SENT), (row) => logsInAsSent(check, row), TOGETHER);
});

clause('REG-05', async (check) => {
  await registered(check);
  await check.eachRow(
    await costly(check, INCOMPLETE),
    async ({ field, value, complete }) => {
      const { account, reply } = await registerWith(check, { [field]: value });
      expect(reply).toHaveStatus(400);
      if (!complete) return;
      // Completed, the same registration finds nobody in its way.
      const whole = await registerWith(check, { ...account, [field]: check.newAccount()[field] });
      expect(whole.reply, 'the same registration, completed').toHaveStatus(200, 201);
    },
    TOGETHER,
  );
});

clause('REG-06', async (check) => {
  await registered(check);
  const rows: Judged[] = [
    ...MALFORMED_EMAILS.map(({ name, of }) => ({
      name: `an e-mail ${name}`,
      judge: async () => {
        const { local, domain } = newAddress(check);
        expect((await registerWith(check, { email: of(local, domain) })).reply).toHaveStatus(400);
      },
    })),
    ...PADDED_EMAILS.map(({ name, of }) => ({
      name: `an e-mail ${name}`,
      judge: async () => {
        const { email } = check.newAccount();
        const { reply } = await registerWith(check, { email: of(email) });
        if (reply.status < 300 && sameAddress(reply.user['email'], email))
          check.note('taken without what is around it');
        else expect(reply).toHaveStatus(400);
      },
    })),
  ];
  await check.eachRow(await costly(check, rows), ({ judge }) => judge(), TOGETHER);
});

clause('REG-07', async (check) => {
  const { account: first } = await registered(check);
  const before = await firstLoginOf(check);
  if (before.status !== 200) throw new Blocked('REG-04', `the first account cannot log in: ${seenStatus(before)}`);
  const rows = [
    { name: 'the same e-mail', send: () => duplicate(check) },
    { name: 'the same body a second time', send: () => registerWith(check, { ...first }) },
    {
      name: 'the same e-mail and user name, with another password',
      send: () => registerWith(check, { email: first.email, username: first.username }),
    },
  ];
  const again: Judged[] = rows.map(({ name, send }) => ({
    name,
    judge: async () => {
      const { account, reply } = await send();
      expect(reply, 'a second registration').toHaveStatus(400, 409);
      await expectUntouched(check, first, account);
    },
  }));
  again.push(
    { name: 'the same e-mail, of an account that never logged in', judge: () => duplicateOfNew(check) },
    {
      name: 'the same e-mail with a blank behind it',
      judge: async () => {
        const { reply } = await registerWith(check, { email: `${first.email} ` });
        if (reply.status < 300 && !sameAddress(reply.user['email'], first.email))
          check.note('taken for another e-mail: see REG-06');
        else expect(reply).toHaveStatus(400, 409);
      },
    },
  );
  await check.eachRow(await firstAndCostly(check, again), ({ judge }) => judge());
});

clause('REG-08', async (check) => {
  const { email } = (await registered(check)).account;
  const exact = await duplicate(check);
  if (![400, 409].includes(exact.reply.status))
    throw new Blocked('REG-07', `the same e-mail, in the same case, is answered with ${seenStatus(exact.reply)}`);
  const rows = [
    { name: 'in small letters', email: email.toLowerCase() },
    { name: 'in capitals', email: email.toUpperCase() },
    { name: 'its domain in capitals', email: capitalDomain(email) },
  ];
  const inOtherCase = async (other: string): Promise<void> => {
    const { reply } = await registerWith(check, { email: other });
    expect(reply, 'the same e-mail in other letter case').toHaveStatus(400, 409);
  };
  const beyond = {
    name: 'with letters beyond ASCII, in capitals',
    judge: async () => {
      const { local, domain } = newAddress(check);
      const { reply } = await registerWith(check, { email: `m\u00fcller.${local}@${domain}` });
      if (reply.status >= 400 && reply.status < 500)
        throw new Unverified(`Register takes no such address: ${seenStatus(reply)}.`);
      await inOtherCase(`M\u00dcLLER.${local}@${domain}`);
    },
  };
  const judged = rows.map((row) => ({ name: row.name, judge: () => inOtherCase(row.email) }));
  await check.eachRow(await firstAndCostly(check, [...judged, beyond]), ({ judge }) => judge());
});

clause('REG-09', { phase: 'every-response' }, async (check) => {
  const { account, reply } = await registered(check);
  if (Object.keys(reply.payload ?? {}).length === 0)
    throw new Blocked('REG-02', 'the response says nothing about the account that was registered');
  const shown = reply.user['email'];
  if (shown !== undefined && !sameAddress(shown, account.email))
    throw new Blocked('REG-02', 'the response is not about the account that was registered');
  // A password that is refused is one too: whoever mistypes theirs sends most of it.
  const short = check.newAccount().password.slice(-7);
  const refused = (await registerWith(check, { password: short })).reply;
  expect(refused, 'a password of seven characters: the response').toSatisfy(
    !refused.text.includes(short),
    'nothing of the password',
    'the password is in it',
  );
  // Refusals too: a form that is sent back with what was in it has the password in it.
  const answers = (await check.observations()).filter(({ operationId }) => operationId === 'register');
  check.eachAnswer(answers, ({ password }) => (password === undefined ? undefined : `${password} is in it`));
});

clause('REG-10', async (check) => {
  await registered(check);
  const own = await check.session();
  // Whose id is sent: nobody that another check has to do with.
  const { account: victim, reply: plain } = await registerWith(check, {});
  const rows = extraFields(plain.user['role'], plain.user['id'], accountId(own.user));
  const takesNone = async ({ fields, singly = [] }: Extra): Promise<void> => {
    const { account, reply } = await registerWith(check, fields);
    // Refused as a whole: nothing took effect. What a server may not do with it is fall over.
    if (reply.status >= 400 && reply.status < 500) {
      for (const one of singly) await takesNone(one);
      return;
    }
    expect(reply, 'the registration').toHaveStatus(200, 201);
    const { user, access, reply: login } = await check.login(account);
    if (user['email'] !== undefined && !sameAddress(user['email'], account.email))
      throw new Blocked('LOG-03', 'login shows another user than the one registered');
    const sees = (await seesRowsOf(check, own.access, access)) && !(await everybodySeesRowsOf(check, own.access));
    const effects = [...effectsOn(user, plain.user, fields), ...(sees ? ["a look at other accounts' rows"] : [])];
    expect(login, 'the account registered with fields that are not its own to set').toSatisfy(
      effects.length === 0,
      'none of them to take effect',
      `taken over: ${effects.join(', ')}`,
    );
  };
  await check.eachRow(await firstAndCostly(check, rows), takesNone, TOGETHER);
  const login = await check.api.login(victim);
  if (login.status !== 200 && (await firstLoginOf(check)).status !== 200)
    throw new Blocked('REG-04', `nobody who registered can log in: ${seenStatus(login)}`, login.exchange);
  expect(login, 'login of the user whose `id` was sent').toHaveStatus(200);
});

/** The same number of characters, each of the block Latin Extended. */
function beyondAscii(plain: string): string {
  return Array.from(plain, (character) => String.fromCharCode(0x100 + (character.charCodeAt(0) & 0x7f))).join('');
}

clause('REG-11', async (check) => {
  await registered(check);
  const rows = [
    { name: 'a password of seven characters', of: (plain: string) => plain.slice(0, 7) },
    { name: 'a password of one character', of: (plain: string) => plain.slice(0, 1) },
    // Each character two bytes in UTF-8, and none of it written down here: reports quote the source of a check.
    { name: 'a password of seven characters in fourteen bytes', of: (plain: string) => beyondAscii(plain.slice(0, 7)) },
    { name: 'a password of seven characters, one of them an emoji', of: (plain: string) => `${plain.slice(0, 6)}😀` },
  ];
  await check.eachRow(await firstAndCostly(check, rows), async ({ of }) => {
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

clause('REG-12', async (check) => {
  await registered(check);
  let asked = 0;
  const taken = new Set<string>();
  await check.eachRow(await costly(check, refusedForFields(check)), async ({ refused, fields }) => {
    const { reply } = await registerWith(check, fields);
    // Whether it is refused with 400, REG-05 and REG-06 say.
    if (reply.status !== 400) {
      refused.forEach((field) => taken.add(field));
      return;
    }
    asked += 1;
    // Each refused field: the first alone sends a client round once for every other.
    for (const field of refused.filter((one) => !taken.has(one))) {
      const texts = reply.fieldErrors[field];
      expect(reply, '`errors`').toSatisfy(
        Array.isArray(texts) && texts.length > 0 && texts.every((text) => typeof text === 'string' && text !== ''),
        `${field}: a list of strings`,
        texts === undefined
          ? `no \`${field}\` in \`errors\``
          : `${field}: ${Array.isArray(texts) ? 'a list of something else' : typeof texts}`,
      );
    }
  });
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
  await check.eachRow(await firstAndCostly(check, [plain, ...alike]), ({ judge }) => judge());
});

clause('REG-15', async (check) => {
  const first = await soundAccount(check);
  const rows: Judged[] = [
    {
      name: 'a user name that is taken',
      judge: async () => {
        expectOtherName((await registerWith(check, { username: first.username })).reply, first.username);
      },
    },
    {
      name: 'a user name that is taken, in capitals',
      judge: async () => {
        const username = first.username.toUpperCase();
        const { reply } = await registerWith(check, { username });
        // Whether letter case tells two names apart is the server's choice.
        if (reply.status >= 300) expect(reply, 'the registration').toHaveStatus(400, 409);
      },
    },
    { name: "a user name that is another user's e-mail", judge: () => nameLikeEmail(check) },
    { name: 'one user name, several times at the same moment', judge: () => nameRace(check) },
  ];
  await check.eachRow(await firstAndCostly(check, rows), ({ judge }) => judge());
});

clause('REG-16', async (check) => {
  await dependsOnDuplicates(check);
  const { email } = check.newAccount();
  const accounts = Array.from({ length: AT_ONCE }, () => ({ ...check.newAccount(), email }));
  const replies = await registerAtOnce(check, accounts);
  for (const reply of replies)
    if (reply.status >= 300) expect(reply, 'one of the simultaneous registrations').toHaveStatus(400, 409);
  const winners = accounts.filter((_, i) => (replies[i]?.status ?? 500) < 300);
  const [winner] = winners;
  if (winner === undefined || winners.length > 1)
    throw new Finding(
      `${String(winners.length)} of ${String(AT_ONCE)} simultaneous registrations of one e-mail succeeded, expected 1`,
      replies.findLast(({ status }) => status < 300)?.exchange,
    );
  const login = await check.api.login({ email, password: winner.password });
  expect(login, 'login with the password of the registration that succeeded').toHaveStatus(200);
  const loser = accounts.find((account) => account !== winner) ?? winner;
  const other = { email, password: loser.password };
  await expectNotThePassword(check, other, 'login with the password of one that was refused');
});
