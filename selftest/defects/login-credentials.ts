/** Logins with credentials that are wrong, incomplete or nearly right. */
import { type Context, type Parts, Refusal, type Store, type User } from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import type { Defect } from './defect.js';
import { type Json, bearerOf, bodyOf, fields, json, on, refusal, textOf, tokenOf } from './helpers.js';

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

/** The same request with another body. */
const replaceBody = (context: Context, body: Json): Context =>
  Object.assign(context, { rawBody: Buffer.from(JSON.stringify(body)) });

/** Register and login make the same thing of a password before they hash or compare it. */
const comparedAs =
  (change: (password: string) => string) =>
  (parts: Parts): Partial<Parts> => ({
    hashPassword: (password) => parts.hashPassword(change(password)),
    checkPassword: (password, hash) => parts.checkPassword(change(password), hash),
  });

/** A password that is refused is tried again as the old system would have it. */
const orElse =
  (second: (password: string, parts: Parts, hash: string) => Promise<boolean> | boolean) =>
  (parts: Parts): Partial<Parts> => ({
    checkPassword: async (password, hash) =>
      (await parts.checkPassword(password, hash)) || (await second(password, parts, hash)),
  });

/** A wrong login succeeds all the same for some requests. */
const logsIn = (who: (context: Context, parts: Parts, store: Store) => Promise<User | undefined> | User | undefined) =>
  on('login', async (context, parts, store) => {
    const user = await who(context, parts, store);
    if (user === undefined) return undefined;
    return {
      status: 200,
      data: { user: parts.publicUser(user), ...parts.issue(user, parts.openChain(user), 'login') },
    };
  });

const basicOf = ({ headers }: Context): string[] =>
  Buffer.from(/^Basic (\S+)$/.exec(headers['authorization'] ?? '')?.[1] ?? '', 'base64')
    .toString()
    .split(':');

const BCRYPT_BYTES = 72;

function cut(password: string): string {
  return Buffer.from(password).subarray(0, BCRYPT_BYTES).toString('hex');
}

const first = (value: unknown): unknown =>
  Array.isArray(value) && value.length === 1 ? (value as unknown[])[0] : value;

