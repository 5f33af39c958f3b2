/** Faults of access that show at one method, in one channel, in one spelling or after one step only (UNA, FOR, JRN). */
import { randomUUID } from 'node:crypto';
import {
  type Context,
  type Keyword,
  type Outcome,
  type Parts,
  Refusal,
  type Store,
  type User,
} from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import type { ClauseId } from '../../spec/generated/clauses.js';
import type { Defect } from './defect.js';
import { authorizationOf, bodyOf, crash, type Json, on, type Operation } from './helpers.js';

const shown = ({ id, keyword, siteId }: Keyword): Json => ({ id, keyword, site_id: siteId });
const listOf = (rows: readonly Keyword[]): Outcome => ({ status: 200, results: rows.map(shown) });
const rowOf = (store: Store, { parameters }: Context): Keyword | undefined =>
  store.keywords.find(({ id }) => String(id) === parameters['id']);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const bare = ({ headers }: Context): boolean => headers['authorization'] === undefined;
const cookieOf = ({ headers }: Context, name: string): string =>
  new RegExp(`(?:^|;\\s*)${name}=([^;]+)`).exec(headers['cookie'] ?? '')?.[1] ?? '';

/** Somebody let in beside the bearer token, at some requests. */
const letsIn =
  (find: (context: Context, parts: Parts, store: Store) => User | undefined) =>
  (parts: Parts, store: Store): Partial<Parts> => ({
    authenticate: (context) => {
      const user = find(context, parts, store);
      return user === undefined ? parts.authenticate(context) : Promise.resolve(user);
    },
  });

/** A token in another place, at some requests. */
const tokenAt =
  (find: (context: Context) => string | undefined) =>
  (parts: Parts): Partial<Parts> => ({
    bearer: (context) => {
      const token = find(context);
      return token === undefined || token === '' ? parts.bearer(context) : token;
    },
  });

/** Sessions by a cookie that login and register set; `use` says what they are good for. */
const sessions =
  (use: (parts: Parts, userOf: (context: Context) => User | undefined, store: Store) => Partial<Parts>) =>
  (parts: Parts, store: Store): Partial<Parts> => {
    const users = new Map<string, User>();
    const withCookie =
      (operation: 'login' | 'register') =>
      async (context: Context): Promise<Outcome> => {
        const outcome = await parts[operation](context);
        const user = parts.findUser(text(bodyOf(context)['email']));
        const id = randomUUID();
        if (user !== undefined) users.set(id, user);
        return { ...outcome, headers: { ...outcome.headers, 'Set-Cookie': `sessionid=${id}; Path=/; HttpOnly` } };
      };
    return {
      login: withCookie('login'),
      register: withCookie('register'),
      ...use(parts, (context) => users.get(cookieOf(context, 'sessionid')), store),
    };
  };

/** A refusal that comes before anybody asked for a token. */
const early = (operation: Operation, refusal: (context: Context, parts: Parts, store: Store) => Refusal | undefined) =>
  on(operation, (context, parts, store) => {
    const found = refusal(context, parts, store);
    if (found !== undefined) throw found;
    return undefined;
  });

const malformed = (context: Context, parts: Parts): Refusal | undefined => {
  try {
    if (context.rawBody.length > 0) parts.readBody(context);
    return undefined;
  } catch (error) {
    return error instanceof Refusal ? error : crash;
  }
};

/** What another clause asks as well, of the same words. */
const ALSO: Readonly<Record<string, readonly ClauseId[]>> = {
  'site-alias-drops-account': ['FOR-07'],
};

const named = (
  clause: ClauseId,
  rows: readonly (readonly [id: string, story: string, replace: Defect['replace']])[],
): Defect[] =>
  rows.map(([id, story, replace]) => ({
    id,
    story,
    clauses: [...(ALSO[id] ?? []), clause],
    ...(replace === undefined ? {} : { replace }),
  }));

