/** Users who are believed without a token that says so: nobody, HTTP Basic, identity headers. */
import type { Context, Outcome, Parts, Store, User } from '../../fixtures/reference/behaviour.js';
import { bare, letsIn, readsBearer } from './credentials.js';
import type { Defect } from './defect.js';
import { authorizationOf, basicPair, bodyOf, crash, partOf, textOf } from './helpers.js';
import { rowOf } from './rows.js';

/** Somebody let in by a header that a proxy would set, at some requests. */
const believes =
  (name: string, find: (told: string, parts: Parts) => User | undefined, when: (context: Context) => boolean = bare) =>
  (parts: Parts): Partial<Parts> => ({
    authenticate: (context) => {
      const told = when(context) ? context.headers[name] : undefined;
      const user = told === undefined ? undefined : find(told, parts);
      return user === undefined ? parts.authenticate(context) : Promise.resolve(user);
    },
  });

const byEmail = (told: string, parts: Parts): User | undefined => parts.findUser(told);

const byId = (told: string, parts: Parts): User | undefined => parts.userById(told);

const BELIEVED: readonly (readonly [name: string, typeof byEmail])[] = [
  ['x-forwarded-email', byEmail],
  ['x-auth-request-email', byEmail],
  ['cf-access-authenticated-user-email', byEmail],
  ['x-webauth-user', byEmail],
  ['remote-user', byEmail],
  ['x-consumer-custom-id', byId],
];

/** Another look at the id that a token names. */
const users =
  (find: (id: unknown, store: Store) => User | undefined) =>
  (parts: Parts, store: Store): Partial<Parts> => ({
    userById: (id) => parts.userById(id) ?? find(id, store),
  });

/** A well-signed refresh token of a user who does not exist. */
const refreshOfNobody =
  (answer: (parts: Parts, store: Store) => { access: string; refresh: string }) =>
  (parts: Parts, store: Store): Partial<Parts> => ({
    refresh: (context) => {
      const token = bodyOf(context)['refresh'];
      if (typeof token !== 'string' || partOf(token, 1)['user_id'] !== 2_000_000_011) return parts.refresh(context);
      parts.verifySignature(token, 'refresh');
      return Promise.resolve({ status: 200, data: answer(parts, store) });
    },
  });

const headerSwitches = (operations: readonly string[], header: string) =>
  letsIn((context, _, store) => {
    const told = context.headers[header];
    if (told === undefined || bare(context) || !operations.includes(context.operation ?? '')) return undefined;
    return store.users.find(({ email, account, id }) => [email, String(account.id), String(id)].includes(told));
  });

