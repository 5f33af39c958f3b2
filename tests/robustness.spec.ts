/**
 * Bad input: refused with a 4xx, never a 5xx, a hang or a dropped connection, and the server answers the next request. Whether the refusal
 * is in the envelope, ENV says of every answer.
 */
import { randomInt } from 'node:crypto';
import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Finding, Unverified, type Chain, type Check } from '../fixtures/check/check.js';
import { named } from '../fixtures/check/judging.js';
import {
  badRequest,
  CONTENT_TYPES,
  DEEP,
  deepTokens,
  endpointsOf,
  MALFORMED,
  ODD_CHARACTERS,
  overOneConnection,
  PLANTED,
  poisoned,
  VERY_LONG,
  WRONG_TYPES,
  COSTLY_TYPES,
  type BadInput,
} from './support/bad-input.js';
import { jsonRequest, oddJson } from '../fixtures/check/api.js';
import type { Credentials } from '../fixtures/run/target.js';
import { isRefusedHere, notOpenToEverybody } from './support/unauthenticated.js';
import { judgeBroken, judgeValid } from './support/fuzz.js';
import { seenStatus } from '../fixtures/check/expect.js';
import type { Reply } from '../fixtures/evidence/reply.js';
import { sameAddress } from './support/users.js';
import { aKeyword, dependsOnOwnRows, listed, otherTenant, siteOf, type OtherTenant } from './support/resources.js';
import { costly, Victims } from './support/accounts.js';
import { exactRows } from './support/exact.js';
import { keyIfProven, rotatesResigned } from './support/signing-key.js';
import { resign } from '../fixtures/evidence/jwt.js';
import { everyAnswer, UNKNOWN_ROUTE } from './support/sample-answers.js';
import { OPERATIONS } from '../spec/generated/operations.js';

/** After a table of bad input, one good request. */
async function stillHealthy(check: Check): Promise<void> {
  const { access } = await check.session();
  const reply = await check.askProtected(access);
  if (reply.status !== 200) {
    throw new Finding(
      `after the bad input a good request is answered with ${seenStatus(reply)}, expected 200`,
      reply.exchange,
    );
  }
}

interface Row {
  readonly name: string;
  readonly judge: () => Promise<void>;
}

/** What is sent in front of a good request over the same connection: one of each kind that a parser gives up on. */
const OVER_ONE_CONNECTION = MALFORMED.slice(0, 4);

/**
 * Every row of a table at every endpoint that it goes to.
 * @param mine a chain whose live token is what is wrong at refresh in nothing but the row's own point
 */
function rowsOf(check: Check, table: readonly BadInput[], statuses?: readonly number[], mine?: Chain): Row[] {
  return table.flatMap((input) =>
    endpointsOf(check, input).map((endpoint) => ({
      name: `${endpoint} with ${input.name}`,
      judge: async () => {
        const bad = await badRequest(check, input, endpoint, mine?.refresh);
        // Where it costs little, and a body may be left unread; what reads it is the same in front of all endpoints.
        const reply =
          endpoint === 'refresh' && (table === VERY_LONG || OVER_ONE_CONNECTION.includes(input))
            ? await overOneConnection(check, bad, (await check.session()).access)
            : await check.raw(bad);
        if (endpoint === 'refresh' && reply.status < 300) mine?.invalidate();
        if (statuses === undefined) expect(reply).toBeRefused();
        else expect(reply).toHaveStatus(...statuses);
      },
    })),
  );
}

async function judge(check: Check, rows: readonly Row[]): Promise<void> {
  await check.expectAuthorized((await check.session()).access);
  await check.eachRow(rows, (row) => row.judge());
  await stillHealthy(check);
}

clause('ROB-01', (check) => judge(check, rowsOf(check, MALFORMED)));

clause('ROB-02', async (check) => {
  const rows = [...rowsOf(check, WRONG_TYPES), ...rowsOf(check, await costly(check, COSTLY_TYPES))];
  await judge(check, [...rows, ...rightButOfAnotherType(check)]);
});

