/**
 * Servers that conform, each in another way than the embedded target does, and runs that were given less. Whatever fails or is blocked here
 * is a false alarm: the counterpart of the defects. Each names the words of the contract that allow it.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { ReferenceOptions } from '../fixtures/reference/server.js';
import { Refusal, type Context, type Outcome, type Parts, type Store } from '../fixtures/reference/behaviour.js';
import { unauthenticated } from '../fixtures/reference/jwt.js';
import type { Target } from '../fixtures/run/target.js';
import type { ClauseId } from '../spec/generated/clauses.js';

export interface Variant {
  readonly id: string;
  /** What allows it. */
  readonly words: string;
  readonly replace?: (parts: Parts, store: Store) => Partial<Parts>;
  readonly options?: Omit<ReferenceOptions, 'replace'>;
  /** What a run against it is given. */
  readonly target?: (target: Target) => Target;
  /** Clauses that fail all the same: a MAY, or one about what the run was given. */
  readonly fails?: readonly ClauseId[];
}

type Json = Record<string, unknown>;

/** Refusals of some requests with another status or other texts. */
const refusals =
  (change: (refusal: Refusal, context: Context) => Refusal) =>
  (parts: Parts): Partial<Parts> => {
    const changed =
      (operation: 'register' | 'login' | 'refresh' | 'createKeyword') =>
      async (context: Context): Promise<Outcome> => {
        try {
          return await parts[operation](context);
        } catch (error) {
          throw error instanceof Refusal ? change(error, context) : error;
        }
      };
    return {
      register: changed('register'),
      login: changed('login'),
      refresh: changed('refresh'),
      createKeyword: changed('createKeyword'),
    };
  };

const withStatus = ({ error, errors, headers }: Refusal, status: number): Refusal =>
  new Refusal(status, error, errors, headers);

const claims =
  (change: (given: Json, kind: string, occasion: string) => Json) =>
  (parts: Parts): Partial<Parts> => ({
    claims: (kind, user, chain, occasion) => change(parts.claims(kind, user, chain, occasion), kind, occasion),
  });

const headers =
  (change: (headers: Record<string, string>, context: Context, status: number) => Record<string, string>) =>
  (): Partial<Parts> => ({
    present: (answer, context) => ({ ...answer, headers: change(answer.headers, context, answer.status) }),
  });

const members = (context: Context): Json => {
  try {
    return { ...(JSON.parse(context.rawBody.toString()) as Json | null) };
  } catch {
    return {};
  }
};

/** A target that was given less. */
const without =
  (...names: readonly ('owner' | 'viewer' | 'foreignResource' | 'deniedSite' | 'secret')[]) =>
  (target: Target): Target => {
    const needs = {
      owner: [],
      viewer: ['viewer'],
      foreignResource: [],
      deniedSite: ['site'],
      secret: ['secret'],
    } as const;
    const gone: readonly string[] = names.flatMap((name) => needs[name]);
    const left = Object.fromEntries(Object.entries(target).filter(([name]) => !names.some((one) => one === name)));
    return { ...(left as unknown as Target), capabilities: target.capabilities.filter((one) => !gone.includes(one)) };
  };

const YEAR_MS = 365 * 86_400_000;

/** A limit on logins that counts in windows of its own. @param inWindow which of its window the nth login of a burst is */
function counting(inWindow: (logins: number) => number): NonNullable<Variant['replace']> {
  return (parts) => {
    let logins = 0;
    return {
      throttle: (context) => {
        const throttle = parts.throttle(context);
        if (throttle.limit > 1000) {
          logins = 0;
          return throttle;
        }
        const count = inWindow((logins += 1));
        return { ...throttle, remaining: Math.max(0, throttle.limit - count), refused: count > throttle.limit };
      },
    };
  };
}

