/** Requests to refresh with something else than a live refresh token, or with more than one. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { decode } from '../../fixtures/evidence/jwt.js';
import { type Context, type Parts, Refusal } from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import type { Defect } from './defect.js';
import {
  KNOWN,
  algOf,
  alsoTakes,
  bearerOf,
  bodyOf,
  json,
  looseBody,
  mac,
  on,
  partOf,
  peek,
  refreshOf,
  refreshTextOf,
  refusal,
  signatureOf,
  textOf,
  unverified,
  unwraps,
} from './helpers.js';

const refreshSignature =
  (accept: (token: string) => boolean) =>
  (parts: Parts): Partial<Parts> => ({
    verifySignature: (token, kind) =>
      kind === 'refresh' && accept(token)
        ? unverified(token.split('.').length === 2 ? `${token}.` : token)
        : parts.verifySignature(token, kind),
  });

const signedWith = (token: string, key: string | Buffer): boolean => {
  const [head = '', body = '', signature] = token.split('.');
  return createHmac('sha256', key).update(`${head}.${body}`).digest('base64url') === signature;
};

/** A live refresh token is taken from another place when the body has none. */
const tokenFrom = (find: (context: Context) => string | undefined | null) =>
  on('refresh', (context, parts) => {
    const token = find(context);
    if (token === undefined || token === null || 'refresh' in json(context.rawBody.toString())) return undefined;
    return parts.refresh(Object.assign(context, { rawBody: Buffer.from(JSON.stringify({ refresh: token })) }));
  });

/** The refresh token is spent, whatever comes of the request. */
async function spendAnyway(parts: Parts, token: string): Promise<void> {
  try {
    await parts.spend(parts.verifySignature(token, 'refresh'));
  } catch {
    // No token of ours.
  }
}