/** A list that has its own way with some queries. */
const lists = (rows: (context: Context, user: User, parts: Parts, store: Store) => readonly Keyword[] | undefined) =>
  on('listKeywords', async (context, parts, store) => {
    const found = rows(context, await parts.authenticate(context), parts, store);
    return found === undefined ? undefined : listOf(found);
  });

const foreignSearch =
  (other: (words: string) => string | undefined) =>
  (parts: Parts, store: Store): Partial<Parts> => ({
    arrange: (keywords, context) => {
      const own = parts.arrange(keywords, context);
      const word = other((context.query.getAll('search').at(-1) ?? '').toLowerCase());
      const more = store.keywords.filter(
        (row) => word !== undefined && !own.includes(row) && row.keyword.toLowerCase().includes(word),
      );
      return [...own, ...more];
    },
  });

/** A filter whose presence drops the filter by account. */
const dropsAccount = (parameter: string) =>
  lists(({ query }, _, __, store) =>
    query.get(parameter) === null
      ? undefined
      : store.keywords.filter((row) =>
          [row.id, row.accountId, row.siteId, row.keyword].map(String).includes(query.get(parameter) ?? ''),
        ),
  );

/** A site read out of the query in another way than the check reads it. */
const siteBy = (read: (query: URLSearchParams) => string | undefined) =>
  lists(({ query }, user, _, store) => {
    const site = read(query);
    if (site === undefined || !/^\d{1,15}$/.test(site)) return undefined;
    return store.keywords.filter((row) => row.siteId === Number(site) && row.accountId === user.account.id);
  });

/** A row moved to a site that nobody looks at. */
const movesTo = (operation: 'updateKeyword' | 'replaceKeyword' | 'createKeyword', of: (site: unknown) => number) =>
  on(operation, async (context, parts, store) => {
    const user = await parts.writer(context);
    const body = bodyOf(context);
    const site = store.sites.find(({ id }) => id === of(body['site_id']));
    if (site === undefined || site.accountId === user.account.id || text(body['keyword']) === '') return undefined;
    const place = { siteId: site.id, accountId: site.accountId };
    const row =
      operation === 'createKeyword'
        ? { id: store.nextId('keyword'), keyword: text(body['keyword']), ...place }
        : { ...parts.namedKeyword(context, user), keyword: text(body['keyword']), ...place };
    if (operation === 'createKeyword') parts.insertKeyword(row);
    else parts.storeKeyword(row);
    return { status: operation === 'createKeyword' ? 201 : 200, data: shown(row) };
  });

/** A POST to a row that does what another method does, to whatever row. */
const overridden =
  (method: (context: Context) => string | undefined) =>
  (parts: Parts, store: Store): Partial<Parts> => ({
    wrongMethod: (context, allowed) => {
      const id = /planner\/keywords\/(\d+)\/$/.exec(context.path)?.[1];
      const row = store.keywords.find((one) => String(one.id) === id);
      if (context.method === 'POST' && row !== undefined && !bare(context) && method(context) === 'DELETE')
        parts.removeKeyword(row);
      if (context.method === 'POST' && row !== undefined && !bare(context) && method(context) === 'PUT')
        parts.storeKeyword({ ...row, keyword: text(bodyOf(context)['keyword']) });
      return parts.wrongMethod(context, allowed);
    },
  });

/** Done to another tenant's row, and then refused. */
const doneThenRefused = (operation: 'deleteKeyword' | 'replaceKeyword' | 'updateKeyword') =>
  on(operation, async (context, parts, store) => {
    const user = await parts.writer(context);
    const row = rowOf(store, context);
    if (row === undefined || row.accountId === user.account.id) return undefined;
    if (operation === 'deleteKeyword') parts.removeKeyword(row);
    else parts.storeKeyword({ ...row, keyword: text(bodyOf(context)['keyword']) });
    throw new Refusal(403, 'Permission denied');
  });

