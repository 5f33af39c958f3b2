/** The tables of register: what is sent, in words and in bytes. */
import { randomBytes } from 'node:crypto';
import type { Check, NewAccount } from '../../../fixtures/check/check.js';
import { expect } from '../../../fixtures/check/expect.js';
import type { Row } from '../../../fixtures/check/judging.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { accountId, accountSlug, listed, otherTenant } from '../access/resources.js';
import { capitalDomain, ROLES, sameAddress } from './users.js';
import type { Judged } from './accounts.js';
import { Blocked } from '../../../fixtures/check/findings.js';

const LONGEST_BCRYPT = 72;

/** `POST auth/register/` of something new with some fields changed, of whatever type. */
export async function registerWith(
  check: Check,
  fields: Readonly<Record<string, unknown>>,
): Promise<{ readonly account: NewAccount; readonly reply: Reply }> {
  const account: NewAccount = { ...check.newAccount(), ...fields };
  if (typeof account.password === 'string') check.sender.secret(account.password);
  return { account, reply: await check.raw(check.api.request('register', check.api.registration(account))) };
}

/** Registers with what `made` has it, or says that it was refused: a refusal is the server's choice, a 5xx is none. */
export function acceptedByRegister(
  check: Check,
  made: { readonly account: NewAccount; readonly reply: Reply },
): NewAccount | undefined {
  const { account, reply } = made;
  if (reply.status >= 400 && reply.status < 500) {
    check.note(`register refuses it, with ${String(reply.status)}`);
    return undefined;
  }
  expect(reply, 'the registration').toHaveStatus(200, 201);
  return account;
}

interface Changed extends Row {
  readonly change: (plain: NewAccount) => Partial<NewAccount>;
}

const password = (name: string, odd: (plain: string) => string): Changed => ({
  name: `a password ${name}`,
  change: (plain) => ({ password: odd(plain.password) }),
});

/** An e-mail with something more in front of its @. */
export const local = (email: string, more: string): string => email.replace(/@[^@]*$/, (domain) => `${more}${domain}`);

const ODD_EMAILS: readonly Changed[] = [
  { name: 'an e-mail with its domain in capitals', change: ({ email }) => ({ email: capitalDomain(email) }) },
  { name: 'an e-mail in capitals', change: ({ email }) => ({ email: email.toUpperCase() }) },
  { name: 'an e-mail with a tag after a plus sign', change: ({ email }) => ({ email: local(email, '+tag') }) },
  { name: 'an e-mail with an accent, decomposed', change: ({ email }) => ({ email: local(email, 'e\u0301') }) },
  { name: 'an e-mail with dots in its first part', change: ({ email }) => ({ email: local(email, '.a.b') }) },
  { name: 'an e-mail with an apostrophe', change: ({ email }) => ({ email: local(email, "o'x") }) },
];

const ODD_PASSWORDS: readonly Changed[] = [
  password('with an accent, decomposed', (plain) => `${plain}e\u0301`),
  password('with umlauts, Greek, Chinese and an emoji', (plain) => `${plain}äßΩ新😀`),
  password('with spaces inside, two of them in a row', (plain) => `${plain}  x ${plain.slice(-4)}`),
  password('with spaces around it', (plain) => ` ${plain} `),
  password('with quotes, a backslash and markup', (plain) => `${plain}"'\\&amp;<b>%41+`),
  password(
    'with curly quotes, a long dash, a soft hyphen and a zero-width space',
    (plain) => `${plain}“’—\u00ad\u200b`,
  ),
  password('of eight characters', (plain) => plain.slice(0, 8)),
  password(`of more than ${String(LONGEST_BCRYPT)} bytes`, (plain) => plain.padEnd(LONGEST_BCRYPT + 8, 'x')),
  password(`of fewer characters, and more bytes than ${String(LONGEST_BCRYPT)}`, (plain) => plain.padEnd(60, 'é')),
  password('of 200 characters', (plain) => plain.padEnd(200, 'x')),
];

