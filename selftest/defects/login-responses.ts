/** What a login returns, and what stands beside it: users, tokens, headers, other logins. */
import { type Account, type Outcome, type Parts, Refusal, type User } from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import type { Defect } from './defect.js';
import {
  type Json,
  KNOWN,
  KNOWN_KEY,
  answeredWith,
  basicPair,
  bearerOf,
  bodyOf,
  data,
  dataOf,
  mac,
  on,
  partOf,
  pause,
  signatureOf,
  textOf,
  tokenOf,
} from './helpers.js';

const pairs = new Map<number, string>();

/** The same success with other fields in `data`. */
const withData = (outcome: Outcome, fields: Json): Outcome => ({ ...outcome, data: { ...dataOf(outcome), ...fields } });

/** What login says of the user comes from a cache with such a key. */
const profilesCachedBy =
  (keyOf: (email: string, user: Json) => string | undefined) =>
  (parts: Parts): Partial<Parts> => {
    const profiles = new Map<string, Json>();
    return {
      login: async (context) => {
        const outcome = await parts.login(context);
        const user = dataOf(outcome)['user'] as Json;
        const key = keyOf(textOf(bodyOf(context)['email']), user);
        if (key === undefined) return outcome;
        const profile = profiles.get(key) ?? user;
        profiles.set(key, profile);
        return withData(outcome, { user: profile });
      },
    };
  };

