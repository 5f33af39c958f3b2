import { randomBytes } from 'node:crypto';
import { clause, expect } from '../fixtures/check/clause.js';
import { named } from '../fixtures/check/judging.js';
import type { Sendable } from '../fixtures/check/sender.js';
import { resign } from '../fixtures/evidence/jwt.js';
import { onLoopback } from '../fixtures/run/target.js';
import { serveKeys } from './support/tokens/attacker-keys.js';
import {
  cookiesOf,
  NO_JWT,
  oddSpellings,
  otherHeaders,
  SPELLINGS_OF_VIEWS,
  TOKEN_COOKIES,
  TOKEN_PARAMETERS,
  type Spelling,
} from './support/access/channels.js';
import { idOf } from './support/responses/exact.js';
import { judgeForgeries } from './support/tokens/forged-tokens.js';
import { withSpareBits } from './support/refresh/rotation.js';
import { aRefresh } from './support/tokens/origins.js';
import { dependsOnAlikeToken } from './support/journeys/alike-workers.js';
import { expectError, inLanguages } from './support/responses/error-messages.js';
import { liveToken } from './support/tokens/live-token.js';
import { withHeaders, withQuery } from './support/access/protected-routes.js';
import { judgeIdentityHeaders } from './support/access/identity-headers.js';
import { listed, remove, rowOfOnesOwn, somebody } from './support/access/resources.js';
import { atOnce, besideBadToken, judgeChannel, spread } from './support/access/shut.js';
import { provenKey, readToken } from './support/tokens/signing-key.js';
import { otherOrigins } from './support/tokens/token-origins.js';
import {
  dependsOn401,
  expectUnauthenticated,
  notOpenToEverybody,
  withoutCredentials,
  askedWith,
} from './support/access/unauthenticated.js';
import { nobodies, subjectsOf, refreshOfNobody, accessOfNobody } from './support/tokens/nobody.js';
import { otherHmacs, refreshByOtherHmac, measureOddHeaders } from './support/tokens/other-hmacs.js';
import { judgeCaching } from './support/access/caching.js';
import { rowsWithoutToken } from './support/access/routes-without-token.js';

clause('UNA-01', async (check) => {
  await liveToken(check);
  const plain = await withoutCredentials(check);
  // The header tells whose decision the status was: with it, the authentication class is not the cause.
  const challenged = plain.header('www-authenticate') !== undefined && plain.status !== 401;
  expect(plain, `no \`Authorization\`${challenged ? ' (the response has `WWW-Authenticate`)' : ''}`).toHaveStatus(401);
  const path = check.api.path('listKeywords');
  const asPage = await check.raw({ method: 'GET', path, headers: [['accept', 'text/html,*/*;q=0.8']] });
  expect(asPage, 'no `Authorization`, asked for as a page').toHaveStatus(401);
});

clause('UNA-02', async (check) => {
  await liveToken(check);
  await dependsOn401(check);
  await check.eachRow(
    inLanguages(
      () => withoutCredentials(check),
      (headers) => check.api.listKeywords({ headers }),
    ),
    async ({ ask }) => {
      expectError(await ask(), 'Authentication required');
    },
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
      await expectUnauthenticated(check, await askedWith(check, `Bearer ${text}`), 'a bearer token that is not a JWT');
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
  const refresh = cookiesOf(await aRefresh(check));
  check.measure('cookies set by login', String(login === '' ? 0 : login.split('; ').length));
  await judgeChannel(check, 'cookies alone', ({ access }, routes) => {
    const given = [
      { name: 'the cookies of login', cookies: login },
      { name: 'the cookies of register', cookies: register },
      { name: 'the cookies of refresh', cookies: refresh },
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

clause('UNA-13', async (check) => {
  const access = await liveToken(check);
  await check.eachRow(
    named(['bearer', 'BEARER'], (scheme) => `scheme \`${scheme}\``),
    async ({ value: scheme }) => {
      const reply = await askedWith(check, `${scheme} ${access}`);
      await dependsOnAlikeToken(check, access, reply);
      expect(reply, 'the protected route').toHaveStatus(200);
    },
  );
});

clause('UNA-14', async (check) => {
  const who = await somebody(check);
  const plain = await withoutCredentials(check);
  await notOpenToEverybody(check, plain.status);
  try {
    const rows = await rowsWithoutToken(check, who, plain);
    await check.eachRow(rows, ({ judge }) => judge());
    await check.expectAuthorized(who.access);
  } finally {
    if (who.row !== undefined) await remove(check, who, who.row);
  }
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
  const { names, genuine } = subjectsOf(check, access);
  const all = (id: unknown): Record<string, unknown> => Object.fromEntries(names.map((name) => [name, id]));
  await check.eachRow(
    [...(await accessOfNobody(check, access, key)), ...(await refreshOfNobody(check, key))],
    async ({ made, ask }) => {
      await expectUnauthenticated(check, await ask(made), 'a well-signed token for a user who does not exist');
    },
  );
  const nobody = all(nobodies(genuine)[0]?.id);
  const twice = await check.askProtected(resign(access, key, { claims: nobody, behind: all(genuine) }));
  check.measure(
    '`user_id` twice, the second one genuine',
    twice.status === 200 ? 'accepted' : `refused (${String(twice.status)})`,
  );
  await check.expectAuthorized(access);
});

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

clause('UNA-20', async (check) => {
  const access = await liveToken(check);
  const list = check.api.path('listKeywords');
  // An address that nobody asked for before: a cache cannot have the refusal of an earlier request.
  const fresh = randomBytes(5).toString('hex');
  const paths = [list, `${list}?search=${fresh}`, `${list}?page=1&ordering=id&fresh=${fresh}`];
  // A cache may be keyed by the path alone: a row that nobody can have asked for before.
  const row = await rowOfOnesOwn(check, access);
  const id = row === undefined ? idOf((await listed(check, access)).rows[0]) : undefined;
  if (row !== undefined) paths.push(row.path);
  if (id !== undefined) paths.push(`${check.api.path('getKeyword', id)}?fresh=${fresh}`);
  await check.eachRow(
    named(paths, (path) => `GET ${path}`),
    ({ value: path }) => judgeCaching(check, access, path),
  );
  if (row !== undefined) await remove(check, { access }, row);
  await check.expectAuthorized(access);
});
