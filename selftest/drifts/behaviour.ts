/** Drifts of what a server does: paths, refusals, rotation, sessions, claims, registration. */
import { Refusal, type Context, type Parts, type Store } from '../../fixtures/reference/behaviour.js';
import { bodyOf, refusals, type Json, type Operation } from '../defects/helpers.js';
import { SESSIONS } from '../variants/sessions.js';
import type { Drift } from './drift.js';

const PROTECTED: readonly Operation[] = [
  'listKeywords',
  'createKeyword',
  'getKeyword',
  'replaceKeyword',
  'updateKeyword',
  'deleteKeyword',
];

const anonymous = ({ headers }: Context): boolean => headers['authorization'] === undefined;

/** 401s of protected routes as 403, without a challenge. */
const as403 = (when: (context: Context) => boolean) =>
  refusals(
    (refusal, context) =>
      refusal.status === 401 && when(context) ? new Refusal(403, refusal.error, refusal.errors) : refusal,
    PROTECTED,
  );

/** An operation at another path, in the served document too. */
const moved = (from: string, to: string): Pick<Drift, 'replace' | 'options'> => ({
  options: {
    rewriteUrl: (url) => {
      const [path = '', ...query] = url.split('?');
      const search = query.length === 0 ? '' : `?${query.join('?')}`;
      if (path === `/api/v1/${to}`) return `/api/v1/${from}${search}`;
      return path === `/api/v1/${from}` ? `/api/v1/gone/${from}${search}` : url;
    },
  },
  replace: (parts) => ({
    schema: () => {
      const document = structuredClone(parts.schema()) as Json & { paths: Json };
      const { [`/${from}`]: operation, ...others } = document.paths;
      return { ...document, paths: { ...others, [`/${to}`]: operation } };
    },
  }),
});

/** The claim that names the user, under another name; whoever reads it reads it there. */
const subject =
  (name: string) =>
  (parts: Parts): Partial<Parts> => ({
    claims: (kind, user, chain, occasion) => {
      const { user_id: id, ...others } = parts.claims(kind, user, chain, occasion);
      return { ...others, ...(id === undefined ? {} : { [name]: name === 'sub' ? String(id) : id }) };
    },
    verifySignature: (token, kind) => {
      const { [name]: id, user_id: _, ...others } = parts.verifySignature(token, kind);
      return id === undefined ? others : { ...others, user_id: id };
    },
  });

/** Refresh tokens that stay: what spending one would change is put back. */
const stays = (parts: Parts, store: Store): Partial<Parts> => ({
  spend: async (claims) => {
    const before = store.chains.get(String(claims['chain']))?.current;
    const chain = await parts.spend(claims);
    if (chain !== undefined && before !== undefined) chain.current = before;
    return chain;
  },
});

/** What refresh gives, by the token that was presented. */
const refreshGives =
  (data: (given: Json, presented: unknown) => Json) =>
  (parts: Parts, store: Store): Partial<Parts> => ({
    ...stays(parts, store),
    refresh: async (context) => {
      const outcome = await parts.refresh(context);
      if (!('data' in outcome)) return outcome;
      return { ...outcome, data: data(outcome.data as Json, bodyOf(context)['refresh']) };
    },
  });

const oneSession = SESSIONS.find(({ id }) => id === 'one-session');

