import { randomBytes } from 'node:crypto';
import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Unverified, type Check } from '../fixtures/check/check.js';
import { named } from '../fixtures/check/judging.js';
import { oddJson } from '../fixtures/check/api.js';
import { flipped, FORGERIES, type Forgery, type Means } from './support/forgeries.js';
import { seenStatus } from '../fixtures/check/expect.js';
import { pathOf } from '../fixtures/run/dialect.js';
import { serveKeys } from './support/attacker-keys.js';
import { keyIfProven, provenKey, readToken, rotatesResigned } from './support/signing-key.js';
import type { Sendable } from '../fixtures/check/sender.js';
import { listed, dependsOnOwnRows, otherTenant } from './support/resources.js';
import type { Reply } from '../fixtures/evidence/reply.js';
import { onLoopback } from '../fixtures/run/target.js';
import { everyAnswer } from './support/sample-answers.js';
import {
  dependsOn401,
  expectUnauthenticated,
  isRefusedHere,
  notOpenToEverybody,
  withoutCredentials,
} from './support/unauthenticated.js';
import { liveToken } from './support/live-token.js';
import { resign } from '../fixtures/evidence/jwt.js';
import { OPERATIONS, REQUEST_SCHEMAS, type OperationId, type RequestSchema } from '../spec/generated/operations.js';

const LIST = pathOf('listKeywords');

/** The protected route, asked with an `Authorization` header as it stands. */
function askedWith({ raw }: Check, authorization: string, path = LIST): ReturnType<Check['raw']> {
  return raw({ method: 'GET', path, headers: [['authorization', authorization]] });
}

/** The same bytes with another last character: of 43 the last has two bits that stand for nothing (RFC 4648 §3.5). */
function withSpareBits(token: string): string {
  const bytes = (text: string): string => Buffer.from(text.split('.')[2] ?? '', 'base64url').toString('hex');
  const last = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
    .map((letter) => token.slice(0, -1) + letter)
    .find((spelling) => spelling !== token && bytes(spelling) === bytes(token));
  return last ?? token;
}

function judgeForgeries(check: Check, clauseId: Forgery['clause'], means: Means = {}): Promise<void> {
  return check.withLiveToken(async (access) => {
    const genuine = readToken(access);
    await check.eachRow(
      FORGERIES.filter((forgery) => forgery.clause === clauseId && forgery.byKey === undefined),
      async ({ forge }) => {
        const forged = await forge(genuine, { subject: check.target.dialect.subject, ...means });
        // Of a token without a signature some rows make the token itself: nothing was forged then.
        if (forged === access) return;
        await expectUnauthenticated(check, await check.askProtected(forged), 'the forged token');
      },
      { together: true },
    );
  });
}

