/** Registrations that meet others, or reach for what is not theirs: duplicates, extra fields, tenants, races. */
import { type Parts, Refusal, type Role, type Store, type User } from '../../fixtures/reference/behaviour.js';
import type { Defect } from './defect.js';
import { type Json, bodyOf, crash, dataOf, omit, on, pause, refusal, textOf } from './helpers.js';

/** Who registers gets the account of somebody who has the same key. */
const accountsBy =
  (keyOf: (body: Json) => string) =>
  (parts: Parts, store: Store): Partial<Parts> => {
    const known = new Map<string, User['account']>();
    return {
      standing: (body) => {
        const key = keyOf(body);
        const account = known.get(key);
        if (account !== undefined) return { id: store.nextId('user'), role: 'owner', account };
        const standing = parts.standing(body);
        known.set(key, standing.account);
        return standing;
      },
    };
  };

/** A user's row is updated after the response to register was made. */
const updatedAfterwards =
  (change: (user: User, body: Json) => Partial<User>) =>
  (parts: Parts, store: Store): Partial<Parts> => ({
    register: async (context) => {
      const outcome = await parts.register(context);
      const body = bodyOf(context);
      const at = store.users.findIndex(({ email }) => email === body['email']);
      const user = store.users[at];
      if (user !== undefined) store.users.splice(at, 1, { ...user, ...change(user, body) });
      return outcome;
    },
  });

const ROLES: readonly string[] = ['developer', 'admin', 'editor', 'viewer', 'system_bot'];

const roleOf = (value: unknown): { role: Role } | undefined =>
  ROLES.includes(textOf(value)) ? { role: value as Role } : undefined;

/** What databases say of a value that is there already. */
const DATABASES = [
  ['postgres', 'duplicate key value violates unique constraint "users_email_key"'],
  ['sqlite', 'UNIQUE constraint failed: users.email'],
  ['mysql', "Duplicate entry 'somebody' for key 'users.email'"],
  ['mongo', 'E11000 duplicate key error collection: app.users index: email_1'],
  ['pdo', 'SQLSTATE[23000]: Integrity constraint violation'],
] as const;