/** Oddities of several fields in one registration. */
export interface Mixed extends Row {
  readonly parts: readonly Changed[];
}

/** REG-04: texts that register may take or refuse, an e-mail and a password at a time; what it takes logs in as it was sent. */
export const TAKEN_AS_SENT: readonly Mixed[] = ODD_PASSWORDS.map((odd, i) => {
  const parts = [odd, ...ODD_EMAILS.slice(i, i + 1)];
  return { name: parts.map(({ name }) => name).join(', '), parts };
});

/** What register takes logs in as it was sent; where several oddities do not together, each is asked by itself. */
export async function logsInAsSent(check: Check, { parts }: Mixed): Promise<void> {
  const plain = check.newAccount();
  const changes = parts.reduce<Partial<NewAccount>>((all, { change }) => ({ ...all, ...change(plain) }), {});
  const made = await registerWith(check, changes);
  const refused = made.reply.status >= 400 && made.reply.status < 500;
  if (refused && parts.length > 1) {
    for (const part of parts) await logsInAsSent(check, { name: part.name, parts: [part] });
    return;
  }
  const account = acceptedByRegister(check, made);
  if (account === undefined) return;
  const login = await check.api.login(account);
  if (login.status !== 200 && parts.length > 1)
    for (const part of parts) await logsInAsSent(check, { name: part.name, parts: [part] });
  expect(login, `login with exactly what register accepted: ${parts.map(({ name }) => name).join(', ')}`).toHaveStatus(
    200,
  );
}

export const REQUIRED = ['email', 'username', 'password'] as const;

interface Incomplete extends Row {
  /** Whether the same registration, completed, is sent after it: that no account stands in its way. */
  readonly complete: boolean;
  readonly field: (typeof REQUIRED)[number];
  readonly value: unknown;
}

/** REG-05: each required field missing, empty, null, and, where that is as good as empty, blank; of an e-mail that is malformed: REG-06. */
export const INCOMPLETE: readonly Incomplete[] = [
  ['missing', undefined, REQUIRED],
  ['empty', '', REQUIRED],
  ['null as', null, REQUIRED],
  ['blank', '   ', ['username'] as const],
].flatMap(([kind, value, fields]) =>
  (fields as readonly (typeof REQUIRED)[number][]).map((field) => ({
    name: `${String(kind)} ${field}`,
    field,
    value,
    complete: kind === 'missing' || (kind === 'empty' && field === 'username'),
  })),
);

/** REG-06: no addresses by RFC 5321 §4.1.2, each made of a good one. */
export const MALFORMED_EMAILS: readonly (Row & { readonly of: (local: string, domain: string) => string })[] = [
  { name: 'of blanks', of: () => '   ' },
  { name: 'without an @', of: (user, domain) => `${user}.${domain}` },
  { name: 'with nothing in front of the @', of: (_, domain) => `@${domain}` },
  { name: 'with nothing after the @', of: (user) => `${user}@` },
  { name: 'with two @', of: (user, domain) => `${user}@signs@${domain}` },
  { name: 'with a space in its domain', of: (user, domain) => `${user}@exa mple.${domain}` },
  { name: 'with a line break in it', of: (user, domain) => `${user}\n@${domain}` },
  { name: 'with a domain that begins with a dot', of: (user, domain) => `${user}@.${domain}` },
  { name: 'with two dots in a row in its domain', of: (user, domain) => `${user}@a..${domain}` },
  { name: 'with a comma for a dot', of: (user, domain) => `${user}@${domain.replace('.', ',')}` },
  { name: 'two of them', of: (user, domain) => `${user}@${domain}, second.${user}@${domain}` },
  { name: 'with a name and angle brackets', of: (user, domain) => `Name <${user}@${domain}>` },
  { name: 'with a header after a line break', of: (user, domain) => `${user}@${domain}\r\nBcc: x@${domain}` },
  { name: 'longer than 254 characters', of: (user, domain) => `${user}${'x'.repeat(250)}@${domain}` },
];