/** The right credentials in another type: a server that makes a string of whatever it gets would log in. */
function rightButOfAnotherType(check: Check): Row[] {
  const victims = new Victims(check);
  const attempt = async (wrong: Parameters<Victims['attempt']>[0]): Promise<void> => {
    const { reply } = await victims.attempt(wrong);
    expect(reply, 'login').toBeRefused();
  };
  const digits = async (): Promise<void> => {
    const account = { ...check.newAccount(), password: `7${String(randomInt(10 ** 12)).padStart(12, '0')}` };
    check.sender.secret(account.password);
    const made = await check.raw(check.api.request('register', check.api.registration(account)));
    if (made.status >= 300) throw new Unverified(`A password of digits alone is refused here: ${seenStatus(made)}.`);
    const { email, password } = account;
    const control = await check.raw(check.api.request('login', { email, password }));
    if (control.status !== 200) throw new Unverified(`It cannot log in as it is: ${seenStatus(control)}.`);
    const reply = await check.raw(check.api.request('login', { email, password: Number(password) }));
    expect(reply, 'login').toBeRefused();
  };
  return [
    {
      name: 'login with the right password in an array',
      judge: () => attempt(({ email, password }) => ({ email, password: [password] })),
    },
    {
      name: 'login with the right e-mail in an array',
      judge: () => attempt(({ email, password }) => ({ email: [email], password })),
    },
    {
      name: 'login with an operator for a password',
      judge: () => attempt(({ email }) => ({ email, password: { $ne: '' } })),
    },
    {
      name: 'login with the right password in an object',
      judge: () => attempt(({ email, password }) => ({ email, password: { password } })),
    },
    ...(check.accounts.canRegister ? [{ name: 'login with the right password as a number', judge: digits }] : []),
  ];
}

clause('ROB-03', async (check) => {
  const mine = await check.chain();
  await judge(check, rowsOf(check, CONTENT_TYPES, [400, 415], mine));
  // Whether a refused request spends the token, REF-15 asks.
  mine.invalidate();
});

clause('ROB-04', (check) => judge(check, rowsOf(check, VERY_LONG)));

/** Milliseconds between two looks, and how often: a replica may lag behind what was just written. */
const LOOK_AGAIN_MS = 500;
const LOOKS = 6;

/** A login of somebody registered a moment ago: read until the account is there. */
async function loginOfNew(check: Check, credentials: Credentials): Promise<Reply> {
  for (let look = 1; ; look += 1) {
    const reply = await check.raw(check.api.request('login', credentials));
    if (reply.status < 400 || reply.status >= 500 || look === LOOKS) return reply;
    await check.sleep(LOOK_AGAIN_MS);
  }
}

async function oddPassword(check: Check): Promise<void> {
  const account = check.newAccount();
  const odd = { ...account, password: `${account.password}\u0007\u0001` };
  check.sender.secret(odd.password);
  const made = await check.raw(check.api.request('register', check.api.registration(odd)));
  expect(made, 'register').toBeNoServerError();
  if (made.status >= 300) return;
  const login = await loginOfNew(check, { email: odd.email, password: odd.password });
  if (login.status >= 200 && login.status < 300) return;
  // The control: whoever registers here gets in at all, without a confirmation.
  const plain = await check.registerAccount();
  const control = await loginOfNew(check, { email: plain.email, password: plain.password });
  if (control.status >= 400)
    throw new Blocked('REG-04', `nobody who registered can log in: ${seenStatus(control)}`, control.exchange);
  expect(login, 'login with the control characters that register accepted').toHaveStatus(200);
}

/** Bytes that are no UTF-8, in headers that a server reads. */
async function oddHeader(check: Check, name: string): Promise<void> {
  const value = Buffer.from([0xc3, 0x28, 0xff]).toString('latin1');
  const headers = [[name, `${name === 'authorization' ? 'Bearer ' : ''}${value}`] as const];
  const reply = await check.raw({ method: 'GET', path: check.api.path('listKeywords'), headers });
  expect(reply, 'the response').toBeNoServerError();
}

clause('ROB-05', (check) =>
  judge(check, [
    ...rowsOf(check, ODD_CHARACTERS),
    ...['authorization', 'accept-language'].map((name) => ({
      name: `bytes that are no UTF-8 in \`${name}\``,
      judge: () => oddHeader(check, name),
    })),
    ...(check.accounts.canRegister
      ? [{ name: 'control characters in a password', judge: () => oddPassword(check) }]
      : []),
  ]),
);

function asRefresh(check: Check, body: string): Promise<Reply> {
  const headers = [['content-type', 'application/json'] as const];
  return check.raw({ method: 'POST', path: check.api.path('refresh'), headers, body });
}

