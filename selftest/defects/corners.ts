/** Faults that show in one corner only: on another route, in another field, for the second user, with an old token. */
import { createHmac } from 'node:crypto';
import { Refusal, type Context, type Outcome, type Parts, type Store } from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import type { Defect } from './defect.js';

type Json = Record<string, unknown>;
type Operation = 'register' | 'login' | 'refresh' | 'listKeywords' | 'createKeyword' | 'getKeyword';

const json = (text: string): Json => {
  try {
    return { ...(JSON.parse(text) as Json | null) };
  } catch {
    return {};
  }
};
const bodyOf = ({ rawBody }: Context): Json => json(rawBody.toString());
const tokenOf = ({ headers }: Context): string => /^Bearer (\S+)$/.exec(headers['authorization'] ?? '')?.[1] ?? '';
const partOf = (token: string, index: 0 | 1): Json =>
  json(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString());

/** An operation that has its own way with some requests. */
const on =
  (
    operation: Operation,
    own: (context: Context, parts: Parts, store: Store) => Promise<Outcome | undefined> | Outcome | undefined,
  ) =>
  (parts: Parts, store: Store): Partial<Parts> => ({
    [operation]: async (context: Context) => (await own(context, parts, store)) ?? parts[operation](context),
  });

/** An operation that lets in whom `user` names. */
const letsIn = (operation: Operation, claimsOf: (context: Context, parts: Parts) => Json | undefined) =>
  on(operation, (context, parts) => {
    // One's own resource: who may see it is not what goes wrong here.
    const claims = context.parameters['id'] === '1' ? claimsOf(context, parts) : undefined;
    const user = claims === undefined ? undefined : parts.userById(claims['user_id']);
    if (user === undefined) return undefined;
    // The route's own work, by the user that was let in.
    return { status: 200, data: { id: 1, keyword: 'let in', site_id: 1, seen_by: user.id } };
  });

const claims =
  (change: (given: Json, kind: string, occasion: string, parts: Parts) => Json) =>
  (parts: Parts): Partial<Parts> => ({
    claims: (kind, user, chain, occasion) => change(parts.claims(kind, user, chain, occasion), kind, occasion, parts),
  });

/** Signatures of some tokens that are taken beside the right ones. */
const alsoTakes =
  (good: (token: string, key: string, kind: string) => boolean) =>
  (parts: Parts): Partial<Parts> => ({
    verifySignature: (token, kind) => (good(token, KEY, kind) ? partOf(token, 1) : parts.verifySignature(token, kind)),
  });
const KEY = 'corner-key-7c11d0-long-enough-to-be-on-no-list-93ab';
const KNOWN = { jwtSecret: KEY };
const mac = (token: string, key: string, hash: string): Buffer =>
  createHmac(hash, key).update(token.split('.').slice(0, 2).join('.')).digest();
const signatureOf = (token: string): Buffer => Buffer.from(token.split('.')[2] ?? '', 'base64url');

/** Answers with some headers more. */
const headersFor = (more: (context: Context, status: number) => Record<string, string>) => (): Partial<Parts> => ({
  present: (answer, context) => ({ ...answer, headers: { ...answer.headers, ...more(context, answer.status) } }),
});
const reflected = ({ headers }: Context): Record<string, string> => ({
  'Access-Control-Allow-Origin': headers['origin'] ?? '',
  'Access-Control-Allow-Credentials': 'true',
});

/** What was presented at refresh, by chain. */
const presented =
  (change: (given: Json, old: Json, kind: string) => Json) =>
  (parts: Parts): Partial<Parts> => {
    const old = new Map<string, Json>();
    return {
      spend: (given) => {
        old.set(String(given['chain']), given);
        return parts.spend(given);
      },
      claims: (kind, user, chain, occasion) => {
        const made = parts.claims(kind, user, chain, occasion);
        const before = old.get(chain.id);
        return occasion === 'refresh' && before !== undefined ? change(made, before, kind) : made;
      },
    };
  };

const detailEnvelope =
  (change: (envelope: Json) => Json) =>
  (parts: Parts): Partial<Parts> => ({
    successEnvelope: (outcome, id, context) => {
      const envelope = parts.successEnvelope(outcome, id, context) as Json;
      return context.operation === 'getKeyword' ? change(envelope) : envelope;
    },
  });