/** An address that nobody has, in its two parts. */
export function newAddress(check: Check): { readonly local: string; readonly domain: string } {
  const { email } = check.newAccount();
  const at = email.lastIndexOf('@');
  return { local: `${email.slice(0, at)}${randomBytes(3).toString('hex')}`, domain: email.slice(at + 1) };
}

/** REG-06: good addresses with something around them. A server may refuse them, or take them for the good one and say so. */
export const PADDED_EMAILS: readonly (Row & { readonly of: (email: string) => string })[] = [
  { name: 'with a trailing line break', of: (email) => `${email}\n` },
  { name: 'with a leading line break', of: (email) => `\r\n${email}` },
  { name: 'with a trailing space', of: (email) => `${email} ` },
  { name: 'with a leading no-break space', of: (email) => `\u00a0${email}` },
];

/** An id that no row has, and that a server that takes it over shows. */
const PLANTED_ID = 987_654_321;

/** Fields that are not the sender's to set; `singly`: what is sent one by one where all of them are refused together. */
export interface Extra extends Row {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly singly?: readonly Extra[];
}

/**
 * REG-10: fields that are not the sender's to set.
 * @param victim id of another user
 * @param account of others: its id, and the slug where the target shows one
 */
export function extraFields(
  plainRole: unknown,
  victim: unknown,
  { id: account, slug }: { readonly id: unknown; readonly slug: unknown },
): Extra[] {
  const role = plainRole === 'developer' ? 'system_bot' : 'developer';
  const rights = { role, is_staff: true, is_superuser: true };
  const singly = (fields: Readonly<Record<string, unknown>>): Extra[] =>
    Object.entries(fields).map(([name, value]) => ({ name: `\`${name}\``, fields: { [name]: value } }));
  const all = { ...rights, id: PLANTED_ID, ...(account === undefined ? {} : { account, account_id: account }) };
  const spelled = {
    user: { ...rights, id: PLANTED_ID },
    // Whoever copies the fields of the body makes it the prototype of the copy, which then has them.
    ['__proto__']: rights,
    profile: rights,
    isStaff: true,
    isSuperuser: true,
    ...(account === undefined ? {} : { accountId: account, account: { id: account } }),
  };
  const ofAdmin = {
    role: plainRole === 'admin' ? 'system_bot' : 'admin',
    ...(typeof slug === 'string' ? { account: slug } : {}),
  };
  return [
    { name: 'all of them together', fields: all, singly: singly(all) },
    { name: 'nested, and in camel case', fields: spelled, singly: singly(spelled) },
    // Of lesser rights too: who may choose one may choose another one tomorrow.
    ...['viewer', 'editor']
      .filter((lesser) => lesser !== plainRole)
      .map((lesser) => ({
        name: `\`role\` of ${lesser === 'editor' ? 'an' : 'a'} ${lesser}`,
        fields: { role: lesser },
      })),

    typeof slug === 'string'
      ? { name: '`role` of an admin, and `account` by its slug', fields: ofAdmin, singly: singly(ofAdmin) }
      : { name: '`role` of an admin', fields: ofAdmin },
    ...(victim === undefined ? [] : [{ name: "`id` of another user's", fields: { id: victim } }]),
  ];
}

