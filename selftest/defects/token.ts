/** Tokens whose claims, header or key are wrong. */
import { createHash, createHmac, createSecretKey } from 'node:crypto';
import { encodePart } from '../../fixtures/evidence/jwt.js';
import type { Claims, Parts, TokenKind } from '../../fixtures/reference/behaviour.js';
import { sign, unauthenticated, verifySignature } from '../../fixtures/reference/jwt.js';
import type { Defect } from './defect.js';
import { HOUR, KNOWN, KNOWN_KEY, asNumber, claims, mac, partOf, signatureOf } from './helpers.js';
import { dealt } from './workers.js';

/** Tokens of one kind that are not JWTs of ours: known by heart, and good as long as they are known. */
const remembered =
  (kind: TokenKind, write: (claims: Claims) => string) =>
  (parts: Parts): Partial<Parts> => {
    const issued = new Map<string, Claims>();
    return {
      sign: (given, of) => {
        if (of !== kind) return parts.sign(given, of);
        const token = write(given);
        issued.set(token, given);
        return token;
      },
      verifySignature: (token, of) => {
        const given = of === kind ? issued.get(token) : undefined;
        if (of === kind && given === undefined) throw unauthenticated('Invalid or expired token');
        return given ?? parts.verifySignature(token, of);
      },
    };
  };

const withHeader =
  (members: object, key = 'x') =>
  (given: Claims) => {
    const input = `${encodePart(members)}.${encodePart(given)}`;
    return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
  };

/** The key of a worker: the first has the target's own. */
const keyOf = (worker: number): string => `${KNOWN.jwtSecret}-worker-${String(worker)}`;

const key = (parts: Parts, now: () => number): Partial<Parts> => ({
  sign: (given, kind) => {
    if (now() === 0) return parts.sign(given, kind);
    const input = `${encodePart({ alg: 'HS256', typ: 'JWT' })}.${encodePart(given)}`;
    return `${input}.${mac(`${input}.`, keyOf(now()), 'sha256').toString('base64url')}`;
  },
  verifySignature: (token, kind) => {
    if (now() === 0) return parts.verifySignature(token, kind);
    if (!/^[\w-]+\.[\w-]+\.[\w-]{43}$/.test(token) || !mac(token, keyOf(now()), 'sha256').equals(signatureOf(token)))
      throw unauthenticated('Invalid or expired token');
    return partOf(token, 1);
  },
});

/** The secret that the debugger of jwt.io offers: public, and of the right length. */
const JWT_IO_SECRET = createSecretKey('a-string-secret-at-least-256-bits-long', 'utf8');

/** Claims that are written with another `exp` than the library would let pass. */
function withTextExp(claims: Claims): Claims {
  const written = { ...claims, exp: String(claims['exp']) };
  return { ...claims, toJSON: () => written };
}

