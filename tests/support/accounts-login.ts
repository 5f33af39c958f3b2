/** The tables of login: wrong credentials of every kind, and what may stand beside right ones. */
import { Unverified, type Account, type Check, type NewAccount } from '../../fixtures/check/check.js';
import { expect, seenStatus } from '../../fixtures/check/expect.js';
import type { Row } from '../../fixtures/check/judging.js';
import { decode, encodePart, resign } from '../../fixtures/evidence/jwt.js';
import type { Reply } from '../../fixtures/evidence/reply.js';
import { expectNotThePassword, type Credentials, type Victims } from './accounts.js';
import { acceptedByRegister, registerWith } from './accounts-register.js';
import { otherTenant } from './resources.js';
import { isRefusedHere } from './unauthenticated.js';
import { otherCase } from './users.js';

/** Credentials that are wrong, made of right ones. */
export interface Wrong extends Row {
  readonly of: (right: Account, fresh: NewAccount) => Credentials;
  /** Statuses that are right beside 401. */
  readonly also?: readonly number[];
  /** It looks like an attack: a firewall in front may refuse it with a status of its own. */
  readonly attack?: true;
}

const wrong = (name: string, password: (right: Account, fresh: NewAccount) => unknown, ...also: number[]): Wrong => ({
  name,
  of: (right, fresh) => ({ email: right.email, password: password(right, fresh) }),
  also,
});

/** LOG-04: wrong passwords; what no password can be may be refused as a body, too. */
export const WRONG_PASSWORDS: readonly Wrong[] = [
  wrong('another password of the same length', (_, { password }) => password),
  { ...wrong('`{"$ne": null}`', () => ({ $ne: null }), 400), attack: true },
  wrong('an array that holds the right one', ({ password }) => [password], 400),
  wrong('`true`', () => true, 400),
  wrong('a password of eight characters', (_, { password }) => password.slice(-8)),
  wrong('a password of one character', () => 'x', 400),
  wrong('a password of 60 characters', (_, { password }) => password.padEnd(60, 'x')),
  wrong('a password of 200 characters', (_, { password }) => password.padEnd(200, 'x')),
  wrong('a password that is not ASCII', (_, { password }) => `${password}é新`),
  { ...wrong('SQL that is true', () => "' OR '1'='1' --", 400), attack: true },
  wrong('the e-mail for the password', ({ email }) => email),
  { ...wrong('a NUL in front of the right one', ({ password }) => `\u0000${password}`, 400), attack: true },
];

const stranger = (name: string, email: (known: string, fresh: string) => unknown, ...also: number[]): Wrong => ({
  name,
  of: ({ email: known, password }, fresh) => ({ email: email(known, fresh.email), password }),
  also,
});

const before = (email: string, more: string): string => email.replace(/@[^@]*$/, (domain) => `${more}${domain}`);

/** LOG-05: e-mails that nobody has, each with the right password of somebody. */
export const STRANGERS: readonly Wrong[] = [
  stranger('an e-mail that nobody has', (_, fresh) => fresh),
  stranger('a known e-mail with a character more', (known) => before(known, 'x')),
  stranger('a known e-mail with a character less', (known) => known.replace(/.(?=@[^@]*$)/, '')),
  stranger('a known name at another domain', (known) => `${known}.invalid`, 400),
  stranger('a known e-mail with a wildcard for a character', (known) => known.replace(/.(?=@[^@]*$)/, '_')),
  stranger('a wildcard', (known) => known.replace(/^.*@/, '%@'), 400),
  stranger('a Cyrillic letter that looks like the Latin one', (known) => known.replace(/[aeo](?=[^@]*$)/, 'а'), 400),
  { ...stranger('`{"$gt": ""}`', () => ({ $gt: '' }), 400), attack: true },
  stranger('an array that holds a known e-mail', (known) => [known], 400),
];

const kept = (name: string, fields: (right: Account) => Credentials, ...also: number[]): Wrong => ({
  name,
  of: fields,
  also,
});

/** LOG-08: a missing field is 400, an empty one 400 or 401. */
export const INCOMPLETE_LOGINS: readonly (Wrong & { readonly missing: boolean })[] = [
  { missing: true, ...kept('missing email', ({ password }) => ({ password })) },
  { missing: true, ...kept('missing password', ({ email }) => ({ email })) },
  { missing: true, ...kept('neither', () => ({})) },
  { missing: false, ...kept('empty email', ({ password }) => ({ email: '', password }), 400) },
  { missing: false, ...kept('empty password', ({ email }) => ({ email, password: '' }), 400) },
  { missing: false, ...kept('both empty', () => ({ email: '', password: '' }), 400) },
  { missing: false, ...kept('null as email', ({ password }) => ({ email: null, password }), 400) },
  { missing: false, ...kept('null as password', ({ email }) => ({ email, password: null }), 400) },
  { missing: false, ...kept('a blank password', ({ email }) => ({ email, password: '        ' }), 400) },
];

/** LOG-09: nearly the right password. */
export const NEARLY: readonly (Row & { readonly of: (password: string) => string })[] = [
  { name: 'other letter case', of: otherCase },
  { name: 'a blank in front', of: (password) => ` ${password}` },
  { name: 'a blank behind', of: (password) => `${password} ` },
  { name: 'all but the last character', of: (password) => password.slice(0, -1) },
  { name: 'a line break behind', of: (password) => `${password}\n` },
  { name: 'one character more', of: (password) => `${password}x` },
  { name: 'the first sixteen characters', of: (password) => password.slice(0, 16) },
  { name: 'a Cyrillic letter that looks like the Latin one', of: (password) => `С${password.slice(1)}` },
  { name: 'a NUL and more behind', of: (password) => `${password}\u0000x` },
];