/** The field that this target reads. */
function refreshField({ target }: Check): string {
  return target.dialect.refreshField;
}

/** Two members of one name, one of them good: refused, whichever of the two a parser would take (RFC 8259 §4). */
async function refreshTwice(check: Check, mine: Chain): Promise<void> {
  await mine.rotate();
  const [live, other] = [JSON.stringify(mine.refresh), '"not-a-token"'];
  const field = refreshField(check);
  // An escape spells the same name (RFC 8259 §8.3).
  const escaped = `\\u${field.charCodeAt(0).toString(16).padStart(4, '0')}${field.slice(1)}`;
  for (const [what, body] of [
    ['the live one first', `{"${field}":${live},"${field}":${other}}`],
    ['the live one last', `{"${field}":${other},"${field}":${live}}`],
    ['the second name spelled with an escape', `{"${field}":${other},"${escaped}":${live}}`],
  ] as const) {
    const reply = await asRefresh(check, body);
    if (reply.status < 400) mine.invalidate();
    expect(reply, what).toBeRefused();
  }
  await mine.rotate();
}

/** Well signed, and with something odd in its payload: refused or not, but nothing falls over. */
async function oddClaims(check: Check, mine: Chain): Promise<void> {
  const { access } = await check.session();
  const key = await keyIfProven(check, access);
  if (key === undefined) return;
  const takesRefresh = await rotatesResigned(check, mine, key).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Unverified) return false;
      throw error;
    },
  );
  const odd: { name: string; claims: Record<string, unknown> }[] = [
    { name: '`exp` a text', claims: { exp: 'tomorrow' } },
    { name: '`exp` a list', claims: { exp: [4_000_000_000] } },
    { name: '`exp` far beyond any calendar', claims: { exp: 1e300 } },
    { name: '`iat` a text', claims: { iat: 'yesterday' } },
    { name: '`nbf` an object', claims: { nbf: {} } },
    { name: 'no `jti`', claims: { jti: undefined } },
  ];
  const spend = async (claims: Record<string, unknown>): Promise<Reply> => {
    const reply = await check.api.refresh(resign(mine.refresh, key, { claims }));
    if (reply.status === 200) mine.advance(reply);
    return reply;
  };
  for (const { name, claims } of odd) {
    const opened = await check.askProtected(resign(access, key, { claims }));
    const answers: [string, Reply][] = [['an access', opened]];
    if (takesRefresh) answers.push(['a refresh', await spend(claims)]);
    for (const [kind, reply] of answers) {
      expect(reply, `${kind} token with ${name}`).toSatisfy(
        reply.status < 500,
        'anything but a 5xx',
        seenStatus(reply),
      );
    }
  }
}

/** Sends a body as it stands to the creation of keywords. */
function createdBy(check: Check, access: string, body: string): Promise<Reply> {
  const headers = [['content-type', 'application/json'] as const, ['authorization', `Bearer ${access}`] as const];
  return check.raw({ method: 'POST', path: check.api.path('createKeyword'), headers, body });
}

/** JSON of two objects in one: each field of the second stands twice. @param escaped its names spelled with an escape (RFC 8259 §8.3) */
function twice(one: object, other: object, escaped = false): string {
  const second = JSON.stringify(other).slice(1);
  const spelled = escaped
    ? second.replace(/^"(.)/, (_, letter: string) => `"\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)
    : second;
  return `${JSON.stringify(one).slice(0, -1)},${spelled}`;
}

async function keywordTwice(check: Check, escaped: boolean): Promise<void> {
  const { access } = await check.session();
  const reply = await createdBy(check, access, twice(aKeyword(check).body, aKeyword(check).body, escaped));
  expect(reply).toBeRefused();
}

/** Credentials of which one stands twice, once right and once wrong: whoever takes the one or the other logs in. */
function loginTwice(check: Check): Row[] {
  const victims = new Victims(check);
  const rows = [
    { name: 'the right password last', first: { password: check.newAccount().password }, escaped: false },
    {
      name: 'the right password last, its name spelled with an escape',
      first: { password: check.newAccount().password },
      escaped: true,
    },
  ];
  return rows.map(({ name, first, escaped }) => ({
    name: `login with \`password\` twice, ${name}`,
    judge: async () => {
      const { email, password } = await victims.next();
      const headers = [['content-type', 'application/json'] as const];
      const body = twice({ email, ...first }, { password }, escaped);
      expect(
        await check.raw({ method: 'POST', path: check.api.path('login'), headers, body, mayLock: true }),
      ).toBeRefused();
    },
  }));
}