export const UNAUTHENTICATED_USERS: readonly Defect[] = [
  {
    id: 'first-of-two-members',
    story: 'The gateway has a JSON parser of its own, which takes the first of two members of one name.',
    clauses: ['UNA-16'],
    replace: (parts) => ({
      verifySignature: (token, kind) => {
        const given = parts.verifySignature(token, kind);
        const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
        const first = /"user_id":("[^"]*"|\d+)/.exec(payload)?.[1];
        return first === undefined ? given : { ...given, user_id: JSON.parse(first) as unknown };
      },
    }),
  },
  {
    id: 'user-id-coerced',
    story: 'The id is made a number first: `true` is the first user, and so is a list with a one in it.',
    clauses: ['UNA-16'],
    replace: (_, store) => ({ userById: (id) => store.users.find((user) => user.id === Number(id)) }),
  },
  {
    id: 'user-id-missing-is-first',
    story: 'Without an id the query has no condition, and `first()` finds somebody.',
    clauses: ['UNA-16'],
    replace: (parts, store) => ({ userById: (id) => (id == null ? store.users[0] : parts.userById(id)) }),
  },
  {
    id: 'user-id-object-crashes',
    story: 'A list or an object as id goes down to the database, which cannot compare it.',
    clauses: ['UNA-16'],
    replace: (parts) => ({
      userById: (id) => {
        if (typeof id === 'object' && id !== null) throw new TypeError('unhashable type');
        return parts.userById(id);
      },
    }),
  },
  {
    id: 'user-from-claims',
    story: 'The user is built from the claims, and never looked up.',
    clauses: ['UNA-16'],
    replace: (parts, store) => ({
      userById: (id) => parts.userById(id) ?? (Number(id) > 2_000_000_000 ? store.users[0] : undefined),
    }),
  },
  {
    id: 'refresh-of-nobody-500',
    story: 'The user of a refresh token was deleted: `User.DoesNotExist` is not caught.',
    clauses: ['UNA-16'],
    replace: refreshOfNobody(() => {
      throw crash;
    }),
  },
  {
    id: 'refresh-of-nobody-gives-tokens',
    story: 'Refresh never looks the user up.',
    clauses: ['UNA-16'],
    replace: refreshOfNobody((parts, store) => {
      const [user] = store.users;
      if (user === undefined) throw crash;
      return parts.issue(user, parts.openChain(user), 'refresh');
    }),
  },
  {
    id: 'negative-id-counts-from-the-end',
    story: '`users[id]` in a language whose lists have negative places.',
    clauses: ['UNA-16'],
    replace: users((id, { users: all }) => (Number(id) === -1 ? all.at(-1) : undefined)),
  },
  {
    id: 'id-cut-to-32-bits',
    story: 'The id is read into 32 bits.',
    clauses: ['UNA-16'],
    replace: users((id, { users: all }) => all.find((user) => user.id === Number(id) % 2 ** 32)),
  },
  {
    id: 'id-zero-is-anybody',
    story: '0 is false, and without an id the first user is found.',
    clauses: ['UNA-16'],
    replace: users((id, { users: all }) => (id === 0 ? all[0] : undefined)),
  },
  {
    id: 'id-read-as-far-as-it-goes',
    story: '`parseInt` of an id with something behind it.',
    clauses: ['UNA-16'],
    replace: users((id, { users: all }) =>
      all.find((user) => typeof id === 'string' && user.id === Number.parseInt(id, 10)),
    ),
  },
  {
    id: 'id-beyond-64-bits-500',
    story: '`OverflowError: Python int too large to convert to SQLite INTEGER`.',
    clauses: ['UNA-16'],
    replace: users((id) => {
      if (typeof id === 'number' && id > 1e19) throw crash;
      return undefined;
    }),
  },
  {
    id: 'text-id-counts-its-digits',
    story: "WHERE id = '12abc' in MySQL: the text is a number as far as its digits go, so it is user 12.",
    clauses: ['UNA-16'],
    replace: (parts) => ({
      userById: (id) => parts.userById(typeof id === 'string' ? (/^\s*0*(\d{1,15})/.exec(id)?.[1] ?? id) : id),
    }),
  },
  {
    id: 'huge-id-in-refresh',
    story: 'Refresh asks the database without a guard: integer out of range. As bearer it is a 401.',
    clauses: ['UNA-16'],
    replace: (parts) => ({
      verifySignature: (token, kind) => {
        const given = parts.verifySignature(token, kind);
        if (kind === 'refresh' && Math.abs(Number(given['user_id'])) > 0x7fff_ffff) throw crash;
        return given;
      },
    }),
  },
  {
    id: 'basic-accepted',
    story: '`BasicAuthentication` was left in for debugging.',
    clauses: ['UNA-18'],
    replace: (parts) => ({
      authenticate: async (context) => {
        const [name = '', password = ''] = Buffer.from(
          /^Basic (.+)$/.exec(authorizationOf(context))?.[1] ?? '',
          'base64',
        )
          .toString()
          .split(':');
        const user = parts.findUser(name);
        return user !== undefined && (await parts.checkPassword(password, user.passwordHash))
          ? user
          : parts.authenticate(context);
      },
    }),
  },
  {
    id: 'basic-by-user-name',
    story: "`BasicAuthentication` again, where the model's user name is not the e-mail.",
    clauses: ['UNA-18'],
    replace: (parts, store) => ({
      authenticate: async (context) => {
        const [name = '', password = ''] = Buffer.from(
          /^Basic (.+)$/.exec(authorizationOf(context))?.[1] ?? '',
          'base64',
        )
          .toString()
          .split(':');
        const user = store.users.find(({ username }) => username === name);
        return user !== undefined && (await parts.checkPassword(password, user.passwordHash))
          ? user
          : parts.authenticate(context);
      },
    }),
  },
  {
    id: 'basic-at-writes',
    story: '`BasicAuthentication` stayed in the classes of the views that write.',
    clauses: ['UNA-18'],
    replace: (parts) => ({
      writer: async (context) => {
        const pair = Buffer.from(/^Basic (.+)$/.exec(authorizationOf(context))?.[1] ?? '', 'base64').toString();
        const [name = '', password = ''] = pair.split(':');
        const user = parts.findUser(name);
        return user !== undefined && (await parts.checkPassword(password, user.passwordHash))
          ? user
          : parts.writer(context);
      },
    }),
  },
  {
    id: 'basic-carries-a-token',
    story: 'Git clients send the token as the password of Basic.',
    clauses: ['UNA-18'],
    replace: readsBearer(
      (context) =>
        /:(eyJ\S+)$/.exec(
          Buffer.from(/^Basic (.+)$/.exec(authorizationOf(context))?.[1] ?? '', 'base64').toString(),
        )?.[1],
    ),
  },
  {
    id: 'basic-with-the-user-name',
    story: "DRF's BasicAuthentication was left in for debugging; it knows users by user name, not by e-mail.",
    clauses: ['UNA-18'],
    replace: (parts, store) => ({
      authenticate: async (context) => {
        const pair = basicPair(context) ?? '';
        const colon = pair.indexOf(':');
        const user = colon < 1 ? undefined : store.users.find(({ username }) => username === pair.slice(0, colon));
        if (user === undefined || !(await parts.checkPassword(pair.slice(colon + 1), user.passwordHash))) {
          return parts.authenticate(context);
        }
        context.user = user;
        context.claims = {};
        return user;
      },
    }),
  },
  ...['x-forwarded-user', 'x-user-id'].map((name) => ({
    id: `identity-by-${name}`,
    story: `\`${name}\` is believed without a token: the middleware was written for a proxy that is not there.`,
    clauses: ['UNA-19' as const],
    replace: (parts: Parts): Partial<Parts> => ({
      authenticate: (context) => {
        const told = context.headers['authorization'] === undefined ? context.headers[name] : undefined;
        const user = told === undefined ? undefined : (parts.findUser(told) ?? parts.userById(told));
        return user === undefined ? parts.authenticate(context) : Promise.resolve(user);
      },
    }),
  })),
  {
    id: 'account-by-header',
    story: '`X-Account-ID` chooses the account whose rows are listed, whoever asks.',
    clauses: ['UNA-19'],
    replace: (parts, store) => ({
      listKeywords: async (context) => {
        const asked = context.headers['x-account-id'];
        const outcome = await parts.listKeywords(context);
        if (asked === undefined) return outcome;
        const rows = store.keywords.filter(({ accountId }) => String(accountId) === asked);
        return { status: 200, results: rows.map(({ id, keyword, siteId }) => ({ id, keyword, site_id: siteId })) };
      },
    }),
  },
  ...BELIEVED.map(([name, find]) => ({
    id: `believes-${name}`,
    story: `\`${name}\` is believed without a token: the proxy that sets it is not there.`,
    clauses: ['UNA-19' as const],
    replace: believes(name, find),
  })),
  {
    id: 'identity-at-writes',
    story: '`X-User-Id` is believed by the views that write, because a worker calls them.',
    clauses: ['UNA-19'],
    replace: believes('x-user-id', byId, (context) => bare(context) && context.method !== 'GET'),
  },
  {
    id: 'identity-beside-bad-token',
    story: 'Where the token does not verify, `X-Remote-User` has another try.',
    clauses: ['UNA-19'],
    replace: believes('x-remote-user', byEmail, (context) => authorizationOf(context).startsWith('Bearer eyJ')),
  },
  {
    id: 'account-header-on-a-row',
    story: 'The gateway once set X-Account-ID; the lookup of one row still prefers it to the account of the token.',
    clauses: ['UNA-19'],
    replace: (parts, store) => ({
      namedKeyword: (context, user) => {
        const account = context.headers['x-account-id'];
        const row =
          context.method === 'GET' && account !== undefined
            ? store.keywords.find(
                ({ id, accountId }) => String(id) === context.parameters['id'] && String(accountId) === account,
              )
            : undefined;
        return row ?? parts.namedKeyword(context, user);
      },
    }),
  },
  {
    id: 'account-header-on-one-row',
    story: 'Support staff switch tenants by `X-Account-ID`; the detail view forgot to drop it for others.',
    clauses: ['UNA-19'],
    replace: (parts, store) => ({
      namedKeyword: (context, user) => {
        const row = rowOf(store, context);
        const asked = context.headers['x-account-id'];
        return context.method === 'GET' && row !== undefined && asked === String(row.accountId)
          ? row
          : parts.namedKeyword(context, user);
      },
    }),
  },
  {
    id: 'tenant-header-on-a-change',
    story: 'The same at PATCH, by `X-Tenant-ID`.',
    clauses: ['UNA-19'],
    replace: (parts, store) => ({
      namedKeyword: (context, user) => {
        const row = rowOf(store, context);
        const asked = context.headers['x-tenant-id'];
        return context.method === 'PATCH' && row !== undefined && asked === String(row.accountId)
          ? row
          : parts.namedKeyword(context, user);
      },
    }),
  },
  {
    id: 'organization-header-on-create',
    story: 'A new row goes to the account that `X-Organization-ID` names.',
    clauses: ['UNA-19'],
    replace: headerSwitches(['createKeyword'], 'x-organization-id'),
  },
  {
    id: 'user-header-switches-list',
    story: '`X-Act-As` was made for the help desk.',
    clauses: ['UNA-19'],
    replace: headerSwitches(['listKeywords'], 'x-act-as'),
  },
  {
    id: 'impersonated-at-one-row',
    story: '`X-Impersonate-User` counts at single rows.',
    clauses: ['UNA-19'],
    replace: headerSwitches(['getKeyword'], 'x-impersonate-user'),
  },
  ...['x-ms-client-principal-name', 'x-user-email', 'x-ssl-client-s-dn'].map((header): Defect => ({
    id: `opens-by-${header}`,
    story: `\`${header}\` lets in, with no token at all.`,
    clauses: ['UNA-19'],
    replace: letsIn((context, parts) => (bare(context) ? parts.findUser(context.headers[header] ?? '') : undefined)),
  })),
  {
    id: 'rows-cached-by-path',
    story: 'A cache in front of single rows is bypassed by who has a token, and filled by them for who has none.',
    clauses: ['UNA-20'],
    replace: (parts) => {
      const cache = new Map<string, { readonly outcome: Outcome; readonly at: number }>();
      return {
        getKeyword: async (context) => {
          const hit = cache.get(context.path);
          if (context.headers['authorization'] === undefined && hit !== undefined && parts.clock() - hit.at < 10_000)
            return hit.outcome;
          const outcome = await parts.getKeyword(context);
          cache.set(context.path, { outcome, at: parts.clock() });
          return outcome;
        },
      };
    },
  },
  {
    id: 'rows-made-for-x-user-id',
    story: 'An import makes rows on behalf of `X-User-Id`, and the view believes it of whoever has a token.',
    clauses: ['UNA-19'],
    replace: (parts) => ({
      writer: async (context) => {
        const user = await parts.writer(context);
        const named = context.operation === 'createKeyword' ? context.headers['x-user-id'] : undefined;
        return (named === undefined ? undefined : parts.userById(named)) ?? user;
      },
    }),
  },
  {
    id: 'rows-filed-under-account-header',
    story: 'The view that creates still files a row under `X-Account-ID`, which a gateway used to set.',
    clauses: ['UNA-19'],
    replace: (parts, store) => ({
      writer: async (context) => {
        const user = await parts.writer(context);
        const site = store.sites.find(({ accountId }) => String(accountId) === context.headers['x-account-id']);
        if (context.operation !== 'createKeyword' || site === undefined || site.accountId === user.account.id)
          return user;
        const { keyword } = parts.readBody(context);
        parts.insertKeyword({
          id: store.nextId('keyword'),
          keyword: textOf(keyword),
          siteId: site.id,
          accountId: site.accountId,
        });
        return user;
      },
    }),
  },
];
