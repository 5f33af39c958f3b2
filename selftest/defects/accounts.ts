/** Faults of register and login. */
import { Refusal, type Context, type Outcome, type Parts, type User } from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import type { Defect } from './defect.js';

type Json = Record<string, unknown>;
type Data = Json & { user: Json; access: string; refresh: string };

const bodyOf = (context: Context): Json => {
  try {
    return JSON.parse(context.rawBody.toString()) as Json;
  } catch {
    return {};
  }
};

/** What an operation answers with, changed. */
const data =
  (operation: 'register' | 'login', change: (data: Data, context: Context) => Json) =>
  (parts: Parts): Partial<Parts> => ({
    [operation]: async (context: Context): Promise<Outcome> => {
      const outcome = await parts[operation](context);
      return 'data' in outcome ? { ...outcome, data: change(outcome.data as Data, context) } : outcome;
    },
  });

/** A refusal of an operation, turned into another. */
const refusal =
  (operation: 'register' | 'login', change: (refusal: Refusal, context: Context) => Refusal) =>
  (parts: Parts): Partial<Parts> => ({
    [operation]: async (context: Context): Promise<Outcome> => {
      try {
        return await parts[operation](context);
      } catch (error) {
        throw error instanceof Refusal ? change(error, context) : error;
      }
    },
  });

const status =
  (operation: 'register' | 'login', code: number) =>
  (parts: Parts): Partial<Parts> => ({
    [operation]: async (context: Context) => ({ ...(await parts[operation](context)), status: code }),
  });

/** Validation without what it says of one field. */
const lenient =
  (field: string, when: (value: unknown) => boolean) =>
  (parts: Parts): Partial<Parts> => ({
    validateRegistration: (body) => {
      const errors = parts.validateRegistration(body);
      return when(body[field]) ? Object.fromEntries(Object.entries(errors).filter(([name]) => name !== field)) : errors;
    },
  });

const known = (parts: Parts, context: Context): User | undefined => parts.findUser(String(bodyOf(context)['email']));
const wrong =
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