export const BEHAVIOUR_DRIFTS: readonly Drift[] = [
  {
    id: 'refused-403',
    story:
      'An authentication class without `authenticate_header()`: protected routes refuse with 403 whatever they should refuse with 401.',
    fails: ['UNA-01'],
    mostBlocked: 4,
    replace: as403(() => true),
  },
  {
    id: 'missing-403',
    story: 'Missing credentials get 403, bad ones 401.',
    fails: ['UNA-01'],
    mostBlocked: 4,
    replace: as403(anonymous),
  },
  {
    id: 'missing-302',
    story: 'Missing credentials are redirected to a login page.',
    fails: ['UNA-01'],
    mostBlocked: 4,
    replace: (parts) => ({
      present: (answer, context) => {
        const shown = parts.present(answer, context);
        return shown.status === 401 && anonymous(context) && context.path.includes('/planner/')
          ? { status: 302, headers: { ...parts.headers(context, 302), Location: '/login/' }, body: '' }
          : shown;
      },
    }),
  },
  {
    id: 'no-rotation',
    story:
      'Refresh gives an access token only, and the refresh token presented stays good: rotation was built and taken out again.',
    fails: ['REF-01'],
    mostBlocked: 8,
    hides: {
      'refresh-race': 'nothing is spent, so every one of several uses wins',
      'refresh-token-of-refresh-as-bearer': 'refresh issues no refresh token',
    },
    replace: refreshGives(({ refresh: _, ...given }) => given),
  },
  {
    id: 'no-rotation-same-token',
    story: '`ROTATE_REFRESH_TOKENS` is off, and the token presented comes back.',
    fails: ['REF-04'],
    mostBlocked: 8,
    hides: {
      'refresh-race': 'nothing is spent, so every one of several uses wins',
      'refresh-token-of-refresh-as-bearer': 'refresh issues no refresh token',
    },
    replace: refreshGives((given, presented) => ({
      ...given,
      ...(given['refresh'] === undefined ? {} : { refresh: presented }),
    })),
  },
  {
    id: 'refresh-path',
    story: 'Refresh is at `auth/token/refresh/`, as the pages of December have it.',
    fails: ['REF-01', 'DOC-02'],
    mostBlocked: 2,
    ...moved('auth/refresh/', 'auth/token/refresh/'),
  },
  {
    id: 'refresh-path-without-slash',
    story: 'Refresh is at `auth/refresh`, and there only.',
    fails: ['REF-01', 'DOC-02'],
    mostBlocked: 2,
    ...moved('auth/refresh/', 'auth/refresh'),
  },
  {
    id: 'login-path',
    story: 'Login is at `auth/token/`, as a token library has it.',
    fails: ['LOG-01', 'DOC-02'],
    mostBlocked: 2,
    ...moved('auth/login/', 'auth/token/'),
  },
  {
    id: 'register-path',
    story: 'Register is at `auth/registration/`.',
    fails: ['REG-01', 'DOC-02'],
    mostBlocked: 2,
    ...moved('auth/register/', 'auth/registration/'),
  },
  {
    id: 'refresh-field',
    story: 'Refresh takes its token in `refresh_token`.',
    fails: ['REF-01'],
    mostBlocked: 2,
    replace: (parts) => ({
      readBody: (context) => {
        const body = parts.readBody(context);
        if (context.operation !== 'refresh') return body;
        const { refresh: _, refresh_token: token, ...others } = body;
        return token === undefined ? others : { ...others, refresh: token };
      },
    }),
  },
  {
    id: 'subject-sub',
    story: 'The user is named by `sub`, as text (RFC 7519 §4.1.2).',
    fails: ['TOK-04'],
    mostBlocked: 2,
    hides: { 'x5u-fetched': 'the defect reads `user_id`, which tokens no longer have' },
    replace: subject('sub'),
  },
  {
    id: 'subject-uid',
    story: 'The user is named by `uid`.',
    fails: ['TOK-04'],
    mostBlocked: 2,
    hides: { 'x5u-fetched': 'the defect reads `user_id`, which tokens no longer have' },
    replace: subject('uid'),
  },
  {
    id: 'register-body',
    story: 'Register wants `country` as well.',
    fails: ['REG-01'],
    mostBlocked: 2,
    target: (target) => ({ ...target, registerBody: { country: 'PK' } }),
    replace: (parts) => ({
      validateRegistration: (body) => ({
        ...parts.validateRegistration(body),
        ...(typeof body['country'] === 'string' ? {} : { country: ['This field is required.'] }),
      }),
    }),
  },
  {
    id: 'registration-closed',
    story: 'Nobody may register: 403 whatever is sent.',
    fails: ['REG-01'],
    mostBlocked: 20,
    hides: {
      'duplicate-overwrites': 'nobody can register',
      'errors-first-only': 'nobody can register',
      'names-composed': 'nobody can register',
      'user-in-a-shared-place': 'there is no second account to mix up',
      'write-names-account': 'there is no second account to name',
    },
    replace: () => ({ register: () => Promise.reject(new Refusal(403, 'Registration is closed')) }),
  },
  {
    id: 'one-session',
    story: 'A new login ends the older ones of its user; this conforms.',
    fails: [],
    mostBlocked: 5,
    ...(oneSession?.replace === undefined ? {} : { replace: oneSession.replace }),
  },
];
