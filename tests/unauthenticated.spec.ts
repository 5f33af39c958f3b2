import { randomBytes } from 'node:crypto';
import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Unverified, type Check } from '../fixtures/check/check.js';
import { named } from '../fixtures/check/judging.js';
import { seenStatus } from '../fixtures/check/expect.js';
import type { Sendable } from '../fixtures/check/sender.js';
import { resign } from '../fixtures/evidence/jwt.js';
import type { Reply } from '../fixtures/evidence/reply.js';
import { onLoopback } from '../fixtures/run/target.js';
import { serveKeys } from './support/attacker-keys.js';
import {
  badCredentials,
  cookiesOf,
  NO_JWT,
  oddSpellings,
  otherHeaders,
  SPELLINGS_OF_VIEWS,
  TOKEN_COOKIES,
  TOKEN_PARAMETERS,
  type Spelling,
} from './support/channels.js';
import { idOf } from './support/exact.js';
import { judgeForgeries } from './support/forged-tokens.js';
import { flipped, FORGERIES } from './support/forgeries.js';
import { liveToken } from './support/live-token.js';
import {
  faultyRequests,
  validRequests,
  withHeaders,
  withQuery,
  type ProtectedRequest,
} from './support/protected-routes.js';
import { judgeIdentityHeaders } from './support/identity-headers.js';
import { listed, remove, somebody } from './support/resources.js';
import { atOnce, besideBadToken, expectShut, judgeChannel, shut, spread, type Shut } from './support/shut.js';
import { everyAnswer } from './support/sample-answers.js';
import { provenKey, readToken, rotatesResigned } from './support/signing-key.js';
import { otherOrigins } from './support/token-origins.js';
import {
  dependsOn401,
  expectUnauthenticated,
  isRefusedHere,
  notOpenToEverybody,
  withoutCredentials,
} from './support/unauthenticated.js';

/** The protected route, the list, asked with an `Authorization` header as it stands. */
function askedWith(check: Check, authorization: string, path = check.api.path('listKeywords')): Promise<Reply> {
  return check.raw({ method: 'GET', path, headers: [['authorization', authorization]] });
}

/** The same bytes with another last character: of 43 the last has two bits that stand for nothing (RFC 4648 §3.5). */
function withSpareBits(token: string): string {
  const bytes = (text: string): string => Buffer.from(text.split('.')[2] ?? '', 'base64url').toString('hex');
  const last = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
    .map((letter) => token.slice(0, -1) + letter)
    .find((spelling) => spelling !== token && bytes(spelling) === bytes(token));
  return last ?? token;
}

clause('UNA-01', async (check) => {
  await liveToken(check);
  const plain = await withoutCredentials(check);
  // The header tells whose decision the status was: with it, the authentication class is not the cause.
  const challenged = plain.header('www-authenticate') !== undefined && plain.status !== 401;
  expect(plain, `no \`Authorization\`${challenged ? ' (the answer carries `WWW-Authenticate`)' : ''}`).toHaveStatus(
    401,
  );
  const path = check.api.path('listKeywords');
  const asPage = await check.raw({ method: 'GET', path, headers: [['accept', 'text/html,*/*;q=0.8']] });
  expect(asPage, 'no `Authorization`, asked for as a page').toHaveStatus(401);
});

clause('UNA-02', async (check) => {
  await liveToken(check);
  await dependsOn401(check);
  const reply = await withoutCredentials(check);
  expect(reply, 'its `error`').toSatisfy(
    reply.error === 'Authentication required',
    '“Authentication required”',
    reply.error === undefined ? 'no text' : `“${reply.error}”`,
  );
});

clause('UNA-03', (check) =>
  judgeChannel(check, 'the protected route', ({ access }, routes) => {
    const spellings = oddSpellings(access);
    const elsewhere = spellings.filter(({ name }) => SPELLINGS_OF_VIEWS.includes(name));
    const inOtherHeaders = otherHeaders(access);
    const add = (request: Sendable, more: readonly Spelling[]): Sendable =>
      withHeaders(request, ...more.flatMap(({ headers }) => headers));
    return [
      ...spread(routes, spellings, elsewhere, (request, one) => add(request, [one])),
      ...routes.flatMap((route) => atOnce(route, 'the token in other headers', inOtherHeaders, access.length, add)),
    ];
  }),
);