/** Every so-manieth request of an operation is served by a worker with another key. */
const nowAndThen =
  (operation: Operation, every: number, refused: () => Refusal) =>
  (parts: Parts): Partial<Parts> => {
    let requests = 0;
    return {
      [operation]: async (context: Context) => {
        if (!bare(context)) requests += 1;
        await parts.authenticate(context);
        if (requests % every === 0) throw refused();
        return parts[operation](context);
      },
    };
  };

const headerSwitches = (operations: readonly string[], header: string) =>
  letsIn((context, _, store) => {
    const told = context.headers[header];
    if (told === undefined || bare(context) || !operations.includes(context.operation ?? '')) return undefined;
    return store.users.find(({ email, account, id }) => [email, String(account.id), String(id)].includes(told));
  });

const UNA: readonly Defect[] = [
  ...named('UNA-14', [
    ['put-reads-body-first', 'The parser stands above the login decorator of PUT.', early('replaceKeyword', malformed)],
    ['patch-reads-body-first', 'The same at PATCH.', early('updateKeyword', malformed)],
    ['delete-reads-body-first', 'DELETE parses the body that it has no use for.', early('deleteKeyword', malformed)],
    [
      'put-asks-for-json-first',
      'A filter on content types stands in front of PUT only.',
      early('replaceKeyword', ({ headers }) =>
        headers['content-type'] === 'application/json' ? undefined : new Refusal(415, 'Unsupported media type'),
      ),
    ],
    [
      'patch-validates-first',
      'The serializer of PATCH runs in a decorator.',
      early('updateKeyword', (context, parts) => {
        const errors = malformed(context, parts) === undefined ? parts.validateKeyword(bodyOf(context), true) : {};
        return Object.keys(errors).length === 0 ? undefined : new Refusal(400, 'Validation failed', errors);
      }),
    ],
    [
      'missing-row-before-token',
      '`get_object_or_404` comes first: who has no token learns which ids there are.',
      early('getKeyword', (context, _, store) =>
        rowOf(store, context) === undefined ? new Refusal(404, 'Resource not found') : undefined,
      ),
    ],
    [
      'odd-query-before-token',
      'The filter of the list is validated by middleware.',
      early('listKeywords', ({ query }) =>
        /^\d*$/.test(query.get('page') ?? '') ? undefined : new Refusal(400, 'Validation failed'),
      ),
    ],
    [
      'head-lets-anybody-in',
      'HEAD is among the safe methods of the permission class.',
      letsIn((context, _, { users }) => (context.method === 'HEAD' && bare(context) ? users[0] : undefined)),
    ],
    [
      'token-in-form',
      'RFC 6750 §2.2 as it is written: `access_token` in a form.',
      on('createKeyword', (context, parts) => {
        const token = /^access_token=([\w.-]+)$/.exec(context.rawBody.toString())?.[1];
        if (token === undefined || !bare(context)) return undefined;
        parts.verifySignature(token, 'access');
        return { status: 201, data: { id: 1, keyword: 'x', site_id: 1 } };
      }),
    ],
    [
      'token-in-body-of-a-change',
      'PATCH takes the token from the body, for a client that cannot set headers.',
      tokenAt((context) => (context.method === 'PATCH' && bare(context) ? text(bodyOf(context)['access']) : undefined)),
    ],
  ]),
  ...named('UNA-03', [
    ['header-access-token', '`Access-Token` of a mobile client.', tokenAt(({ headers }) => headers['access-token'])],
    ['header-jwt-assertion', '`X-JWT-Assertion` of a gateway.', tokenAt(({ headers }) => headers['x-jwt-assertion'])],
    [
      'item-takes-api-key-header',
      'The detail view is used by a plugin that sends `X-API-Key`.',
      tokenAt(({ headers, operation }) => (operation === 'getKeyword' ? headers['x-api-key'] : undefined)),
    ],
    [
      'change-takes-original-authorization',
      'PUT reads the header that a proxy moved away.',
      tokenAt(({ headers, method }) =>
        method === 'PUT' ? headers['x-original-authorization']?.replace('Bearer ', '') : undefined,
      ),
    ],
  ]),
  ...named('UNA-10', [
    [
      'query-id-token',
      '`?id_token=` of a sign-in redirect.',
      tokenAt(({ query }) => query.get('id_token') ?? undefined),
    ],
    [
      'query-deletes-beside-bad-token',
      'A link in an e-mail deletes a row, whatever header comes with it.',
      tokenAt(({ query, method, headers }) =>
        method === 'DELETE' && headers['authorization'] !== undefined ? (query.get('token') ?? undefined) : undefined,
      ),
    ],
    [
      'query-at-patch',
      'PATCH takes `?key=`.',
      tokenAt(({ query, method }) => (method === 'PATCH' ? (query.get('key') ?? undefined) : undefined)),
    ],
  ]),
  ...named('UNA-11', [
    [
      'cookie-beside-bad-token',
      'Authenticators in a row: the cookie is looked at when a bearer token is no good.',
      sessions((parts, userOf) => ({
        authenticate: async (context) => {
          try {
            return await parts.authenticate(context);
          } catch (error) {
            const user = userOf(context);
            if (user === undefined || !authorizationOf(context).startsWith('Bearer eyJ')) throw error;
            return user;
          }
        },
      })),
    ],
    [
      'cookie-opens-one-row',
      'The detail view is also a page of the web application.',
      sessions((parts, userOf) => ({
        authenticate: (context) => {
          const user = context.operation === 'getKeyword' && bare(context) ? userOf(context) : undefined;
          return user === undefined ? parts.authenticate(context) : Promise.resolve(user);
        },
      })),
    ],
    [
      'cookie-writes',
      'Writes go by the session, since they come from the admin pages.',
      sessions((parts, userOf) => ({
        writer: (context) => {
          const user = context.method === 'POST' && bare(context) ? userOf(context) : undefined;
          return user === undefined ? parts.writer(context) : Promise.resolve(user);
        },
      })),
    ],
    [
      'token-cookie-deletes',
      'DELETE takes the token from a cookie `auth_token`.',
      tokenAt((context) => (context.method === 'DELETE' && bare(context) ? cookieOf(context, 'auth_token') : '')),
    ],
  ]),
  ...named('UNA-16', [
    [
      'huge-id-in-refresh',
      'Refresh asks the database without a guard: integer out of range. As bearer it is a 401.',
      (parts) => ({
        verifySignature: (token, kind) => {
          const given = parts.verifySignature(token, kind);
          if (kind === 'refresh' && Math.abs(Number(given['user_id'])) > 0x7fff_ffff) throw crash;
          return given;
        },
      }),
    ],
  ]),
  ...named('UNA-19', [
    [
      'account-header-on-one-row',
      'Support staff switch tenants by `X-Account-ID`; the detail view forgot to drop it for others.',
      (parts, store) => ({
        namedKeyword: (context, user) => {
          const row = rowOf(store, context);
          const asked = context.headers['x-account-id'];
          return context.method === 'GET' && row !== undefined && asked === String(row.accountId)
            ? row
            : parts.namedKeyword(context, user);
        },
      }),
    ],
    [
      'tenant-header-on-a-change',
      'The same at PATCH, by `X-Tenant-ID`.',
      (parts, store) => ({
        namedKeyword: (context, user) => {
          const row = rowOf(store, context);
          const asked = context.headers['x-tenant-id'];
          return context.method === 'PATCH' && row !== undefined && asked === String(row.accountId)
            ? row
            : parts.namedKeyword(context, user);
        },
      }),
    ],
    [
      'organization-header-on-create',
      'A new row goes to the account that `X-Organization-ID` names.',
      headerSwitches(['createKeyword'], 'x-organization-id'),
    ],
    [
      'user-header-switches-list',
      '`X-Act-As` was made for the help desk.',
      headerSwitches(['listKeywords'], 'x-act-as'),
    ],
    [
      'impersonated-at-one-row',
      '`X-Impersonate-User` counts at single rows.',
      headerSwitches(['getKeyword'], 'x-impersonate-user'),
    ],
    ...['x-ms-client-principal-name', 'x-user-email', 'x-ssl-client-s-dn'].map(
      (header) =>
        [
          `opens-by-${header}`,
          `\`${header}\` lets in, with no token at all.`,
          letsIn((context, parts) => (bare(context) ? parts.findUser(context.headers[header] ?? '') : undefined)),
        ] as const,
    ),
  ]),
  ...named('UNA-20', [
    [
      'search-cached-by-address',
      'A small cache in front of the slow search goes by the address alone.',
      (parts) => {
        const known = new Map<string, Outcome>();
        return {
          listKeywords: async (context) => {
            const key = context.query.toString();
            const cached = context.query.has('search') && bare(context) ? known.get(key) : undefined;
            if (cached !== undefined) return cached;
            const outcome = await parts.listKeywords(context);
            if (context.query.has('search')) known.set(key, outcome);
            return outcome;
          },
        };
      },
    ],
  ]),
];