export const ACCOUNTS: readonly Defect[] = [
  {
    id: 'register-asks-for-more',
    story: 'Sign-up wants a country since the last release.',
    clauses: ['REG-01'],
    replace: (parts) => ({
      validateRegistration: (body) => ({
        ...parts.validateRegistration(body),
        ...(body['country'] === undefined ? { country: ['This field is required.'] } : {}),
      }),
    }),
  },
  {
    id: 'register-500',
    story: 'A second account with the same slug: sign-up crashes.',
    clauses: ['REG-01', 'ROB-05'],
    replace: () => ({
      standing: () => {
        throw new Error('duplicate key value violates unique constraint');
      },
    }),
  },
  {
    id: 'register-other-user',
    story: 'The answer shows the last user of the table, not the new one.',
    clauses: ['REG-02'],
    replace: (parts, store) =>
      data('register', (it) => ({ ...it, user: { ...it.user, email: store.users[0]?.email ?? '' } }))(parts),
  },
  {
    id: 'register-email-lowered',
    story: 'The whole address is written in lower case, its local part too.',
    clauses: ['REG-02'],
    replace: data('register', (it) => ({ ...it, user: { ...it.user, email: String(it.user['email']).toLowerCase() } })),
  },
  {
    id: 'register-username-made',
    story: 'The user name is made of the e-mail.',
    clauses: ['REG-02', 'ROB-09'],
    replace: data('register', (it) => ({
      ...it,
      user: { ...it.user, username: String(it.user['email']).split('@')[0] },
    })),
  },
  {
    id: 'register-no-tokens',
    story: 'Sign-up answers with the user only.',
    clauses: ['REG-03'],
    replace: data('register', ({ user }) => ({ user })),
  },
  {
    id: 'register-tokens-nested',
    story: 'Sign-up has the tokens under `tokens`.',
    clauses: ['REG-03'],
    replace: data('register', ({ user, access, refresh }) => ({ user, tokens: { access, refresh } })),
  },
  {
    id: 'register-plain-password',
    story: 'The password is saved as it came, and login compares hashes.',
    clauses: ['REG-04', 'ROB-05'],
    replace: (parts, store) => ({
      insertUser: (user) => {
        store.users.push({ ...user, passwordHash: '16.AAAA.AAAA' });
      },
      checkPassword: parts.checkPassword,
    }),
  },
  {
    id: 'register-blank-username',
    story: '`blank=True` on the user name.',
    clauses: ['REG-05'],
    replace: lenient('username', (value) => value === ''),
  },
  {
    id: 'register-missing-password',
    story: 'An unusable password is set where none was sent.',
    clauses: ['REG-05'],
    replace: lenient('password', (value) => value === undefined),
  },
  {
    id: 'register-refused-yet-made',
    story: 'The user is saved before the profile is validated: refused, but there.',
    clauses: ['REG-05'],
    replace: (parts) => ({
      register: async (context) => {
        const { email, username, password, ...profile } = bodyOf(context);
        if (username === '' && typeof password === 'string')
          await parts.register({
            ...context,
            rawBody: Buffer.from(JSON.stringify({ email, username: 'refused', password, ...profile })),
          });
        return parts.register(context);
      },
    }),
  },
  {
    id: 'register-missing-422',
    story: 'A FastAPI service answers 422 for a missing e-mail.',
    clauses: ['REG-05'],
    replace: refusal('register', (error, context) =>
      bodyOf(context)['email'] === undefined ? new Refusal(422, error.error, error.errors) : error,
    ),
  },
  {
    id: 'register-any-email',
    story: 'The e-mail is a plain text field.',
    clauses: ['REG-06'],
    replace: lenient(
      'email',
      (value) => typeof value === 'string' && value !== '' && !value.includes('\0') && !/\p{Surrogate}/u.test(value),
    ),
  },
  {
    id: 'register-email-without-domain',
    story: 'The pattern asks for an @ and nothing behind it.',
    clauses: ['REG-06'],
    replace: lenient('email', (value) => typeof value === 'string' && /^[^@\0]+@[^\0]*$/.test(value)),
  },
  {
    id: 'duplicate-taken',
    story: 'E-mail has no unique constraint.',
    clauses: ['REG-07'],
    replace: (parts) => ({
      taken: (body) => Object.fromEntries(Object.entries(parts.taken(body)).filter(([name]) => name !== 'email')),
    }),
  },
  {
    id: 'duplicate-overwrites',
    story: '`update_or_create`: a second sign-up sets the password of the first account, and answers 409.',
    clauses: ['REG-07'],
    replace: (parts, store) => ({
      taken: (body) => {
        const taken = parts.taken(body);
        const user = parts.findUser(String(body['email']));
        if (taken['email'] !== undefined && user !== undefined)
          store.users[store.users.indexOf(user)] = { ...user, passwordHash: '16.AAAA.AAAA' };
        return taken;
      },
    }),
  },
  {
    id: 'duplicate-500',
    story: 'The unique constraint of the database is not caught.',
    clauses: ['REG-07', 'REG-08'],
    replace: (parts) => ({
      taken: (body) => {
        if (Object.keys(parts.taken(body)).length > 0) throw new Error('IntegrityError');
        return {};
      },
    }),
  },
  {
    id: 'duplicate-other-case',
    story: 'The unique constraint compares letter case.',
    clauses: ['REG-08'],
    replace: (parts, store) => ({
      taken: (body) => (store.users.some(({ email }) => email === body['email']) ? parts.taken(body) : {}),
    }),
  },
  {
    id: 'register-echoes-password',
    story: 'The serializer has no `write_only` on the password.',
    clauses: ['REG-09'],
    replace: data('register', (it, context) => ({
      ...it,
      user: { ...it.user, password: bodyOf(context)['password'] },
    })),
  },
  {
    id: 'register-password-in-token',
    story: 'The token is made of the validated data.',
    clauses: ['REG-09'],
    replace: (parts) => ({
      register: async (context) => {
        const outcome = (await parts.register(context)) as { status: number; data: Data };
        const payload = JSON.parse(
          Buffer.from(outcome.data.access.split('.')[1] ?? '', 'base64url').toString(),
        ) as Json;
        return {
          ...outcome,
          data: {
            ...outcome.data,
            access: parts.sign({ ...payload, password: bodyOf(context)['password'] }, 'access'),
          },
        };
      },
    }),
  },
  {
    id: 'register-password-in-header',
    story: 'A debug header shows the request.',
    clauses: ['REG-09'],
    replace: (parts) => ({
      headers: (context, code) => ({
        ...parts.headers(context, code),
        ...(context.operation === 'register' && code === 201
          ? {
              'X-Debug': Buffer.from(JSON.stringify(bodyOf(context)), 'latin1')
                .toString('latin1')
                .replace(/[^\x20-\x7e]/g, '?'),
            }
          : {}),
      }),
    }),
  },
  {
    id: 'role-from-body',
    story: '`User(**request.data)`: who registers says what he is.',
    clauses: ['REG-10'],
    replace: (parts) => ({
      standing: (body) => ({
        ...parts.standing(body),
        ...(body['role'] === undefined ? {} : { role: body['role'] as 'developer' }),
      }),
    }),
  },
  {
    id: 'superuser-from-body',
    story: '`fields = "__all__"` in the sign-up serializer.',
    clauses: ['REG-10'],
    replace: (parts) => {
      const admins = new Set<number>();
      return {
        standing: (body) => {
          const made = parts.standing(body);
          if (body['is_superuser'] === true) admins.add(made.id);
          return made;
        },
        publicUser: (user) => ({ ...parts.publicUser(user), is_superuser: admins.has(user.id) }),
      };
    },
  },
  {
    id: 'account-from-body',
    story: 'Sign-up by invitation, without the invitation: the account is taken from the body.',
    clauses: ['REG-10'],
    replace: (parts, store) => ({
      standing: (body) => {
        const account = store.users.find((user) => user.account.id === body['account_id'])?.account;
        return { ...parts.standing(body), ...(account === undefined ? {} : { account }) };
      },
    }),
  },
  {
    id: 'id-from-body',
    story: 'The primary key is writable.',
    clauses: ['REG-10'],
    replace: (parts) => ({
      standing: (body) => ({ ...parts.standing(body), ...(typeof body['id'] === 'number' ? { id: body['id'] } : {}) }),
    }),
  },
  {
    id: 'short-password',
    story: '`validate_password` is never called.',
    clauses: ['REG-11'],
    replace: lenient('password', (value) => typeof value === 'string' && value !== '' && value.length < 8),
  },
  {
    id: 'password-of-seven',
    story: 'Off by one: more than six characters are asked for.',
    clauses: ['REG-11'],
    replace: lenient('password', (value) => typeof value === 'string' && value.length === 7),
  },
  {
    id: 'short-password-401',
    story: 'Right refusal, wrong status.',
    clauses: ['REG-11'],
    replace: refusal('register', (error, context) =>
      String(bodyOf(context)['password']).length === 7 ? new Refusal(422, error.error, error.errors) : error,
    ),
  },
  {
    id: 'errors-dropped',
    story: 'The exception handler drops what the serializer said.',
    clauses: ['REG-12'],
    replace: refusal('register', (error) => new Refusal(error.status, error.error)),
  },
  {
    id: 'errors-as-text',
    story: 'The first text of each field is sent, not the list.',
    clauses: ['REG-12'],
    replace: refusal(
      'register',
      (error) =>
        new Refusal(
          error.status,
          error.error,
          Object.fromEntries(Object.entries(error.errors ?? {}).map(([name, texts]) => [name, texts[0]])) as never,
        ),
    ),
  },
  {
    id: 'errors-first-only',
    story: 'Validation stops at the first field that is wrong.',
    clauses: ['REG-12'],
    replace: refusal(
      'register',
      (error) =>
        new Refusal(error.status, error.error, Object.fromEntries(Object.entries(error.errors ?? {}).slice(0, 1))),
    ),
  },
  {
    id: 'errors-without-names',
    story: 'All texts are collected under `non_field_errors`.',
    clauses: ['REG-12', 'REG-11'],
    replace: refusal(
      'register',
      (error) => new Refusal(error.status, error.error, { non_field_errors: Object.values(error.errors ?? {}).flat() }),
    ),
  },
  {
    id: 'register-200',
    story: '`Response(data)` without a status.',
    clauses: ['REG-13'],
    replace: status('register', 200),
  },
  {
    id: 'register-shared-account',
    story: 'Everybody lands in the default account.',
    clauses: ['REG-14'],
    replace: (parts, store) => ({
      standing: (body) => ({
        ...parts.standing(body),
        account: store.users[2]?.account ?? { id: 1, name: '', slug: '' },
      }),
    }),
  },

  { id: 'login-201', story: 'Login is a create view.', clauses: ['LOG-01'], replace: status('login', 201) },
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
    replace: wrong(
      (parts, context) => known(parts, context) !== undefined,
      (error) => new Refusal(400, error.error),
    ),
  },
  {
    id: 'wrong-password-403',
    story: '`AuthenticationFailed` without a challenge becomes 403.',
    clauses: ['LOG-04'],
    replace: wrong(
      (parts, context) => known(parts, context) !== undefined,
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
    replace: wrong(
      (parts, context) => known(parts, context) === undefined,
      () => new Refusal(404, 'Resource not found'),
    ),
  },
  {
    id: 'unknown-email-500',
    story: '`User.DoesNotExist` is not caught.',
    clauses: ['LOG-05'],
    replace: wrong(
      (parts, context) => known(parts, context) === undefined,
      () => new Refusal(500, 'Internal server error'),
    ),
  },
  {
    id: 'login-two-messages',
    story: '"No such user", "wrong password".',
    clauses: ['LOG-06'],
    replace: wrong(
      (parts, context) => known(parts, context) === undefined,
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
        ...(context.operation === 'login' && code === 401 && known(parts, context) !== undefined
          ? { 'X-Account': 'active' }
          : {}),
      }),
    }),
  },
  {
    id: 'login-telling-errors',
    story: 'Right status, wrong body: `errors` names the field that was wrong.',
    clauses: ['LOG-06'],
    replace: wrong(
      (parts, context) => known(parts, context) !== undefined,
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
];