clause('UNA-01', async (check) => {
  await liveToken(check);
  const plain = await withoutCredentials(check);
  // The header tells whose decision the status was: with it, the authentication class is not the cause.
  const challenged = plain.header('www-authenticate') !== undefined && plain.status !== 401;
  expect(plain, `no \`Authorization\`${challenged ? ' (the answer carries `WWW-Authenticate`)' : ''}`).toHaveStatus(
    401,
  );
  const asPage = await check.raw({ method: 'GET', path: LIST, headers: [['accept', 'text/html,*/*;q=0.8']] });
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

clause('UNA-03', async (check) => {
  const access = await liveToken(check);
  const rows = [
    { name: 'scheme `Token`', header: `Token ${access}` },
    { name: 'scheme `JWT`', header: `JWT ${access}` },
    { name: 'scheme `Basic`', header: `Basic ${access}` },
    { name: 'no scheme', header: access },
    { name: '`Bearer` with nothing behind it', header: 'Bearer' },
    { name: '`Bearer` and a blank', header: 'Bearer ' },
    { name: 'two tokens, by a comma', header: `Bearer ${access}, Bearer ${access}` },
    { name: 'two tokens, by a blank', header: `Bearer ${access} ${access}` },
  ];
  await check.eachRow(rows, async ({ header }) => {
    await expectUnauthenticated(check, await askedWith(check, header), 'the protected route');
  });
  await check.expectAuthorized(access);
});

/** Texts that are no JWT; `null` and `undefined` are what a client sends that has lost its token. */
const NO_JWT = [
  'not-a-token',
  'a.b.c',
  '0123456789abcdef0123456789abcdef',
  '...',
  'eyJ9.eyJ9.eyJ9',
  'null',
  'undefined',
];

clause('UNA-04', async (check) => {
  const access = await liveToken(check);
  await check.eachRow(
    named([...NO_JWT, `${access}.x`], (text) =>
      text.startsWith(access) ? 'a live token with a fourth part' : `“${text}”`,
    ),
    async ({ value: text }) => {
      await expectUnauthenticated(check, await askedWith(check, `Bearer ${text}`), 'a bearer token that is no JWT');
    },
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
  await expectUnauthenticated(check, await check.askProtected(mine.refresh), 'a refresh token as bearer');
  await mine.rotate();
  await check.expectAuthorized(access);
});

clause('UNA-10', async (check) => {
  const access = await liveToken(check);
  await check.eachRow(
    named(['token', 'access_token', 'access'], (name) => `?${name}=`),
    async ({ value: name }) => {
      const reply = await check.raw({ method: 'GET', path: `${LIST}?${name}=${access}` });
      await expectUnauthenticated(check, reply, 'a token in the URL');
    },
  );
  await check.expectAuthorized(access);
});

clause('UNA-11', async (check) => {
  const { reply } = await check.firstLogin();
  await liveToken(check);
  await notOpenToEverybody(check, (await withoutCredentials(check)).status);
  const cookies = reply.wire.headers
    .filter(([name]) => name.toLowerCase() === 'set-cookie')
    .map(([, value]) => value.split(';')[0] ?? '');
  check.measure('cookies set by login', String(cookies.length));
  if (cookies.length === 0) return;
  const asked = await check.raw({ method: 'GET', path: LIST, headers: [['cookie', cookies.join('; ')]] });
  await expectUnauthenticated(check, asked, 'the cookies of login alone');
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

const SCHEMAS: Readonly<Partial<Record<OperationId, RequestSchema>>> = REQUEST_SCHEMAS;

/** The documented protected routes and methods, as requests without a token. */
function protectedRequests(): { readonly name: string; readonly request: Sendable }[] {
  return OPERATIONS.filter(({ bearer }) => bearer).flatMap(({ operationId, method, path }) => {
    const below = path.slice(1).replace(/\{[^}]+\}/g, '1');
    if (method === 'GET') return [{ name: `${method} ${below}`, request: { method, path: below } }];
    const fields = Object.keys(SCHEMAS[operationId]?.properties ?? {});
    const invalid = Object.fromEntries(fields.map((field) => [field, 0]));
    return [
      { name: `${method} ${below} without a body`, request: { method, path: below } },
      { name: `${method} ${below} with a body that is not valid`, request: oddJson(method, below, invalid) },
      {
        name: `${method} ${below} with malformed JSON`,
        request: { method, path: below, headers: [['content-type', 'application/json'] as const], body: '{' },
      },
    ];
  });
}

/** Bad tokens, each of which some clause asks about at the list; here they go to every other route. */
async function badTokens(check: Check, access: string): Promise<{ readonly name: string; readonly token: string }[]> {
  const { parts } = readToken(access);
  const mine = await check.provenChain();
  const key = await keyIfProven(check, access);
  return [
    { name: 'a changed signature', token: `${parts[0]}.${parts[1]}.${flipped(parts[2], 'first')}` },
    { name: 'a refresh token', token: mine.refresh },
    ...(key === undefined
      ? []
      : [{ name: 'a token long past its `exp`', token: resign(access, key, { claims: { exp: 1_500_000_000 } }) }]),
  ];
}

clause('UNA-14', async (check) => {
  const access = await liveToken(check);
  const plain = await withoutCredentials(check);
  await notOpenToEverybody(check, plain.status);
  const requests = protectedRequests();
  const rows = requests.map(({ name, request }) => ({
    name: `${name}, without a token`,
    judge: async () => {
      const reply = await check.raw(request);
      await expectUnauthenticated(check, reply, 'the request');
      expect(reply, 'its `error`').toSatisfy(
        reply.error === plain.error,
        'the one of the other routes',
        reply.error === undefined ? 'no text' : `“${reply.error}”`,
      );
    },
  }));
  for (const { name: bad, token } of await badTokens(check, access)) {
    // What is wrong at the list too is the other clause's.
    if (!isRefusedHere(check, await check.askProtected(token))) continue;
    for (const { name, request } of requests) {
      const headers = [...(request.headers ?? []), ['authorization', `Bearer ${token}`] as const];
      rows.push({
        name: `${name}, with ${bad}`,
        judge: async () => {
          await expectUnauthenticated(check, await check.raw({ ...request, headers }), 'the request');
        },
      });
    }
  }
  await check.eachRow(rows, ({ judge }) => judge());
});

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

clause('UNA-16', async (check) => {
  const access = await liveToken(check);
  const key = await provenKey(check, access);
  const { claims } = readToken(access);
  const { subject } = check.target.dialect;
  const genuine = claims[subject];
  if (genuine === undefined) throw new Blocked('TOK-04', `the access token has no \`${subject}\``);
  // Who is named twice is changed twice: a server may go by either.
  const names = [...new Set([subject, 'user_id', 'sub', 'uid', 'id'])].filter(
    (name) => String(claims[name]) === String(genuine),
  );
  const nobodysId = typeof genuine === 'string' ? '2000000011' : 2_000_000_011;
  const rows = [
    { name: 'an id that nobody has', id: nobodysId },
    { name: 'no `user_id`', id: undefined },
    { name: '`user_id` null', id: null },
    { name: '`user_id` a boolean', id: true },
    { name: '`user_id` a text that is no id', id: 'nobody' },
    { name: '`user_id` a list', id: [1] },
    { name: '`user_id` an object', id: { id: 1 } },
  ];
  const all = (id: unknown): Record<string, unknown> => Object.fromEntries(names.map((name) => [name, id]));
  await check.eachRow(
    [
      ...rows.map(({ name, id }) => ({ name, change: { claims: all(id) } })),
      // Refused, or read as its last member has it: RFC 7519 §4 allows no third way.
      { name: '`user_id` twice, the second one an id that nobody has', change: { behind: all(nobodysId) } },
    ],
    async ({ change }) => {
      const nobody = resign(access, key, change);
      await expectUnauthenticated(
        check,
        await check.askProtected(nobody),
        'a well-signed token for a user who does not exist',
      );
    },
  );
  const twice = await check.askProtected(resign(access, key, { claims: all(nobodysId), behind: all(genuine) }));
  check.measure(
    '`user_id` twice, the second one genuine',
    twice.status === 200 ? 'accepted' : `refused (${String(twice.status)})`,
  );
  await check.expectAuthorized(access);
});

clause('UNA-17', async (check) => {
  const access = await liveToken(check);
  const key = await provenKey(check, access);
  const genuine = readToken(access);
  const others = FORGERIES.filter(
    // Its own algorithm is no other HMAC.
    ({ clause: owner, name }) => owner === 'UNA-17' && !name.startsWith(String(genuine.header['alg'])),
  );
  await check.eachRow(others, async ({ forge }) => {
    expect(await check.askProtected(await forge(genuine, { key })), 'the token').toBeRefused();
  });
  await check.expectAuthorized(access);
  const mine = await check.provenChain();
  await rotatesResigned(check, mine, key);
  const refresh = readToken(mine.refresh);
  const [head, payload, signature] = refresh.parts;
  const broken = await check.api.refresh(`${head}.${payload}.${flipped(signature, 'first')}`);
  // Where no signature counts, it is REF-11's to say.
  if (broken.status < 400) mine.invalidate();
  for (const { forge, name } of broken.status < 400 ? [] : others) {
    const reply = await check.api.refresh(await forge(refresh, { key }));
    if (reply.status < 400) mine.invalidate();
    expect(reply, `a refresh token, ${name}`).toBeRefused();
  }
  if (broken.status >= 400) await mine.rotate();
  // Well signed, and odd: RFC 7515 §4.1.11 asks to refuse the first, of the others it says nothing.
  const odd = {
    'a critical extension that nobody knows': { crit: ['x-conformance'], 'x-conformance': true },
    'another `typ`': { typ: 'at+jwt' },
    'a header member that nobody knows': { 'x-conformance': true },
  };
  for (const [name, header] of Object.entries(odd)) {
    const { status } = await check.askProtected(resign(access, key, { header }));
    check.measure(`well signed, with ${name}`, status === 200 ? 'accepted' : `refused (${String(status)})`);
  }
});

clause('UNA-18', async (check) => {
  const access = await liveToken(check);
  const { account, user } = await check.session();
  // Of an account that the run was given, only the login's answer tells the user name.
  const username = account.username ?? user['username'];
  const names = [account.email, ...(typeof username === 'string' && username !== '' ? [username] : [])];
  await check.eachRow(
    named(names, (name) => (name === account.email ? 'e-mail and password' : 'user name and password')),
    async ({ value: name }) => {
      const basic = Buffer.from(`${name}:${account.password}`).toString('base64');
      check.sender.secret(basic);
      await expectUnauthenticated(
        check,
        await askedWith(check, `Basic ${basic}`),
        'HTTP Basic with the right credentials',
      );
    },
  );
  await check.expectAuthorized(access);
});

/** Headers by which proxies tell a server behind them who somebody is, and what of a user each would hold. */
const IDENTITY_HEADERS = [
  ...['x-forwarded-user', 'x-remote-user', 'remote-user', 'x-authenticated-user', 'x-forwarded-email', 'x-user'].map(
    (name) => ({ name, of: 'email' as const }),
  ),
  ...['x-user-id', 'x-authenticated-userid'].map((name) => ({ name, of: 'id' as const })),
  ...['x-account-id', 'x-tenant-id'].map((name) => ({ name, of: 'account' as const })),
];

clause('UNA-19', async (check) => {
  const access = await liveToken(check);
  const other = await otherTenant(check);
  if (other !== undefined) await dependsOnOwnRows(check, access, other);
  const { user, account } = other === undefined ? await check.session() : await check.session(other.credentials);
  const tenant = (user['account'] as { id?: unknown } | undefined)?.id;
  const identity = { email: account.email, id: String(user['id']), account: String(tenant) };
  await check.eachRow(
    named(IDENTITY_HEADERS, ({ name }) => `\`${name}\``),
    async ({ value: { name, of } }) => {
      const header = [name, identity[of]] as const;
      const alone = await check.raw({ method: 'GET', path: LIST, headers: [header] });
      await expectUnauthenticated(check, alone, 'the protected route without a token');
      if (other?.keyword === undefined) return;
      const beside = await check.raw({
        method: 'GET',
        path: LIST,
        headers: [['authorization', `Bearer ${access}`], header],
      });
      expect(beside, "the list, with one's own token").toSatisfy(
        !beside.text.includes(other.keyword.text),
        "no row of the other user's",
        "the other user's row is in it",
      );
    },
  );
  await check.expectAuthorized(access);
});

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
  // An address that nobody asked for before: a cache cannot have the refusal of an earlier request.
  const fresh = randomBytes(5).toString('hex');
  const [row] = (await listed(check, access)).rows;
  const { id } = (row ?? {}) as { id?: unknown };
  const paths = [
    LIST,
    `${LIST}?search=${fresh}`,
    ...(id === undefined ? [] : [`${LIST}${String(id)}/?fresh=${fresh}`]),
  ];
  await check.eachRow(
    named(paths, (path) => `GET ${path}`),
    async ({ value: path }) => {
      // A route that is open to everybody is another clause's.
      const before = await check.raw({ method: 'GET', path: `${path}${path.includes('?') ? '&' : '?'}before=1` });
      if (before.status < 300)
        throw new Blocked(path.startsWith(`${LIST}?`) || path === LIST ? 'UNA-01' : 'UNA-14', seenStatus(before));
      const given = await askedWith(check, `Bearer ${access}`, path);
      if (given.status !== 200) throw new Blocked('JRN-01', `${path} returned ${seenStatus(given)} with a live token`);
      const offered = offeredToCaches(given);
      expect(given, 'the response').toSatisfy(offered === undefined, 'not offered to shared caches', offered ?? '');
      const next = await check.raw({ method: 'GET', path });
      expect(next, 'the same address, asked next without a token').toSatisfy(
        next.status >= 300,
        'nothing of it',
        seenStatus(next),
      );
    },
  );
  await check.expectAuthorized(access);
});
