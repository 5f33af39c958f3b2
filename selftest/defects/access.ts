/** Faults of authentication and authorisation. */
import {
  createHash,
  createHmac,
  createPublicKey,
  createVerify,
  X509Certificate,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { Refusal, type Context, type Parts, type TokenKind } from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import type { Defect } from './defect.js';

type Json = Record<string, unknown>;

const part = (token: string, index: number): Json => {
  try {
    return JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString()) as Json;
  } catch {
    return {};
  }
};

/** Access tokens that are taken although their signature is not ours. */
const takes =
  (good: (token: string, header: Json, input: string, signature: string) => boolean) =>
  (parts: Parts): Partial<Parts> => ({
    verifySignature: (token, kind) => {
      const [head = '', body = '', signature = ''] = token.split('.');
      if (kind === 'access' && body !== '' && good(token, part(token, 0), `${head}.${body}`, signature))
        return part(token, 1);
      return parts.verifySignature(token, kind);
    },
  });

/** What `cty` calls a token inside this one is verified in its place. */
const unwraps =
  (of: TokenKind) =>
  (parts: Parts): Partial<Parts> => ({
    verifySignature: (token, kind) => {
      const nested = kind === of && part(token, 0)['cty'] === 'JWT';
      return parts.verifySignature(
        nested ? Buffer.from(token.split('.')[1] ?? '', 'base64url').toString() : token,
        kind,
      );
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
      const address = part(token, 0)[member];
      if (typeof address === 'string') {
        const found = await fetch(address).then(
          (answer) => answer.text(),
          () => undefined,
        );
        const user = parts.userById(part(token, 1)['user_id']);
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

const refused =
  (
    operation: 'listKeywords' | 'createKeyword' | 'getKeyword',
    change: (refusal: Refusal, context: Context) => Refusal,
  ) =>
  (parts: Parts): Partial<Parts> => ({
    [operation]: async (context: Context) => {
      try {
        return await parts[operation](context);
      } catch (error) {
        throw error instanceof Refusal ? change(error, context) : error;
      }
    },
  });

const notBearer = (context: Context): string => context.headers['authorization'] ?? '';
const isToken = (text: string): boolean => /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(text);

const headersWith =
  (change: (headers: Record<string, string>, context: Context, status: number) => void) =>
  (parts: Parts): Partial<Parts> => ({
    present: (answer, context) => {
      const headers = { ...answer.headers };
      change(headers, context, answer.status);
      return { ...parts.present(answer, context), headers };
    },
  });

export const ACCESS: readonly Defect[] = [
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
    replace: alsoReads((context) => /^Token (\S+)$/.exec(notBearer(context))?.[1]),
  },
  {
    id: 'scheme-none',
    story: 'The header is split at blanks, and its last word is the token.',
    clauses: ['UNA-03'],
    replace: alsoReads((context) =>
      notBearer(context)
        .split(/[\s,]+/)
        .findLast(isToken),
    ),
  },
  {
    id: 'scheme-any',
    story: 'Eleven characters are cut off, whatever they are.',
    clauses: ['UNA-03'],
    replace: alsoReads((context) => /^(?:JWT|Basic) (\S+)$/.exec(notBearer(context))?.[1]),
  },
  {
    id: 'bearer-empty-500',
    story: '`header.split()[1]`.',
    clauses: ['UNA-03'],
    replace: (parts) => ({
      bearer: (context) => {
        if (/^Bearer\s*$/.test(notBearer(context))) throw new Error('list index out of range');
        return parts.bearer(context);
      },
    }),
  },
  {
    id: 'two-tokens',
    story: 'A proxy joins two headers, and the first is taken.',
    clauses: ['UNA-03'],
    replace: alsoReads((context) => /^Bearer ([^\s,]+)[,\s]/.exec(notBearer(context))?.[1]),
  },
  {
    id: 'no-jwt-500',
    story: 'The token is split outside the try block.',
    clauses: ['UNA-04'],
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
          if (kind === 'access' && token.split('.').length === 3 && good.has(signature)) return part(token, 1);
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
    clauses: ['UNA-05', 'UNA-06', 'UNA-08', 'UNA-15', 'UNA-17', 'FOR-08', 'UNA-07'],
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
            ? part(token, 1)
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
    id: 'refresh-nested-unwrapped',
    story: 'The refresh service unwraps a token inside a token, and does not verify the wrapping.',
    clauses: ['REF-11'],
    replace: unwraps('refresh'),
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
        if (!notBearer(context).startsWith('Bearer ')) throw unauthenticated();
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
        const [name = '', password = ''] = Buffer.from(/^Basic (.+)$/.exec(notBearer(context))?.[1] ?? '', 'base64')
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
        const [name = '', password = ''] = Buffer.from(/^Basic (.+)$/.exec(notBearer(context))?.[1] ?? '', 'base64')
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
    id: 'viewer-writes',
    story: '`IsAuthenticated` is all that creation asks for.',
    clauses: ['FOR-01'],
    replace: () => ({ mayWrite: () => true }),
  },
  {
    id: 'viewer-404',
    story: 'What may not be written is hidden.',
    clauses: ['FOR-01'],
    replace: refused('createKeyword', (refusal) =>
      refusal.status === 403 ? new Refusal(404, 'Resource not found') : refusal,
    ),
  },
  {
    id: 'viewer-401',
    story: 'Not allowed is taken for not authenticated, and the client logs out.',
    clauses: ['FOR-01'],
    replace: refused('createKeyword', (refusal) => (refusal.status === 403 ? unauthenticated() : refusal)),
  },
  {
    id: 'forbidden-other-text',
    story: "DRF's own text.",
    clauses: ['FOR-02'],
    replace: refused('createKeyword', (refusal) =>
      refusal.status === 403 ? new Refusal(403, 'You do not have permission to perform this action.') : refusal,
    ),
  },
  {
    id: 'forbidden-yet-written',
    story: 'Saved, then checked: refused, but there.',
    clauses: ['FOR-03'],
    replace: (parts, store) =>
      refused('createKeyword', (refusal, context) => {
        if (refusal.status === 403 && context.user !== undefined) {
          const keyword = String((JSON.parse(context.rawBody.toString()) as Json)['keyword']);
          store.keywords.push({
            id: store.nextId('keyword'),
            keyword,
            siteId: store.sites[0]?.id ?? 1,
            accountId: context.user.account.id,
          });
        }
        return refusal;
      })(parts),
  },
  {
    id: 'foreign-shown',
    story: '`objects.get(pk=…)` without the account.',
    clauses: ['FOR-04'],
    replace: (parts) => ({
      getKeyword: async (context) => {
        const user = await parts.authenticate(context);
        return {
          status: 200,
          data: { id: Number(context.parameters['id']), keyword: 'difference engine', site_id: user.account.id },
        };
      },
    }),
  },
  {
    id: 'foreign-500',
    story: 'The check of the account compares with None.',
    clauses: ['FOR-04', 'FOR-07'],
    replace: () => ({ hidden: () => new Refusal(500, 'Internal server error') }),
  },
  {
    id: 'foreign-404',
    story: 'Querysets are filtered by account: a foreign id is not there.',
    clauses: ['FOR-05'],
    replace: refused('getKeyword', (refusal) =>
      refusal.status === 403 ? new Refusal(404, 'Resource not found') : refusal,
    ),
  },
  {
    id: 'list-unfiltered',
    story: '`get_queryset` forgets the account.',
    clauses: ['FOR-06'],
    replace: (_, store) => ({ keywordsOf: () => store.keywords }),
  },
  {
    id: 'list-cached',
    story: 'The list is cached by its URL, and the next account gets it.',
    clauses: ['FOR-06'],
    replace: (parts, store) => ({
      keywordsOf: (user, site) => [...parts.keywordsOf(user, site), ...store.keywords.slice(2, 3)],
    }),
  },
  {
    id: 'site-not-asked',
    story: '`site_id` filters, and nobody asks whether the user may see the site.',
    clauses: ['FOR-07'],
    replace: (_, store) => ({
      maySeeSite: (user, site) => store.sites.some(({ id, accountId }) => id === site && accountId === user.account.id),
    }),
  },
  {
    id: 'site-empty',
    story: 'A site without access has no rows: 200, and an empty list.',
    clauses: ['FOR-07'],
    replace: (parts) => ({
      listKeywords: async (context) => {
        try {
          return await parts.listKeywords(context);
        } catch (error) {
          if (error instanceof Refusal && error.status === 403) return { status: 200, results: [] };
          throw error;
        }
      },
    }),
  },
  {
    id: 'role-before-token',
    story: 'Middleware reads the role from the payload and refuses before anybody verified it.',
    clauses: ['FOR-08'],
    replace: (parts) => ({
      createKeyword: (context) => {
        if (part(notBearer(context).slice(7), 1)['role'] === 'viewer') throw new Refusal(403, 'Permission denied');
        return parts.createKeyword(context);
      },
    }),
  },
  {
    id: 'role-from-token',
    story: 'The role is read from the claims.',
    clauses: ['FOR-09'],
    replace: (parts) => ({
      mayWrite: (user, given) =>
        parts.mayWrite({ ...user, role: (given['role'] ?? user.role) as typeof user.role }, given),
    }),
  },
  {
    id: 'staff-from-token',
    story: '`is_staff` in the claims opens everything.',
    clauses: ['FOR-09'],
    replace: (parts) => ({ mayWrite: (user, given) => given['is_staff'] === true || parts.mayWrite(user, given) }),
  },
  {
    id: 'account-from-token',
    story: 'The tenant is read from the claims.',
    clauses: ['FOR-09'],
    replace: (parts) => ({
      maySee: (user, keyword, given) =>
        given['account_id'] === undefined
          ? parts.maySee(user, keyword, given)
          : given['account_id'] === keyword.accountId,
    }),
  },
];