clause('UNA-04', async (check) => {
  const access = await liveToken(check);
  const { account } = await check.session();
  const texts = named([...NO_JWT, account.email], (text) =>
    text === account.email ? "the user's e-mail" : `“${text}”`,
  );
  const fourth = (await otherOrigins(check)).map(({ name, access: token }) => ({
    name: `a live token of ${name} with a fourth part`,
    value: `${token}.x`,
  }));
  await check.eachRow(
    [...texts, { name: 'a live token with a fourth part', value: `${access}.x` }, ...fourth],
    async ({ value: text }) => {
      await expectUnauthenticated(check, await askedWith(check, `Bearer ${text}`), 'a bearer token that is no JWT');
    },
    { together: true },
  );
  await check.expectAuthorized(access);
});

clause('UNA-05', (check) => judgeForgeries(check, 'UNA-05'));

clause('UNA-06', async (check) => {
  const { access: issued } = await check.chain();
  await judgeForgeries(check, 'UNA-06', { other: readToken(issued) });
  // Other spellings of the same bytes: no fault, but worth knowing.
  const access = await liveToken(check);
  const spellings = {
    'a trailing `=`': `${access}=`,
    'its spare bits set': withSpareBits(access),
    'a tab inside': `${access.slice(0, -8)}\t${access.slice(-8)}`,
    'standard base64': access.replaceAll('-', '+').replaceAll('_', '/'),
  };
  for (const [name, spelling] of Object.entries(spellings)) {
    if (spelling === access) continue;
    const { status } = await askedWith(check, `Bearer ${spelling}`);
    check.measure(`the same token with ${name}`, status === 200 ? 'accepted' : `refused (${String(status)})`);
  }
});

clause('UNA-07', (check) => judgeForgeries(check, 'UNA-07'));

clause('UNA-08', (check) => judgeForgeries(check, 'UNA-08'));

clause('UNA-09', async (check) => {
  const access = await liveToken(check);
  const mine = await check.provenChain();
  const origins = await otherOrigins(check);
  await check.eachRow(
    [{ name: 'of a chain that was just rotated', refresh: mine.refresh }, ...origins],
    async ({ refresh }) => {
      await expectUnauthenticated(check, await check.askProtected(refresh), 'a refresh token as bearer');
    },
  );
  await mine.rotate();
  await check.expectAuthorized(access);
});

clause('UNA-10', (check) =>
  judgeChannel(check, 'a token in the URL', ({ access }, routes) => {
    const parameters = named(TOKEN_PARAMETERS, (name) => `\`${name}\``);
    const inQuery = (request: Sendable, names: readonly { readonly value: string }[]): Sendable =>
      withQuery(request, names.map(({ value }) => `${value}=${access}`).join('&'));
    // Where the header does not verify, the query must not have another try.
    const all = [...routes, ...routes.map((route) => besideBadToken(route, access))];
    return all.flatMap((route) => atOnce(route, 'a token in the query', parameters, access.length + 15, inQuery));
  }),
);

/** The cookies that a response set go together. */
const ROOM_OF_COOKIES = Infinity;

clause('UNA-11', async (check) => {
  await notOpenToEverybody(check, (await withoutCredentials(check)).status);
  const login = cookiesOf((await check.firstLogin()).reply);
  const register = check.accounts.canRegister ? cookiesOf((await check.firstRegistration()).reply) : '';
  check.measure('cookies set by login', String(login === '' ? 0 : login.split('; ').length));
  await judgeChannel(check, 'cookies alone', ({ access }, routes) => {
    const given = [
      { name: 'the cookies of login', cookies: login },
      { name: 'the cookies of register', cookies: register },
    ].filter(({ cookies }) => cookies !== '');
    const guessed = TOKEN_COOKIES.map((name) => ({
      name: `the token in a cookie \`${name}\``,
      cookies: `${name}=${access}`,
    }));
    const withCookies = (request: Sendable, of: readonly { readonly cookies: string }[]): Sendable =>
      withHeaders(request, ['cookie', of.map(({ cookies }) => cookies).join('; ')]);
    const all = [...routes, ...routes.map((route) => besideBadToken(route, access))];
    return all.flatMap((route) => [
      ...given.flatMap((one) => atOnce(route, one.name, [one], ROOM_OF_COOKIES, withCookies)),
      ...atOnce(route, 'the token in cookies', guessed, access.length + 15, withCookies),
    ]);
  });
});