/** What of the fields that somebody registered with took effect, by what login shows of them. */
export function effectsOn(
  user: Readonly<Record<string, unknown>>,
  plain: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, unknown>>,
): string[] {
  const isKnown = (role: unknown): boolean => ROLES.includes(String(role));
  const wanted = fields['account_id'] ?? fields['accountId'] ?? fields['account'];
  const foreign = typeof wanted === 'object' && wanted !== null ? (wanted as { id?: unknown }).id : wanted;
  const accountsOf = (who: Readonly<Record<string, unknown>>): unknown[] => [accountId(who), accountSlug(who)];
  const roleTaken = fields['role'] !== undefined && user['role'] === fields['role'] && user['role'] !== plain['role'];
  const roleChanged = isKnown(plain['role']) && isKnown(user['role']) && user['role'] !== plain['role'];
  return [
    (roleTaken || roleChanged) && 'role',
    user['is_staff'] === true && plain['is_staff'] !== true && 'is_staff',
    user['is_superuser'] === true && plain['is_superuser'] !== true && 'is_superuser',
    [fields['id'], fields['user'] === undefined ? undefined : PLANTED_ID].includes(user['id'] as number) && 'id',
    foreign !== undefined && !accountsOf(plain).includes(foreign) && accountsOf(user).includes(foreign) && 'account',
  ].filter((effect) => effect !== false);
}

const idsOf = (rows: readonly unknown[]): string[] => rows.map((row) => String((row as { id?: unknown } | null)?.id));

/** True if a list shows rows that another user's list has. */
export async function seesRowsOf(check: Check, other: string, access: string): Promise<boolean> {
  const reply = await check.askProtected(access);
  if (reply.status !== 200) return false;
  const theirs = new Set(await check.memo('rows of the owner', async () => idsOf((await listed(check, other)).rows)));
  return idsOf(reply.rows ?? []).some((id) => theirs.has(id));
}

/** Where anybody sees them, it is FOR-06's to say. */
export async function everybodySeesRowsOf(check: Check, other: string): Promise<boolean> {
  const somebody = await otherTenant(check);
  return somebody !== undefined && seesRowsOf(check, other, somebody.access);
}

/** E-mails that are none: refused with 400; what is around a good one may be left out. */
export function badEmails(check: Check): Judged[] {
  return [
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
}

/** The same number of characters, each of the block Latin Extended. */
function beyondAscii(plain: string): string {
  return Array.from(plain, (character) => String.fromCharCode(0x100 + (character.charCodeAt(0) & 0x7f))).join('');
}

/** Passwords of fewer than eight characters, made of a good one. */
export const SHORT_PASSWORDS = [
  { name: 'a password of seven characters', of: (plain: string) => plain.slice(0, 7) },
  { name: 'a password of one character', of: (plain: string) => plain.slice(0, 1) },
  // Each character two bytes in UTF-8, and none of it written down here: reports quote the source of a check.
  { name: 'a password of seven characters in fourteen bytes', of: (plain: string) => beyondAscii(plain.slice(0, 7)) },
  { name: 'a password of seven characters, one of them an emoji', of: (plain: string) => `${plain.slice(0, 6)}😀` },
];

/**
 * A registration with fields that are not the client's to set: refused, or without effect.
 * @param own an access token of another account
 * @param plain the response to a registration without such fields
 */
export async function takesNone(
  check: Check,
  own: string,
  plain: Reply,
  { fields, singly = [] }: Extra,
): Promise<void> {
  const { account, reply } = await registerWith(check, fields);
  // Refused as a whole: nothing took effect. What a server may not do with it is fall over.
  if (reply.status >= 400 && reply.status < 500) {
    for (const one of singly) await takesNone(check, own, plain, one);
    return;
  }
  expect(reply, 'the registration').toHaveStatus(200, 201);
  const { user, access, reply: login } = await check.login(account);
  if (user['email'] !== undefined && !sameAddress(user['email'], account.email))
    throw new Blocked('LOG-03', 'login returns a different user from the one registered');
  const sees = (await seesRowsOf(check, own, access)) && !(await everybodySeesRowsOf(check, own));
  // Where login shows no user, LOG-01 says so.
  const shown = Object.keys(user).length === 0 ? reply.user : user;
  const effects = [...effectsOn(shown, plain.user, fields), ...(sees ? ["a look at other accounts' rows"] : [])];
  expect(login, 'the account registered with fields that are not its own to set').toSatisfy(
    effects.length === 0,
    'none of them to take effect',
    `taken over: ${effects.join(', ')}`,
  );
}