export const LOGIN_CREDENTIALS: readonly Defect[] = [
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
    id: 'long-wrong-password-400',
    story: 'After a mismatch the old hash is tried, and bcrypt 5 raises beyond 72 bytes: 400 for known users.',
    clauses: ['LOG-04'],
    replace: orElse((password) => {
      if (Buffer.byteLength(password) <= 72) return false;
      throw new Refusal(400, 'Validation failed', { password: ['Password cannot be longer than 72 bytes.'] });
    }),
  },
  {
    id: 'wrong-password-beside-own-token',
    story: 'Whoever brings a live token of the account is logged in already, whatever the password.',
    clauses: ['LOG-04'],
    replace: logsIn(async (context, parts) => {
      const user = await bearerOf(parts, context);
      const { email, password } = bodyOf(context);
      return user !== undefined && user.email === email && textOf(password).trim() !== '' ? user : undefined;
    }),
  },
  {
    id: 'wrong-password-beside-basic',
    story: 'Basic authentication runs before the view of login, and what it found is logged in.',
    clauses: ['LOG-04'],
    replace: logsIn(async (context, parts) => {
      const [email = '', ...rest] = basicOf(context);
      const user = parts.findUser(email);
      if (user === undefined || !(await parts.checkPassword(rest.join(':'), user.passwordHash))) return undefined;
      return user;
    }),
  },
  {
    id: 'login-remembered-for-a-moment',
    story:
      'A cache of successful logins is keyed by the e-mail, to spare the hash: any password is right for two seconds.',
    clauses: ['LOG-04'],
    replace: (parts, store) => {
      const last = new Map<string, number>();
      return {
        login: async (context) => {
          const { email, password } = bodyOf(context);
          // Only of new users: those of the seeds log in from many places.
          const user = store.users.find((one) => one.email === email && one.id > 3);
          const fresh = parts.clock() - (last.get(textOf(email)) ?? -Infinity) < 2000;
          const ofStranger = context.headers['authorization'] !== undefined && textOf(password) !== '';
          if (user !== undefined && fresh && ofStranger)
            return {
              status: 200,
              data: { user: parts.publicUser(user), ...parts.issue(user, parts.openChain(user), 'login') },
            };
          const outcome = await parts.login(context);
          last.set(textOf(email), parts.clock());
          return outcome;
        },
      };
    },
  },
  {
    id: 'password-of-query-before-body',
    story: 'Parameters of query and body are merged, and the query wins.',
    clauses: ['LOG-04'],
    replace: on('login', (context, parts) => {
      const password = context.query.get('password');
      if (context.method !== 'POST' || password === null || context.rawBody.length < 3) return undefined;
      return parts.login(replaceBody(context, { ...bodyOf(context), password }));
    }),
  },
  {
    id: 'array-password-at-login',
    story: 'Of several passwords the first counts.',
    clauses: ['LOG-04', 'ROB-02'],
    replace: fields(['login'], ({ password }) => ({ password: first(password) })),
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
    id: 'ilike-wildcards',
    story: 'Login looks for the e-mail by ILIKE to ignore its letter case: `_` and `%` in it match any other text.',
    clauses: ['LOG-05'],
    replace: (parts, store) => ({
      login: (context) => {
        let body: Record<string, unknown>;
        try {
          body = parts.readBody(context);
        } catch {
          return parts.login(context);
        }
        const email = textOf(body['email']);
        const valid = Object.keys(parts.validateLogin(body)).length === 0;
        if (!valid || !/^[^%]*%?[^%]*$/.test(email) || !/[_%]/.test(email) || parts.findUser(email) !== undefined) {
          return parts.login(context);
        }
        const like = email
          .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
          .replaceAll('_', '.')
          .replaceAll('%', '.*');
        const pattern = new RegExp(`^${like}$`, 'isu');
        const found = store.users.find((user) => pattern.test(user.email))?.email ?? email;
        return parts.login({ ...context, rawBody: Buffer.from(JSON.stringify({ ...body, email: found })) });
      },
    }),
  },
  {
    id: 'array-email-at-login',
    story: 'Of several e-mails the first counts.',
    clauses: ['LOG-05', 'ROB-02'],
    replace: fields(['login'], ({ email }) => ({ email: first(email) })),
  },
  {
    id: 'third-failure-tells',
    story: 'From the third wrong password on, an account that exists says that few tries are left.',
    clauses: ['LOG-06'],
    replace: (parts) => {
      const failures = new Map<unknown, number>();
      return wrongPassword(
        (_, context) => {
          const user = knownUser(parts, context);
          if (user === undefined) return false;
          failures.set(user, (failures.get(user) ?? 0) + 1);
          return (failures.get(user) ?? 0) > 2;
        },
        (error) => new Refusal(401, 'Invalid credentials, few attempts left', undefined, error.headers),
      )(parts);
    },
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
    id: 'session-touched',
    story:
      'The signal handler of a failed login notes it in the session of users that exist, which adds `Vary: Cookie`.',
    clauses: ['LOG-06'],
    replace: (parts) => ({
      login: async (context) => {
        try {
          return await parts.login(context);
        } catch (error) {
          if (!(error instanceof Refusal) || error.status !== 401) throw error;
          if (parts.findUser(textOf(parts.readBody(context)['email'])) === undefined) throw error;
          throw new Refusal(401, error.error, error.errors, { ...error.headers, Vary: 'Cookie' });
        }
      },
    }),
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
    id: 'email-of-token-at-login',
    story: 'Login is also used to confirm a password: without an e-mail the user of the token is taken.',
    clauses: ['LOG-08'],
    replace: on('login', async (context, parts) => {
      const body = bodyOf(context);
      const user = body['email'] === undefined ? await bearerOf(parts, context) : undefined;
      return user === undefined ? undefined : parts.login(replaceBody(context, { ...body, email: user.email }));
    }),
  },
  {
    id: 'password-not-asked-beside-token',
    story: 'Login renews the session of whoever brings a live token and names himself.',
    clauses: ['LOG-08'],
    replace: logsIn(async (context, parts) => {
      const user = await bearerOf(parts, context);
      const { email, password } = bodyOf(context);
      return user !== undefined && user.email === email && password === undefined ? user : undefined;
    }),
  },
  {
    id: 'login-null-as-text',
    story: 'Fields are turned into strings first, so null is the password “null”, and a missing one too.',
    clauses: ['LOG-08'],
    replace: on('login', (context, parts) => {
      const body = json(context.rawBody.toString());
      if (!('email' in body) || 'password' in body) return undefined;
      return parts.login(replaceBody(context, { ...body, password: 'null' }));
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
    id: 'password-as-c-string',
    story: 'The hash takes a C string: what follows a NUL is not compared.',
    clauses: ['LOG-09'],
    replace: comparedAs((password) => password.split('\0', 1)[0] ?? ''),
  },
  {
    id: 'password-without-accents',
    story: 'The password is transliterated to ASCII before it is hashed.',
    clauses: ['LOG-09'],
    replace: comparedAs((password) => password.normalize('NFD').replace(/\p{M}/gu, '')),
  },
  {
    id: 'password-without-markup',
    story: 'A clean-up against XSS strips tags from every field.',
    clauses: ['LOG-09'],
    replace: comparedAs((password) => password.replace(/<[^>]*>/g, '')),
  },
  {
    id: 'password-percent-decoded',
    story: 'The password is decoded once more, as if it came from a URL.',
    clauses: ['LOG-09'],
    replace: comparedAs((password) =>
      password.replace(/%([0-7]\w)/g, (_, hex) => String.fromCharCode(parseInt(String(hex), 16))),
    ),
  },
  {
    id: 'password-without-invisible',
    story: 'Zero-width characters are dropped wherever a password is typed.',
    clauses: ['LOG-09'],
    replace: comparedAs((password) => password.replace(/[\u200b-\u200d\ufeff]/g, '')),
  },
  {
    id: 'password-like',
    story: 'The old table is asked with LIKE, in which _ is any character.',
    clauses: ['LOG-09'],
    replace: (parts) => {
      const plain = new Map<string, string>();
      return {
        hashPassword: async (password) => {
          const hash = await parts.hashPassword(password);
          plain.set(hash, password);
          return hash;
        },
        checkPassword: async (password, hash) => {
          const known = plain.get(hash);
          const like = password.startsWith('_') && known?.length === password.length;
          return (like && known.endsWith(password.slice(1))) || parts.checkPassword(password, hash);
        },
      };
    },
  },
  {
    id: 'password-128-characters',
    story: 'The hash reads 128 characters.',
    clauses: ['LOG-09'],
    replace: comparedAs((password) => password.slice(0, 128)),
  },
  {
    id: 'bcrypt-72-bytes',
    story: 'bcrypt reads the first 72 bytes only, and no hash was put before it.',
    clauses: ['LOG-09'],
    replace: (parts) => ({
      hashPassword: (password) => parts.hashPassword(cut(password)),
      checkPassword: (password, hash) => parts.checkPassword(cut(password), hash),
    }),
  },
  {
    id: 'username-will-do',
    story: 'The serializer of a login library: where there is no e-mail, a user name will do.',
    clauses: ['LOG-08'],
    replace: on('login', (context, parts, store) => {
      const { email, username, password } = bodyOf(context);
      const user = email === undefined ? store.users.find((one) => one.username === username) : undefined;
      return user === undefined ? undefined : parts.login(replaceBody(context, { email: user.email, password }));
    }),
  },
  {
    id: 'accents-do-not-count',
    story: 'The collation of the column compares letters without their accents.',
    clauses: ['LOG-05'],
    replace: () => ({ emailKey: (email) => email.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase() }),
  },
  {
    id: 'first-letter-forgiven',
    story: 'A password whose first letter a telephone turned into a capital is right as well.',
    clauses: ['LOG-09'],
    replace: (parts) => ({
      checkPassword: async (password, hash) => {
        const [first = ''] = password;
        const other = first === first.toUpperCase() ? first.toLowerCase() : first.toUpperCase();
        return (await parts.checkPassword(password, hash)) || parts.checkPassword(other + password.slice(1), hash);
      },
    }),
  },
  {
    id: 'guests-only',
    story: 'The login view is for guests: whoever comes with a live token is told that there is nothing to do.',
    clauses: ['LOG-11'],
    replace: on('login', async (context, parts) => {
      if ((await bearerOf(parts, context)) !== undefined) throw new Refusal(400, 'Already authenticated');
      return undefined;
    }),
  },
];