/** `__proto__` and `constructor` beside a good keyword: refused, or without effect on this answer and the next. */
async function poisonedKeyword(check: Check): Promise<void> {
  const { access } = await check.session();
  const reply = await createdBy(check, access, poisoned(aKeyword(check).body));
  expect(reply).toSatisfy(reply.status < 500, 'refused, or without effect', seenStatus(reply));
  const id = reply.payload?.['id'];
  expect(reply, 'the id of the new keyword').toSatisfy(id !== PLANTED.id, "the server's own", 'the one that was sent');
  const next = await check.askProtected(access);
  expect(next, 'the next answer').toSatisfy(
    !next.text.includes(PLANTED.member),
    'as if nothing had been sent',
    'a member that the request before it had planted',
  );
}

/** The fields of a good keyword, but in `__proto__`: none of them is a field of the body. */
async function keywordInPrototype(check: Check): Promise<void> {
  const { access } = await check.session();
  const fields = JSON.stringify(aKeyword(check).body);
  expect(await createdBy(check, access, `{"__proto__":${fields}}`)).toBeRefused();
}

async function deepBearer(check: Check, token: string): Promise<void> {
  const reply = await check.askProtected(token);
  await notOpenToEverybody(check, reply.status);
  if (!isRefusedHere(check, reply)) expect(reply).toBeRefused();
}

clause('ROB-06', async (check) => {
  // A token that a server cannot place may count as reuse, and end more than its chain.
  const { chain: mine } = await check.expendable();
  await judge(check, [
    ...rowsOf(check, DEEP),
    ...deepTokens().flatMap(({ name, token, asBearer }) => [
      ...(asBearer ? [{ name: `${name}, as bearer`, judge: () => deepBearer(check, token) }] : []),
      {
        name: `${name}, as refresh token`,
        judge: async () => {
          expect(await check.raw(check.api.refreshRequest(token))).toBeRefused();
        },
      },
    ]),
    { name: 'refresh with `refresh` twice', judge: () => refreshTwice(check, mine) },
    ...loginTwice(check),
    { name: "an odd payload by the target's own key", judge: () => oddClaims(check, mine) },
    {
      name: 'refresh with `__proto__` and `constructor` in place of `refresh`',
      judge: async () => {
        const inner = JSON.stringify({ [refreshField(check)]: 'x' });
        const body = `{"__proto__":${inner},"constructor":{"prototype":${inner}}}`;
        expect(await asRefresh(check, body)).toBeRefused();
      },
    },
    ...(check.target.write
      ? [
          { name: '`__proto__` and `constructor` beside a good keyword', judge: () => poisonedKeyword(check) },
          { name: '`__proto__` in place of a good keyword', judge: () => keywordInPrototype(check) },
          { name: 'a good keyword with a member twice', judge: () => keywordTwice(check, false) },
          { name: 'the same, one name spelled with an escape', judge: () => keywordTwice(check, true) },
        ]
      : []),
  ]);
  mine.invalidate();
});

clause('ROB-07', async (check) => {
  const { runs, seed } = check.target.fuzz;
  await check.expectAuthorized((await check.session()).access);
  check.measure('seed', String(seed));
  await judgeBroken(check, 'refresh', runs);
  await judgeValid(check, 'refresh', Math.ceil(runs / 4));
  // Login and register are dear: a fortieth each, one by default; FUZZ_RUNS says more, from 80 on for good bodies too.
  for (const endpoint of ['login', 'register'] as const) {
    if (endpoint === 'register' && !check.accounts.canRegister) continue;
    await judgeBroken(check, endpoint, Math.max(1, Math.floor(runs / 40)));
    await judgeValid(check, endpoint, Math.floor(runs / 80));
  }
  if (!check.target.write) return;
  const control = await check.api.createKeyword(aKeyword(check).body, await check.session());
  if (control.status >= 300) {
    check.measure('keywords', `left out: the good one is answered with ${seenStatus(control)}, see IGNY8_KEYWORD_BODY`);
    return;
  }
  await judgeBroken(check, 'createKeyword', runs);
  await judgeValid(check, 'createKeyword', Math.ceil(runs / 4));
});