export const REGISTER_ACCOUNTS: readonly Defect[] = [
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
    clauses: ['REG-07'],
    replace: (parts) => ({
      taken: (body) => {
        const taken = parts.taken(body);
        if (taken['email'] !== undefined) throw new Error('IntegrityError');
        return taken;
      },
    }),
  },
  {
    id: 'double-submit-replayed',
    story: 'Sign-up is idempotent for the double click: the same body again gets 200 and tokens.',
    clauses: ['REG-07'],
    replace: on('register', async (context, parts) => {
      const body = bodyOf(context);
      const user = parts.findUser(textOf(body['email']));
      if (user === undefined || user.username !== body['username']) return undefined;
      if (!(await parts.checkPassword(textOf(body['password']), user.passwordHash))) return undefined;
      const tokens = parts.issue(user, parts.openChain(user), 'register');
      return { status: 200, data: { user: parts.publicUser(user), ...tokens } };
    }),
  },
  {
    id: 'unused-account-taken-over',
    story: 'An account that never logged in counts as abandoned, and its e-mail may be registered again.',
    clauses: ['REG-07', 'REG-08'],
    // Of those who register at the same moment, some are taken over: then whose fault that is depends on which.
    may: ['REG-16'],
    replace: (parts, store) => {
      const used = new Set<number>([1, 2, 3]);
      return {
        login: async (context) => {
          const outcome = await parts.login(context);
          used.add(Number((dataOf(outcome)['user'] as Json)['id']));
          return outcome;
        },
        register: async (context) => {
          const body = bodyOf(context);
          const user = parts.findUser(textOf(body['email']));
          // A double click within the same second is no abandoned account.
          if (user === undefined || used.has(user.id) || textOf(body['username']) === user.username)
            return parts.register(context);
          const errors = parts.validateRegistration(body);
          if (Object.keys(errors).length > 0 || parts.taken({ username: body['username'] })['username'] !== undefined)
            return parts.register(context);
          const passwordHash = await parts.hashPassword(textOf(body['password']));
          const renewed = { ...user, username: textOf(body['username']), passwordHash };
          store.users.splice(store.users.indexOf(user), 1, renewed);
          const tokens = parts.issue(renewed, parts.openChain(renewed), 'register');
          return { status: 201, data: { user: parts.publicUser(renewed), ...tokens } };
        },
      };
    },
  },
  {
    id: 'email-trimmed-after-the-look',
    story:
      'Uniqueness is looked up with what was typed, and the blank behind it is cut off on save: a second row with the same e-mail.',
    clauses: ['REG-07'],
    replace: (parts) => ({
      register: (context) => {
        const body = bodyOf(context);
        const email = textOf(body['email']);
        const user = email.endsWith(' ') ? parts.findUser(email.trim()) : undefined;
        if (user === undefined) return parts.register(context);
        return Promise.resolve({
          status: 201,
          data: { user: parts.publicUser(user), ...parts.issue(user, parts.openChain(user), 'register') },
        });
      },
    }),
  },
  {
    id: 'duplicate-other-case',
    story: 'The unique constraint compares letter case.',
    clauses: ['REG-08'],
    replace: (parts, store) => ({
      taken: (body) => {
        const taken = parts.taken(body);
        const same = store.users.some(({ email }) => email === body['email']);
        return same ? taken : (omit(taken, 'email') as Record<string, string[]>);
      },
    }),
  },
  {
    id: 'email-lowered-on-look-up-only',
    story:
      'WHERE email = lower($1) over a column that holds what was typed: a capital in the first registration hides it.',
    clauses: ['REG-08'],
    replace: (parts, store) => ({
      taken: (body) => {
        const email = textOf(body['email']);
        const { email: _, ...others } = parts.taken(body);
        const same = store.users.some((user) => user.email === email || user.email === parts.emailKey(email));
        return same ? { ...others, email: ['A user with this email already exists.'] } : others;
      },
    }),
  },
  {
    id: 'lower-knows-ascii-only',
    story: 'The unique index is on LOWER(email) in SQLite, or in PostgreSQL with the C locale: only A to Z are folded.',
    clauses: ['REG-08'],
    replace: () => ({
      emailKey: (email) => email.normalize('NFC').replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
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
    id: 'role-taken-over-after-the-response',
    story:
      'The response is made of the validated form, but the row is updated with the whole body: the role shows at the next login.',
    clauses: ['REG-10'],
    replace: updatedAfterwards((_, { role }) => ({ ...roleOf(role) })),
  },
  {
    id: 'role-of-nested-user-taken-over',
    story: 'A nested serializer for `user` is writable.',
    clauses: ['REG-10'],
    replace: updatedAfterwards((_, { user }) => ({ ...roleOf((user as Json | undefined)?.['role']) })),
  },
  {
    id: 'account-in-camel-case-taken-over',
    story:
      'A camel-case parser runs after the serializer has looked for forbidden fields: `accountId` becomes `account_id`.',
    clauses: ['REG-10'],
    replace: (parts, store) => ({
      standing: (body) => {
        const standing = parts.standing(body);
        const other = store.users.find(({ account }) => account.id === body['accountId'])?.account;
        return other === undefined ? standing : { ...standing, account: other };
      },
    }),
  },
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
  {
    id: 'account-by-slug-of-username',
    story: 'get_or_create(slug=slugify(username)): names that slugify alike, or to nothing, share a tenant.',
    clauses: ['REG-14'],
    replace: accountsBy(({ username }) =>
      textOf(username)
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, ''),
    ),
  },
  {
    id: 'account-by-email-without-tag',
    story: 'The account is found by the address without its tag, so that one company is one account.',
    clauses: ['REG-14'],
    replace: accountsBy(({ email }) => textOf(email).replace(/\+[^@]*/, '')),
  },
  {
    id: 'account-by-email-without-dots',
    story: 'The account is found by the address without its dots.',
    clauses: ['REG-14'],
    replace: accountsBy(({ email }) => textOf(email).replace(/\.(?=[^@]*@)/g, '')),
  },
  {
    id: 'username-taken-500',
    story: 'Only the e-mail is looked up before the insert; the unique index on the user name raises.',
    clauses: ['REG-15'],
    replace: (parts) => ({
      taken: (body) => {
        const { username, ...others } = parts.taken(body);
        if (username !== undefined && Object.keys(others).length === 0) throw crash;
        return others;
      },
    }),
  },
  {
    id: 'username-shared',
    story: 'The user name is not unique.',
    clauses: ['REG-15'],
    replace: (parts) => ({ taken: (body) => omit(parts.taken(body), 'username') as Record<string, string[]> }),
  },
  {
    id: 'username-shadows-email',
    story: 'Login looks for the user name first, then for the e-mail; two users match, and `get()` raises.',
    clauses: ['REG-15'],
    replace: (parts, store) => ({
      findUser: (email) => {
        const named = store.users.some(({ username, email: own }) => username === email && own !== email);
        if (named && parts.findUser(email) !== undefined) throw crash;
        return parts.findUser(email);
      },
    }),
  },
  {
    id: 'register-race-500',
    story: 'The unique index refuses the second of two simultaneous registrations, and nobody catches the error.',
    clauses: ['REG-15', 'REG-16'],
    replace: (parts) => ({
      createUser: async (body, hash) => {
        const before = parts.taken(body);
        await pause(30);
        if (Object.keys(before).length === 0 && Object.keys(parts.taken(body)).length > 0) throw crash;
        return parts.createUser(body, hash);
      },
    }),
  },
  {
    id: 'username-renamed-after-the-response',
    story: 'A signal gives a user name that is taken a suffix on save: only the next login shows it.',
    clauses: ['REG-15'],
    replace: (parts, store) => ({
      taken: (body) => {
        const { username: _, ...others } = parts.taken(body);
        return others;
      },
      createUser: async (body, hash) => {
        const same = store.users.some(({ username }) => username === body['username']);
        const user = await parts.createUser(body, hash);
        const stored = { ...user, username: `${user.username}-${String(user.id)}` };
        if (same) store.users.splice(store.users.indexOf(user), 1, stored);
        return user;
      },
    }),
  },
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
  {
    id: 'register-race',
    story: 'Two workers look for the e-mail before either inserts it, and there is no unique index.',
    clauses: ['REG-16'],
    replace: (parts) => {
      const turns = new Map<unknown, number>();
      return {
        createUser: async (body, hash) => {
          const before = parts.taken(body);
          const { email } = body;
          const turn = (turns.get(email) ?? 0) + 1;
          turns.set(email, turn);
          await pause(30);
          const late = turn > 1 && Object.keys(before).length === 0;
          // It looked before the other one wrote.
          return parts.createUser(late ? { ...body, email: `${String(turn)}-${String(email)}` } : body, hash);
        },
      };
    },
  },
  {
    id: 'email-not-unique-in-a-race',
    story: 'The unique index is on the user name; the e-mail is only looked up before the insert.',
    clauses: ['REG-16'],
    replace: (parts, store) => ({
      createUser: async (body, passwordHash) => {
        if (Object.keys(parts.taken(body)).length > 0) return parts.createUser(body, passwordHash);
        await pause(25);
        if (parts.taken(body)['username'] !== undefined || parts.taken(body)['email'] === undefined)
          return parts.createUser(body, passwordHash);
        const [email, username] = [textOf(body['email']), textOf(body['username'])];
        const user = { ...parts.standing(body), email, username, firstName: '', lastName: '', passwordHash };
        store.users.push(user);
        return user;
      },
    }),
  },
  {
    id: 'register-race-in-letter-case',
    story:
      'The look for a duplicate folds letter case, the unique index does not: at one moment both spellings get in.',
    clauses: ['REG-16'],
    replace: (parts, store) => ({
      createUser: async (body, passwordHash) => {
        if (Object.keys(parts.taken(body)).length > 0) return parts.createUser(body, passwordHash);
        await pause(25);
        if (parts.taken(body)['email'] === undefined || store.users.some(({ email }) => email === body['email']))
          return parts.createUser(body, passwordHash);
        const [email, username] = [textOf(body['email']), textOf(body['username'])];
        const user = { ...parts.standing(body), email, username, firstName: '', lastName: '', passwordHash };
        store.users.push(user);
        return user;
      },
    }),
  },
  {
    id: 'only-user-name-is-unique',
    story: "Django's own user table: the user name is unique in the database, the e-mail only in the form's query.",
    clauses: ['REG-16'],
    replace: (parts) => ({
      createUser: async (body, passwordHash) => {
        const { email } = parts.taken(body);
        if (email !== undefined) throw new Refusal(409, 'Resource already exists', { email });
        await pause(20);
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
  {
    id: 'account-by-slug',
    story: 'The serializer finds `account` by its slug, for invitations that never came.',
    clauses: ['REG-10'],
    replace: (parts, store) => ({
      standing: (body) => {
        const owner = store.users.find(({ account }) => account.slug === body['account']);
        return { ...parts.standing(body), ...(owner === undefined ? {} : { account: owner.account }) };
      },
    }),
  },
  {
    id: 'role-of-the-prototype',
    story:
      '`Object.assign({}, body)` makes `__proto__` of the body the prototype; the own `role` is removed, the inherited one counts.',
    clauses: ['REG-10'],
    replace: (parts) => ({
      standing: (body) => {
        const copy: Record<string, unknown> = Object.assign({}, body);
        delete copy['role'];
        const inherited = copy['role'];
        return { ...parts.standing(body), ...(inherited === 'developer' ? { role: inherited } : {}) };
      },
    }),
  },
  ...DATABASES.map(([name, message]) => ({
    id: `conflict-in-words-of-${name}`,
    story: 'The handler of integrity errors answers with the text of the exception.',
    clauses: ['ROB-10' as const],
    replace: refusal('register', (given) =>
      given.status === 409 ? new Refusal(409, message, given.errors, given.headers) : given,
    ),
  })),
  {
    id: 'other-case-resets-the-password',
    story: 'Sign-up sets the password of whoever has the e-mail in some letter case, before it asks for duplicates.',
    clauses: ['REG-08'],
    replace: (parts, store) => ({
      taken: (body) => {
        const email = textOf(body['email']);
        const at = store.users.findIndex((user) => user.email !== email && user === parts.findUser(email));
        const user = store.users[at];
        if (user !== undefined) store.users[at] = { ...user, passwordHash: '16.AAAA.AAAA' };
        return parts.taken(body);
      },
    }),
  },
];
