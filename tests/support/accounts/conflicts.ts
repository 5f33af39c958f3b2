/** Registrations that meet others: duplicates, user names that are taken, and several at the same moment. */
import { Blocked, Finding, Unverified, type Check, type NewAccount } from '../../../fixtures/check/check.js';
import { expect, seenStatus } from '../../../fixtures/check/expect.js';
import { Reply } from '../../../fixtures/evidence/reply.js';
import { expectNotThePassword, type Judged, duplicate } from './accounts.js';
import { newAddress, registerWith, acceptedByRegister } from './register-tables.js';
import { sameAddress, capitalDomain, otherCase } from './users.js';

/** What of the user that register shows is not what was sent. */
export function expectOwn(reply: Reply, { email, username }: NewAccount): void {
  const { user } = reply;
  const told = (name: 'email' | 'username', holds: boolean): string =>
    `${name} ${holds ? 'as sent' : JSON.stringify(user[name] ?? null)}`;
  const [sameEmail, sameName] = [sameAddress(user['email'], email), user['username'] === username];
  expect(reply, 'the user returned').toSatisfy(
    sameEmail && sameName,
    'the e-mail and the username that were sent',
    `${told('email', sameEmail)}, ${told('username', sameName)}`,
  );
}

/** Registrations that are sent together. */
export const AT_ONCE = 4;

/** Sends registrations at one moment. @throws the first one without a response; Unverified if the rate limit refused any */
export async function registerAtOnce(check: Check, accounts: readonly NewAccount[]): Promise<Reply[]> {
  const replies = await check.sender.sendAtOnce(
    accounts.map((account) => check.api.request('register', check.api.registration(account))),
  );
  return replies.map((reply) => {
    if (!(reply instanceof Reply)) throw reply;
    if (reply.status === 429)
      throw new Unverified('The rate limit refused some of the simultaneous registrations: set IGNY8_AUTH_RATE.');
    return reply;
  });
}

/**
 * Of accounts that got in with one e-mail in different letter case: whoever comes later does not.
 * @throws Blocked by REG-08 if letter case makes it another e-mail
 */
export async function dependsOnLetterCase(check: Check, accounts: readonly NewAccount[]): Promise<void> {
  const emails = new Set(accounts.map(({ email }) => email));
  const [email = ''] = emails;
  if (emails.size < accounts.length) return;
  const { reply } = await registerWith(check, { email: otherCase(email[0] ?? '') + email.slice(1) });
  if (reply.status < 300)
    throw new Blocked('REG-08', 'an e-mail in different letter case is taken for another one', reply.exchange);
}

/** After a duplicate: the first account has its own password still, and no other. */
export async function expectUntouched(check: Check, first: NewAccount, second: NewAccount): Promise<void> {
  const again = await check.api.login(first);
  expect(again, 'the first account, with its own password').toHaveStatus(200);
  if (second.password === first.password) return;
  const taken = { email: first.email, password: second.password };
  await expectNotThePassword(check, taken, 'the first account, with the password of the second registration');
}

/** REG-12: registrations that are refused for some fields, and which. */
export function refusedForFields(check: Check): { name: string; refused: string[]; fields: Record<string, unknown> }[] {
  const { local, domain } = newAddress(check);
  return [
    { name: 'missing password', refused: ['password'], fields: { password: undefined } },
    { name: 'empty username', refused: ['username'], fields: { username: '' } },
    { name: 'a malformed e-mail', refused: ['email'], fields: { email: `${local}.${domain}` } },
    {
      name: 'missing email and password',
      refused: ['email', 'password'],
      fields: { email: undefined, password: undefined },
    },
  ];
}

/** The user name that a registration got although it is taken: a different one. */
export function expectOtherName(reply: Reply, taken: string): void {
  if (reply.status >= 300) {
    expect(reply, 'the registration').toHaveStatus(400, 409);
    return;
  }
  const { username } = reply.user;
  expect(reply, 'the user name of the new account').toSatisfy(
    username !== undefined && username !== taken,
    'a different one',
    username === undefined ? 'none' : 'the one that is taken',
  );
}

/** Of one user name, sent several times at once, at most one registration keeps it; the others are refused, or get a name of their own. */
export async function nameRace(check: Check): Promise<void> {
  const { username } = check.newAccount();
  const accounts = Array.from({ length: AT_ONCE }, () => ({ ...check.newAccount(), username }));
  const replies = await registerAtOnce(check, accounts);
  const [first, ...others] = replies.filter(({ status }) => status < 300);
  for (const reply of replies) if (reply.status >= 300) expectOtherName(reply, username);
  if (first === undefined) throw new Finding('all of them were refused, expected one to succeed', replies[0]?.exchange);
  const names = new Set([first.user['username']]);
  for (const reply of others) {
    const { username: name } = reply.user;
    expect(reply, 'the user name of one of them').toSatisfy(
      name !== undefined && !names.has(name),
      'another one than the others got',
      name === undefined ? 'none' : 'the same one',
    );
    names.add(name);
  }
}