export const VARIANTS: readonly Variant[] = [
  // What an answer looks like
  {
    id: 'ids-in-capitals',
    words: 'A UUID may be in either letter case.',
    replace: (parts) => ({ requestId: (context, status) => String(parts.requestId(context, status)).toUpperCase() }),
  },
  {
    id: 'ids-by-time',
    words: 'RID-05: RFC 9562 variant and version, whichever version it is.',
    replace: () => {
      let last = Date.now();
      return {
        requestId: () => {
          last += 1;
          return `${last
            .toString(16)
            .padStart(12, '0')
            .replace(/^(.{8})/, '$1-')}-7${randomUUID().slice(15)}`;
        },
      };
    },
  },
  {
    id: 'more-in-data',
    words: 'Extra members inside `data` are no fault; `message` is optional on success.',
    replace: (parts) => ({
      successEnvelope: (outcome, id, context) => {
        const envelope = parts.successEnvelope(outcome, id, context) as Json;
        const more = { expires_in: 900, plan: { name: 'free' }, features: [] };
        return 'data' in outcome
          ? { ...envelope, message: 'Done', data: { ...(outcome.data as Json), ...more } }
          : { ...envelope, message: 'Listed' };
      },
    }),
  },
  {
    id: 'no-charset',
    words: 'ENV-07: `application/json` in UTF-8; the media type has no charset parameter (RFC 8259 §11).',
    replace: headers((given) => ({ ...given, 'Content-Type': 'application/json' })),
  },
  {
    id: 'several-challenges',
    words: 'UNA-12: `WWW-Authenticate` with scheme `Bearer`, alone or among others (RFC 9110 §11.6.1).',
    replace: headers((given, _, status) =>
      status === 401
        ? { ...given, 'WWW-Authenticate': 'Basic realm="x, Bearer", Bearer realm="api", error="invalid_token"' }
        : given,
    ),
  },
  {
    id: 'other-texts',
    words: 'UNA-02: other 401s than that for missing credentials may say more.',
    replace: (parts) => ({
      errorEnvelope: (refusal, id, context) => ({
        ...parts.errorEnvelope(refusal, id, context),
        ...(refusal.status === 401 && context.headers['authorization'] !== undefined
          ? { error: 'The token is not good.' }
          : {}),
      }),
    }),
  },
  {
    id: 'private-no-store',
    words: 'LOG-12: `Cache-Control: no-store`, with other directives or without.',
    replace: headers((given) => ({ ...given, 'Cache-Control': 'private, no-store, max-age=0' })),
  },
  {
    id: 'cookies-that-open-nothing',
    words: 'UNA-11: cookies set by login do not authenticate by themselves.',
    replace: headers((given, { operation }, status) =>
      operation === 'login' && status === 200
        ? { ...given, 'Set-Cookie': `sessionid=${randomUUID()}; HttpOnly; Path=/` }
        : given,
    ),
  },

  // Statuses where the contract names two, or none
  {
    id: 'duplicate-400',
    words: 'REG-07: 400 or 409.',
    replace: refusals((refusal) => (refusal.status === 409 ? withStatus(refusal, 400) : refusal)),
  },
  {
    id: 'foreign-404',
    words: "FOR-04: 403 (or 404), for another account's resource.",
    replace: (parts, store) => ({
      getKeyword: async (context) => {
        const user = await parts.authenticate(context);
        const keyword = store.keywords.find(({ id }) => String(id) === context.parameters['id']);
        if (keyword !== undefined && keyword.accountId !== user.account.id)
          throw new Refusal(404, 'Resource not found');
        return parts.getKeyword(context);
      },
    }),
    fails: ['FOR-05'],
  },
  {
    id: 'empty-is-401',
    words: 'LOG-08 and REF-10: 400 or 401 for an empty text.',
    replace: refusals((refusal, context) => {
      const { email, password, refresh } = members(context);
      const empty =
        context.operation === 'login'
          ? email === '' || password === ''
          : typeof refresh === 'string' && refresh.trim() === '';
      return refusal.status === 400 && context.operation !== 'register' && empty
        ? unauthenticated('Invalid credentials')
        : refusal;
    }),
  },
  {
    id: 'no-token-400',
    words: 'REF-08: 401 (400 accepted) for a text that is no JWT.',
    replace: refusals((refusal, context) => {
      const { refresh } = members(context);
      return refusal.status === 401 && typeof refresh === 'string' && !refresh.startsWith('eyJ')
        ? withStatus(refusal, 400)
        : refusal;
    }),
  },
  {
    id: 'content-type-400',
    words: 'ROB-03: 400 or 415.',
    replace: refusals((refusal) => (refusal.status === 415 ? withStatus(refusal, 400) : refusal)),
  },
  {
    id: 'keyword-422',
    words: '"Refused", of a body: 4xx. A keyword has no clause of its own that names another status.',
    replace: refusals((refusal, { operation }) =>
      operation === 'createKeyword' && refusal.errors !== undefined ? withStatus(refusal, 422) : refusal,
    ),
  },
  {
    id: 'long-413',
    words: 'ROB-04 asks for a 4xx.',
    replace: refusals((refusal, { rawBody }) => (rawBody.length > 500_000 ? withStatus(refusal, 413) : refusal)),
  },
  {
    id: 'routes-behind-login',
    words: 'Without a token, a wrong method or an unknown route may be 401, 404 or 405.',
    replace: (parts) => ({
      unknownRoute: (context) =>
        context.headers['authorization'] === undefined ? unauthenticated() : parts.unknownRoute(context),
      wrongMethod: (context, allowed) =>
        context.headers['authorization'] === undefined ? unauthenticated() : parts.wrongMethod(context, allowed),
    }),
  },
  {
    id: 'slash-required',
    words: 'ROB-08: a path without its last slash is never a 5xx; a redirect is fine, and so is 404.',
    replace: (parts) => ({
      withoutSlash: (context) => {
        throw parts.unknownRoute(context);
      },
    }),
  },
  {
    id: 'scheme-as-written',
    words: "UNA-13 is a MAY: the scheme's letter case may matter.",
    replace: (parts) => ({
      bearer: (context) => {
        if (!(context.headers['authorization'] ?? 'Bearer ').startsWith('Bearer ')) throw unauthenticated();
        return parts.bearer(context);
      },
    }),
    fails: ['UNA-13'],
  },

  // Accounts
  {
    id: 'domain-in-small-letters',
    words: 'An e-mail comes back equal up to the letter case of its domain.',
    replace: (parts) => ({
      insertUser: (user) => {
        const [local = '', domain = ''] = user.email.split('@');
        parts.insertUser({ ...user, email: `${local}@${domain.toLowerCase()}` });
      },
    }),
  },
  {
    id: 'names-may-be-missing',
    words: '`first_name` and `last_name` are always sent; a server may do without, or insist on them.',
    replace: (parts) => ({
      validateRegistration: (body) => ({
        ...parts.validateRegistration(body),
        ...(body['first_name'] === undefined ? { first_name: ['This field is required.'] } : {}),
      }),
    }),
  },
  {
    id: 'unknown-members-refused',
    words: 'REG-10: extra members take no effect; refusing the body is one way.',
    replace: (parts) => ({
      validateRegistration: (body) => ({
        ...parts.validateRegistration(body),
        ...Object.fromEntries(
          Object.keys(body)
            .filter((name) => !['email', 'username', 'password', 'first_name', 'last_name'].includes(name))
            .map((name) => [name, ['Unknown field.']]),
        ),
      }),
      validateKeyword: (body, partial) => ({
        ...parts.validateKeyword(body, partial),
        ...(Object.keys(body).some((name) => !['keyword', 'site_id'].includes(name))
          ? { body: ['Unknown field.'] }
          : {}),
      }),
    }),
  },
  {
    id: 'strict-passwords',
    words:
      'Control characters in a password may be accepted, and so refused; the documents set no upper limit, and a server may have one.',
    replace: (parts) => ({
      validateRegistration: (body) => ({
        ...parts.validateRegistration(body),
        ...(/\p{Cc}/u.test(String(body['password'])) || String(body['password']).length > 64
          ? { password: ['This password is not allowed.'] }
          : {}),
      }),
    }),
  },
  {
    id: 'latin-names-only',
    words: 'ROB-09: where such a user name is accepted, it comes back unchanged; it may be refused.',
    replace: (parts) => ({
      validateRegistration: (body) => ({
        ...parts.validateRegistration(body),
        ...(/^[\w.@+-]*$/.test(String(body['username'])) ? {} : { username: ['Enter a valid username.'] }),
      }),
    }),
  },

  // Tokens and time
  {
    id: 'user-id-as-text',
    words: "TOK-04: the user's `id`, as a number or as text.",
    replace: claims((given) => ({ ...given, user_id: String(given['user_id']) })),
  },
  {
    id: 'more-claims',
    words: 'What else is in a payload is not said.',
    replace: claims((given) => ({
      ...given,
      iss: 'igny8',
      aud: ['api'],
      sub: String(given['user_id']),
      nbf: Number(given['iat']),
    })),
  },
  {
    id: 'old-iat-after-refresh',
    words: "Lifetimes are judged against the server's own `Date`: libraries copy an old `iat` into refreshed tokens.",
    replace: claims((given, _, occasion) =>
      occasion === 'refresh' ? { ...given, iat: Number(given['iat']) - 3000 } : given,
    ),
  },
  {
    id: 'exp-in-fractions',
    words: 'A NumericDate is a number of seconds; non-integer values can be represented (RFC 7519 §2).',
    replace: claims((given) => ({ ...given, exp: Number(given['exp']) + 0.25, iat: Number(given['iat']) + 0.25 })),
  },
  {
    id: 'remembers-what-it-issued',
    words: 'Servers rightly refuse tokens that they never issued; the clause is unverified.',
    replace: (parts) => {
      const issued = new Set<string>();
      const hash = (token: string): string => createHash('sha256').update(token).digest('hex');
      let genuine = true;
      return {
        sign: (given, kind) => {
          // Each with something in it that a second signing would not have.
          const token = parts.sign({ ...given, nonce: randomUUID() }, kind);
          issued.add(hash(token));
          return token;
        },
        verifySignature: (token, kind) => {
          const verified = parts.verifySignature(token, kind);
          genuine = issued.has(hash(token));
          if (!genuine) throw unauthenticated('Invalid or expired token');
          return verified;
        },
      };
    },
    // Signed again unchanged, a token is the same text: only one that is not is refused.
  },
  {
    id: 'access-ends-with-rotation',
    words: 'Whether access tokens of a revoked or rotated chain live on is not judged.',
    replace: (parts) => {
      const newest = new Map<unknown, unknown>();
      const checked = (given: Json): Json => {
        if (given['token_type'] === 'access' && newest.get(given['login']) !== given['jti'])
          throw unauthenticated('Invalid or expired token');
        return given;
      };
      return {
        claims: (kind, user, chain, occasion) => {
          const given = { ...parts.claims(kind, user, chain, occasion), login: chain.id };
          if (kind === 'access') newest.set(chain.id, (given as Json)['jti']);
          return given;
        },
        verifySignature: (token, kind) => checked(parts.verifySignature(token, kind)),
      };
    },
  },
  {
    id: 'access-ends-with-its-chain',
    words: 'Whether access tokens of a revoked or rotated chain live on is not judged.',
    replace: (parts, store) => ({
      claims: (kind, user, chain, occasion) => ({ ...parts.claims(kind, user, chain, occasion), chain: chain.id }),
      verifyKind: (given, kind) => {
        parts.verifyKind(given, kind);
        if (kind === 'access' && store.chains.get(String(given['chain']))?.revoked === true)
          throw unauthenticated('Invalid or expired token');
      },
    }),
  },
  {
    id: 'grace-of-30-seconds',
    words: 'EXP-07: a grace after `exp` of at most 60 s.',
    replace: (parts) => ({
      verifyTimes: (given, kind) => {
        parts.verifyTimes(typeof given['exp'] === 'number' ? { ...given, exp: given['exp'] + 30 } : given, kind);
      },
    }),
  },
  {
    id: 'two-years-ahead',
    words: "Lifetimes are judged against the server's own `Date`.",
    options: { clock: () => Date.now() + 2 * YEAR_MS },
  },
  {
    id: 'two-years-behind',
    words: "Lifetimes are judged against the server's own `Date`.",
    options: { clock: () => Date.now() - 2 * YEAR_MS },
  },

  {
    id: 'reuse-ends-all-logins',
    words: 'REF-13: reuse of a spent token revokes the whole chain. That it ends more than the chain is not forbidden.',
    replace: (parts, store) => ({
      reused: (chain) => {
        for (const other of store.chains.values()) if (other.userId === chain.userId) other.revoked = true;
      },
      claims: (kind, user, chain, occasion) => ({ ...parts.claims(kind, user, chain, occasion), chain: chain.id }),
      verifyKind: (given, kind) => {
        parts.verifyKind(given, kind);
        if (kind === 'access' && store.chains.get(String(given['chain']))?.revoked === true)
          throw unauthenticated('Invalid or expired token');
      },
    }),
  },
  {
    id: 'two-parts-400',
    words: 'REF-08: 400 accepted for a text that is no JWT, and two parts are none.',
    replace: refusals((refusal, context) => {
      const { refresh } = members(context);
      return refusal.status === 401 && typeof refresh === 'string' && refresh.split('.').length !== 3
        ? withStatus(refusal, 400)
        : refusal;
    }),
  },

  // Access
  {
    id: 'paged-lists',
    words: 'Lists are `{ success, count, next, previous, results, request_id }`, a page at a time.',
    replace: (parts) => ({
      successEnvelope: (outcome, id, context) => {
        const envelope = parts.successEnvelope(outcome, id, context) as Json;
        if (!('results' in outcome)) return envelope;
        const page = Number(context.query.get('page') ?? '1');
        const pages = Math.ceil(outcome.results.length / 10);
        const address = (number: number): string => `http://localhost${context.path}?page=${String(number)}`;
        return {
          ...envelope,
          next: page < pages ? address(page + 1) : null,
          previous: page > 1 ? address(page - 1) : null,
          results: outcome.results.slice((page - 1) * 10, page * 10),
        };
      },
    }),
  },
  {
    id: 'list-in-data',
    words:
      "The guide's success envelope: `{ success: true, data, request_id }`; the form of lists is a sibling page's.",
    replace: (parts) => ({
      successEnvelope: (outcome, id, context) =>
        'results' in outcome
          ? { success: true, data: outcome.results, request_id: id }
          : parts.successEnvelope(outcome, id, context),
    }),
  },
  {
    id: 'list-in-an-object',
    words: "The guide's success envelope, with the rows under a name of their own.",
    replace: (parts) => ({
      successEnvelope: (outcome, id, context) =>
        'results' in outcome
          ? { success: true, data: { keywords: outcome.results, total: outcome.results.length }, request_id: id }
          : parts.successEnvelope(outcome, id, context),
    }),
  },
  {
    id: 'newest-first',
    words: 'The order of a list is not said.',
    replace: (parts) => ({ keywordsOf: (user, site) => [...parts.keywordsOf(user, site)].reverse() }),
  },

  {
    id: 'window-turns',
    words: 'THR-02: past the limit. A fixed window may end in the middle of a burst, and count anew.',
    replace: counting((logins) => (logins > 6 ? logins - 6 : logins)),
  },
  {
    id: 'window-too-short',
    words: 'THR-02: past the limit. Logins may be too slow to pass it within one window.',
    replace: counting((logins) => 1 + (logins % 5)),
  },
  {
    id: 'limit-beyond-a-burst',
    words: 'THR-02: past the limit. How high that is, nobody says.',
    replace: (parts) => {
      let count = 0;
      return {
        throttle: (context) => ({
          ...parts.throttle(context),
          limit: 100_000,
          remaining: 100_000 - (count += 1),
          refused: false,
        }),
      };
    },
  },

  {
    id: 'documents-the-guide-only',
    words: "DOC-02: the served document names the guide's endpoints.",
    replace: (parts) => ({
      schema: () => {
        const document = structuredClone(parts.schema()) as { paths: Record<string, Json> };
        const { '/planner/keywords/': list, '/planner/keywords/{id}/': _, ...others } = document.paths;
        return { ...document, paths: { ...others, '/planner/keywords/': { get: list?.['get'] } } };
      },
    }),
  },

  // Runs that were given less
  {
    id: 'given-nothing',
    words: 'Needs –: nothing but the base URL and permission to register.',
    target: without('owner', 'viewer', 'foreignResource', 'deniedSite', 'secret'),
  },
  {
    id: 'given-one-account',
    words: 'Needs –: one known account.',
    target: (target) => {
      const less = without('viewer', 'foreignResource', 'deniedSite', 'secret')(target);
      return {
        ...less,
        register: false,
        capabilities: less.capabilities.filter((one) => one !== 'register' && one !== 'foreign'),
      };
    },
  },
  { id: 'given-no-key', words: 'Needs secret: without it the clause is unverified.', target: without('secret') },
  {
    id: 'given-the-wrong-key',
    words: 'If the key turns out not to be the target’s, those clauses stay unverified.',
    target: (target) => ({ ...target, secret: 'not-the-key-of-this-target-at-all' }),
    fails: ['TOK-09'],
  },
];