export const LOGIN_RESPONSES: readonly Defect[] = [
  { id: 'login-201', story: 'Login is a create view.', clauses: ['LOG-01'], replace: answeredWith('login', 201) },
  {
    id: 'login-token-names',
    story: 'The tokens are called `access_token` and `refresh_token`.',
    clauses: ['LOG-01'],
    replace: data('login', ({ user, access, refresh }) => ({ user, access_token: access, refresh_token: refresh })),
  },
  {
    id: 'login-without-user',
    story: "The library's own token view.",
    clauses: ['LOG-01'],
    replace: data('login', ({ access, refresh }) => ({ access, refresh })),
  },
  {
    id: 'login-id-as-text',
    story: 'Ids are texts since the move to UUIDs.',
    clauses: ['LOG-02'],
    replace: data('login', (it) => ({ ...it, user: { ...it.user, id: String(it.user['id']) } })),
  },
  {
    id: 'login-unknown-role',
    story: 'A role that no document knows.',
    clauses: ['LOG-02'],
    replace: data('login', (it) => ({ ...it, user: { ...it.user, role: 'superadmin' } })),
  },
  {
    id: 'login-account-id-only',
    story: 'The account is given by its id.',
    clauses: ['LOG-02'],
    replace: data('login', (it) => ({
      ...it,
      user: { ...it.user, account: (it.user['account'] as { id: number }).id },
    })),
  },
  {
    id: 'login-account-without-slug',
    story: 'The slug was renamed.',
    clauses: ['LOG-02'],
    replace: data('login', (it) => ({
      ...it,
      user: {
        ...it.user,
        account: { id: (it.user['account'] as { id: number }).id, name: 'Analytical Engines', key: 'a' },
      },
    })),
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
    id: 'login-other-user',
    story: 'Users swapped under load: the answer shows somebody else.',
    clauses: ['LOG-03', 'TOK-04'],
    replace: (parts, store) =>
      data('login', (it) => ({ ...it, user: { ...it.user, id: store.users[2]?.id, email: store.users[2]?.email } }))(
        parts,
      ),
  },
  {
    id: 'profile-cached-without-tag',
    story: 'The profile in the response to login comes from a cache whose key drops the tag of the e-mail.',
    clauses: ['LOG-03'],
    replace: profilesCachedBy((email) => (/\+[^@]*@/.test(email) ? email.replace(/\+[^@]*@/, '@') : undefined)),
  },
  {
    id: 'profile-cached-without-dots',
    story: 'The key of the cache is the address as one big provider reads it.',
    clauses: ['LOG-03'],
    replace: profilesCachedBy((email) => email.toLowerCase().replace(/\.(?=[^@]*@)/g, '')),
  },
  {
    id: 'profile-cached-by-slug',
    story: 'The key of the cache is the slug of the user name, which is empty for names without Latin letters.',
    clauses: ['LOG-03'],
    replace: profilesCachedBy((_, { username }) =>
      textOf(username)
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, ''),
    ),
  },
  {
    id: 'viewer-shown-as-owner-of-account',
    story: 'Login shows the first user of the account.',
    clauses: ['LOG-03'],
    replace: (parts, store) => ({
      publicUser: (user) => {
        const { email, username } = store.users.find(({ account }) => account.id === user.account.id) ?? user;
        return { ...parts.publicUser(user), email, username };
      },
    }),
  },
  {
    id: 'login-same-access',
    story: 'The access token is cached for the user.',
    clauses: ['LOG-10'],
    replace: data('login', (it) => {
      const id = Number(it.user['id']);
      const access = pairs.get(id) ?? it.access;
      pairs.set(id, access);
      return { ...it, access };
    }),
  },
  {
    id: 'single-flight',
    story: 'Equal requests in flight are answered once, against double clicks: two devices at once get one session.',
    clauses: ['LOG-10'],
    replace: (parts) => {
      const flying = new Map<string, { since: number; outcome: Promise<Outcome> }>();
      return {
        login: (context) => {
          const request = context.rawBody.toString('base64');
          const before = flying.get(request);
          if (before !== undefined && Date.now() - before.since < 50) return before.outcome;
          // However fast the hash is: what comes within this time is the same flight.
          const outcome = pause(25)
            .then(() => parts.login(context))
            .finally(() => flying.delete(request));
          flying.set(request, { since: Date.now(), outcome });
          return outcome;
        },
      };
    },
  },
  {
    id: 'login-reads-bearer',
    story: 'Authentication classes run on login, and refuse a stale token.',
    clauses: ['LOG-11'],
    replace: (parts) => ({
      login: async (context) => {
        if (context.headers['authorization']?.startsWith('Bearer') === true) await parts.authenticate(context);
        return parts.login(context);
      },
    }),
  },
  {
    id: 'login-reads-basic',
    story: 'A gateway takes any `Authorization` but Bearer for its own.',
    clauses: ['LOG-11'],
    replace: (parts) => ({
      login: (context) => {
        if (context.headers['authorization']?.startsWith('Basic') === true) throw unauthenticated();
        return parts.login(context);
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
      if (expired && mac(token, KNOWN_KEY, 'sha256').equals(signatureOf(token)))
        throw unauthenticated('Signature has expired');
      return undefined;
    }),
  },
  {
    id: 'login-for-guests-only',
    story:
      'A middleware for guests: whoever still sends a live token of another user is logged in already, and gets 403.',
    clauses: ['LOG-11'],
    replace: on('login', async (context, parts) => {
      const user = await bearerOf(parts, context);
      const email = textOf(bodyOf(context)['email']);
      if (email !== '' && user !== undefined && parts.emailKey(user.email) !== parts.emailKey(email))
        throw new Refusal(403, 'Permission denied');
      return undefined;
    }),
  },
  {
    id: 'register-for-guests-only',
    story: 'The same middleware stands before sign-up only.',
    clauses: ['LOG-11'],
    replace: on('register', async (context, parts) => {
      if ((await bearerOf(parts, context)) !== undefined) throw new Refusal(403, 'Permission denied');
      return undefined;
    }),
  },
  {
    id: 'login-digest-400',
    story: 'A proxy’s parser of `Authorization` knows a few schemes, and answers 400 to the others.',
    clauses: ['LOG-11'],
    replace: on('login', (context) => {
      if (context.headers['authorization']?.startsWith('Digest ') === true) throw new Refusal(400, 'Malformed request');
      return undefined;
    }),
  },
  {
    id: 'basic-looked-at',
    story: 'BasicAuthentication is among the default classes; AllowAny does not keep it from refusing a Basic header.',
    clauses: ['LOG-11'],
    replace: (parts) => ({
      login: async (context) => {
        const pair = basicPair(context);
        if (pair === undefined) return parts.login(context);
        const user = parts.findUser(pair.slice(0, pair.indexOf(':')));
        if (user === undefined || !(await parts.checkPassword(pair.slice(pair.indexOf(':') + 1), user.passwordHash))) {
          throw new Refusal(401, 'Invalid username/password.', undefined, { 'WWW-Authenticate': 'Bearer realm="api"' });
        }
        return parts.login(context);
      },
    }),
  },
  {
    id: 'store-on-refresh',
    story: '`never_cache` was forgotten on refresh.',
    clauses: ['LOG-12'],
    replace: (parts) => ({
      headers: (context, code) => {
        const headers = parts.headers(context, code);
        if (context.operation === 'refresh') delete headers['Cache-Control'];
        return headers;
      },
    }),
  },
  {
    id: 'store-private-at-login',
    story: '`private` was thought to be enough.',
    clauses: ['LOG-12'],
    replace: (parts) => ({
      headers: (context, code) => ({
        ...parts.headers(context, code),
        ...(context.operation === 'login' ? { 'Cache-Control': 'private, max-age=0' } : {}),
      }),
    }),
  },
  {
    id: 'login-by-get',
    story: 'Login reads its parameters wherever they are.',
    clauses: ['LOG-13'],
    replace: (parts) => ({
      present: (answer, context) => {
        const user =
          context.path.endsWith('/auth/login/') && context.method === 'GET'
            ? parts.findUser(context.query.get('email') ?? '')
            : undefined;
        if (user === undefined) return answer;
        const chain = parts.openChain(user);
        return {
          ...answer,
          status: 200,
          body: JSON.stringify({
            success: true,
            data: { user: parts.publicUser(user), ...parts.issue(user, chain, 'login') },
            request_id: parts.requestId(context, 200),
          }),
        };
      },
    }),
  },
  {
    id: 'login-shows-hash',
    story: 'The user is serialized whole, hash included.',
    clauses: ['LOG-14'],
    replace: data('login', (it) => ({
      ...it,
      user: { ...it.user, secret_data: 'pbkdf2_sha256$870000$c2FsdA$aGFzaA==' },
    })),
  },
  {
    id: 'login-shows-password',
    story: 'The validated data is sent back.',
    clauses: ['LOG-14'],
    replace: data('login', (it, context) => ({ ...it, credentials: bodyOf(context)['password'] })),
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
    id: 'logins-swapped',
    story:
      'The user of a login is kept in a module variable while the password is checked: logins that overlap get the last one.',
    clauses: ['LOG-15'],
    replace: (parts) => {
      let last: User | undefined;
      let open = 0;
      return {
        findUser: (email) => (last = parts.findUser(email)),
        login: async (context) => {
          open += 1;
          const outcome = await parts.login(context);
          const crowded = open > 1;
          await pause(5);
          open -= 1;
          if (!crowded || last === undefined || !('data' in outcome)) return outcome;
          const tokens = parts.issue(last, parts.openChain(last), 'login');
          return { ...outcome, data: { user: parts.publicUser(last), ...tokens } };
        },
      };
    },
  },
  {
    id: 'tenant-in-a-global',
    story: 'The tenant of a request lives in a module variable, set at the lookup and read after the hash was checked.',
    clauses: ['LOG-15'],
    replace: (parts) => {
      let tenant: Account | undefined;
      return {
        findUser: (email) => {
          const user = parts.findUser(email);
          if (user !== undefined) tenant = user.account;
          return user;
        },
        standing: (body) => {
          const standing = parts.standing(body);
          tenant = standing.account;
          return standing;
        },
        // However fast the hash is: two logins at once overlap.
        checkPassword: async (password, hash) => {
          await pause(10);
          return parts.checkPassword(password, hash);
        },
        checkNobody: async (password) => {
          await pause(10);
          await parts.checkNobody(password);
        },
        publicUser: (user) => ({ ...parts.publicUser(user), account: tenant ?? user.account }),
      };
    },
  },
  {
    id: 'link-logs-in',
    story: 'A link for support logs in by its query, and sends the browser on with the tokens in the fragment.',
    clauses: ['LOG-13'],
    replace: (parts) => {
      const passwords = new Map<string, string>();
      return {
        hashPassword: async (password) => {
          const hash = await parts.hashPassword(password);
          passwords.set(hash, password);
          return hash;
        },
        present: (answer, context) => {
          const { method, path, query } = context;
          const user = parts.findUser(query.get('email') ?? '');
          const right = user !== undefined && passwords.get(user.passwordHash) === query.get('password');
          if (!right || method !== 'GET' || !path.endsWith('/auth/login/')) return parts.present(answer, context);
          const { access } = parts.issue(user, parts.openChain(user), 'login');
          const { Allow: _, ...headers } = answer.headers;
          headers['Location'] = `/app/#access=${access}`;
          return parts.present({ status: 302, headers, body: '' }, context);
        },
      };
    },
  },
  {
    id: 'refresh-token-of-the-last-login',
    story:
      'The user is kept in a module while the hash is computed, and the refresh token is made for whoever is there then.',
    clauses: ['LOG-15'],
    replace: (parts) => {
      let current: User | undefined;
      return {
        login: async (context) => {
          current = parts.findUser(textOf(bodyOf(context)['email']));
          await pause(10);
          const outcome = await parts.login(context);
          const own = dataOf(outcome);
          if (current === undefined || current.id === (own['user'] as User).id) return outcome;
          const { refresh } = parts.issue(current, parts.openChain(current), 'login');
          return { ...outcome, data: { ...own, refresh } };
        },
      };
    },
  },
  {
    id: 'guests-only-403',
    story: 'A middleware for guests stands before login: whoever brings a live token, the same user’s too, gets 403.',
    clauses: ['LOG-11'],
    replace: on('login', async (context, parts) => {
      if ((await bearerOf(parts, context)) !== undefined) throw new Refusal(403, 'Permission denied');
      return undefined;
    }),
  },
];
