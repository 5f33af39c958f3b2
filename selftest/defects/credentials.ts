/** Faults that show at one route, in one channel, or in tokens of one origin only (UNA). */
import type { Context, Occasion, Parts, Store, User } from '../../fixtures/reference/behaviour.js';
import type { ClauseId } from '../../spec/generated/clauses.js';
import type { Defect } from './defect.js';
import {
  authorizationOf,
  bodyOf,
  crash,
  type Json,
  KNOWN,
  KNOWN_KEY,
  mac,
  partOf,
  signatureOf,
  tokenOf,
} from './helpers.js';

const WHERE: Readonly<Partial<Record<Occasion, string>>> = { register: 'of sign-up', refresh: 'of refresh' };

/** Access tokens of one origin that are taken although their signature is not ours. */
const ofOrigin =
  (origin: Occasion, good: (token: string, signed: (token: string) => boolean) => boolean) =>
  (parts: Parts): Partial<Parts> => {
    const issued = new Set<string>();
    return {
      claims: (kind, user, chain, occasion) => ({ ...parts.claims(kind, user, chain, occasion), via: occasion }),
      sign: (given, kind) => {
        const token = parts.sign(given, kind);
        issued.add(signatureOf(token).toString('hex'));
        return token;
      },
      verifySignature: (token, kind) =>
        kind === 'access' &&
        partOf(token, 1)['via'] === origin &&
        partOf(token, 1)['token_type'] === 'access' &&
        good(token, (one) => issued.has(signatureOf(one).toString('hex')))
          ? partOf(token, 1)
          : parts.verifySignature(token, kind),
    };
  };

const algOf = (token: string): unknown => partOf(token, 0)['alg'];
const isSigned = (token: string): boolean => signatureOf(token).length > 0;
const jwkOf = (token: string): unknown => (partOf(token, 0)['jwk'] as Json | undefined)?.['k'];

/** What goes wrong with a token whose signature one of two libraries verifies. */
const BY_ORIGIN: readonly {
  readonly id: string;
  readonly story: string;
  readonly clause: ClauseId;
  readonly good: Parameters<typeof ofOrigin>[1];
}[] = [
  {
    id: 'unsigned',
    story: 'are verified by an older library, which believes `alg: none`',
    clause: 'UNA-07',
    good: (token) => algOf(token) === 'none' && !isSigned(token),
  },
  {
    id: 'stripped',
    story: 'pass without a signature',
    clause: 'UNA-06',
    good: (token) => algOf(token) === 'HS256' && !isSigned(token) && token.split('.').length === 3,
  },
  {
    id: 'by-their-own-key',
    story: 'are verified with the key in their header',
    clause: 'UNA-15',
    good: (token) => {
      const k = jwkOf(token);
      return typeof k === 'string' && mac(token, Buffer.from(k, 'base64url'), 'sha256').equals(signatureOf(token));
    },
  },
  {
    id: 'by-sha512',
    story: 'may be signed with any HMAC that the library knows',
    clause: 'UNA-17',
    good: (token) => algOf(token) === 'HS512' && mac(token, KNOWN_KEY, 'sha512').equals(signatureOf(token)),
  },
  {
    id: 'cached-by-signature',
    story: 'are kept in a cache, by their signature only',
    clause: 'UNA-05',
    good: (token, signed) => algOf(token) === 'HS256' && token.split('.').length === 3 && signed(token),
  },
  {
    id: 'with-a-fourth-part',
    story: 'are split, and what comes after the third part is dropped',
    clause: 'UNA-04',
    good: (token, signed) => token.split('.').length === 4 && signed(token),
  },
];

/** The bearer token read in another way, at some requests. */
const reads =
  (token: (context: Context) => string | null | undefined) =>
  (parts: Parts): Partial<Parts> => ({
    bearer: (context) => token(context) ?? parts.bearer(context),
  });

const after = (context: Context, scheme: string): string | undefined => {
  const header = authorizationOf(context);
  return header.startsWith(scheme) ? /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.exec(header.slice(scheme.length))?.[0] : undefined;
};

const without = ({ headers }: Context): boolean => headers['authorization'] === undefined;

const cookie = ({ headers }: Context, name: string): string | undefined =>
  new RegExp(`(?:^|; )${name}=([^;]+)`).exec(headers['cookie'] ?? '')?.[1];