const FOR: readonly Defect[] = [
  ...named('FOR-01', [
    [
      'viewer-delete-401',
      'DELETE by who may not logs the client out.',
      on('deleteKeyword', async (context, parts) => {
        if (!parts.mayWrite(await parts.authenticate(context), {})) throw unauthenticated();
        return undefined;
      }),
    ],
    [
      'viewer-patch-404',
      'PATCH looks among the rows that one may write, and a viewer has none.',
      on('updateKeyword', async (context, parts) => {
        if (!parts.mayWrite(await parts.authenticate(context), {})) throw new Refusal(404, 'Resource not found');
        return undefined;
      }),
    ],
  ]),
  ...named('FOR-06', [
    [
      'or-without-parentheses',
      '`account = 1 AND keyword LIKE a OR keyword LIKE b`: the second word finds rows of every tenant.',
      foreignSearch((words) => (words.includes(',') ? undefined : words.split(/\s+/)[1])),
    ],
    [
      'search-list-unfiltered',
      'A search for several texts, by commas, is a query of its own.',
      foreignSearch((words) => words.split(',')[1]),
    ],
    ['id-filter-drops-account', '`?id=` looks rows up by their ids alone.', dropsAccount('id')],
    ['account-filter-believed', '`?account=` takes the place of one’s own.', dropsAccount('account')],
    ['site-alias-drops-account', '`?site=` was left of an older version.', dropsAccount('site')],
    [
      'keyword-filter-drops-account',
      'An exact `?keyword=` is asked of an index of all tenants.',
      dropsAccount('keyword'),
    ],
    [
      'all-shows-all',
      '`?all=true` is for staff, and nobody asks.',
      lists(({ query }, _, __, store) => (query.get('all') === 'true' ? store.keywords : undefined)),
    ],
  ]),
  ...named('FOR-07', [
    [
      'site-with-leading-zero',
      'The check compares strings, the query numbers: `02` is not denied.',
      siteBy((query) => /^0\d+$/.exec(query.get('site_id') ?? '')?.[0]),
    ],
    [
      'site-in-brackets',
      '`site_id[]` is read by the query only.',
      siteBy((query) => query.get('site_id[]') ?? undefined),
    ],
    ['site-in-camels', '`siteId` was renamed, and both are read.', siteBy((query) => query.get('siteId') ?? undefined)],
    [
      'site-list-not-asked',
      'Of `1,2` the check looks at the first.',
      siteBy((query) => /^\d+,(\d+)$/.exec(query.get('site_id') ?? '')?.[1]),
    ],
    [
      'site-with-search-not-asked',
      'A search has a view of its own, which forgets to ask.',
      siteBy((query) => (query.has('search') ? (query.get('site_id') ?? undefined) : undefined)),
    ],
    [
      'row-of-denied-site',
      'Single rows are looked up by their account only.',
      on('getKeyword', async (context, parts, store) => {
        const user = await parts.authenticate(context);
        const row = rowOf(store, context);
        return row?.accountId === user.account.id ? { status: 200, data: shown(row) } : undefined;
      }),
    ],
  ]),
  ...named('FOR-09', [
    [
      'account-claim-at-one-row',
      'Single rows are compared with the token’s `account_id`, which saves a query.',
      (parts) => ({
        maySee: (user, row, claims) =>
          parts.maySee(user, row, claims) ||
          (claims['account_id'] !== user.account.id && claims['account_id'] === row.accountId),
      }),
    ],
  ]),
  ...named('FOR-10', [
    ['patch-moves-to-other-site', 'PATCH takes any site that exists.', movesTo('updateKeyword', Number)],
    ['put-moves-to-other-site', 'PUT takes any site that exists.', movesTo('replaceKeyword', Number)],
    [
      'site-as-a-string-not-asked',
      'The check compares with numbers, the database reads strings as well.',
      movesTo('createKeyword', (site) => (typeof site === 'string' ? Number(site) : NaN)),
    ],
  ]),
  ...named('FOR-11', [
    [
      'override-by-header',
      '`X-HTTP-Method-Override` is followed before anybody asks whose row it is.',
      overridden(({ headers }) => headers['x-http-method-override']),
    ],
    [
      'override-by-query',
      '`?_method=` of an old form, likewise.',
      overridden(({ query }) => query.get('_method') ?? ''),
    ],
    ['foreign-deleted-then-403', 'The hook of DELETE runs before the permission.', doneThenRefused('deleteKeyword')],
    ['foreign-put-then-403', 'PUT saves, and then asks.', doneThenRefused('replaceKeyword')],
    ['foreign-patch-then-403', 'PATCH saves, and then asks.', doneThenRefused('updateKeyword')],
  ]),
];