clause('UNA-12', { phase: 'every-response' }, async (check) => {
  const unauthenticated = (await everyAnswer(check)).filter(({ status }) => status === 401);
  if (unauthenticated.length === 0) throw new Unverified('No 401 was seen in this run.');
  check.eachAnswer(unauthenticated, ({ wwwAuthenticate }) =>
    /(^|,)\s*Bearer\b/i.test(wwwAuthenticate ?? '')
      ? undefined
      : wwwAuthenticate === undefined
        ? 'no `WWW-Authenticate`'
        : `\`WWW-Authenticate\` is “${wwwAuthenticate}”`,
  );
});

clause('UNA-13', async (check) => {
  const access = await liveToken(check);
  await check.eachRow(
    named(['bearer', 'BEARER'], (scheme) => `scheme \`${scheme}\``),
    async ({ value: scheme }) => {
      expect(await askedWith(check, `${scheme} ${access}`), 'the protected route').toHaveStatus(200);
    },
  );
});

/** A request without a token: refused, and with the same text as elsewhere. */
async function judgeWithoutToken(check: Check, { request, also }: ProtectedRequest, plain: Reply): Promise<void> {
  const reply = await check.raw(request);
  await expectUnauthenticated(check, reply, 'the request', ...also);
  if (reply.status !== plain.status || request.method === 'HEAD') return;
  expect(reply, 'its `error`').toSatisfy(
    reply.error === plain.error,
    'the one of the other routes',
    reply.error === undefined ? 'no text' : `“${reply.error}”`,
  );
}

/** The routes beside the list, each with bad credentials of each kind. What is wrong at the list too is the other clause's. */
async function withBadCredentials(
  check: Check,
  access: string,
  routes: readonly ProtectedRequest[],
): Promise<ProtectedRequest[]> {
  const rows: ProtectedRequest[] = [];
  for (const { name: bad, authorization } of await badCredentials(check, access)) {
    if (!isRefusedHere(check, await askedWith(check, authorization))) continue;
    for (const { name, request, also } of routes)
      rows.push({
        name: `${name}, with ${bad}`,
        also,
        request: withHeaders(request, ['authorization', authorization]),
      });
  }
  return rows;
}

clause('UNA-14', async (check) => {
  const who = await somebody(check);
  const plain = await withoutCredentials(check);
  await notOpenToEverybody(check, plain.status);
  const valid = await validRequests(check, who);
  const faulty = await faultyRequests(check, who);
  try {
    const bare = [...valid, ...faulty];
    const bad = await withBadCredentials(check, who.access, valid.slice(1));
    const spoiled = faulty.filter(({ malformed }) => malformed).map((row) => besideBadToken(row, who.access));
    await check.eachRow(
      [
        ...bare.map((row) => ({
          name: `${row.name}, without a token`,
          judge: () => judgeWithoutToken(check, row, plain),
        })),
        ...[...bad, ...spoiled].map(({ name, request, also }) => ({
          name,
          judge: async () => expectUnauthenticated(check, await check.raw(request), 'the request', ...also),
        })),
        ...bodyRows(who.access, valid).map((row) => ({
          name: row.name,
          judge: () => expectShut(check, row, 'the request'),
        })),
      ],
      ({ judge }) => judge(),
      { together: true },
    );
    await check.expectAuthorized(who.access);
  } finally {
    if (who.row !== undefined) await remove(check, who, who.row);
  }
});

