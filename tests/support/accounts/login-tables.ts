/** The tables of login: wrong credentials of every kind, and what may accompany right ones. */
import { Blocked, Unverified, type Account, type Check, type NewAccount } from '../../../fixtures/check/check.js';
import { expect, seenStatus } from '../../../fixtures/check/expect.js';
import type { Row } from '../../../fixtures/check/judging.js';
import type { Sendable } from '../../../fixtures/check/sender.js';
import { decode, encodePart, resign } from '../../../fixtures/evidence/jwt.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { expectNotThePassword, type Credentials, type Victims } from './accounts.js';
import { acceptedByRegister, registerWith } from './register-tables.js';
import { cookiesOf } from '../access/channels.js';
import { withQuery } from '../access/protected-routes.js';
import { otherTenant } from '../access/resources.js';
import { isRefusedHere } from '../access/unauthenticated.js';
import { otherCase, sameAddress } from './users.js';

/** Credentials that are wrong, made of right ones. */
export interface Wrong extends Row {
  readonly of: (right: Account, fresh: NewAccount) => Credentials;
  /** Statuses that are right besides 401. */
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
  wrong('a password of eight characters', (_, { password }) => password.slice(-8)),
  wrong('a password of one character', () => 'x', 400),
  wrong('a password of 60 characters', (_, { password }) => password.padEnd(60, 'x')),
  wrong('a password of 200 characters', (_, { password }) => password.padEnd(200, 'x')),
  { ...wrong('SQL that is true', () => "' OR '1'='1' --", 400), attack: true },
  wrong('the e-mail for the password', ({ email }) => email),
];

/** What may accompany a wrong password, and does not make it right. */
interface Beside extends Row {
  readonly with: (check: Check, right: Account) => Promise<Pick<Sendable, 'headers'> & { readonly query?: string }>;
}

/** LOG-04, LOG-08: a moment after the right password, with all that it gave; and the right password where it does not count. */
export const BESIDE: readonly [Beside, Beside] = [
  {
    name: "beside the token and the cookies of the account's last login, a moment ago",
    with: async (check, { email, password }) => {
      const reply = await check.api.login({ email, password });
      if (reply.status !== 200) throw new Blocked('REG-04', `a new account cannot log in: ${seenStatus(reply)}`);
      const cookies = cookiesOf(reply);
      return {
        headers: [
          ['authorization', `Bearer ${reply.token('access') ?? ''}`],
          ...(cookies === '' ? [] : [['cookie', cookies] as const]),
        ],
      };
    },
  },
  {
    name: 'beside the right one in `Authorization: Basic` and in the query',
    with: (_, { email, password }) =>
      Promise.resolve({
        headers: [['authorization', `Basic ${Buffer.from(`${email}:${password}`).toString('base64')}`]],
        query: new URLSearchParams({ email, password }).toString(),
      }),
  },
];

/** LOG-08: logins that leave something out, together with what the account's last login gave. */
export async function leftOutBeside(check: Check, right: Account): Promise<{ name: string; reply: Reply }[]> {
  const [lastLogin] = BESIDE;
  const { headers = [] } = await lastLogin.with(check, right);
  const replies = [];
  for (const { name, of } of LEFT_OUT)
    replies.push({ name, reply: await check.raw(check.api.request('login', of(right), { headers })) });
  return replies;
}

/** A login with something outside its body. */
export async function loginBeside(check: Check, right: Account, body: Credentials, beside: Beside): Promise<Reply> {
  const { headers = [], query } = await beside.with(check, right);
  const request = check.api.request('login', body, { headers });
  return check.raw(query === undefined ? request : withQuery(request, query));
}