/** bcrypt reads no further than 72 bytes: a server that hands it longer passwords compares their beginnings only. */
const BCRYPT_BYTES = 72;

const longer = (plain: string, length: number): string => plain.padEnd(length - 4, 'x') + plain.slice(-4);
const otherEnd = (password: string): string => password.slice(0, -4) + otherCase(password.slice(-4)).replace(/.$/, '~');

/** LOG-09: passwords that register may refuse; where it takes one, what is nearly the same does not log in. */
export const NEARLY_ODD: readonly (Row & {
  readonly password: (plain: string) => string;
  readonly of: (password: string) => string;
})[] = [
  {
    name: `a long password, wrong behind byte ${String(BCRYPT_BYTES)}`,
    password: (plain) => longer(plain, BCRYPT_BYTES + 20),
    of: otherEnd,
  },
  { name: 'a password of 300 characters, wrong at its end', password: (plain) => longer(plain, 300), of: otherEnd },
  {
    name: 'a password with a NUL, wrong behind it',
    password: (plain) => `${plain}\u0000right`,
    of: (password) => password.replace('right', 'wrong'),
  },
  {
    name: 'a password with é, sent with è',
    password: (plain) => `${plain}é`,
    of: (password) => password.replace('é', 'è'),
  },
  {
    name: 'a password with Chinese letters, sent without them',
    password: (plain) => `${plain}新密`,
    of: (password) => password.slice(0, -2),
  },
  { name: 'a password with a blank behind, sent without it', password: (plain) => `${plain} `, of: (it) => it.trim() },
  {
    name: 'a password with Ä, sent with ä',
    password: (plain) => `${plain}Ä`,
    of: (password) => password.replace('Ä', 'ä'),
  },
];

/** A refusal in another form than the API's own: of a firewall, or a proxy. */
function isOfAFront({ status, object }: Reply): boolean {
  return [403, 406].includes(status) && object?.['success'] !== false;
}

/** The credentials are refused as unknown ones are: with 401, or as this target refuses a request without any; no login, no token. */
export function expectNoLogin(
  check: Check,
  reply: Reply,
  { also = [], attack }: Omit<Wrong, 'name' | 'of'> = {},
): void {
  if (attack === true && isOfAFront(reply))
    check.note(`refused, with ${String(reply.status)}, by what stands in front`);
  else if (isRefusedHere(check, reply) && reply.status !== 401)
    check.note(`refused, with ${String(reply.status)}: UNA-01`);
  else expect(reply, 'the response').toHaveStatus(401, ...also);
  expect(reply, 'the response').toCarryNoToken();
}

/** A password that is nearly the right one: refused, and the right one still logs in. */
export async function expectRefusedNearly(victims: Victims, account: Account, nearly: string): Promise<void> {
  const reply = await victims.refusal({ email: account.email, password: nearly });
  expect(reply, 'a password that is not exactly the right one').toBeRefused();
  expect(reply).toCarryNoToken();
  await victims.control(account);
}

/** Somebody new with an odd password, where register takes it: what is nearly the same is refused, and the password itself logs in. */
export async function judgeOdd(check: Check, { password, of }: (typeof NEARLY_ODD)[number]): Promise<void> {
  const made = await registerWith(check, { password: password(check.newAccount().password) });
  const account = acceptedByRegister(check, made);
  if (account === undefined) return;
  const nearly = { email: account.email, password: of(account.password) };
  await expectNotThePassword(check, nearly, 'a password that is not exactly the right one');
  const right = await check.api.login(account);
  if (right.status === 200) return;
  throw new Unverified(`It does not log in as it was registered (${seenStatus(right)}): see REG-04.`);
}

/** A live token of somebody else than the owner; undefined where the run has nobody else. */
async function foreignToken(check: Check): Promise<string | undefined> {
  if (check.target.viewer !== undefined) return (await check.session(check.target.viewer)).access;
  return (await otherTenant(check))?.access;
}

const SCHEMES = ['Token', 'JWT', 'ApiKey', 'Digest'];

/** LOG-11: `Authorization` headers that login and register have no use for. @param access a token of the one who logs in */
export async function strayAuthorizations(
  check: Check,
  access: string,
): Promise<(Row & { readonly header: string; readonly register?: true })[]> {
  const decoded = decode(access);
  const past = { exp: 1_500_000_000 };
  // Signed by the target's key where the run has it: expired, and nothing else.
  const stale =
    decoded === undefined
      ? 'stale'
      : check.target.secret === undefined
        ? `${decoded.parts[0]}.${encodePart({ ...decoded.claims, ...past })}.${decoded.parts[2]}`
        : resign(access, check.target.secret, { claims: past });
  const foreign = await foreignToken(check);
  return [
    { name: 'a stale bearer token', header: `Bearer ${stale}`, register: true },
    ...(foreign === undefined
      ? []
      : [{ name: 'the live token of somebody else', header: `Bearer ${foreign}`, register: true as const }]),
    {
      name: 'credentials of Basic',
      header: `Basic ${Buffer.from('somebody:else').toString('base64')}`,
      register: true,
    },
    { name: 'a live token of the same user', header: `Bearer ${access}` },
    { name: 'a bearer token that is no JWT', header: 'Bearer conformance' },
    { name: '`Bearer` with nothing behind it', header: 'Bearer' },
    ...SCHEMES.map((scheme) => ({ name: `credentials of ${scheme}`, header: `${scheme} ${stale}` })),
  ];
}
