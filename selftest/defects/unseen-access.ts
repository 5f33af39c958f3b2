import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { Refusal, type Keyword, type Outcome, type User } from '../../fixtures/reference/behaviour.js';
import { basicPair, connectionNumbers, looseBody, peek, textOf } from './unseen-help.js';
import type { Defect } from './defect.js';

const BLOCKED_ALGORITHMS: readonly unknown[] = ['none', 'None', 'NONE', 'nOnE'];
const SUPERSCRIPT = /^(?=.*[¹²³⁰⁴-⁹])[\d¹²³⁰⁴-⁹]+$/;
/** Texts of JSON, and what Python reads as a number beside them. */
const PYTHON_NUMBERS = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g;

function cookieOf(headers: Readonly<Record<string, string | undefined>>): string {
  return /(?:^|;\s*)sessionid=([^;]+)/.exec(headers['cookie'] ?? '')?.[1] ?? '';
}

export const UNSEEN_ACCESS: readonly Defect[] = [
  // UNA-01: "no `Authorization`: 401"
  {
    id: 'token-in-body',
    story: 'The OAuth library reads `access_token` from the body, too (RFC 6750 §2.2), as its default.',
    clauses: ['UNA-01'],
    replace: (parts) => ({
      bearer: (context) => {
        const token = looseBody(context)['access_token'];
        return context.headers['authorization'] === undefined && typeof token === 'string'
          ? token
          : parts.bearer(context);
      },
    }),
  },
  // UNA-06: "signature changed (in its bytes) … 401"
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
  // UNA-07: "`alg: none` in any letter case … 401"
  {
    id: 'none-by-a-list',
    story: 'The library folds the case of `alg`, and the block list before it has the spellings from a blog post only.',
    clauses: ['UNA-07'],
    replace: (parts) => ({
      verifySignature: (token, kind) => {
        const alg = peek(token, 0)?.['alg'];
        const claims = peek(token, 1);
        return kind === 'access' &&
          textOf(alg).toLowerCase() === 'none' &&
          !BLOCKED_ALGORITHMS.includes(alg) &&
          claims !== undefined
          ? claims
          : parts.verifySignature(token, kind);
      },
    }),
  },
  // UNA-08: "signed with another key: 401"; REF-11: "… or another key is refused"
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
  // UNA-14: "the same on every documented protected route and method" (HEAD is announced by `Allow`)
  {
    id: 'head-is-open',
    story: 'A health check needed HEAD without a token; the exception covers every route, and tells which ids exist.',
    clauses: ['UNA-14'],
    replace: (parts, store) => {
      const open = ({ method, headers }: { method: string; headers: Record<string, string | undefined> }): boolean =>
        method === 'HEAD' && headers['authorization'] === undefined;
      return {
        listKeywords: (context) =>
          open(context) ? Promise.resolve({ status: 200, results: [] }) : parts.listKeywords(context),
        getKeyword: (context) => {
          if (!open(context)) return parts.getKeyword(context);
          const there = store.keywords.some(({ id }) => String(id) === context.parameters['id']);
          if (!there) throw new Refusal(404, 'Resource not found');
          return Promise.resolve({ status: 200, data: {} });
        },
      };
    },
  },
  // UNA-16: "a well-signed token for a user who does not exist (unknown, huge, negative, text id) … 401"
  {
    id: 'text-id-counts-its-digits',
    story: "WHERE id = '12abc' in MySQL: the text is a number as far as its digits go, so it is user 12.",
    clauses: ['UNA-16'],
    replace: (parts) => ({
      userById: (id) => parts.userById(typeof id === 'string' ? (/^\s*0*(\d{1,15})/.exec(id)?.[1] ?? id) : id),
    }),
  },
  // UNA-18: "HTTP Basic with right credentials does not open a protected route"
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
  // UNA-19: "identity headers … sent by the client, neither authenticate nor change whose data is seen" (`X-Account-ID`)
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
  // UNA-20: "… is not given to the next one who asks without a token"
  {
    id: 'bypass-without-no-cache',
    story:
      'proxy_cache_bypass $http_authorization without proxy_no_cache: filtered lists of users are stored, and anybody without a token reads them.',
    clauses: ['UNA-20'],
    replace: (parts) => {
      const stored = new Map<string, { until: number; outcome: Outcome }>();
      return {
        listKeywords: async (context) => {
          const query = context.query.toString();
          const hit = stored.get(query);
          if (context.headers['authorization'] === undefined && hit !== undefined && hit.until > Date.now()) {
            return hit.outcome;
          }
          const outcome = await parts.listKeywords(context);
          if (query !== '') stored.set(query, { until: Date.now() + 5000, outcome });
          return outcome;
        },
      };
    },
  },

  // FOR-01: "a role that may not: 403"
  {
    id: 'viewer-moves-rows',
    story: 'The permission of a partial update is per field, and nobody listed `site_id`: a viewer may set it.',
    clauses: ['FOR-01'],
    replace: (parts) => ({
      writer: async (context) => {
        const user = await parts.authenticate(context);
        return context.operation === 'updateKeyword' && !Object.hasOwn(looseBody(context), 'keyword')
          ? user
          : parts.writer(context);
      },
    }),
  },
  // FOR-03: "the refused write had no effect"
  {
    id: 'deleted-then-refused',
    story: 'The object permission is checked in perform_destroy, after the signal handler that takes the row away.',
    clauses: ['FOR-03'],
    replace: (parts) => ({
      deleteKeyword: async (context) => {
        try {
          return await parts.deleteKeyword(context);
        } catch (error) {
          const { user } = context;
          if (user !== undefined && !parts.mayWrite(user, {})) {
            let row: Keyword | undefined;
            try {
              row = parts.namedKeyword(context, user);
            } catch {
              // Not there, or not this tenant's.
            }
            if (row !== undefined) parts.removeKeyword(row);
          }
          throw error;
        }
      },
    }),
  },
  // FOR-04: "another account's resource is not shown"
  {
    id: 'refusal-names-the-row',
    story: "The refusal is built from the row's __str__: who may not see it reads its text in the error.",
    clauses: ['FOR-04'],
    replace: (parts, store) => ({
      namedKeyword: (context, user) => {
        try {
          return parts.namedKeyword(context, user);
        } catch (error) {
          const row = store.keywords.find(({ id }) => String(id) === context.parameters['id']);
          if (!(error instanceof Refusal) || row === undefined) throw error;
          throw new Refusal(error.status, `Permission denied: ${row.keyword} (site ${String(row.siteId)})`);
        }
      },
    }),
  },
  // FOR-06: "a list never holds another account's rows"
  {
    id: 'or-binds-weaker',
    story: 'Q(account=a) & Q(keyword__icontains=s) | Q(keyword__iexact=s): the second half is of no account.',
    clauses: ['FOR-06'],
    replace: (parts, store) => ({
      arrange: (keywords, context) => {
        const rows = parts.arrange(keywords, context);
        const search = (context.query.getAll('search').at(-1) ?? '').toLowerCase();
        const exact = store.keywords.filter((row) => row.keyword.toLowerCase() === search && !rows.includes(row));
        return [...rows, ...exact];
      },
    }),
  },
  // FOR-11: "another account's resource … cannot be changed, replaced or deleted by any method that the target serves"
  {
    id: 'create-with-an-id',
    story: 'Keyword(**data).save(): with an `id` in the body of a POST it is an UPDATE of that row, whosever it was.',
    clauses: ['FOR-11'],
    replace: (parts, store) => ({
      createKeyword: async (context) => {
        const outcome = await parts.createKeyword(context);
        const { id } = parts.readBody(context);
        const old = store.keywords.find((row) => row.id === id);
        const made = store.keywords.at(-1);
        if (old === undefined || made === undefined || old === made || !('data' in outcome)) return outcome;
        parts.removeKeyword(made);
        parts.storeKeyword({ ...made, id: old.id });
        return { ...outcome, data: { ...(outcome.data as object), id: old.id } };
      },
    }),
  },

  // ROB-01: "malformed JSON … refused with a 4xx"
  {
    id: 'nan-is-no-json',
    story: "Python's json.loads takes NaN and Infinity, and DRF with STRICT_JSON off lets it.",
    clauses: ['ROB-01'],
    replace: (parts) => ({
      readBody: (context) => {
        const sent = context.rawBody.toString('latin1');
        const read = sent.replace(PYTHON_NUMBERS, (part) => (part.startsWith('"') ? part : '0.5'));
        return parts.readBody(read === sent ? context : { ...context, rawBody: Buffer.from(read, 'latin1') });
      },
    }),
  },
  // ROB-02: "wrong types for each field: … boolean … refused with a 4xx"
  {
    id: 'a-bool-is-an-int',
    story: 'isinstance(False, int) is true, and then `if not site_id` takes the default site.',
    clauses: ['ROB-02'],
    replace: (parts) => ({
      readBody: (context) => {
        const body = parts.readBody(context);
        const { site_id: site, ...rest } = body;
        if (site === false) return rest;
        return site === true ? { ...rest, site_id: 1 } : body;
      },
    }),
  },
  // ROB-05: "control characters in a password may be accepted: then they log in again"
  {
    id: 'register-cleans-passwords',
    story: 'A sanitiser takes control characters out of all fields of the sign-up form; login does not have it.',
    clauses: ['ROB-05'],
    replace: (parts) => ({
      readBody: (context) => {
        const body = parts.readBody(context);
        const { password } = body;
        return context.operation === 'register' && typeof password === 'string'
          ? { ...body, password: password.replace(/\p{Cc}/gu, '') }
          : body;
      },
    }),
  },
  // ROB-06: "`__proto__` … members"; "may be ignored instead, but take no effect"
  {
    id: 'copied-into-the-prototype',
    story: 'A helper copies the body member by member with `copy[key] = value`: `__proto__` becomes the prototype.',
    clauses: ['ROB-06'],
    replace: (parts) => ({
      readBody: (context) => {
        const copy: Record<string, unknown> = {};
        for (const [key, value] of Object.entries(parts.readBody(context))) copy[key] = value;
        return copy;
      },
    }),
  },
  // ROB-11: "odd ids and query parameters … are ignored or a 4xx in the envelope"; "nothing here ends in a 5xx"
  {
    id: 'superscript-is-a-digit',
    story: "'²'.isdigit() is true in Python, int('²') is a ValueError: ids and pages are checked by the first.",
    clauses: ['ROB-11'],
    replace: (parts) => {
      const check = (value: string | null | undefined): void => {
        if (SUPERSCRIPT.test(value ?? '')) throw new Error('invalid literal for int() with base 10');
      };
      return {
        paginate: (keywords, context) => {
          for (const name of ['page', 'page_size']) check(context.query.get(name));
          return parts.paginate(keywords, context);
        },
        namedKeyword: (context, user) => {
          check(context.parameters['id']);
          return parts.namedKeyword(context, user);
        },
      };
    },
  },

  // THR-04: "a client does not escape the limit by `X-Forwarded-For`"
  {
    id: 'two-hops-are-believed',
    story:
      'NUM_PROXIES counts from a CDN that is no longer there: with two addresses in the header, the first is the client.',
    clauses: ['THR-04'],
    replace: (parts) => ({
      clientOf: (context) => {
        const hops = (context.headers['x-forwarded-for'] ?? '').split(',').map((hop) => hop.trim());
        return hops.length > 1 && hops[0] !== undefined ? hops[0] : parts.clientOf(context);
      },
    }),
  },
  // THR-01: "numbers that fit together"
  {
    id: 'counter-per-worker',
    story: 'LocMemCache behind two workers: each counts for itself, so what remains goes up again without a reset.',
    clauses: ['JRN-07'],
    replace: (parts) => {
      const numberOf = connectionNumbers();
      return { clientOf: (context) => `${parts.clientOf(context)} worker ${String(numberOf(context) % 2)}` };
    },
  },

  // JRN-07: "one live token is answered alike every time: many requests in a row over new connections"
  {
    id: 'token-bound-to-ports',
    story:
      'Against stolen tokens the places that one is used from are counted, by address and port: over 24 in 3 s are refused.',
    clauses: ['JRN-07'],
    replace: (parts) => {
      const numberOf = connectionNumbers();
      /** Of each token: when each place was last seen. */
      const places = new Map<string, Map<number, number>>();
      return {
        authenticate: async (context) => {
          const user = await parts.authenticate(context);
          const token = parts.bearer(context);
          const known = (places.get(token) ?? new Map<number, number>()).set(numberOf(context), Date.now());
          places.set(token, known);
          for (const [place, seen] of known) if (seen < Date.now() - 3000) known.delete(place);
          if (known.size > 24) throw new Refusal(401, 'Session moved', undefined, { 'WWW-Authenticate': 'Bearer' });
          return user;
        },
      };
    },
  },
  // JRN-08: "beside another user's cookie the bearer token decides"
  {
    id: 'cookie-owns-new-rows',
    story:
      "Login sets a session cookie, and the creation's default for `user` is request._request.user, of the session.",
    clauses: ['JRN-08'],
    replace: (parts) => {
      const sessions = new Map<string, User>();
      return {
        login: async (context) => {
          const outcome = await parts.login(context);
          const user = parts.findUser(textOf(parts.readBody(context)['email']));
          const id = randomUUID();
          if (user !== undefined) sessions.set(id, user);
          return { ...outcome, headers: { 'Set-Cookie': `sessionid=${id}; Path=/; HttpOnly; SameSite=Lax` } };
        },
        writer: async (context) => {
          const user = await parts.writer(context);
          return (context.operation === 'createKeyword' ? sessions.get(cookieOf(context.headers)) : undefined) ?? user;
        },
      };
    },
  },

  // DOC-02: "the OpenAPI document that the target serves … does not contradict the contract"
  {
    id: 'authentication-optional',
    story:
      'drf-spectacular adds `{}` to the security of a view with IsAuthenticatedOrReadOnly, once set and never right: reading one row is said to need no token.',
    clauses: ['DOC-02'],
    replace: (parts) => ({
      schema: () => {
        const document = parts.schema() as { paths: Record<string, Record<string, Record<string, unknown>>> };
        const get = document.paths['/planner/keywords/{id}/']?.['get'];
        if (get !== undefined) get['security'] = [{ bearer: [] }, {}];
        return document;
      },
    }),
  },
  // NET-02: "CORS never reflects an arbitrary `Origin` together with `Access-Control-Allow-Credentials: true`"
  {
    id: 'preflight-reflects',
    story:
      'The load balancer answers preflights with whatever origin asks, credentials and all; the API itself has no CORS.',
    clauses: ['NET-02'],
    replace: (parts) => ({
      options: (context, allowed) => {
        const answer = parts.options(context, allowed);
        const { origin, 'access-control-request-method': asked } = context.headers;
        if (origin === undefined || asked === undefined) return answer;
        const cors = {
          'Access-Control-Allow-Origin': origin,
          'Access-Control-Allow-Credentials': 'true',
          'Access-Control-Allow-Methods': allowed.join(', '),
          'Access-Control-Allow-Headers': 'authorization, content-type',
          Vary: 'Origin',
        };
        return { ...answer, headers: { ...answer.headers, ...cors } };
      },
    }),
  },
];