const READS: readonly (readonly [
  id: string,
  clause: ClauseId,
  story: string,
  (context: Context) => string | null | undefined,
])[] = [
  [
    'x-access-token',
    'UNA-03',
    '`X-Access-Token` was for the first mobile client.',
    ({ headers }) => headers['x-access-token'],
  ],
  [
    'x-auth-token',
    'UNA-03',
    '`X-Auth-Token` is read by a middleware of long ago.',
    ({ headers }) => headers['x-auth-token'],
  ],
  [
    'proxy-authorization',
    'UNA-03',
    'A proxy moved the header, and the server reads both.',
    ({ headers }) => headers['proxy-authorization']?.replace('Bearer ', ''),
  ],
  ['scheme-without-blank', 'UNA-03', '`header.removeprefix("Bearer").strip()`.', (context) => after(context, 'Bearer')],
  [
    'scheme-with-colon',
    'UNA-03',
    'The scheme is split off at anything but a letter.',
    (context) => after(context, 'Bearer: '),
  ],
  ['scheme-oauth', 'UNA-03', '`OAuth`, as in drafts of RFC 6750.', (context) => after(context, 'OAuth ')],
  [
    'item-takes-scheme-token',
    'UNA-03',
    'The detail view lists `TokenAuthentication` among its classes.',
    (context) => (context.operation === 'getKeyword' ? after(context, 'Token ') : undefined),
  ],
  [
    'create-takes-scheme-jwt',
    'UNA-03',
    'The view that creates is older, and its prefix is `JWT`.',
    (context) => (context.operation === 'createKeyword' ? after(context, 'JWT ') : undefined),
  ],
  [
    'delete-takes-bare-token',
    'UNA-03',
    'A script deletes rows, and sends the token as it is.',
    (context) => (context.method === 'DELETE' ? after(context, '') : undefined),
  ],
  ['query-jwt', 'UNA-10', '`?jwt=` for links in e-mails.', ({ query }) => query.get('jwt')],
  ['query-auth-token', 'UNA-10', '`?auth_token=`, as in Rails.', ({ query }) => query.get('auth_token')],
  ['query-api-key', 'UNA-10', '`?api_key=` takes whatever is a token.', ({ query }) => query.get('api_key')],
  [
    'query-at-one-item',
    'UNA-10',
    'A single row can be downloaded by a link that carries the token.',
    ({ query, operation }) => (operation === 'getKeyword' ? query.get('token') : undefined),
  ],
  [
    'query-at-writes',
    'UNA-10',
    'A webhook cannot set headers, so writes take `?access_token=`.',
    ({ query, method }) => (method === 'GET' ? undefined : query.get('access_token')),
  ],
  [
    'query-after-a-bad-header',
    'UNA-10',
    'Where the header does not verify, the query has another try.',
    ({ query, headers }) => (headers['authorization'] === undefined ? undefined : query.get('access')),
  ],
  [
    'access-token-in-body',
    'UNA-14',
    'RFC 6750 §2.2: `access_token` in the body of a write.',
    (context) => {
      const token = context.method === 'POST' && without(context) ? bodyOf(context)['access_token'] : undefined;
      return typeof token === 'string' ? token : undefined;
    },
  ],
  [
    'cookie-access-token',
    'UNA-11',
    '`JWT_AUTH_COOKIE` of dj-rest-auth.',
    (context) => (without(context) ? cookie(context, 'access_token') : undefined),
  ],
  [
    'cookie-jwt',
    'UNA-11',
    'A cookie `jwt`, set by the web application.',
    (context) => (without(context) ? cookie(context, 'jwt') : undefined),
  ],
];

/** Lets a request without a token in, as the owner of the row that it names. */
const open =
  (method: string, when: (context: Context) => boolean = without) =>
  (parts: Parts, store: Store): Partial<Parts> => ({
    writer: (context) => {
      const row = store.keywords.find(({ id }) => String(id) === context.parameters['id']);
      const owner = store.users.find(({ account }) => account.id === (row?.accountId ?? 1));
      return context.method === method && when(context) && owner !== undefined
        ? Promise.resolve(owner)
        : parts.writer(context);
    },
  });

/** Somebody let in by a header that a proxy would set, at some requests. */
const believes =
  (
    name: string,
    find: (told: string, parts: Parts) => User | undefined,
    when: (context: Context) => boolean = without,
  ) =>
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

export const CREDENTIALS: readonly Defect[] = [
  ...(['register', 'refresh'] as const).flatMap((origin) =>
    BY_ORIGIN.map(({ id, story, clause, good }) => ({
      id: `tokens-of-${origin}-${id}`,
      story: `Access tokens ${WHERE[origin] ?? ''} ${story}.`,
      clauses: [clause],
      options: KNOWN,
      replace: ofOrigin(origin, good),
    })),
  ),
  ...(['register', 'refresh'] as const).map((origin) => ({
    id: `refresh-token-of-${origin}-as-bearer`,
    story: `Refresh tokens ${WHERE[origin] ?? ''} carry no type.`,
    clauses: ['UNA-09' as const],
    replace: (parts: Parts): Partial<Parts> => ({
      claims: (kind, user, chain, occasion) => ({ ...parts.claims(kind, user, chain, occasion), via: occasion }),
      verifyKind: (given, kind) => {
        if (kind !== 'access' || given['via'] !== origin) parts.verifyKind(given, kind);
      },
    }),
  })),
  ...READS.map(([id, clause, story, token]) => ({ id, story, clauses: [clause], replace: reads(token) })),
  ...(['PUT', 'PATCH', 'DELETE'] as const).map((method) => ({
    id: `${method.toLowerCase()}-open`,
    story: `\`get_permissions\` names the methods that need a token, and ${method} is not among them.`,
    clauses: ['UNA-14' as const],
    replace: open(method),
  })),
  {
    id: 'create-open',
    story: 'Creation is open to everybody; only what is not valid was ever tried without a token.',
    clauses: ['UNA-14'],
    replace: open('POST', (context) => without(context) && typeof bodyOf(context)['keyword'] === 'string'),
  },
  {
    id: 'patch-takes-any-signature',
    story: 'PATCH came later, in a view that decodes the token by itself.',
    clauses: ['UNA-14'],
    replace: (parts) => ({
      writer: (context) => {
        const claims = partOf(tokenOf(context), 1);
        const user = claims['token_type'] === 'access' ? parts.userById(claims['user_id']) : undefined;
        return context.method === 'PATCH' && user !== undefined && parts.mayWrite(user, claims)
          ? Promise.resolve(user)
          : parts.writer(context);
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
    replace: reads(
      (context) =>
        /:(eyJ\S+)$/.exec(
          Buffer.from(/^Basic (.+)$/.exec(authorizationOf(context))?.[1] ?? '', 'base64').toString(),
        )?.[1],
    ),
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
    replace: believes('x-user-id', byId, (context) => without(context) && context.method !== 'GET'),
  },
  {
    id: 'identity-beside-bad-token',
    story: 'Where the token does not verify, `X-Remote-User` has another try.',
    clauses: ['UNA-19'],
    replace: believes('x-remote-user', byEmail, (context) => authorizationOf(context).startsWith('Bearer eyJ')),
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
];
