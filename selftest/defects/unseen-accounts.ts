/** Defects, written by somebody who had read the contract and none of the checks: of the envelope, request ids, register and login. */
import { createHash } from 'node:crypto';
import { Refusal, type Account, type Outcome, type User } from '../../fixtures/reference/behaviour.js';
import { basicPair, delay, isFurther, peek, textOf } from './unseen-help.js';
import type { Defect } from './defect.js';

const PYTHON_UUID = /^[0-9a-f]{32}$/i;
const BCRYPT_BYTES = 72;

function cut(password: string): string {
  return Buffer.from(password).subarray(0, BCRYPT_BYTES).toString('hex');
}

export const UNSEEN_ACCOUNTS: readonly Defect[] = [
  // ENV-01: "every 2xx body is a JSON object with `success: true`"
  {
    id: 'patch-bare',
    story: 'The partial update was added later with a stock generic view, whose serializer data goes out as it is.',
    clauses: ['ENV-01', 'RID-01'],
    replace: (parts) => ({
      successEnvelope: (outcome, requestId, context) =>
        context.operation === 'updateKeyword' && 'data' in outcome
          ? (outcome.data as object)
          : parts.successEnvelope(outcome, requestId, context),
    }),
  },
  // ENV-05: "never 200 with `success: false`"
  {
    id: 'nothing-found-is-no-success',
    story: 'The list helper sets success from the truth of the rows when somebody searched: an empty list is false.',
    clauses: ['ENV-05'],
    replace: (parts) => ({
      successEnvelope: (outcome, requestId, context) => ({
        ...parts.successEnvelope(outcome, requestId, context),
        ...('results' in outcome && outcome.results.length === 0 && context.query.has('search')
          ? { success: false }
          : {}),
      }),
    }),
  },
  // ENV-06: "an error carries no token"
  {
    id: 'error-quotes-token',
    story: 'The exception for a token of the wrong type quotes the token, a live access token, for easier debugging.',
    clauses: ['ENV-06'],
    replace: (parts) => ({
      refresh: async (context) => {
        try {
          return await parts.refresh(context);
        } catch (error) {
          if (!(error instanceof Refusal) || error.status !== 401) throw error;
          const token = textOf(parts.readBody(context)['refresh']);
          if (peek(token, 1)?.['token_type'] !== 'access') throw error;
          throw new Refusal(401, `Token '${token}' has wrong type`, undefined, error.headers);
        }
      },
    }),
  },
  // ENV-07: "every body … is `application/json` in UTF-8"
  {
    id: 'latin-1-rows',
    story: 'json.dumps(ensure_ascii=False), then encoded as WSGI encodes: text that fits into Latin-1 goes out in it.',
    clauses: ['ENV-07'],
    replace: () => ({
      present: (answer, { path }) => {
        const { body } = answer;
        const fits = typeof body === 'string' && /[\x80-\xff]/.test(body) && !/[^\0-\xff]/.test(body);
        return fits && path.includes('/planner/') ? { ...answer, body: Buffer.from(body, 'latin1') } : answer;
      },
    }),
  },
  // ENV-08: "each documented response validates against its schema in the OpenAPI document" (`count: integer`)
  {
    id: 'search-without-count',
    story: 'COUNT(*) over a LIKE was slow, so a paginator without a count serves searches and says null.',
    clauses: ['ENV-08'],
    replace: (parts) => ({
      successEnvelope: (outcome, requestId, context) => ({
        ...parts.successEnvelope(outcome, requestId, context),
        ...('results' in outcome && context.query.has('search') ? { count: null } : {}),
      }),
    }),
  },

  // RID-04: "never the same twice, across every response of the whole run"
  {
    id: 'id-of-the-second',
    story: 'The id is a uuid5 of client, request line and time, and the time is in whole seconds.',
    clauses: ['RID-04'],
    replace: (parts) => ({
      requestId: ({ client, method, path, query }, status) => {
        const second = Math.floor(parts.clock() / 1000);
        const name = [client, method, path, query.toString(), status, second].join(' ');
        const hex = createHash('sha1').update(name).digest('hex');
        const variant = '89ab'.charAt(parseInt(hex.charAt(16), 16) % 4);
        return [
          hex.slice(0, 8),
          hex.slice(8, 12),
          `5${hex.slice(13, 16)}`,
          `${variant}${hex.slice(17, 20)}`,
          hex.slice(20, 32),
        ].join('-');
      },
    }),
  },
  // RID-02: "present in every error that is seen: 400, 401, 403, 404, 405, 415, 429"
  {
    id: 'new-view-own-handler',
    story: 'PUT, PATCH and DELETE came with a view set that brings its own exception handler, written before the ids.',
    clauses: ['RID-02'],
    replace: (parts) => ({
      errorEnvelope: (refusal, requestId, context) => {
        const { request_id: id, ...rest } = parts.errorEnvelope(refusal, requestId, context) as { request_id: unknown };
        return isFurther(context) ? rest : { ...rest, request_id: id };
      },
    }),
  },
  // RID-06: "stays a UUID when the client sends an `X-Request-ID` that is not one"; RID-03: "no `urn:uuid:`, braces, missing dashes"
  {
    id: 'python-takes-any-spelling',
    story: "The client's id is taken when uuid.UUID() parses it, and echoed as it came: braces, urn:uuid:, no dashes.",
    clauses: ['RID-06'],
    replace: (parts) => ({
      requestId: (context, status) => {
        const sent = context.headers['x-request-id'] ?? '';
        const digits = sent
          .replace('urn:', '')
          .replace('uuid:', '')
          .replace(/^\{+|\}+$/g, '')
          .replaceAll('-', '');
        return PYTHON_UUID.test(digits) ? sent : parts.requestId(context, status);
      },
    }),
  },

  // REG-05: "a missing or empty `email`, `username` or `password` is refused with 400, and no account appears"
  {
    id: 'half-registered',
    story: 'The user is saved by its e-mail before the profile with the user name is validated, outside a transaction.',
    clauses: ['REG-05'],
    replace: (parts) => ({
      register: async (context) => {
        const body = parts.readBody(context);
        const { username, ...others } = parts.validateRegistration(body);
        if (username !== undefined && Object.keys(others).length === 0 && textOf(body['username']) === '') {
          const hash = await parts.hashPassword(textOf(body['password']));
          await parts.createUser({ ...body, username: textOf(body['email']) }, hash);
        }
        return parts.register(context);
      },
    }),
  },
  // REG-06: "a malformed e-mail is refused with 400"
  {
    id: 'dollar-before-newline',
    story: 'The pattern for e-mails ends in `$`, which in Python also matches before a last line feed.',
    clauses: ['REG-06', 'ROB-05'],
    replace: (parts) => ({
      validateRegistration: (body) =>
        parts.validateRegistration(
          typeof body['email'] === 'string' ? { ...body, email: body['email'].replace(/\n$/, '') } : body,
        ),
    }),
  },
  // REG-08: "a duplicate e-mail in other letter case is the same account"
  {
    id: 'lower-knows-ascii-only',
    story: 'The unique index is on LOWER(email) in SQLite, or in PostgreSQL with the C locale: only A to Z are folded.',
    clauses: ['REG-08'],
    replace: () => ({
      emailKey: (email) => email.normalize('NFC').replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
    }),
  },
  // REG-09: "the password comes back nowhere: body, headers, token payload"
  {
    id: 'refusal-quotes-password',
    story: 'A validator quotes the value that it refuses, as for every other field; nobody thought of the password.',
    clauses: ['REG-09'],
    replace: (parts) => ({
      validateRegistration: (body) => {
        const errors = parts.validateRegistration(body);
        const { password } = body;
        return errors['password'] !== undefined && typeof password === 'string' && password.trim() !== ''
          ? { ...errors, password: [`“${password.slice(0, 200)}” is no valid password: at least 8 characters.`] }
          : errors;
      },
    }),
  },
  // REG-10: "extra members (`role`, …) take no effect"
  {
    id: 'lesser-role-kept',
    story: 'Against mass assignment the roles above owner were forbidden; those below are still taken from the body.',
    clauses: ['REG-10'],
    replace: (parts) => ({
      standing: (body) => {
        const standing = parts.standing(body);
        const { role } = body;
        return role === 'editor' || role === 'viewer' ? { ...standing, role } : standing;
      },
    }),
  },
  // REG-15: "a user name that is taken … never a 5xx"
  {
    id: 'user-name-index-folds-case',
    story: 'The form compares user names exactly, the column is citext: `Ada` beside `ada` ends in an IntegrityError.',
    clauses: ['REG-15'],
    replace: (parts, store) => ({
      insertUser: (user) => {
        const name = user.username.toLowerCase();
        if (store.users.some(({ username }) => username.toLowerCase() === name)) {
          throw new Error('duplicate key value violates unique constraint "auth_user_username_key"');
        }
        parts.insertUser(user);
      },
    }),
  },
  // REG-16: "of simultaneous registrations of one e-mail exactly one succeeds"
  {
    id: 'only-user-name-is-unique',
    story: "Django's own user table: the user name is unique in the database, the e-mail only in the form's query.",
    clauses: ['REG-16'],
    replace: (parts) => ({
      createUser: async (body, passwordHash) => {
        const { email } = parts.taken(body);
        if (email !== undefined) throw new Refusal(409, 'Resource already exists', { email });
        await delay(20);
        const { username } = parts.taken(body);
        if (username !== undefined) throw new Refusal(400, 'Validation failed', { username });
        const user: User = {
          ...parts.standing(body),
          email: textOf(body['email']),
          username: textOf(body['username']),
          firstName: textOf(body['first_name']),
          lastName: textOf(body['last_name']),
          passwordHash,
        };
        parts.insertUser(user);
        return user;
      },
    }),
  },

  // LOG-05: "an unknown e-mail: 401, no tokens"
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
  // LOG-06: "the two are told apart by nothing in status, body or headers but ids, times and rate-limit counters"
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
  // LOG-09: "the password is compared exactly: … a prefix are refused"
  {
    id: 'bcrypt-72-bytes',
    story: 'bcrypt reads the first 72 bytes only, and no hash was put before it.',
    clauses: ['LOG-09'],
    replace: (parts) => ({
      hashPassword: (password) => parts.hashPassword(cut(password)),
      checkPassword: (password, hash) => parts.checkPassword(cut(password), hash),
    }),
  },
  // LOG-10: "two logins give different tokens"
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
          const outcome = delay(25)
            .then(() => parts.login(context))
            .finally(() => flying.delete(request));
          flying.set(request, { since: Date.now(), outcome });
          return outcome;
        },
      };
    },
  },
  // LOG-11: "a stale or foreign `Authorization` header does not block login"
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
  // LOG-15: "logins of different users at the same moment … each get their own user"
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
          await delay(10);
          return parts.checkPassword(password, hash);
        },
        checkNobody: async (password) => {
          await delay(10);
          await parts.checkNobody(password);
        },
        publicUser: (user) => ({ ...parts.publicUser(user), account: tenant ?? user.account }),
      };
    },
  },
];