/** @throws Blocked by LOG-11 if the right password is refused beside it as well */
export async function dependsOnLoginBeside(check: Check, right: Account, beside: Beside): Promise<void> {
  const { email, password } = right;
  const reply = await loginBeside(check, right, { email, password }, beside);
  if (reply.status >= 400)
    throw new Blocked('LOG-11', `the right password is refused there too: ${seenStatus(reply)}`, reply.exchange);
}

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
  stranger('a known name at another domain', (known) => `${known}.invalid`, 400),
  stranger('a known e-mail with a wildcard for a character', (known) => known.replace(/.(?=@[^@]*$)/, '_')),
  stranger('a wildcard', (known) => known.replace(/^.*@/, '%@'), 400),
  stranger('a Cyrillic letter that looks like the Latin one', (known) => known.replace(/[aeo](?=[^@]*$)/, 'а'), 400),
  // Some collations compare letters without their accents.
  stranger(
    'a known e-mail with an accent',
    (known) => known.replace(/[aeo](?=[^@]*@)/, '$&\u0301').normalize('NFC'),
    400,
  ),
  { ...stranger('`{"$gt": ""}`', () => ({ $gt: '' }), 400), attack: true },
  stranger('an array that holds a known e-mail', (known) => [known], 400),
];

const kept = (name: string, fields: (right: Account) => Credentials, ...also: number[]): Wrong => ({
  name,
  of: fields,
  also,
});

/** LOG-08: a missing field is 400, an empty one 400 or 401. */
export const INCOMPLETE_LOGINS: readonly (Wrong & { readonly missing: boolean; readonly mayCount?: true })[] = [
  {
    missing: true,
    ...kept('missing email, beside a `username`', ({ username, password }) => ({ username, password })),
  },
  { missing: true, mayCount: true, ...kept('missing password', ({ email }) => ({ email })) },
  { missing: true, ...kept('neither', () => ({})) },
  { missing: false, ...kept('empty email', ({ password }) => ({ email: '', password }), 400) },
  { missing: false, mayCount: true, ...kept('empty password', ({ email }) => ({ email, password: '' }), 400) },
  { missing: false, ...kept('null as email', ({ password }) => ({ email: null, password }), 400) },
  { missing: false, mayCount: true, ...kept('null as password', ({ email }) => ({ email, password: null }), 400) },
  {
    missing: false,
    mayCount: true,
    ...kept('a blank password', ({ email }) => ({ email, password: ' '.repeat(8) }), 400),
  },
];

/** LOG-08: what is left out is not taken from elsewhere in the request. */
export const LEFT_OUT: readonly (Row & { readonly of: (right: Account) => Credentials })[] = [
  { name: 'missing email', of: ({ password }) => ({ password }) },
  { name: 'missing password', of: ({ email }) => ({ email }) },
];

/** LOG-09: nearly the right password. */
export const NEARLY: readonly (Row & { readonly of: (password: string) => string })[] = [
  { name: 'different letter case', of: otherCase },
  // What a telephone's keyboard does to the first letter, some large sites forgive.
  { name: 'the first letter in the other case', of: (password) => otherCase(password.slice(0, 1)) + password.slice(1) },
  { name: 'a leading space', of: (password) => ` ${password}` },
  { name: 'a trailing space', of: (password) => `${password} ` },
  { name: 'the first sixteen characters', of: (password) => password.slice(0, 16) },
  { name: 'a Cyrillic letter that looks like the Latin one', of: (password) => `С${password.slice(1)}` },
  { name: 'followed by NUL and more', of: (password) => `${password}\u0000x` },
  { name: 'a wildcard for a character', of: (password) => `_${password.slice(1)}` },
  { name: 'preceded by markup', of: (password) => `<b>${password}` },
  { name: 'with a zero-width space in it', of: (password) => `${password.slice(0, 6)}\u200b${password.slice(6)}` },
  { name: 'a character as `%XX`', of: (password) => `%${password.charCodeAt(0).toString(16)}${password.slice(1)}` },
];

/** bcrypt reads no further than 72 bytes: a server that hands it longer passwords compares their beginnings only. */
const BCRYPT_BYTES = 72;

const longer = (plain: string, length: number): string => plain.padEnd(length - 4, 'x') + plain.slice(-4);
const otherEnd = (password: string): string => password.slice(0, -4) + otherCase(password.slice(-4)).replace(/.$/, '~');

/** A password that register may refuse, and what is nearly the same. */
export interface Odd extends Row {
  readonly password: (plain: string) => string;
  readonly nearly: readonly { readonly name: string; readonly of: (password: string) => string }[];
  /** Asked where register refuses the first. */
  readonly or?: Odd;
}