/** Requests that bring the token in their body: as a field of JSON, and as a form (RFC 6750 §2.2). */
function bodyRows(access: string, routes: readonly ProtectedRequest[]): Shut[] {
  const names = named(TOKEN_PARAMETERS, (name) => `\`${name}\` in the body`);
  const withFields = (request: Sendable, fields: readonly { readonly value: string }[]): Sendable => ({
    ...request,
    body: JSON.stringify({
      ...(JSON.parse(String(request.body)) as Record<string, unknown>),
      ...Object.fromEntries(fields.map(({ value }) => [value, access])),
    }),
  });
  const asForm = ({ method, path }: Sendable): Sendable => ({
    method,
    path,
    headers: [['content-type', 'application/x-www-form-urlencoded']],
    body: `access_token=${access}`,
  });
  const writes = routes.filter(({ request }) => request.body !== undefined);
  return [
    ...writes.flatMap((route) => atOnce(route, 'the token in its body', names, 1, withFields)),
    ...writes.map((route) => shut(route, `${route.name}, the token in a form`, asForm(route.request))),
  ];
}

clause('UNA-15', async (check) => {
  // A target on this machine finds the keys where `jku` and `x5u` say; any other finds nothing there.
  const keys = onLoopback(check.target.baseUrl) ? await serveKeys() : undefined;
  try {
    await judgeForgeries(check, 'UNA-15', keys === undefined ? {} : { origin: keys.origin });
  } finally {
    if (keys !== undefined) check.measure('addresses in `jku` and `x5u` fetched', String(keys.fetched()));
    await keys?.close();
  }
});

/** Claims of users who do not exist. */
function nobodies(genuine: unknown): { readonly name: string; readonly id: unknown }[] {
  const text = typeof genuine === 'string';
  const id = (digits: string): unknown => (text ? digits : Number(digits));
  return [
    { name: 'an id that nobody has', id: id('2000000011') },
    { name: 'an id beyond 32 bits', id: id('4294967297') },
    { name: 'an id beyond 64 bits', id: text ? '18446744073709551617' : 1e20 },
    { name: 'a negative id', id: id('-1') },
    { name: 'the id 0', id: id('0') },
    { name: 'no `user_id`', id: undefined },
    { name: '`user_id` null', id: null },
    { name: '`user_id` a boolean', id: true },
    { name: '`user_id` an empty text', id: '' },
    { name: '`user_id` a text that is no id', id: 'nobody' },
    { name: '`user_id` a text with SQL', id: "1' OR '1'='1" },
    { name: '`user_id` a very long text', id: '1'.repeat(500) },
    { name: '`user_id` a list', id: [1] },
    { name: '`user_id` an object', id: { id: 1 } },
  ];
}

/** The claims by which a token names its user: who is named twice is changed twice, because a server may go by either. */
function subjectsOf(check: Check, token: string): { readonly names: readonly string[]; readonly genuine: unknown } {
  const { subject } = check.target.dialect;
  const { claims } = readToken(token);
  const genuine = claims[subject];
  if (genuine === undefined) throw new Blocked('TOK-04', `the token has no \`${subject}\``);
  const names = [...new Set([subject, 'user_id', 'sub', 'uid', 'id'])];
  return { genuine, names: names.filter((name) => String(claims[name]) === String(genuine)) };
}