export const REFRESH_REQUESTS: readonly Defect[] = [
  {
    id: 'refresh-reads-bearer',
    story: 'Authentication classes run on refresh, and an expired token is refused.',
    clauses: ['REF-07'],
    replace: (parts) => ({
      refresh: async (context) => {
        if (context.headers['authorization'] !== undefined) await parts.authenticate(context);
        return parts.refresh(context);
      },
    }),
  },
  {
    id: 'refresh-refused-beside-other-user',
    story: 'Refresh compares its token with the user of the Authorization header.',
    clauses: ['REF-07'],
    replace: on('refresh', async (context, parts) => {
      const user = await bearerOf(parts, context);
      if (user === undefined) return undefined;
      const { user_id: subject } = parts.verifySignature(refreshTextOf(context), 'refresh');
      if (subject !== user.id) throw new Refusal(403, 'Permission denied');
      return undefined;
    }),
  },
  {
    id: 'long-chain-ends',
    story: 'A chain of refreshes is kept in a column of limited width: the seventh rotation of a login is refused.',
    clauses: ['REF-07', 'JRN-07'],
    replace: (parts) => {
      const rotations = new Map<string, number>();
      return {
        spend: (given) => {
          const chain = String(given['chain']);
          const count = (rotations.get(chain) ?? 0) + 1;
          rotations.set(chain, count);
          return count > 8 ? undefined : parts.spend(given);
        },
      };
    },
  },
  {
    id: 'no-jwt-404',
    story: 'Text that is no JWT is looked up among session keys.',
    clauses: ['REF-08'],
    replace: refusal('refresh', (refusal, context) =>
      refusal.status === 401 &&
      typeof refreshOf(context) === 'string' &&
      String(refreshOf(context)).split('.').length !== 3 &&
      String(refreshOf(context)).length < 200
        ? new Refusal(404, 'Resource not found')
        : refusal,
    ),
  },
  {
    id: 'access-as-refresh',
    story: 'The token type is not checked on refresh.',
    clauses: ['REF-09'],
    replace: (parts) => ({
      verifyKind: (given, kind) => {
        if (kind !== 'refresh') parts.verifyKind(given, kind);
      },
      spend: (given) => {
        const user = parts.userById(given['user_id']);
        return given['chain'] === undefined && user !== undefined ? parts.openChain(user) : parts.spend(given);
      },
    }),
  },
  {
    id: 'refresh-null-500',
    story: '`None` is handed to the decoder.',
    clauses: ['REF-10', 'ROB-07'],
    replace: refusal('refresh', (refusal, context) =>
      refreshOf(context) === null ? new Refusal(500, 'Internal server error') : refusal,
    ),
  },
  {
    id: 'refresh-missing-401',
    story: 'A missing token is an invalid one.',
    clauses: ['REF-10'],
    replace: refusal('refresh', (refusal, context) =>
      refusal.status === 400 && refreshOf(context) === undefined ? unauthenticated() : refusal,
    ),
  },
  {
    id: 'refresh-blank-422',
    story: 'Blanks pass the serializer and fail behind it.',
    clauses: ['REF-10'],
    replace: refusal('refresh', (refusal, context) =>
      refreshOf(context) === '   ' ? new Refusal(422, refusal.error) : refusal,
    ),
  },
  {
    id: 'list-of-tokens-taken',
    story: 'A form field comes as a list, and its first member is taken.',
    clauses: ['REF-10'],
    replace: (parts) => ({
      readBody: (context) => {
        const body = parts.readBody(context);
        const { refresh } = body;
        return Array.isArray(refresh) && String(refresh[0]).startsWith('eyJ')
          ? { ...body, refresh: refresh[0] as unknown }
          : body;
      },
    }),
  },
  {
    id: 'refresh-from-cookie',
    story: 'The refresh token is taken from its cookie when the body has none.',
    clauses: ['REF-10'],
    replace: tokenFrom(({ headers }) => /(?:^|; )refresh_token=([^;]+)/.exec(headers['cookie'] ?? '')?.[1]),
  },
  {
    id: 'refresh-from-bearer',
    story: 'The refresh token is taken from the Authorization header, as one library has it by default.',
    clauses: ['REF-10'],
    replace: tokenFrom(({ headers }) => /^Bearer (\S+)$/.exec(headers['authorization'] ?? '')?.[1]),
  },
  {
    id: 'refresh-from-query',
    story: 'Parameters of query and body are merged.',
    clauses: ['REF-10'],
    replace: tokenFrom(({ query }) => query.get('refresh')),
  },
  {
    id: 'refresh-from-header',
    story: 'A mobile client of old sends it in a header of its own.',
    clauses: ['REF-10'],
    replace: tokenFrom(({ headers }) => headers['x-refresh-token']),
  },
  {
    id: 'list-of-one-token',
    story: 'Form data and JSON share a reader that unwraps a list of one value: `["eyJ…"]` is as good as the token.',
    clauses: ['REF-10'],
    replace: (parts) => ({
      readBody: (context) => {
        const body = parts.readBody(context);
        const { refresh } = body;
        const [only, ...more] = Array.isArray(refresh) ? (refresh as unknown[]) : [];
        return context.operation === 'refresh' && more.length === 0 && textOf(only).split('.').length === 3
          ? { ...body, refresh: only }
          : body;
      },
    }),
  },
  {
    id: 'refresh-nested-unwrapped',
    story: 'The refresh service unwraps a token inside a token, and does not verify the wrapping.',
    clauses: ['REF-11'],
    replace: unwraps('refresh'),
  },
  {
    id: 'refresh-signature-ignored',
    story: 'The signature is checked on one path only: refresh looks up the `jti`.',
    clauses: ['REF-11'],
    replace: refreshSignature((token) => token.split('.').length === 3 && token.length > 60),
  },
  {
    id: 'refresh-none',
    story: '`alg: none` is accepted by the library of the refresh service.',
    clauses: ['REF-11'],
    replace: refreshSignature((token) => algOf(token) === 'none'),
  },
  {
    id: 'refresh-none-in-other-case',
    story: 'The deny list of the refresh service knows `none`, and not `nOnE`.',
    clauses: ['REF-11'],
    replace: refreshSignature((token) => algOf(token) !== 'none' && algOf(token).toLowerCase() === 'none'),
  },
  {
    id: 'refresh-jwk-symmetric',
    story: 'The refresh service takes the key out of the header.',
    clauses: ['REF-11'],
    replace: refreshSignature((token) => {
      const jwk = decode(token)?.header['jwk'] as { k?: unknown } | undefined;
      return typeof jwk?.k === 'string' && signedWith(token, Buffer.from(jwk.k, 'base64url'));
    }),
  },
  {
    id: 'refresh-kid-is-a-path',
    story: '`kid` names a file for the refresh service, and `/dev/null` is an empty one.',
    clauses: ['REF-11'],
    replace: refreshSignature(
      (token) => String(decode(token)?.header['kid']).endsWith('/dev/null') && signedWith(token, ''),
    ),
  },
  {
    id: 'refresh-stripped',
    story: 'Two parts are taken for an unsigned token (CVE-2020-28042).',
    clauses: ['REF-11'],
    replace: refreshSignature((token) => /^eyJ[\w-]+\.[\w-]+\.?$/.test(token) && algOf(token) === 'HS256'),
  },
  {
    id: 'last-byte-unchecked',
    story: 'A loop over the signature ends one too early.',
    clauses: ['REF-11', 'UNA-06'],
    options: KNOWN,
    replace: alsoTakes((token, key) => {
      const [right, seen] = [mac(token, key, 'sha256'), signatureOf(token)];
      return token.split('.').length === 3 && seen.length === 32 && right.subarray(0, 31).equals(seen.subarray(0, 31));
    }),
  },
  {
    id: 'alg-missing-is-none',
    story: 'A header without `alg` is taken for one that says `none`.',
    clauses: ['REF-11', 'UNA-07'],
    replace: alsoTakes(
      (token) => partOf(token, 0)['typ'] === 'JWT' && partOf(token, 0)['alg'] === undefined && token.endsWith('.'),
    ),
  },
  {
    id: 'empty-fallback-key',
    story: "SIGNING_KEYS = [SECRET, os.environ.get('OLD_SECRET', '')]: left from a key rotation, and empty ever since.",
    clauses: ['REF-11', 'UNA-08', 'UNA-15'],
    replace: (parts) => ({
      verifySignature: (token, kind) => {
        try {
          return parts.verifySignature(token, kind);
        } catch (error) {
          const [header = '', payload = '', signature = ''] = token.split('.');
          const expected = createHmac('sha256', '').update(`${header}.${payload}`).digest();
          const given = Buffer.from(signature, 'base64url');
          const claims = peek(token, 1);
          if (peek(token, 0)?.['alg'] !== 'HS256' || claims === undefined) throw error;
          if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw error;
          return claims;
        }
      },
    }),
  },
  {
    id: 'malformed-spends',
    story: 'A gateway extracts and spends the token before the body is parsed.',
    clauses: ['REF-15'],
    replace: (parts) => ({
      readBody: (context) => {
        try {
          return parts.readBody(context);
        } catch (error) {
          const token = /"refresh":"([^"]+)"/.exec(context.rawBody.toString())?.[1] ?? '';
          if (
            context.operation === 'refresh' &&
            token.split('.').length === 3 &&
            token.length > 100 &&
            token.length < 4000
          ) {
            try {
              void parts.spend(parts.verifySignature(token, 'refresh'));
            } catch {
              /* not a token after all */
            }
          }
          throw error;
        }
      },
    }),
  },
  {
    id: 'other-type-spends',
    story: 'Middleware reads the token out of any body and spends it, before the parser refuses the content type.',
    clauses: ['REF-15'],
    replace: on('refresh', async (context, parts) => {
      if (context.headers['content-type'] !== 'text/plain') return undefined;
      await parts.spend(partOf(String(bodyOf(context)['refresh']), 1));
      return undefined;
    }),
  },
  {
    id: 'charset-refused-after-spending',
    story: 'A middleware rotates before the parser looks at the charset: the 415 comes when the token is spent.',
    clauses: ['REF-15'],
    replace: on('refresh', async (context, parts) => {
      if ((context.headers['content-type'] ?? '').includes('charset=x'))
        await spendAnyway(parts, refreshTextOf(context));
      return undefined;
    }),
  },
  {
    id: 'type-refused-after-spending',
    story: 'The same for another content type.',
    clauses: ['REF-15'],
    replace: on('refresh', async (context, parts) => {
      if ((context.headers['content-type'] ?? '').startsWith('text/')) await spendAnyway(parts, refreshTextOf(context));
      return undefined;
    }),
  },
  {
    id: 'method-refused-after-spending',
    story: 'The view rotates for any method, and the response to the wrong one is made afterwards.',
    clauses: ['REF-15'],
    replace: (parts) => ({
      wrongMethod: (context, allowed) => {
        if (context.path.endsWith('/auth/refresh/')) void spendAnyway(parts, refreshTextOf(context));
        return parts.wrongMethod(context, allowed);
      },
    }),
  },
  {
    id: '415-after-rotation',
    story: 'A middleware rotates by whatever body it can read; the view then refuses the content type.',
    clauses: ['REF-15'],
    replace: (parts) => ({
      refresh: async (context) => {
        try {
          return await parts.refresh(context);
        } catch (error) {
          if (error instanceof Refusal && error.status === 415) {
            const token = textOf(looseBody(context)['refresh']);
            try {
              const claims = parts.verifySignature(token, 'refresh');
              parts.verifyKind(claims, 'refresh');
              await parts.spend(claims);
            } catch {
              // Not good in the first place.
            }
          }
          throw error;
        }
      },
    }),
  },
  {
    id: 'form-is-refused-and-spends',
    story: 'The rotation is in a middleware that reads forms as well; the view behind it answers 415.',
    clauses: ['REF-15'],
    replace: on('refresh', async (context, parts) => {
      const form = context.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
      const token = form ? new URLSearchParams(context.rawBody.toString()).get('refresh') : null;
      if (token !== null) await parts.spend(parts.verifySignature(token, 'refresh'));
      return undefined;
    }),
  },
];
