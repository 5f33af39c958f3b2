/** Protected routes without credentials: what they refuse, what they say, and what caches keep. */
import {
  type Answer,
  type Context,
  type Outcome,
  type Parts,
  Refusal,
  type Store,
} from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import { bare, letsIn, opens, tokenAt } from './credentials.js';
import type { Defect } from './defect.js';
import {
  type Operation,
  bodyOf,
  crash,
  errorBodies,
  headersWith,
  json,
  looseBody,
  on,
  partOf,
  textOf,
  tokenOf,
} from './helpers.js';
import { rowOf } from './rows.js';

/** The answer to a request without any credentials. */
const missing =
  (answer: (parts: Parts, context: Context) => Refusal) =>
  (parts: Parts): Partial<Parts> => ({
    bearer: (context) => {
      if (context.headers['authorization'] === undefined) throw answer(parts, context);
      return parts.bearer(context);
    },
  });

/** Lets a request without a token in, as the owner of the row that it names. */
const open =
  (method: string, when: (context: Context) => boolean = bare) =>
  (parts: Parts, store: Store): Partial<Parts> => ({
    writer: (context) => {
      const row = store.keywords.find(({ id }) => String(id) === context.parameters['id']);
      const owner = store.users.find(({ account }) => account.id === (row?.accountId ?? 1));
      return context.method === method && when(context) && owner !== undefined
        ? Promise.resolve(owner)
        : parts.writer(context);
    },
  });

/** A refusal that comes before anybody asked for a token. */
const early = (operation: Operation, refusal: (context: Context, parts: Parts, store: Store) => Refusal | undefined) =>
  on(operation, (context, parts, store) => {
    const found = refusal(context, parts, store);
    if (found !== undefined) throw found;
    return undefined;
  });

const malformed = (context: Context, parts: Parts): Refusal | undefined => {
  try {
    if (context.rawBody.length > 0) parts.readBody(context);
    return undefined;
  } catch (error) {
    return error instanceof Refusal ? error : crash;
  }
};

const GERMAN: Readonly<Record<string, string>> = {
  'Authentication required': 'Anmeldung erforderlich',
  'Permission denied': 'Keine Berechtigung',
};

export const UNAUTHENTICATED_ROUTES: readonly Defect[] = [
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
    id: 'token-in-body',
    story: 'The OAuth library reads `access_token` from the body, too (RFC 6750 §2.2), as its default.',
    clauses: ['UNA-14'],
    replace: (parts) => ({
      bearer: (context) => {
        const token = looseBody(context)['access_token'];
        return context.headers['authorization'] === undefined && typeof token === 'string'
          ? token
          : parts.bearer(context);
      },
    }),
  },
  {
    id: 'missing-other-text',
    story: "DRF's own text.",
    clauses: ['UNA-02'],
    replace: missing(() => unauthenticated('Authentication credentials were not provided.')),
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
    id: 'detail-signature-unchecked',
    story: 'One view decodes the token by itself, for a little more speed.',
    clauses: ['UNA-14'],
    replace: opens('getKeyword', (context, parts) => {
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
    replace: open('POST', (context) => bare(context) && typeof bodyOf(context)['keyword'] === 'string'),
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
  {
    id: 'put-reads-body-first',
    story: 'The parser stands above the login decorator of PUT.',
    clauses: ['UNA-14'],
    replace: early('replaceKeyword', malformed),
  },
  {
    id: 'patch-reads-body-first',
    story: 'The same at PATCH.',
    clauses: ['UNA-14'],
    replace: early('updateKeyword', malformed),
  },
  {
    id: 'delete-reads-body-first',
    story: 'DELETE parses the body that it has no use for.',
    clauses: ['UNA-14'],
    replace: early('deleteKeyword', malformed),
  },
  {
    id: 'put-asks-for-json-first',
    story: 'A filter on content types stands in front of PUT only.',
    clauses: ['UNA-14'],
    replace: early('replaceKeyword', ({ headers }) =>
      headers['content-type'] === 'application/json' ? undefined : new Refusal(415, 'Unsupported media type'),
    ),
  },
  {
    id: 'patch-validates-first',
    story: 'The serializer of PATCH runs in a decorator.',
    clauses: ['UNA-14'],
    replace: early('updateKeyword', (context, parts) => {
      const errors = malformed(context, parts) === undefined ? parts.validateKeyword(bodyOf(context), true) : {};
      return Object.keys(errors).length === 0 ? undefined : new Refusal(400, 'Validation failed', errors);
    }),
  },
  {
    id: 'missing-row-before-token',
    story: '`get_object_or_404` comes first: who has no token learns which ids there are.',
    clauses: ['UNA-14'],
    replace: early('getKeyword', (context, _, store) =>
      rowOf(store, context) === undefined ? new Refusal(404, 'Resource not found') : undefined,
    ),
  },
  {
    id: 'odd-query-before-token',
    story: 'The filter of the list is validated by middleware.',
    clauses: ['UNA-14'],
    replace: early('listKeywords', ({ query }) =>
      /^\d*$/.test(query.get('page') ?? '') ? undefined : new Refusal(400, 'Validation failed'),
    ),
  },
  {
    id: 'head-lets-anybody-in',
    story: 'HEAD is among the safe methods of the permission class.',
    clauses: ['UNA-14'],
    replace: letsIn((context, _, { users }) => (context.method === 'HEAD' && bare(context) ? users[0] : undefined)),
  },
  {
    id: 'token-in-form',
    story: 'RFC 6750 §2.2 as it is written: `access_token` in a form.',
    clauses: ['UNA-14'],
    replace: on('createKeyword', (context, parts) => {
      const token = /^access_token=([\w.-]+)$/.exec(context.rawBody.toString())?.[1];
      if (token === undefined || !bare(context)) return undefined;
      parts.verifySignature(token, 'access');
      return { status: 201, data: { id: 1, keyword: 'x', site_id: 1 } };
    }),
  },
  {
    id: 'token-in-body-of-a-change',
    story: 'PATCH takes the token from the body, for a client that cannot set headers.',
    clauses: ['UNA-14'],
    replace: tokenAt((context) =>
      context.method === 'PATCH' && bare(context) ? textOf(bodyOf(context)['access']) : undefined,
    ),
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
  {
    id: 'bypass-without-no-cache',
    story:
      'proxy_cache_bypass $http_authorization without proxy_no_cache: filtered lists of users are ' +
      'stored, and anybody without a token reads them.',
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
  {
    id: 'search-cached-by-address',
    story: 'A small cache in front of the slow search goes by the address alone.',
    clauses: ['UNA-20'],
    replace: (parts) => {
      const known = new Map<string, Outcome>();
      return {
        listKeywords: async (context) => {
          const key = context.query.toString();
          const cached = context.query.has('search') && bare(context) ? known.get(key) : undefined;
          if (cached !== undefined) return cached;
          const outcome = await parts.listKeywords(context);
          if (context.query.has('search')) known.set(key, outcome);
          return outcome;
        },
      };
    },
  },
  {
    id: 'messages-translated',
    story: '`LocaleMiddleware` is on, and the messages are marked for translation.',
    clauses: ['UNA-02', 'FOR-02'],
    replace: errorBodies(
      ({ error }, { headers }) => headers['accept-language']?.startsWith('de') === true && GERMAN[error] !== undefined,
      (body) => ({ ...body, error: GERMAN[String(body['error'])] }),
    ),
  },
];