export const TOKEN: readonly Defect[] = [
  {
    id: 'refresh-opaque',
    story: 'Refresh tokens are random texts since the last rewrite.',
    clauses: ['TOK-01'],
    replace: remembered('refresh', (given) => `${String(given['jti'])}${String(given['jti'])}`),
  },
  {
    id: 'refresh-unsigned',
    story: 'Refresh tokens are looked up anyway, so nobody signs them.',
    clauses: ['TOK-02', 'TOK-09'],
    replace: remembered('refresh', (given) => `${encodePart({ alg: 'none', typ: 'JWT' })}.${encodePart(given)}.`),
  },
  {
    id: 'refresh-other-alg',
    story: 'Another service issues the refresh tokens, with RS256.',
    clauses: ['TOK-03', 'TOK-09'],
    replace: remembered('refresh', withHeader({ alg: 'RS256', typ: 'JWT' })),
  },
  {
    id: 'typ-missing',
    story: 'The header is built by hand.',
    clauses: ['TOK-03', 'TOK-09'],
    replace: remembered('refresh', withHeader({ alg: 'HS256' })),
  },
  {
    id: 'user-id-called-sub',
    story: 'Another library, other claims: the user is in `sub`.',
    clauses: ['TOK-04'],
    replace: (parts) => ({
      ...claims(({ user_id, ...given }, kind) =>
        kind === 'access' ? { ...given, sub: user_id } : { ...given, user_id },
      )(parts),
      userById: (id) => parts.userById(id),
      verifySignature: (token, kind) => {
        const given = parts.verifySignature(token, kind);
        return given['user_id'] === undefined ? { ...given, user_id: given['sub'] } : given;
      },
    }),
  },
  {
    id: 'user-id-of-account',
    story: 'The id of the account is taken for that of the user.',
    clauses: ['TOK-04'],
    replace: (parts) => ({
      ...claims((given, kind) =>
        kind === 'access' ? { ...given, user_id: Number(given['user_id']) + 500, own: given['user_id'] } : given,
      )(parts),
      userById: (id) => parts.userById(typeof id === 'number' && id > 500 && id < 900 ? id - 500 : id),
    }),
  },
  {
    id: 'subject-is-email-after-refresh',
    story:
      'Refresh builds its access token with another helper, which puts the e-mail into `user_id`; the backend resolves both.',
    clauses: ['TOK-04'],
    replace: (parts, store) => ({
      ...claims((given, kind, occasion) => {
        const user = store.users.find(({ id }) => id === given['user_id']);
        return kind === 'access' && occasion === 'refresh' ? { ...given, user_id: user?.email } : given;
      })(parts),
      userById: (id) => parts.userById(id) ?? store.users.find(({ email }) => email === id),
    }),
  },
  {
    id: 'exp-in-milliseconds',
    story: '`Date.now()` was taken for seconds.',
    clauses: ['TOK-05', 'EXP-04', 'EXP-06', 'EXP-10', 'EXP-11'],
    replace: (parts) => ({
      ...claims((given) => ({ ...given, exp: asNumber(given['exp']) * 1000 }))(parts),
      verifyTimes: () => undefined,
    }),
  },
  {
    id: 'exp-as-text',
    story: '`exp` is written as ISO text.',
    clauses: ['TOK-05'],
    options: { jwtSecret: KNOWN_KEY },
    replace: remembered('refresh', (given) =>
      withHeader(
        { alg: 'HS256', typ: 'JWT' },
        KNOWN_KEY,
      )({ ...given, exp: new Date(asNumber(given['exp']) * 1000).toISOString() }),
    ),
  },
  {
    id: 'exp-from-redis',
    story: 'Rotation takes the times of the new refresh token from Redis, where each value is text.',
    clauses: ['TOK-05', 'EXP-11'],
    replace: (parts) => ({
      claims: (kind, user, chain, occasion) => {
        const claims = parts.claims(kind, user, chain, occasion);
        return kind === 'refresh' && occasion === 'refresh' ? withTextExp(claims) : claims;
      },
      verifyTimes: (claims, kind) => {
        const { exp } = claims;
        parts.verifyTimes(
          typeof exp === 'string' && kind === 'refresh' ? { ...claims, exp: Number(exp) } : claims,
          kind,
        );
      },
    }),
  },
  {
    id: 'iat-missing',
    story: 'The payload is made by hand, without `iat`.',
    clauses: ['TOK-06'],
    replace: claims(({ iat: _, ...given }) => given),
  },
  {
    id: 'iat-ahead',
    story: 'Local time was taken for UTC: `iat` is an hour ahead.',
    clauses: ['TOK-06', 'EXP-03'],
    replace: claims((given) => ({ ...given, iat: asNumber(given['iat']) + 3600 })),
  },
  {
    id: 'iat-local-time-after-rotation',
    story: 'Rotation takes a naive time of a host in UTC+1 for UTC: rotated refresh tokens are an hour ahead.',
    clauses: ['TOK-06'],
    replace: claims((given, kind, occasion) =>
      kind === 'refresh' && occasion === 'refresh' ? { ...given, iat: Number(given['iat']) + HOUR } : given,
    ),
  },
  {
    id: 'iat-in-local-time',
    story: 'datetime.utcnow().timestamp() on a host in New York: in refreshed tokens `iat` is five hours ahead.',
    clauses: ['TOK-06'],
    replace: (parts) => ({
      claims: (kind, user, chain, occasion) => {
        const claims = parts.claims(kind, user, chain, occasion);
        return occasion === 'refresh' ? { ...claims, iat: Number(claims['iat']) + 5 * 3600 } : claims;
      },
    }),
  },
  {
    id: 'hash-in-payload',
    story: 'The password hash is in the payload, to end tokens when it changes.',
    clauses: ['TOK-07'],
    replace: claims((given) => ({ ...given, pwd: 'pbkdf2_sha256$870000$c2FsdA$aGFzaA==' })),
  },
  {
    id: 'key-in-payload',
    story: 'The settings were merged into the payload.',
    clauses: ['TOK-07'],
    options: { jwtSecret: 'f3b1-conformance-9d1c-long-enough-to-be-strong-71aa' },
    replace: claims((given) => ({ ...given, cfg: 'f3b1-conformance-9d1c-long-enough-to-be-strong-71aa' })),
  },
  {
    id: 'password-in-token-encoded',
    story: 'The whole form is kept in a claim, in base64, for a migration that never came.',
    clauses: ['TOK-07'],
    replace: (parts) => {
      let form = '';
      return {
        login: (context) => {
          form = context.rawBody.toString('base64');
          return parts.login(context);
        },
        claims: (kind, user, chain, occasion) => ({
          ...parts.claims(kind, user, chain, occasion),
          ...(occasion === 'login' && kind === 'access' ? { form } : {}),
        }),
      };
    },
  },
  {
    id: 'hash-in-refreshed-token',
    story: 'Refresh serializes the whole user into the access token.',
    clauses: ['TOK-07'],
    replace: (parts) => ({
      claims: (kind, user, chain, occasion) => ({
        ...parts.claims(kind, user, chain, occasion),
        ...(occasion === 'refresh'
          ? { user: { password: '$2b$12$abcdefghijklmnopqrstuuJ8Zq0N1s5v9e3x7y2w4t6r8p0m2n4b6' } }
          : {}),
      }),
    }),
  },
  {
    id: 'simplejwt-hash-password',
    story: "simplejwt's CHECK_REVOKE_TOKEN: the refresh token carries `hash_password`, an MD5 of the stored password.",
    clauses: ['TOK-07'],
    replace: (parts) => ({
      claims: (kind, user, chain, occasion) => ({
        ...parts.claims(kind, user, chain, occasion),
        ...(kind === 'refresh'
          ? { hash_password: createHash('md5').update(user.passwordHash).digest('hex').toUpperCase() }
          : {}),
      }),
    }),
  },
  {
    id: 'weak-key',
    story: 'The key is `secret`, as in the tutorial.',
    clauses: ['TOK-08'],
    options: { jwtSecret: 'secret' },
  },
  {
    id: 'weak-key-of-template',
    story: "The key is the settings template's own.",
    clauses: ['TOK-08'],
    options: { jwtSecret: 'django-insecure-change-me' },
  },
  {
    id: 'weak-key-of-tutorial',
    story: "The key is one that a framework's tutorial prints.",
    clauses: ['TOK-08'],
    options: { jwtSecret: '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7' },
  },
  {
    id: 'weak-key-of-product',
    story: "The key is the product's name and what it is for.",
    clauses: ['TOK-08'],
    options: { jwtSecret: 'igny8-backend-secret-key-2025' },
  },
  {
    id: 'refresh-key-of-the-tutorial',
    story:
      'Refresh tokens have a key of their own, and its setting was never given: the default of the tutorial signs.',
    clauses: ['TOK-08', 'TOK-09'],
    replace: (parts) => ({
      sign: (claims, kind) => (kind === 'refresh' ? sign(claims, JWT_IO_SECRET) : parts.sign(claims, kind)),
      verifySignature: (token, kind) =>
        kind === 'refresh' ? verifySignature(token, JWT_IO_SECRET) : parts.verifySignature(token, kind),
    }),
  },
  {
    id: 'refresh-by-other-key',
    story: 'Refresh tokens have a key of their own, that nobody wrote down.',
    clauses: ['TOK-09'],
    replace: remembered('refresh', withHeader({ alg: 'HS256', typ: 'JWT' })),
  },
  {
    id: 'workers-own-keys',
    story: 'The signing key is made at the start of each worker, for none is set: one token is 200, 401, 200, 401.',
    clauses: ['JRN-07'],
    may: ['TOK-09'],
    options: KNOWN,
    replace: dealt(2, (parts, _, now) => key(parts, now)),
  },
  {
    id: 'workers-one-with-an-old-key',
    story: 'One worker of four was not restarted when the key was changed.',
    clauses: ['JRN-07'],
    may: ['TOK-09'],
    options: KNOWN,
    replace: dealt(4, (parts, _, now) => key(parts, () => (now() === 3 ? 1 : 0))),
  },
  {
    id: 'sub-at-sign-up',
    story: 'Sign-up makes its access token by another helper, which names the user in `sub`; both are understood.',
    clauses: ['TOK-04'],
    replace: (parts) => ({
      claims: (kind, user, chain, occasion) => {
        const given = parts.claims(kind, user, chain, occasion);
        if (kind !== 'access' || occasion !== 'register') return given;
        const { user_id: id, ...others } = given;
        return { ...others, sub: String(id) };
      },
      verifySignature: (token, kind) => {
        const given = parts.verifySignature(token, kind);
        return given['user_id'] === undefined ? { ...given, user_id: given['sub'] } : given;
      },
    }),
  },
];