/** Somebody calls himself by another user's e-mail: that user logs in as before. */
export async function nameLikeEmail(check: Check): Promise<void> {
  const { email, password } = await check.registerAccount();
  await check.expectLogin({ email, password });
  const { account, reply } = await registerWith(check, { username: email });
  expect(reply, 'the registration').toBeNoServerError();
  const again = await check.api.login({ email, password });
  expect(again, 'login of the user with that e-mail').toHaveStatus(200);
  expect(again, 'the user who logged in').toSatisfy(
    sameAddress(again.user['email'], email),
    'the one with that e-mail',
    'another one',
  );
  const other = { email, password: account.password };
  await expectNotThePassword(check, other, "login with that e-mail and the other one's password");
}

/** An account that nobody has used yet may not be taken over by a second registration either. */
export async function duplicateOfNew(check: Check): Promise<void> {
  const first = await check.registerAccount();
  const second = await registerWith(check, { email: first.email });
  expect(second.reply, 'a second registration').toHaveStatus(400, 409);
  await expectUntouched(check, first, second.account);
}

/** Registrations of an e-mail that is taken, in a row: none of them changes whose it is. */
export function registeredAgain(check: Check, first: NewAccount): Judged[] {
  const rows = [
    { name: 'the same e-mail', send: () => duplicate(check) },
    { name: 'the same body a second time', send: () => registerWith(check, { ...first }) },
    {
      name: 'the same e-mail and user name, with another password',
      send: () => registerWith(check, { email: first.email, username: first.username }),
    },
  ];
  const again = rows.map(({ name, send }) => ({
    name,
    judge: async () => {
      const { account, reply } = await send();
      expect(reply, 'a second registration').toHaveStatus(400, 409);
      await expectUntouched(check, first, account);
    },
  }));
  return [
    ...again,
    { name: 'the same e-mail, of an account that never logged in', judge: () => duplicateOfNew(check) },
    {
      name: 'the same e-mail with a trailing space',
      judge: async () => {
        const { reply } = await registerWith(check, { email: `${first.email} ` });
        if (reply.status < 300 && !sameAddress(reply.user['email'], first.email))
          check.note('taken for another e-mail: see REG-06');
        else expect(reply).toHaveStatus(400, 409);
      },
    },
  ];
}

/** The e-mail of somebody who is registered, in different letter case. */
export function inOtherCase(check: Check, email: string): Judged[] {
  const rows = [
    { name: 'in small letters', email: email.toLowerCase() },
    { name: 'in capitals', email: email.toUpperCase() },
    { name: 'its domain in capitals', email: capitalDomain(email) },
  ];
  const refused = async (other: string): Promise<void> => {
    const { reply } = await registerWith(check, { email: other });
    expect(reply, 'the same e-mail in different letter case').toHaveStatus(400, 409);
  };
  const beyond = {
    name: 'with letters beyond ASCII, in capitals',
    judge: async () => {
      const { local, domain } = newAddress(check);
      const { reply } = await registerWith(check, { email: `m\u00fcller.${local}@${domain}` });
      if (reply.status >= 400 && reply.status < 500)
        throw new Unverified(`Register takes no such address: ${seenStatus(reply)}.`);
      try {
        await refused(`M\u00dcLLER.${local}@${domain}`);
      } catch (error) {
        // The control: an address like it is kept as it was sent. Not this one, which the second registration may have taken over.
        const { account } = await registerWith(check, { email: `m\u00fcller.${newAddress(check).local}@${domain}` });
        const login = await check.api.login({ email: account.email, password: account.password });
        if (login.status !== 200) throw new Blocked('REG-04', `whoever has it cannot log in: ${seenStatus(login)}`);
        throw error;
      }
    },
  };
  return [...rows.map((row) => ({ name: row.name, judge: () => refused(row.email) })), beyond];
}

/** User names that somebody has, or that look like somebody else's e-mail. */
export function takenNames(check: Check, taken: string): Judged[] {
  return [
    {
      name: 'a user name that is taken',
      judge: async () => {
        expectOtherName((await registerWith(check, { username: taken })).reply, taken);
      },
    },
    {
      name: 'a user name that is taken, in capitals',
      judge: async () => {
        const username = taken.toUpperCase();
        const { reply } = await registerWith(check, { username });
        // Whether letter case tells two names apart is the server's choice.
        if (reply.status >= 300) expect(reply, 'the registration').toHaveStatus(400, 409);
      },
    },
    { name: "a user name that is another user's e-mail", judge: () => nameLikeEmail(check) },
    { name: 'one user name, several times at the same moment', judge: () => nameRace(check) },
  ];
}

/** Registrations that a server may mix up: each response is about the account that was sent. */
export function otherRegistrations(check: Check): Judged[] {
  return [
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
          const sent = accounts[i];
          if (sent !== undefined) expectOwn(one, sent);
        }
      },
    },
  ];
}