clause('UNA-16', async (check) => {
  const access = await liveToken(check);
  const key = await provenKey(check, access);
  const { names, genuine } = subjectsOf(check, access);
  const all = (id: unknown): Record<string, unknown> => Object.fromEntries(names.map((name) => [name, id]));
  const rows = nobodies(genuine);
  const nobody = all(rows[0]?.id);
  const others = (await otherOrigins(check)).map(({ name, access: token }) => ({
    name: `an id that nobody has, in a token of ${name}`,
    made: resign(token, key, { claims: nobody }),
    ask: check.askProtected,
  }));
  await check.eachRow(
    [
      ...rows.map(({ name, id }) => ({
        name,
        made: resign(access, key, { claims: all(id) }),
        ask: check.askProtected,
      })),
      // Refused, or read as its last member has it: RFC 7519 §4 allows no third way.
      {
        name: '`user_id` twice, the second one an id that nobody has',
        made: resign(access, key, { behind: nobody }),
        ask: check.askProtected,
      },
      ...others,
      ...(await refreshOfNobody(check, key)),
    ],
    async ({ made, ask }) => {
      await expectUnauthenticated(check, await ask(made), 'a well-signed token for a user who does not exist');
    },
  );
  const twice = await check.askProtected(resign(access, key, { claims: nobody, behind: all(genuine) }));
  check.measure(
    '`user_id` twice, the second one genuine',
    twice.status === 200 ? 'accepted' : `refused (${String(twice.status)})`,
  );
  await check.expectAuthorized(access);
});

/** The same as refresh tokens; none where the target takes no refresh token that it did not issue, or none that names a user. */
async function refreshOfNobody(
  check: Check,
  key: string,
): Promise<{ name: string; made: string; ask: (token: string) => Promise<Reply> }[]> {
  const { chain } = await check.expendable();
  try {
    await rotatesResigned(check, chain, key);
    const { names, genuine } = subjectsOf(check, chain.refresh);
    const ask = (token: string): Promise<Reply> => check.api.refresh(token);
    return nobodies(genuine).map(({ name, id }) => {
      const claims = Object.fromEntries(names.map((claim) => [claim, id]));
      return { name: `as refresh token: ${name}`, made: resign(chain.refresh, key, { claims }), ask };
    });
  } catch (error) {
    if (!(error instanceof Unverified || error instanceof Blocked)) throw error;
    check.measure('as refresh token', `not asked: ${error.message}`);
    return [];
  } finally {
    // What names another user than its chain may end the chain.
    chain.invalidate();
  }
}

/** The target's other HMACs, as forgeries by its key. */
function otherHmacs(access: string): typeof FORGERIES {
  const { alg } = readToken(access).header;
  return FORGERIES.filter(({ clause: owner, name }) => owner === 'UNA-17' && !name.startsWith(String(alg)));
}

/** Refresh tokens by another HMAC; none where no signature counts there, which REF-11 says. */
async function refreshByOtherHmac(
  check: Check,
  key: string,
): Promise<{ name: string; token: string; ask: (token: string) => Promise<Reply> }[]> {
  const mine = await check.provenChain();
  await rotatesResigned(check, mine, key);
  const { parts } = readToken(mine.refresh);
  const broken = await check.api.refresh(`${parts[0]}.${parts[1]}.${flipped(parts[2], 'first')}`);
  const { refresh } = mine;
  // One of them may be taken for the genuine one.
  mine.invalidate();
  if (broken.status < 400) return [];
  const ask = (token: string): Promise<Reply> => check.api.refresh(token);
  const genuine = readToken(refresh);
  return Promise.all(
    otherHmacs(refresh).map(async ({ name, forge }) => ({
      name: `a refresh token, ${name}`,
      token: await forge(genuine, { key }),
      ask,
    })),
  );
}

clause('UNA-17', async (check) => {
  const access = await liveToken(check);
  const key = await provenKey(check, access);
  const tokens = [{ name: '', access }, ...(await otherOrigins(check))];
  const rows = tokens.flatMap(({ name: origin, access: token }) =>
    otherHmacs(token).map(({ name, forge }) => ({
      name: origin === '' ? name : `${name}, token of ${origin}`,
      forge: async () => forge(readToken(token), { key }),
    })),
  );
  const bearer = await Promise.all(
    rows.map(async ({ name, forge }) => ({ name, token: await forge(), ask: check.askProtected })),
  );
  await check.eachRow([...bearer, ...(await refreshByOtherHmac(check, key))], async ({ token, ask }) => {
    expect(await ask(token), 'the token').toBeRefused();
  });
  await check.expectAuthorized(access);
  await measureOddHeaders(check, access, key);
});