const JRN: readonly Defect[] = [
  ...named('JRN-07', [
    [
      'one-worker-of-eight-at-one-row',
      'One of eight workers of the detail service has the old key.',
      nowAndThen('getKeyword', 8, () => unauthenticated('Invalid or expired token')),
    ],
    [
      'one-worker-of-five-at-patch',
      'One of five workers cannot write since the last release.',
      nowAndThen('updateKeyword', 5, () => new Refusal(403, 'Permission denied')),
    ],
  ]),
  ...named('JRN-08', [
    [
      'cookie-decides-writes',
      'The tenant of a write comes from the session that login’s cookie opened.',
      sessions((parts, userOf) => ({
        writer: async (context) => {
          const user = await parts.writer(context);
          return userOf(context) ?? user;
        },
      })),
    ],
    [
      'cookie-decides-one-row',
      'Single rows are looked up for the session’s user.',
      sessions((parts, userOf) => ({
        namedKeyword: (context, user) =>
          parts.namedKeyword(context, (context.method === 'GET' ? userOf(context) : undefined) ?? user),
      })),
    ],
    [
      'csrf-at-changes',
      'PATCH and DELETE want a CSRF token as soon as there is a session cookie.',
      sessions((parts, userOf) => ({
        writer: async (context) => {
          const user = await parts.writer(context);
          if (['PATCH', 'DELETE'].includes(context.method) && userOf(context) !== undefined)
            throw new Refusal(403, 'CSRF Failed: CSRF token missing.');
          return user;
        },
      })),
    ],
    [
      'cookie-decides-refresh',
      'Refresh makes its tokens for the session’s user.',
      sessions((parts, userOf) => ({
        refresh: async (context) => {
          const outcome = await parts.refresh(context);
          const user = userOf(context);
          return user === undefined
            ? outcome
            : { status: 200, data: parts.issue(user, parts.openChain(user), 'refresh') };
        },
      })),
    ],
  ]),
];

export const ACCESS_MORE: readonly Defect[] = [...UNA, ...FOR, ...JRN];
