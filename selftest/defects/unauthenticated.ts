/** Faults of authentication (UNA). */
import {
  createHash,
  createHmac,
  createPublicKey,
  createVerify,
  type JsonWebKey,
  type KeyObject,
  X509Certificate,
} from 'node:crypto';
import { type Answer, type Context, type Parts, Refusal } from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import type { Defect } from './defect.js';
import {
  alsoTakes,
  headersWith,
  json,
  KNOWN,
  mac,
  authorizationOf,
  on,
  partOf,
  signatureOf,
  tokenOf,
  unwraps,
  type Json,
  type Operation,
} from './helpers.js';

/** Access tokens that are taken although their signature is not ours. */
const takes =
  (good: (token: string, header: Json, input: string, signature: string) => boolean) =>
  (parts: Parts): Partial<Parts> => ({
    verifySignature: (token, kind) => {
      const [head = '', body = '', signature = ''] = token.split('.');
      if (kind === 'access' && body !== '' && good(token, partOf(token, 0), `${head}.${body}`, signature))
        return partOf(token, 1);
      return parts.verifySignature(token, kind);
    },
  });

const signedBy = (input: string, key: string | Buffer, signature: string, hash = 'sha256'): boolean =>
  createHmac(hash, key).update(input).digest('base64url') === signature;

const signedByKeyOf = (
  input: string,
  signature: string,
  key: () => Parameters<ReturnType<typeof createVerify>['verify']>[0],
): boolean => {
  try {
    return createVerify('sha256').update(input).verify(key(), Buffer.from(signature, 'base64url'));
  } catch {
    return false;
  }
};

/** A server that verifies by the key found at the address in a header member. */
const fetching =
  (member: string, keyIn: (body: string) => KeyObject) =>
  (parts: Parts): Partial<Parts> => ({
    authenticate: async (context) => {
      const [, token = ''] = (context.headers['authorization'] ?? '').split(' ');
      const [head = '', body = '', signature = ''] = token.split('.');
      const address = partOf(token, 0)[member];
      if (typeof address === 'string') {
        const found = await fetch(address).then(
          (answer) => answer.text(),
          () => undefined,
        );
        const user = parts.userById(partOf(token, 1)['user_id']);
        if (
          found !== undefined &&
          user !== undefined &&
          signedByKeyOf(`${head}.${body}`, signature, () => keyIn(found))
        )
          return user;
      }
      return parts.authenticate(context);
    },
  });

/** The bearer token read in another way where the header has none that counts. */
const alsoReads =
  (token: (context: Context) => string | undefined) =>
  (parts: Parts): Partial<Parts> => ({
    bearer: (context) => token(context) ?? parts.bearer(context),
  });

/** The answer to a request without any credentials. */
const missing =
  (answer: (parts: Parts, context: Context) => Refusal) =>
  (parts: Parts): Partial<Parts> => ({
    bearer: (context) => {
      if (context.headers['authorization'] === undefined) throw answer(parts, context);
      return parts.bearer(context);
    },
  });

const isToken = (text: string): boolean => /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(text);

/** An operation that lets in whom `user` names. */
const letsIn = (operation: Operation, claimsOf: (context: Context, parts: Parts) => Json | undefined) =>
  on(operation, (context, parts, store) => {
    const claims = claimsOf(context, parts);
    const user = claims === undefined ? undefined : parts.userById(claims['user_id']);
    const row = store.keywords.find(({ id }) => String(id) === context.parameters['id']);
    // One's own resource: who may see it is not what goes wrong here.
    if (user === undefined || row?.accountId !== user.account.id) return undefined;
    // The route's own work, by the user that was let in.
    return { status: 200, data: { id: 1, keyword: 'let in', site_id: 1, seen_by: user.id } };
  });