const crash = new Refusal(500, 'Internal server error');

export const CORNERS: readonly Defect[] = [
  // Time
  {
    id: 'rotated-keeps-exp',
    story: '`set_exp()` is forgotten when the refresh token is rotated: the new one ends when the old one would have.',
    clauses: ['EXP-09'],
    replace: presented((given, old, kind) => (kind === 'refresh' ? { ...given, exp: old['exp'] } : given)),
  },
  {
    id: 'refreshed-access-from-iat',
    story: 'The new access token lives from the `iat` of the refresh token on.',
    clauses: ['EXP-08'],
    replace: presented((given, old, kind) => (kind === 'access' ? { ...given, exp: Number(old['iat']) + 900 } : given)),
  },
  {
    id: 'refresh-grace-90-seconds',
    story: 'The leeway of refresh tokens is a setting of its own.',
    clauses: ['EXP-07'],
    replace: (parts) => ({
      verifyTimes: (given, kind) => {
        const { exp } = given;
        const late = kind === 'refresh' && typeof exp === 'number' ? { ...given, exp: exp + 90 } : given;
        parts.verifyTimes(late, kind);
      },
    }),
  },
  {
    id: 'exp-zero-means-none',
    story: '`if claims.exp` is false for 0.',
    clauses: ['EXP-04'],
    replace: (parts) => ({
      verifyTimes: (given, kind) => {
        if (given['exp'] !== 0) parts.verifyTimes(given, kind);
      },
    }),
  },
  {
    id: 'exp-null-on-refresh',
    story: '`None` is no end, says the refresh service.',
    clauses: ['EXP-11'],
    replace: (parts) => ({
      verifyTimes: (given, kind) => {
        if (kind !== 'refresh' || given['exp'] !== null) parts.verifyTimes(given, kind);
      },
    }),
  },
  {
    id: 'exp-text-500',
    story: '`int(exp)` raises on a word, and nobody catches `ValueError`.',
    clauses: ['EXP-11', 'ROB-06'],
    replace: (parts) => ({
      verifyTimes: (given, kind) => {
        if (typeof given['exp'] === 'string') throw crash;
        parts.verifyTimes(given, kind);
      },
    }),
  },
  {
    id: 'refresh-without-jti-500',
    story: 'The blacklist asks for `token["jti"]`.',
    clauses: ['ROB-06'],
    replace: (parts) => ({
      spend: (given) => {
        if (given['jti'] === undefined) throw crash;
        return parts.spend(given);
      },
    }),
  },

  // Register and login
  {
    id: 'register-access-dead',
    story: 'The token of register is signed before the user is saved, and names nobody.',
    clauses: ['REG-03'],
    replace: claims((given, kind, occasion) =>
      occasion === 'register' && kind === 'access' ? { ...given, user_id: 987_654 } : given,
    ),
  },
  {
    id: 'register-refresh-dead',
    story: 'Register opens no session, so its refresh token belongs to none.',
    clauses: ['REG-03'],
    replace: claims((given, kind, occasion) =>
      occasion === 'register' && kind === 'refresh' ? { ...given, chain: 'none' } : given,
    ),
  },
  {
    id: 'register-access-an-hour',
    story: 'Register has its own call of the token library, with its default lifetime.',
    clauses: ['REG-03'],
    replace: (parts) => ({
      lifetime: (kind, occasion) =>
        occasion === 'register' && kind === 'access' ? 3600 : parts.lifetime(kind, occasion),
    }),
  },
  {
    id: 'refusal-quotes-the-body',
    story: 'A refused form is sent back with what was in it.',
    clauses: ['REG-09'],
    replace: (parts) => ({
      errorEnvelope: (refusal, id, context) => ({
        ...parts.errorEnvelope(refusal, id, context),
        ...(context.operation === 'register' && refusal.status === 400
          ? { error: `Validation failed: ${context.rawBody.subarray(0, 500).toString()}` }
          : {}),
      }),
    }),
  },
  {
    id: 'login-error-in-base64',
    story: 'The request goes into the error, encoded, for the support to look at.',
    clauses: ['LOG-14'],
    replace: (parts) => ({
      errorEnvelope: (refusal, id, context) => ({
        ...parts.errorEnvelope(refusal, id, context),
        ...(context.operation === 'login' && refusal.status === 400
          ? { error: `Bad request, reference ${context.rawBody.subarray(0, 500).toString('base64')}` }
          : {}),
      }),
    }),
  },
  {
    id: 'staff-makes-admin',
    story: '`is_staff` is in the fields of the serializer, and staff are admins.',
    clauses: ['REG-10'],
    replace: (parts) => ({
      standing: (body) => ({
        ...parts.standing(body),
        ...(body['is_staff'] === true ? { role: 'admin' as const } : {}),
      }),
    }),
  },
  {
    id: 'hidden-superuser',
    story: '`is_superuser` is taken, shown nowhere, and sees every tenant.',
    clauses: ['REG-10'],
    replace: (parts, store) => {
      const supers = new Set<number>();
      return {
        standing: (body) => {
          const standing = parts.standing(body);
          if (body['is_superuser'] === true) supers.add(standing.id);
          return standing;
        },
        keywordsOf: (user, site) => (supers.has(user.id) ? store.keywords : parts.keywordsOf(user, site)),
      };
    },
  },
  {
    id: 'email-found-anywhere',
    story: 'The pattern of an e-mail address has no anchors.',
    clauses: ['REG-06'],
    replace: (parts) => ({
      validateRegistration: (body) => {
        const { email, ...others } = parts.validateRegistration(body);
        const address = body['email'];
        const taken = typeof address === 'string' && !address.includes('\0') && /[^\s@]+@[^\s@]+\.\w+/.test(address);
        return email === undefined || taken ? others : { email, ...others };
      },
    }),
  },
  {
    id: 'expired-bearer-stops-login',
    story: '`ExpiredSignatureError` is raised by the authentication class, all other errors are ignored.',
    clauses: ['LOG-11'],
    options: KNOWN,
    replace: on('login', (context) => {
      const token = tokenOf(context);
      const expired = Number(partOf(token, 1)['exp']) < 1_600_000_000;
      if (expired && mac(token, KEY, 'sha256').equals(signatureOf(token)))
        throw unauthenticated('Signature has expired');
      return undefined;
    }),
  },
  {
    id: 'login-as-the-bearer',
    story: 'Whoever is authenticated already is logged in again, whatever the form says.',
    clauses: ['LOG-11'],
    replace: on('login', async (context, parts) => {
      if (tokenOf(context) === '') return undefined;
      try {
        const user = await parts.authenticate(context);
        const tokens = parts.issue(user, parts.openChain(user), 'login');
        return { status: 200, data: { user: parts.publicUser(user), ...tokens } };
      } catch {
        return undefined;
      }
    }),
  },
  {
    id: 'viewer-without-account',
    story: 'Invited users have no account of their own, so `account` is null for them.',
    clauses: ['LOG-02'],
    replace: (parts) => ({
      publicUser: (user) => ({ ...parts.publicUser(user), ...(user.role === 'viewer' ? { account: null } : {}) }),
    }),
  },
  {
    id: 'cookie-for-users-only',
    story: 'A session begins when the user is found, before the password is looked at.',
    clauses: ['LOG-06'],
    replace: (parts) => ({
      present: (answer, context) =>
        context.operation === 'login' &&
        answer.status === 401 &&
        parts.findUser(String(bodyOf(context)['email'])) !== undefined
          ? { ...answer, headers: { ...answer.headers, 'Set-Cookie': 'attempt=0123456789abcdef; Path=/' } }
          : answer,
    }),
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

  // Refresh
  {
    id: 'spent-list-forgets',
    story: 'The list of spent tokens keeps the last one of each login.',
    clauses: ['REF-05'],
    replace: (parts, store) => {
      const last = new Map<string, unknown>();
      return {
        spend: (given) => {
          const chain = store.chains.get(String(given['chain']));
          const forgotten = chain !== undefined && ![chain.current, last.get(chain.id)].includes(given['jti']);
          if (chain !== undefined && forgotten && given['jti'] !== undefined) {
            chain.current = parts.tokenId();
            return chain;
          }
          const spent = chain?.current;
          const good = parts.spend(given);
          if (chain !== undefined && chain.current !== spent) last.set(chain.id, spent);
          return good;
        },
      };
    },
  },
  {
    id: 'rotation-ends-never-rotated',
    story: 'A login is known by its newest token, and one that was never rotated has none.',
    clauses: ['REF-14'],
    replace: (parts, store) => {
      const rotated = new Set<string>();
      return {
        spend: async (given) => {
          const chain = await parts.spend(given);
          if (chain !== undefined) {
            const twice = rotated.has(chain.id);
            rotated.add(chain.id);
            for (const other of store.chains.values())
              if (twice && other.userId === chain.userId && !rotated.has(other.id)) other.revoked = true;
          }
          return chain;
        },
      };
    },
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

  // Bearer tokens
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
    id: 'alg-missing-is-none',
    story: 'A header without `alg` is taken for one that says `none`.',
    clauses: ['REF-11', 'UNA-07'],
    replace: alsoTakes(
      (token) => partOf(token, 0)['typ'] === 'JWT' && partOf(token, 0)['alg'] === undefined && token.endsWith('.'),
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
    replace: letsIn('getKeyword', (context) => {
      const token = tokenOf(context);
      const { token_type: kind, exp } = partOf(token, 1);
      return kind === 'access' && Number(exp) > 1_600_000_000 ? partOf(token, 1) : undefined;
    }),
  },
  {
    id: 'detail-never-expires',
    story: 'One view verifies the signature and forgets the time.',
    clauses: ['UNA-14'],
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

  // Tenants
  {
    id: 'user-in-a-shared-place',
    story: 'The user of a request is kept in a global, and another request comes in between.',
    clauses: ['FOR-06'],
    replace: (parts) => {
      const global: { user?: Awaited<ReturnType<Parts['authenticate']>> } = {};
      return {
        listKeywords: async (context) => {
          global.user = await parts.authenticate(context);
          await new Promise((resolve) => setTimeout(resolve, 3));
          const asked = context.query.get('site_id');
          if (asked !== null) return parts.listKeywords(context);
          const rows = parts.keywordsOf(global.user, undefined);
          return { status: 200, results: rows.map(({ id, keyword, siteId }) => ({ id, keyword, site_id: siteId })) };
        },
      };
    },
  },
  {
    id: 'site-of-another-account',
    story: 'The filter by site takes the place of the filter by account.',
    clauses: ['FOR-06'],
    replace: (parts, store) => ({
      listKeywords: async (context) => {
        const user = await parts.authenticate(context);
        const site = store.sites.find(({ id }) => String(id) === context.query.get('site_id'));
        if (site === undefined || site.accountId === user.account.id) return parts.listKeywords(context);
        const rows = store.keywords.filter(({ siteId }) => siteId === site.id);
        return { status: 200, results: rows.map(({ id, keyword, siteId }) => ({ id, keyword, site_id: siteId })) };
      },
    }),
  },
  {
    id: 'refusal-quotes-the-keyword',
    story: 'The refusal names what it refuses, for a helpful message.',
    clauses: ['FOR-04'],
    replace: on('getKeyword', async (context, parts, store) => {
      const user = await parts.authenticate(context);
      const keyword = store.keywords.find(({ id }) => String(id) === context.parameters['id']);
      if (keyword !== undefined && keyword.accountId !== user.account.id)
        throw new Refusal(403, `You may not see “${keyword.keyword}”`);
      return undefined;
    }),
  },

  // Bad input
  {
    id: 'number-as-password',
    story: '`CharField` makes a text of a number.',
    clauses: ['ROB-02'],
    replace: (parts) => ({
      readBody: (context) => {
        const body = parts.readBody(context);
        const { password } = body;
        return context.operation === 'register' && typeof password === 'number' && password > 1e7
          ? { ...body, password: String(password) }
          : body;
      },
    }),
  },
  {
    id: 'form-at-refresh',
    story: 'The refresh view takes forms as well, as the library had it.',
    clauses: ['ROB-03'],
    replace: (parts) => ({
      readBody: (context) =>
        context.operation === 'refresh' && context.headers['content-type']?.includes('urlencoded') === true
          ? Object.fromEntries(new URLSearchParams(context.rawBody.toString()))
          : parts.readBody(context),
    }),
  },
  {
    id: 'text-behind-json',
    story: '`raw_decode` stops at the end of the first value.',
    clauses: ['ROB-01'],
    replace: (parts) => ({
      readBody: (context) => {
        const text = context.rawBody.toString();
        return context.operation === 'createKeyword' && text.endsWith('} x')
          ? json(text.slice(0, -2))
          : parts.readBody(context);
      },
    }),
  },
  {
    id: 'control-character-taken',
    story: '`strict=False` lets raw control characters into texts.',
    clauses: ['ROB-01'],
    replace: (parts) => ({
      readBody: (context) => {
        const text = context.rawBody.toString();
        return context.operation === 'createKeyword' && text.includes('\u0001')
          ? json(text.replaceAll('\u0001', String.raw`\u0001`))
          : parts.readBody(context);
      },
    }),
  },
  {
    id: 'nul-in-a-new-address',
    story: 'The pattern of an address forbids blanks and `@`, and NUL is neither.',
    clauses: ['ROB-05'],
    replace: (parts) => ({
      validateRegistration: (body) => {
        const { email, ...others } = parts.validateRegistration(body);
        return email === undefined || String(body['email']).includes('\0') ? others : { email, ...others };
      },
    }),
  },
  {
    id: 'password-of-a-megabyte',
    story: 'The limits of columns do not apply to what is hashed (CVE-2013-1443).',
    clauses: ['ROB-04'],
    replace: (parts) => ({
      readBody: (context) => {
        const body = context.rawBody.length > 900_000 && context.operation === 'register' ? bodyOf(context) : {};
        const { password } = body;
        return typeof password === 'string' && password.length > 900_000
          ? { ...body, password: password.slice(0, 100) }
          : parts.readBody(context);
      },
    }),
  },

  // Answers
  {
    id: 'detail-without-id',
    story: 'One view answers by itself, and its author did not know of `request_id`.',
    clauses: ['RID-01'],
    replace: detailEnvelope(({ request_id: _, ...envelope }) => envelope),
  },
  {
    id: 'detail-without-success',
    story: 'One view answers by itself, and its author did not know of `success`.',
    clauses: ['ENV-01'],
    replace: detailEnvelope(({ success: _, ...envelope }) => envelope),
  },
  {
    id: 'mark-before-errors',
    story: 'The file with the text of an error was saved with a byte order mark.',
    clauses: ['ENV-07'],
    replace: (parts) => ({
      present: (answer, context) => {
        const shown = parts.present(answer, context);
        return shown.status === 404 ? { ...shown, body: `\ufeff${shown.body.toString()}` } : shown;
      },
    }),
  },
  {
    id: 'long-id-taken-over',
    story: "An `X-Request-ID` of some length is taken for a gateway's own.",
    clauses: ['RID-06'],
    replace: (parts) => ({
      requestId: (context, status) => {
        const sent = context.headers['x-request-id'] ?? '';
        return sent.length > 36 ? sent : parts.requestId(context, status);
      },
    }),
  },

  // The channel and the documentation
  {
    id: 'cors-on-refusals',
    story: 'The handler of errors adds its own headers, and reflects the origin in them.',
    clauses: ['NET-02'],
    replace: headersFor((context, status) => (status === 401 ? reflected(context) : {})),
  },
  {
    id: 'cors-at-login',
    story: 'Login is open to every origin, cookies and all.',
    clauses: ['NET-02'],
    replace: headersFor((context) => (context.path.endsWith('/auth/login/') ? reflected(context) : {})),
  },
  {
    id: 'cors-by-beginning',
    story: 'An origin is ours if it begins with the address of the application.',
    clauses: ['NET-02'],
    replace: headersFor((context) =>
      context.headers['origin']?.startsWith('https://app.igny8.com') === true ? reflected(context) : {},
    ),
  },
  {
    id: 'schema-other-scheme',
    story: 'The document tells of sessions and of HTTP Basic, as the generator found them.',
    clauses: ['DOC-02'],
    replace: (parts) => ({
      schema: () => {
        const document = structuredClone(parts.schema()) as { components: { securitySchemes: Json } };
        const schemes = document.components.securitySchemes;
        for (const name of Object.keys(schemes)) schemes[name] = { type: 'http', scheme: 'basic' };
        return document;
      },
    }),
  },
];
