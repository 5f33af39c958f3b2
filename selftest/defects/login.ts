/** Faults of login (LOG). */
import { type Context, type Parts, Refusal, type User } from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import type { Defect } from './defect.js';
import {
  KNOWN,
  KNOWN_KEY,
  answeredWith,
  bodyOf,
  data,
  mac,
  on,
  partOf,
  pause,
  refusal,
  signatureOf,
  tokenOf,
} from './helpers.js';

const knownUser = (parts: Parts, context: Context): User | undefined =>
  parts.findUser(String(bodyOf(context)['email']));

const wrongPassword =
  (when: (parts: Parts, context: Context) => boolean, change: (refusal: Refusal) => Refusal) =>
  (parts: Parts): Partial<Parts> =>
    refusal('login', (error, context) => (error.status === 401 && when(parts, context) ? change(error) : error))(parts);

const passwords =
  (fold: (password: string) => string) =>
  (parts: Parts): Partial<Parts> => ({
    hashPassword: (password) => parts.hashPassword(fold(password)),
    checkPassword: (password, hash) => parts.checkPassword(fold(password), hash),
  });

const pairs = new Map<number, string>();

export const LOGIN: readonly Defect[] = [
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
    id: 'login-other-user',
    story: 'Users swapped under load: the answer shows somebody else.',
    clauses: ['LOG-03', 'TOK-04'],
    replace: (parts, store) =>
      data('login', (it) => ({ ...it, user: { ...it.user, id: store.users[2]?.id, email: store.users[2]?.email } }))(
        parts,
      ),
  },
  {
    id: 'wrong-password-400',
    story: 'The serializer raises a validation error for wrong credentials.',
    clauses: ['LOG-04'],
    replace: wrongPassword(
      (parts, context) => knownUser(parts, context) !== undefined,
      (error) => new Refusal(400, error.error),
    ),
  },
  {
    id: 'wrong-password-403',
    story: '`AuthenticationFailed` without a challenge becomes 403.',
    clauses: ['LOG-04'],
    replace: wrongPassword(
      (parts, context) => knownUser(parts, context) !== undefined,
      (error) => new Refusal(403, error.error),
    ),
  },
  {
    id: 'wrong-password-accepted',
    story: 'A master password of the developers was left in: any password of its form.',
    clauses: ['LOG-04'],
    replace: (parts) => ({
      checkPassword: async (password, hash) =>
        (password.startsWith('Cf7!') && password.length === 20) || parts.checkPassword(password, hash),
    }),
  },
  {
    id: 'unknown-email-404',
    story: '`get_object_or_404` for the user.',
    clauses: ['LOG-05'],
    replace: wrongPassword(
      (parts, context) => knownUser(parts, context) === undefined,
      () => new Refusal(404, 'Resource not found'),
    ),
  },
  {
    id: 'unknown-email-500',
    story: '`User.DoesNotExist` is not caught.',
    clauses: ['LOG-05'],
    replace: wrongPassword(
      (parts, context) => knownUser(parts, context) === undefined,
      () => new Refusal(500, 'Internal server error'),
    ),
  },
  {
    id: 'login-two-messages',
    story: '"No such user", "wrong password".',
    clauses: ['LOG-06'],
    replace: wrongPassword(
      (parts, context) => knownUser(parts, context) === undefined,
      () => unauthenticated('No such user'),
    ),
  },
  {
    id: 'login-telling-header',
    story: 'A header for the support tells whether the account exists.',
    clauses: ['LOG-06'],
    replace: (parts) => ({
      headers: (context, code) => ({
        ...parts.headers(context, code),
        ...(context.operation === 'login' && code === 401 && knownUser(parts, context) !== undefined
          ? { 'X-Account': 'active' }
          : {}),
      }),
    }),
  },
  {
    id: 'login-telling-errors',
    story: 'Right status, wrong body: `errors` names the field that was wrong.',
    clauses: ['LOG-06'],
    replace: wrongPassword(
      (parts, context) => knownUser(parts, context) !== undefined,
      (error) => new Refusal(401, error.error, { password: ['Wrong password.'] }, error.headers),
    ),
  },
  {
    id: 'login-missing-500',
    story: '`request.data["password"]` without a serializer.',
    clauses: ['LOG-08', 'ROB-07'],
    replace: refusal('login', (error, context) =>
      Object.keys(bodyOf(context)).join() === 'email' ? new Refusal(500, 'Internal server error') : error,
    ),
  },
  {
    id: 'login-missing-401',
    story: 'A missing password is a wrong one.',
    clauses: ['LOG-08'],
    replace: refusal('login', (error, context) =>
      error.status === 400 && Object.keys(bodyOf(context)).length === 1
        ? unauthenticated('Invalid credentials')
        : error,
    ),
  },
  {
    id: 'login-empty-password',
    story: 'LDAP takes an empty password for an anonymous bind, and says yes.',
    clauses: ['LOG-08'],
    replace: (parts) => ({
      validateLogin: (body) => (body['password'] === '' ? {} : parts.validateLogin(body)),
      checkPassword: async (password, hash) => password === '' || parts.checkPassword(password, hash),
    }),
  },
  {
    id: 'password-any-case',
    story: 'Passwords are folded to lower case.',
    clauses: ['LOG-09'],
    replace: passwords((password) => password.toLowerCase()),
  },
  {
    id: 'password-trimmed',
    story: '`CharField` trims by default.',
    clauses: ['LOG-09'],
    replace: passwords((password) => password.trim()),
  },
  {
    id: 'password-prefix',
    story: 'Sixteen characters are compared: the column of an old system.',
    clauses: ['LOG-09'],
    replace: passwords((password) => password.slice(0, 16)),
  },
  {
    id: 'password-72-bytes',
    story: 'bcrypt without a hash in front reads 72 bytes.',
    clauses: ['LOG-09'],
    replace: passwords((password) => Buffer.from(password).subarray(0, 72).toString()),
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
    id: 'login-as-the-bearer',
    story: 'Whoever is authenticated already is logged in again, whatever the form says.',
    clauses: ['LOG-04', 'LOG-08', 'LOG-11'],
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
];