export const UNAUTHENTICATED: readonly Defect[] = [
  {
    id: 'missing-403',
    story: '`BaseAuthentication` without `authenticate_header()`: every 401 of the API becomes 403.',
    clauses: ['UNA-01'],
    replace: (parts) => ({
      authenticate: async (context) => {
        try {
          return await parts.authenticate(context);
        } catch {
          throw new Refusal(403, 'Permission denied');
        }
      },
    }),
  },
  {
    id: 'missing-redirect',
    story: 'The web application sends who is not logged in to its login page.',
    clauses: ['UNA-01'],
    replace: missing(() => new Refusal(302, 'Found', undefined, { Location: '/accounts/login/' })),
  },
  {
    id: 'missing-allowed',
    story: '`AllowAny` was left on the list.',
    clauses: ['UNA-01'],
    replace: (parts) => ({
      listKeywords: async (context) => {
        if (context.headers['authorization'] === undefined) return { status: 200, results: [] };
        return parts.listKeywords(context);
      },
    }),
  },
  {
    id: 'missing-400',
    story: 'A missing header is a malformed request.',
    clauses: ['UNA-01'],
    replace: missing(() => new Refusal(400, 'Malformed request')),
  },
  {
    id: 'missing-other-text',
    story: "DRF's own text.",
    clauses: ['UNA-02'],
    replace: missing(() => unauthenticated('Authentication credentials were not provided.')),
  },
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
    id: 'verified-by-signature',
    story: 'Verified tokens are cached, by their signature only.',
    clauses: ['UNA-05', 'UNA-07'],
    replace: (parts) => {
      const good = new Set<string>();
      return {
        verifySignature: (token, kind) => {
          const signature = token.split('.')[2] ?? '';
          if (kind === 'access' && token.split('.').length === 3 && good.has(signature)) return partOf(token, 1);
          const given = parts.verifySignature(token, kind);
          if (kind === 'access') good.add(signature);
          return given;
        },
      };
    },
  },
  {
    id: 'payload-read-first',
    story: 'The user is taken from the payload before it is verified, for the log; somebody used it.',
    clauses: ['UNA-05', 'UNA-06', 'UNA-08', 'UNA-15', 'UNA-17', 'FOR-08', 'UNA-07', 'UNA-14'],
    replace: takes((token) => token.split('.').length === 3),
  },
  {
    id: 'signature-by-prefix',
    story: 'The signature is compared as far as the shorter one goes.',
    clauses: ['UNA-06'],
    replace: (parts) => {
      const good = new Map<string, string>();
      return {
        sign: (given, kind) => {
          const token = parts.sign(given, kind);
          const [head = '', body = '', signature = ''] = token.split('.');
          good.set(`${head}.${body}`, signature);
          return token;
        },
        ...takes(
          (_, __, input, signature) =>
            signature !== '' && good.get(input)?.startsWith(signature.slice(0, 20)) === true && signature.length < 43,
        )(parts),
      };
    },
  },
  {
    id: 'signature-optional',
    story: 'An empty signature is taken for "not signed, so nothing to verify" (CVE-2020-28042).',
    clauses: ['UNA-06'],
    replace: takes((_, header, __, signature) => signature === '' && header['alg'] === 'HS256'),
  },
  {
    id: 'none-accepted',
    story: 'The library believes `alg: none` (CVE-2015-9235).',
    clauses: ['UNA-07'],
    replace: takes((_, header, __, signature) => header['alg'] === 'none' && signature === ''),
  },
  {
    id: 'none-in-other-case',
    story: 'The deny list knows `none`, and not `nOnE` (Auth0, 2020).',
    clauses: ['UNA-07'],
    replace: takes(
      (_, header) =>
        typeof header['alg'] === 'string' && header['alg'] !== 'none' && header['alg'].toLowerCase() === 'none',
    ),
  },
  {
    id: 'none-with-signature',
    story: 'Only an empty signature gives `none` away.',
    clauses: ['UNA-07'],
    replace: takes((_, header, __, signature) => header['alg'] === 'none' && signature !== ''),
  },
  {
    id: 'none-capitals-with-signature',
    story: 'Letters are compared as they stand, and a signature makes the token look signed.',
    clauses: ['UNA-07'],
    replace: takes((_, header, __, signature) => header['alg'] === 'NONE' && signature !== ''),
  },
  {
    id: 'alg-twice',
    story: 'The gateway reads the first `alg` of the header, the library behind it the last.',
    clauses: ['UNA-07'],
    replace: takes((token, header, __, signature) => {
      const first = /"alg":"(\w+)"/.exec(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())?.[1];
      return first === 'HS256' && header['alg'] === 'none' && signature === '';
    }),
  },
  {
    id: 'signature-of-any-token',
    story: 'Issued tokens are remembered by their parts, and not which part goes with which.',
    clauses: ['UNA-06'],
    replace: (parts) => {
      const issued = new Set<string>();
      return {
        sign: (claims, kind) => {
          const token = parts.sign(claims, kind);
          for (const one of token.split('.')) issued.add(one);
          return token;
        },
        verifySignature: (token, kind) =>
          kind === 'access' && token.split('.').length === 3 && token.split('.').every((one) => issued.has(one))
            ? partOf(token, 1)
            : parts.verifySignature(token, kind),
      };
    },
  },
  {
    id: 'alg-empty',
    story: 'An unknown algorithm gives no verifier, and no verifier gives no error.',
    clauses: ['UNA-07'],
    replace: takes((_, header) => header['alg'] === ''),
  },
  {
    id: 'key-empty',
    story: 'The key of an unknown environment is the empty text.',
    clauses: ['UNA-08'],
    replace: takes((_, header, input, signature) => header['kid'] === undefined && signedBy(input, '', signature)),
  },
  {
    id: 'nested-unwrapped',
    story: 'A token inside a token is unwrapped, and nobody verifies the wrapping.',
    clauses: ['UNA-08'],
    replace: unwraps('access'),
  },
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
    id: 'psychic-signature',
    story: 'A zero ECDSA signature verifies for any message (CVE-2022-21449).',
    clauses: ['UNA-08'],
    replace: takes((_, header, __, signature) => header['alg'] === 'ES256' && /^A+$/.test(signature)),
  },
  {
    id: 'plain-hash',
    story: 'The signature is a SHA-256 of the text, without the key.',
    clauses: ['UNA-08'],
    replace: takes((_, __, input, signature) => createHash('sha256').update(input).digest('base64url') === signature),
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
    id: 'challenge-missing',
    story: 'The 401 is built in middleware, without a challenge.',
    clauses: ['UNA-12'],
    replace: headersWith((headers, _, status) => {
      if (status === 401) delete headers['WWW-Authenticate'];
    }),
  },
  {
    id: 'challenge-missing-on-refresh',
    story: 'Only the token views lack it.',
    clauses: ['UNA-12'],
    replace: headersWith((headers, { operation }) => {
      if (operation === 'refresh') delete headers['WWW-Authenticate'];
    }),
  },
  {
    id: 'challenge-of-session',
    story: 'The first authentication class names its own scheme.',
    clauses: ['UNA-12'],
    replace: headersWith((headers, _, status) => {
      if (status === 401) headers['WWW-Authenticate'] = 'Session realm="api"';
    }),
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
    id: 'body-before-token',
    story: 'Creation validates its body before it asks who sends it.',
    clauses: ['UNA-14'],
    replace: (parts) => ({
      createKeyword: (context) => {
        if (context.headers['authorization'] === undefined) parts.readBody(context);
        return parts.createKeyword(context);
      },
    }),
  },
  {
    id: 'one-route-open',
    story: 'The detail view has permission classes of its own, and none of them.',
    clauses: ['UNA-14'],
    replace: (parts) => ({
      getKeyword: (context) => {
        if (context.headers['authorization'] === undefined) throw new Refusal(404, 'Resource not found');
        return parts.getKeyword(context);
      },
    }),
  },
  {
    id: 'jwk-trusted',
    story: 'The key in the header verifies the token (CVE-2018-0114).',
    clauses: ['UNA-15'],
    replace: takes(
      (_, header, input, signature) =>
        typeof header['jwk'] === 'object' &&
        signedByKeyOf(input, signature, () => ({
          key: createPublicKey({ key: header['jwk'] as JsonWebKey, format: 'jwk' }),
          dsaEncoding: 'ieee-p1363',
        })),
    ),
  },
  {
    id: 'jwk-symmetric',
    story: 'The same, for a symmetric key in the header.',
    clauses: ['UNA-15'],
    replace: takes((_, header, input, signature) => {
      const k = (header['jwk'] as Json | undefined)?.['k'];
      return typeof k === 'string' && signedBy(input, Buffer.from(k, 'base64url'), signature);
    }),
  },
  {
    id: 'kid-is-a-path',
    story: '`kid` names a file, and `/dev/null` is an empty one.',
    clauses: ['UNA-15'],
    replace: takes(
      (_, header, input, signature) => String(header['kid']).endsWith('/dev/null') && signedBy(input, '', signature),
    ),
  },
  {
    id: 'kid-in-sql',
    story: '`kid` is put into a query.',
    clauses: ['UNA-15'],
    replace: takes((_, header, input, signature) => {
      const key = /SELECT '(\w+)'/.exec(String(header['kid']))?.[1];
      return key !== undefined && signedBy(input, key, signature);
    }),
  },
  {
    id: 'kid-cut-at-nul',
    story: 'A C library reads the name of the key as far as its NUL, and finds none.',
    clauses: ['UNA-15'],
    replace: takes(
      (_, header, input, signature) => String(header['kid']).includes('\0') && signedBy(input, '', signature),
    ),
  },
  {
    id: 'x5c-trusted',
    story: 'The certificate chain is read, and nobody asks who signed it.',
    clauses: ['UNA-15'],
    replace: takes(
      (_, header, input, signature) =>
        Array.isArray(header['x5c']) &&
        signedByKeyOf(input, signature, () => {
          const [first] = header['x5c'] as unknown[];
          return new X509Certificate(Buffer.from(String(first), 'base64')).publicKey;
        }),
    ),
  },
  {
    id: 'jku-fetched',
    story: 'The key set is fetched from where the token says.',
    clauses: ['UNA-15'],
    replace: fetching('jku', (body) =>
      createPublicKey({ key: (JSON.parse(body) as { keys: JsonWebKey[] }).keys[0] ?? {}, format: 'jwk' }),
    ),
  },
  {
    id: 'x5u-fetched',
    story: 'The certificate is fetched from where the token says.',
    clauses: ['UNA-15'],
    replace: fetching('x5u', (body) => new X509Certificate(body).publicKey),
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
    id: 'hs512-accepted',
    story: 'All algorithms of the library are allowed.',
    clauses: ['UNA-17'],
    options: { jwtSecret: '0b1d-conformance-c52e-long-enough-to-be-strong-98e0' },
    replace: takes(
      (_, header, input, signature) =>
        header['alg'] === 'HS512' &&
        signedBy(input, '0b1d-conformance-c52e-long-enough-to-be-strong-98e0', signature, 'sha512'),
    ),
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
    id: 'refresh-by-hs512',
    story: 'The refresh service takes every HMAC that the library knows.',
    clauses: ['UNA-17'],
    options: KNOWN,
    replace: alsoTakes(
      (token, key, kind) =>
        kind === 'refresh' &&
        partOf(token, 0)['alg'] === 'HS512' &&
        mac(token, key, 'sha512').equals(signatureOf(token)),
    ),
  },
  {
    id: 'signature-in-any-case',
    story: 'The signature is compared as a text, by the database, whose collation knows no case.',
    clauses: ['UNA-06'],
    options: KNOWN,
    replace: alsoTakes(
      (token, key, kind) =>
        kind === 'access' &&
        token.split('.').length === 3 &&
        mac(token, key, 'sha256').toString('base64url').toLowerCase() === (token.split('.')[2] ?? '').toLowerCase(),
    ),
  },
  {
    id: 'old-key-still-good',
    story: 'The key of the first weeks is still in the list of keys.',
    clauses: ['UNA-08'],
    replace: alsoTakes(
      (token, _, kind) =>
        kind === 'access' &&
        partOf(token, 0)['alg'] === 'HS256' &&
        mac(token, 'secret', 'sha256').equals(signatureOf(token)),
    ),
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
    id: 'page-redirected-to-login',
    story: '`login_required` sends a browser to the login page.',
    clauses: ['UNA-01'],
    replace: (parts) => ({
      present: (answer, context) =>
        answer.status === 401 &&
        context.headers['accept']?.includes('text/html') === true &&
        context.headers['authorization'] === undefined
          ? { status: 302, headers: { ...parts.headers(context, 302), Location: '/login/' }, body: '' }
          : answer,
    }),
  },
  {
    id: 'detail-signature-unchecked',
    story: 'One view decodes the token by itself, for a little more speed.',
    clauses: ['UNA-14'],
    replace: letsIn('getKeyword', (context, parts) => {
      const given = partOf(tokenOf(context), 1);
      try {
        parts.verifyKind(given, 'access');
        parts.verifyTimes(given, 'access');
        return given;
      } catch {
        return undefined;
      }
    }),
  },
  {
    id: 'detail-never-expires',
    story: 'One view verifies the signature and forgets the time.',
    clauses: ['EXP-04', 'EXP-10', 'EXP-11'],
    replace: letsIn('getKeyword', (context, parts) => {
      try {
        const given = parts.verifySignature(tokenOf(context), 'access');
        return given['token_type'] === 'access' ? given : undefined;
      } catch {
        return undefined;
      }
    }),
  },
  {
    id: 'create-takes-refresh-token',
    story: 'The kind of a token is looked at by the views that read.',
    clauses: ['UNA-14'],
    replace: on('createKeyword', (context, parts) => {
      try {
        const given = parts.verifySignature(tokenOf(context), 'refresh');
        parts.verifyTimes(given, 'refresh');
        return given['token_type'] === 'refresh'
          ? { status: 201, data: { id: 1, keyword: 'x', site_id: 1 } }
          : undefined;
      } catch {
        return undefined;
      }
    }),
  },
  {
    id: 'other-text-on-create',
    story: "The view that writes raises the framework's own error.",
    clauses: ['UNA-14'],
    replace: (parts) => ({
      errorEnvelope: (refusal, id, context) => ({
        ...parts.errorEnvelope(refusal, id, context),
        ...(context.operation === 'createKeyword' && refusal.status === 401
          ? { error: 'Authentication credentials were not provided.' }
          : {}),
      }),
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
  {
    id: 'list-public',
    story: '`cache_control(public=True, max_age=60)` stands on all views.',
    clauses: ['UNA-20'],
    replace: headersWith((headers, { operation }, status) => {
      if (status !== 200 || operation?.endsWith('Keywords') !== true) return;
      headers['Cache-Control'] = 'public, max-age=60';
      delete headers['Vary'];
    }),
  },
  {
    id: 'cached-by-address',
    story: 'A CDN keeps what has a query by its address alone, and gives it to whoever asks next.',
    clauses: ['UNA-20'],
    replace: (parts) => {
      const kept = new Map<string, Answer>();
      return {
        present: (answer, context) => {
          const { path, query, method, operation } = context;
          if (method !== 'GET' || operation === undefined || !query.has('search'))
            return parts.present(answer, context);
          const address = `${path}?${query.toString()}`;
          if (answer.status === 200) kept.set(address, answer);
          const hit = kept.get(address);
          if (hit === undefined) return parts.present(answer, context);
          // Ids are the CDN's own.
          const { request_id } = json(answer.body.toString());
          const body = JSON.stringify({ ...json(hit.body.toString()), request_id });
          return parts.present({ ...answer, body, status: hit.status }, context);
        },
      };
    },
  },
];