/** LOG-09: where register takes such a password, what is nearly the same does not log in. */
export const NEARLY_ODD: readonly Odd[] = [
  {
    name: 'a password of 300 characters',
    password: (plain) => longer(plain, 300),
    nearly: [{ name: 'wrong at its end', of: otherEnd }],
    or: {
      name: `a password of more than ${String(BCRYPT_BYTES)} bytes`,
      password: (plain) => longer(plain, BCRYPT_BYTES + 20),
      nearly: [{ name: 'wrong at its end', of: otherEnd }],
    },
  },
  {
    name: 'a password with a NUL',
    password: (plain) => `${plain}\u0000right`,
    nearly: [{ name: 'wrong after it', of: (password) => password.replace('right', 'wrong') }],
  },
  {
    name: 'a password with é and Ä',
    password: (plain) => `${plain}éÄ`,
    nearly: [
      { name: 'sent with è', of: (password) => password.replace('é', 'è') },
      { name: 'sent with ä', of: (password) => password.replace('Ä', 'ä') },
    ],
  },
  {
    name: 'a password that ends in Chinese letters and a space',
    password: (plain) => `${plain}新密 `,
    nearly: [
      { name: 'sent without the space', of: (it) => it.trim() },
      { name: 'sent without the letters', of: (password) => password.replace('新密', '') },
    ],
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

/** A password that is nearly the right one is refused. */
export async function expectRefusedNearly(victims: Victims, nearly: (password: string) => string): Promise<void> {
  const { reply } = await victims.attempt(({ email, password }) => ({ email, password: nearly(password) }));
  expect(reply, 'a password that is not exactly the right one').toBeRefused();
  expect(reply).toCarryNoToken();
}

/** Somebody new with an odd password, where register takes it: what is nearly the same is refused, and the password itself logs in. */
export async function judgeOdd(check: Check, { name, password, nearly, or }: Odd): Promise<void> {
  const made = await registerWith(check, { password: password(check.newAccount().password) });
  if (made.reply.status >= 400 && made.reply.status < 500 && or !== undefined) {
    check.note(`register refuses ${name} with ${String(made.reply.status)}`);
    return judgeOdd(check, or);
  }
  const account = acceptedByRegister(check, made);
  if (account === undefined) return;
  for (const { name: how, of } of nearly) {
    const almost = { email: account.email, password: of(account.password) };
    try {
      await expectNotThePassword(check, almost, `${name}, ${how}`);
    } catch (error) {
      if ((await check.api.login(account)).status !== 200)
        throw new Blocked('REG-04', 'register keeps another password than was sent');
      throw error;
    }
  }
  const right = await check.api.login(account);
  if (right.status === 200) return;
  throw new Unverified(`It does not log in as it was registered (${seenStatus(right)}): see REG-04.`);
}

/** A live token of somebody else than the owner; undefined where the run has nobody else. */
export async function foreignToken(check: Check): Promise<string | undefined> {
  if (check.target.viewer !== undefined) return (await check.session(check.target.viewer)).access;
  return (await otherTenant(check))?.access;
}

const SCHEMES = ['Token', 'Digest'];

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
    { name: 'a bearer token that is not a JWT', header: 'Bearer conformance' },
    { name: '`Bearer` with nothing after it', header: 'Bearer' },
    ...SCHEMES.map((scheme) => ({ name: `credentials of ${scheme}`, header: `${scheme} ${stale}` })),
  ];
}

/** A response to right credentials, whatever stood in `Authorization`. */
export function expectOwnUser(reply: Reply, account: Account): void {
  expect(reply, 'the response').toHaveStatus(200);
  const { email } = reply.user;
  if (typeof email !== 'string') return;
  expect(reply, 'the user returned').toSatisfy(
    sameAddress(email, account.email),
    'the one whose e-mail and password were sent',
    'another one',
  );
}

/** Whose account it is, REG-02 says. */
export async function registersWith(check: Check, header: string): Promise<void> {
  const request = check.api.request('register', check.api.registration(check.newAccount()), {
    headers: [['authorization', header]],
  });
  expect(await check.raw(request), 'the response').toHaveStatus(200, 201);
}