clause('ROB-08', async (check) => {
  const { access } = await check.session();
  const rows = OPERATIONS.map(({ method, operationId, endsSession }) => ({
    method,
    endsSession,
    path: check.api.path(operationId, '1').replace(/\/$/, ''),
  }));
  await check.eachRow(
    named(rows, ({ method, path }) => `${method} ${path}`),
    async ({ value: { method, path, endsSession } }) => {
      const token = endsSession ? (await check.expendable()).chain.access : access;
      const reply = await check.raw(
        oddJson(method, path, method === 'POST' ? {} : undefined, [['authorization', `Bearer ${token}`]]),
      );
      expect(reply, 'without its last slash').toSatisfy(reply.status < 500, 'anything but a 5xx', seenStatus(reply));
    },
  );
});

/** Decomposed on purpose: a server that composes it gives back another text. The second is for servers that take letters only. */
const NAMES = ['Jose\u0301_Ωμέγα_新しい_😀', 'Ωμέγα_新しい'];

clause('ROB-09', async (check) => {
  for (const name of NAMES) {
    const account = check.newAccount();
    const odd = { ...account, username: `${name}_${account.username.slice(-6)}` };
    const made = await check.api.register(odd);
    if (made.status === 400) continue;
    if (made.status >= 400) {
      // A crash over these letters is this clause's; a register that takes no name at all is REG-01's.
      await check.registerAccount();
      throw new Finding(
        `register with the user name ${odd.username} is answered with ${seenStatus(made)}, expected the account or 400`,
        made.exchange,
      );
    }
    const { user: atLogin, reply } = await check.login(odd);
    if (!sameAddress(atLogin['email'], odd.email))
      throw new Blocked('LOG-03', 'login shows another user than the one registered');
    const atRegister = made.user['username'];
    if (atRegister === undefined) throw new Blocked('REG-02', 'register does not give the user name back');
    if (atLogin['username'] === undefined) throw new Blocked('LOG-02', 'login does not give the user name back');
    const mangled = [atRegister !== odd.username && 'register', atLogin['username'] !== odd.username && 'login'].filter(
      (place) => place !== false,
    );
    expect(reply, 'the user name').toSatisfy(mangled.length === 0, 'unchanged', `changed at ${mangled.join(' and ')}`);
    check.measure('accepted', name);
    return;
  }
  check.measure('such user names', 'refused (400)');
});

clause('ROB-10', { phase: 'every-response' }, async (check) => {
  await check.raw({ method: 'GET', path: `${UNKNOWN_ROUTE}%00'"<` });
  const errors = (await everyAnswer(check)).filter(({ status }) => status >= 400);
  if (errors.length === 0) throw new Unverified('No error was seen in this run.');
  check.eachAnswer(errors, ({ internals }) => (internals === undefined ? undefined : `${internals} is in it`));
});

/** Ids that no row has, below the base. */
const ODD_IDS = ['99999999999999999999', '-1', '0', 'abc', '1.5', '%C2%B2', '%00', '%27%20OR%201=1', 'x'.repeat(3000)];

/** Query parameters of lists, with values that servers have been seen to fall over. */
const ODD_QUERIES = [
  ...['0', '-1', 'abc', '%C2%B2', '99999999999999999999', ''].map((value) => ['page', value]),
  ...['0', '-1', '%C2%B2', '99999999999999999999'].map((value) => ['page_size', value]),
  ...['abc', '-1', '99999999999999999999', '%00'].map((value) => ['site_id', value]),
  ...['%00', '%27%22%25', '%F0%9F%98%80', 'x'.repeat(3000)].map((value) => ['search', value]),
  ...['-id', 'account__name', 'no_such_field', '%00', ','].map((value) => ['ordering', value]),
  ['page', '1&page=2'],
  ['site_id', '1&site_id=abc'],
  ['page[]', '2'],
  ['site_id[$ne]', '0'],
  ['account_id', '99999999999999999999'],
  ['format', 'api'],
].map(([name = '', value = '']) => `?${name}=${value}`);

/** Spellings of the id of somebody else's row, and of their site beside one's own: no reading of them shows it. */
function oddlyTheirs({ id, site }: NonNullable<OtherTenant['keyword']>, own: string | undefined): string[] {
  return [
    ...[`0${id}`, `${id}.0`, `${id}%20`, `%2B${id}`].map((odd) => `${odd}/`),
    ...(site === undefined || own === undefined
      ? []
      : [
          `?site_id=${own}&site_id=${site}`,
          `?site_id=${site}&site_id=${own}`,
          `?site_id[]=${site}`,
          `?site_id=${own},${site}`,
          `?site_id=0${site}`,
          `?site_id=${site}.0`,
        ]),
  ];
}