/** Well signed, and odd: RFC 7515 §4.1.11 asks to refuse the first, of the others it says nothing. */
async function measureOddHeaders(check: Check, access: string, key: string): Promise<void> {
  const odd = {
    'a critical extension that nobody knows': { crit: ['x-conformance'], 'x-conformance': true },
    'another `typ`': { typ: 'at+jwt' },
    'a header member that nobody knows': { 'x-conformance': true },
  };
  for (const [name, header] of Object.entries(odd)) {
    const { status } = await check.askProtected(resign(access, key, { header }));
    check.measure(`well signed, with ${name}`, status === 200 ? 'accepted' : `refused (${String(status)})`);
  }
}

clause('UNA-18', (check) =>
  judgeChannel(check, 'HTTP Basic with the right credentials', ({ access, account, user }, routes) => {
    // Of an account that the run was given, only the login's answer tells the user name.
    const username = account.username ?? user['username'];
    const basic = (name: string, pair: string): { name: string; value: string } => {
      const value = Buffer.from(pair).toString('base64');
      check.sender.secret(value);
      return { name, value: `Basic ${value}` };
    };
    const email = basic('e-mail and password', `${account.email}:${account.password}`);
    const byName =
      typeof username === 'string' && username !== ''
        ? [basic('user name and password', `${username}:${account.password}`)]
        : [];
    const byToken = [basic('a token as password', `token:${access}`), basic('a token as user name', `${access}:`)];
    return spread(routes, [email, ...byName, ...byToken], [email, ...byName], (request, { value }) =>
      withHeaders(request, ['authorization', value]),
    );
  }),
);

clause('UNA-19', judgeIdentityHeaders);

/** What keeps a response out of shared caches is missing; undefined if nothing is (RFC 9111 §3.5). */
function offeredToCaches(reply: Reply): string | undefined {
  const cacheControl = reply.header('cache-control') ?? '';
  const [offer] = /\bpublic\b|\bs-maxage\b/i.exec(cacheControl) ?? [];
  const varies = /(^|,)\s*(authorization|\*)\s*(,|$)/i.test(reply.header('vary') ?? '');
  return offer === undefined || varies || /\b(no-store|private)\b/i.test(cacheControl)
    ? undefined
    : `\`Cache-Control: ${cacheControl}\` without \`Vary: Authorization\``;
}

clause('UNA-20', async (check) => {
  const access = await liveToken(check);
  const list = check.api.path('listKeywords');
  // An address that nobody asked for before: a cache cannot have the refusal of an earlier request.
  const fresh = randomBytes(5).toString('hex');
  const id = idOf((await listed(check, access)).rows[0]);
  const item = id === undefined ? [] : [`${check.api.path('getKeyword', id)}?fresh=${fresh}`];
  const paths = [list, `${list}?search=${fresh}`, `${list}?page=1&ordering=id&fresh=${fresh}`, ...item];
  await check.eachRow(
    named(paths, (path) => `GET ${path}`),
    ({ value: path }) => judgeCaching(check, access, path),
  );
  await check.expectAuthorized(access);
});

/** A response to an authenticated request is not offered to caches, and not given to who asks next without a token. */
async function judgeCaching(check: Check, access: string, path: string): Promise<void> {
  const list = check.api.path('listKeywords');
  // A route that is open to everybody is another clause's.
  const before = await check.raw({ method: 'GET', path: `${path}${path.includes('?') ? '&' : '?'}before=1` });
  if (!isRefusedHere(check, before))
    throw new Blocked(path.startsWith(`${list}?`) || path === list ? 'UNA-01' : 'UNA-14', seenStatus(before));
  const given = await askedWith(check, `Bearer ${access}`, path);
  if (given.status !== 200) throw new Blocked('JRN-01', `${path} returned ${seenStatus(given)} with a live token`);
  const offered = offeredToCaches(given);
  expect(given, 'the response').toSatisfy(offered === undefined, 'not offered to shared caches', offered ?? '');
  const next = await check.raw({ method: 'GET', path });
  expect(next, 'the same address, asked next without a token').toSatisfy(
    next.status >= 300 && next.status < 500,
    'nothing of it',
    seenStatus(next),
  );
}
