/** Bearer tokens in other spellings and places: schemes, headers, the URL, cookies. */
import { type Context, type Parts, Refusal } from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import type { ClauseId } from '../../spec/generated/clauses.js';
import { bare, cookieOf, readsBearer, sessions, tokenAt } from './credentials.js';
import type { Defect } from './defect.js';
import { WHERE, authorizationOf, bodyOf, dataOf, peek, textOf, tokenOf } from './helpers.js';

/** The bearer token read in another way where the header has none that counts. */
const alsoReads =
  (token: (context: Context) => string | undefined) =>
  (parts: Parts): Partial<Parts> => ({
    bearer: (context) => token(context) ?? parts.bearer(context),
  });

const isToken = (text: string): boolean => /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(text);

const after = (context: Context, scheme: string): string | undefined => {
  const header = authorizationOf(context);
  return header.startsWith(scheme) ? /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.exec(header.slice(scheme.length))?.[0] : undefined;
};

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
      const token = context.method === 'POST' && bare(context) ? bodyOf(context)['access_token'] : undefined;
      return typeof token === 'string' ? token : undefined;
    },
  ],
  [
    'cookie-access-token',
    'UNA-11',
    '`JWT_AUTH_COOKIE` of dj-rest-auth.',
    (context) => (bare(context) ? cookie(context, 'access_token') : undefined),
  ],
  [
    'cookie-jwt',
    'UNA-11',
    'A cookie `jwt`, set by the web application.',
    (context) => (bare(context) ? cookie(context, 'jwt') : undefined),
  ],
];