/** @throws Blocked by FOR-04 if what is another's is refused with this status as it is */
async function dependsOnRefusal(
  check: Check,
  access: string,
  theirs: OtherTenant['keyword'],
  status: number,
): Promise<void> {
  if (theirs === undefined) return;
  const plain = await check.api.getResource(check.api.path('getKeyword', theirs.id), { access });
  if (plain.status === status)
    throw new Blocked('FOR-04', `another account's row is refused with ${seenStatus(plain)}`, plain.exchange);
}

/** Methods that change a row, for ids that none has. */
const CHANGES = ['PATCH', 'DELETE'].flatMap((method) =>
  ['99999999999999999999', 'abc', '%00'].map((id) => ({ method, path: `${id}/` })),
);

/** The viewer's own way to a site without access: the site named twice, once as one of theirs. */
async function judgeViewersSite(check: Check): Promise<void> {
  const viewer = await check.session(check.target.viewer);
  const site = check.target.deniedSite ?? '';
  const { rows } = await listed(check, viewer.access);
  const open = siteOf(rows[0]);
  if (open === undefined) throw new Unverified('The rows of the list name no site.');
  for (const query of [`site_id=${open}&site_id=${site}`, `site_id=${site}&site_id=${open}`]) {
    const reply = await check.raw(jsonRequest('GET', `${check.api.path('listKeywords')}?${query}`, undefined, viewer));
    expect(reply, `?${query}`).toBeNoServerError();
    expect(reply, `?${query}`).toSatisfy(
      !(exactRows(reply) ?? []).some((row) => siteOf(row) === site),
      'no row of a site without access',
      'a row of it is there',
    );
  }
}

clause('ROB-11', async (check) => {
  const { access } = await check.session();
  const own = siteOf((await listed(check, access)).rows[0]);
  const other = await otherTenant(check);
  if (other !== undefined) await dependsOnOwnRows(check, access, other);
  const theirs = other?.keyword;
  const paths = [...ODD_IDS.map((id) => `${id}/`), ...ODD_QUERIES, ...(theirs ? oddlyTheirs(theirs, own) : [])];
  const changes = check.target.write ? CHANGES : [];
  const requests = [...paths.map((path) => ({ method: 'GET', path })), ...changes];
  const shown = (text: string): string =>
    text.length > 60 ? `${text.slice(0, 40)}… (${String(text.length)} characters)` : text;
  const judgeOdd = async (method: string, path: string): Promise<void> => {
    const body = method === 'GET' || method === 'DELETE' ? undefined : aKeyword(check).body;
    const reply = await check.raw(jsonRequest(method, `${check.api.path('listKeywords')}${path}`, body, { access }));
    if (reply.status > 499) await dependsOnRefusal(check, access, theirs, reply.status);
    expect(reply).toSatisfy(reply.status < 500, 'ignored, or refused with a 4xx', seenStatus(reply));
    // A refusal in all but its status is another clause's.
    if (reply.status < 400 && reply.object?.['success'] === false)
      throw new Blocked('ENV-05', `a refusal is answered with ${seenStatus(reply)}`, reply.exchange);
    // A server may read around what is odd in an id; what it finds then must be of one's own.
    if (!path.startsWith('?') && !paths.slice(ODD_IDS.length + ODD_QUERIES.length).includes(path))
      expect(reply, 'an id that no row has').toBeRefused();
    expect(reply, 'the response').toSatisfy(
      theirs === undefined || !reply.text.includes(theirs.text),
      "no row of another account's",
      "another account's row is in it",
    );
  };
  const viewers = check.target.viewer !== undefined && check.target.deniedSite !== undefined;
  await check.eachRow(
    [
      ...requests.map(({ method, path }) => ({
        name: method === 'GET' ? shown(path) : `${method} ${path}`,
        judge: () => judgeOdd(method, path),
      })),
      ...(viewers ? [{ name: 'a site without access, named twice', judge: () => judgeViewersSite(check) }] : []),
    ],
    ({ judge: judgeRow }) => judgeRow(),
  );
  await check.expectAuthorized(access);
});