export const UNAUTHENTICATED_CHANNELS: readonly Defect[] = [
  {
    id: 'scheme-token',
    story: '`TokenAuthentication` is on, beside the JWT class.',
    clauses: ['UNA-03'],
    replace: alsoReads((context) => /^Token (\S+)$/.exec(authorizationOf(context))?.[1]),
  },
  {
    id: 'scheme-none',
    story: 'The header is split at blanks, and its last word is the token.',
    clauses: ['UNA-03'],
    replace: alsoReads((context) =>
      authorizationOf(context)
        .split(/[\s,]+/)
        .findLast(isToken),
    ),
  },
  {
    id: 'scheme-any',
    story: 'Eleven characters are cut off, whatever they are.',
    clauses: ['UNA-03'],
    replace: alsoReads((context) => /^(?:JWT|Basic) (\S+)$/.exec(authorizationOf(context))?.[1]),
  },
  {
    id: 'bearer-empty-500',
    story: '`header.split()[1]`.',
    clauses: ['UNA-03'],
    replace: (parts) => ({
      bearer: (context) => {
        if (/^Bearer\s*$/.test(authorizationOf(context))) throw new Error('list index out of range');
        return parts.bearer(context);
      },
    }),
  },
  {
    id: 'two-tokens',
    story: 'A proxy joins two headers, and the first is taken.',
    clauses: ['UNA-03'],
    replace: alsoReads((context) => /^Bearer ([^\s,]+)[,\s]/.exec(authorizationOf(context))?.[1]),
  },
  ...READS.map(([id, clause, story, token]) => ({ id, story, clauses: [clause], replace: readsBearer(token) })),
  {
    id: 'header-access-token',
    story: '`Access-Token` of a mobile client.',
    clauses: ['UNA-03'],
    replace: tokenAt(({ headers }) => headers['access-token']),
  },
  {
    id: 'header-jwt-assertion',
    story: '`X-JWT-Assertion` of a gateway.',
    clauses: ['UNA-03'],
    replace: tokenAt(({ headers }) => headers['x-jwt-assertion']),
  },
  {
    id: 'item-takes-api-key-header',
    story: 'The detail view is used by a plugin that sends `X-API-Key`.',
    clauses: ['UNA-03'],
    replace: tokenAt(({ headers, operation }) => (operation === 'getKeyword' ? headers['x-api-key'] : undefined)),
  },
  {
    id: 'change-takes-original-authorization',
    story: 'PUT reads the header that a proxy moved away.',
    clauses: ['UNA-03'],
    replace: tokenAt(({ headers, method }) =>
      method === 'PUT' ? headers['x-original-authorization']?.replace('Bearer ', '') : undefined,
    ),
  },
  {
    id: 'no-jwt-500',
    story: 'The token is split outside the try block.',
    clauses: ['UNA-04', 'ROB-05'],
    replace: (parts) => ({
      verifySignature: (token, kind) => {
        if (kind === 'access' && token.split('.').length !== 3 && token.length < 60)
          throw new Error('not enough values to unpack');
        return parts.verifySignature(token, kind);
      },
    }),
  },
  {
    id: 'no-jwt-400',
    story: 'A decode error is a bad request.',
    clauses: ['UNA-04'],
    replace: (parts) => ({
      verifySignature: (token, kind) => {
        if (kind === 'access' && token.length < 60) throw new Refusal(400, 'Malformed token');
        return parts.verifySignature(token, kind);
      },
    }),
  },
  {
    id: 'no-jwt-is-api-key',
    story: 'Text that is no JWT takes the way of API keys, and fails there with 403.',
    clauses: ['UNA-04'],
    replace: (parts) => ({
      verifySignature: (token, kind) => {
        if (kind === 'access' && !token.includes('.')) throw new Refusal(403, 'Invalid API key');
        return parts.verifySignature(token, kind);
      },
    }),
  },
  {
    id: 'fourth-part-ignored',
    story: 'The first three parts are taken, however many there are.',
    clauses: ['UNA-04'],
    replace: (parts) => ({
      verifySignature: (token, kind) =>
        parts.verifySignature(kind === 'access' ? token.split('.').slice(0, 3).join('.') : token, kind),
    }),
  },
  {
    id: 'null-is-the-first-user',
    story: 'A client without a token sends the word null, and the look-up by null finds somebody.',
    clauses: ['UNA-04'],
    replace: (parts, store) => ({
      authenticate: (context) => {
        const [first] = store.users;
        return tokenOf(context) === 'null' && first !== undefined
          ? Promise.resolve(first)
          : parts.authenticate(context);
      },
    }),
  },
  {
    id: 'signature-cut-to-24-bytes',
    story: 'Signatures are looked up in a cache column of 32 characters: what lies behind is never compared.',
    clauses: ['UNA-04', 'UNA-06'],
    replace: (parts) => ({
      verifySignature: (token, kind) => {
        try {
          return parts.verifySignature(token, kind);
        } catch (error) {
          const [header, payload, signature = ''] = token.split('.');
          const claims = kind === 'access' ? peek(token, 1) : undefined;
          if (claims?.['token_type'] !== 'access' || signature.length !== 43) throw error;
          const expected = parts.sign(claims, kind).split('.');
          if (expected[0] !== header || expected[1] !== payload) throw error;
          if (expected[2]?.slice(0, 32) !== signature.slice(0, 32)) throw error;
          return claims;
        }
      },
    }),
  },
  {
    id: 'refresh-as-bearer',
    story: 'The token type is not checked.',
    clauses: ['UNA-09'],
    replace: (parts) => ({
      verifyKind: (given, kind) => {
        if (kind !== 'access') parts.verifyKind(given, kind);
      },
    }),
  },
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
  {
    id: 'token-in-query',
    story: 'Downloads carry their token in the URL.',
    clauses: ['UNA-10'],
    replace: alsoReads(({ query }) => query.get('token') ?? undefined),
  },
  {
    id: 'access-token-in-query',
    story: 'RFC 6750 §2.3, which it says not to use.',
    clauses: ['UNA-10'],
    replace: alsoReads(({ query }) => query.get('access_token') ?? undefined),
  },
  {
    id: 'query-id-token',
    story: '`?id_token=` of a sign-in redirect.',
    clauses: ['UNA-10'],
    replace: tokenAt(({ query }) => query.get('id_token') ?? undefined),
  },
  {
    id: 'query-deletes-beside-bad-token',
    story: 'A link in an e-mail deletes a row, whatever header comes with it.',
    clauses: ['UNA-10'],
    replace: tokenAt(({ query, method, headers }) =>
      method === 'DELETE' && headers['authorization'] !== undefined ? (query.get('token') ?? undefined) : undefined,
    ),
  },
  {
    id: 'query-at-patch',
    story: 'PATCH takes `?key=`.',
    clauses: ['UNA-10'],
    replace: tokenAt(({ query, method }) => (method === 'PATCH' ? (query.get('key') ?? undefined) : undefined)),
  },
  {
    id: 'session-cookie',
    story: '`SessionAuthentication` is on, and login opens a session.',
    clauses: ['UNA-11'],
    replace: (parts) => {
      const sessions = new Map<string, string>();
      return {
        login: async (context) => {
          const outcome = (await parts.login(context)) as { status: number; data: { access: string } };
          const id = `s${parts.tokenId()}`;
          sessions.set(id, outcome.data.access);
          return { ...outcome, headers: { 'Set-Cookie': `sessionid=${id}; HttpOnly` } };
        },
        bearer: (context) =>
          sessions.get(/sessionid=(\w+)/.exec(context.headers['cookie'] ?? '')?.[1] ?? '') ?? parts.bearer(context),
      };
    },
  },
  {
    id: 'cookie-beside-bad-token',
    story: 'Authenticators in a row: the cookie is looked at when a bearer token is no good.',
    clauses: ['UNA-11'],
    replace: sessions((parts, userOf) => ({
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
  },
  {
    id: 'cookie-opens-one-row',
    story: 'The detail view is also a page of the web application.',
    clauses: ['UNA-11'],
    replace: sessions((parts, userOf) => ({
      authenticate: (context) => {
        const user = context.operation === 'getKeyword' && bare(context) ? userOf(context) : undefined;
        return user === undefined ? parts.authenticate(context) : Promise.resolve(user);
      },
    })),
  },
  {
    id: 'cookie-writes',
    story: 'Writes go by the session, since they come from the admin pages.',
    clauses: ['UNA-11'],
    replace: sessions((parts, userOf) => ({
      writer: (context) => {
        const user = context.method === 'POST' && bare(context) ? userOf(context) : undefined;
        return user === undefined ? parts.writer(context) : Promise.resolve(user);
      },
    })),
  },
  {
    id: 'token-cookie-deletes',
    story: 'DELETE takes the token from a cookie `auth_token`.',
    clauses: ['UNA-11'],
    replace: tokenAt((context) =>
      context.method === 'DELETE' && bare(context) ? cookieOf(context, 'auth_token') : '',
    ),
  },
  {
    id: 'scheme-by-letter',
    story: '`startswith("Bearer ")`.',
    clauses: ['UNA-13'],
    replace: (parts) => ({
      bearer: (context) => {
        if (!authorizationOf(context).startsWith('Bearer ')) throw unauthenticated();
        return parts.bearer(context);
      },
    }),
  },
  {
    id: 'cookie-of-refresh-opens',
    story: 'Refresh, and only refresh, sets the access token as a cookie, and the cookie authenticates.',
    clauses: ['UNA-11'],
    replace: (parts) => ({
      refresh: async (context) => {
        const outcome = await parts.refresh(context);
        const cookie = `refreshed-auth=${textOf(dataOf(outcome)['access'])}; Path=/; HttpOnly`;
        return { ...outcome, headers: { 'Set-Cookie': cookie } };
      },
      bearer: (context) => (bare(context) && cookieOf(context, 'refreshed-auth')) || parts.bearer(context),
    }),
  },
];
