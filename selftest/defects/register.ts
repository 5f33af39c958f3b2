/** Faults of register (REG). */
import { type Parts, Refusal } from '../../fixtures/reference/behaviour.js';
import type { Defect } from './defect.js';
import { type Json, type Session, answeredWith, bodyOf, claims, crash, data, omit, pause, refusal } from './helpers.js';

/** Validation without what it says of one field. */
const lenient =
  (field: string, when: (value: unknown) => boolean) =>
  (parts: Parts): Partial<Parts> => ({
    validateRegistration: (body) => {
      const errors = parts.validateRegistration(body);
      return when(body[field]) ? Object.fromEntries(Object.entries(errors).filter(([name]) => name !== field)) : errors;
    },
  });

export const REGISTER: readonly Defect[] = [
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
    clauses: ['REG-04'],
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
    clauses: ['REG-09', 'TOK-07'],
    replace: (parts) => ({
      register: async (context) => {
        const outcome = (await parts.register(context)) as { status: number; data: Session };
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
    replace: answeredWith('register', 200),
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
    id: 'register-access-dead',
    story: 'The token of register is signed before the user is saved, and names nobody.',
    clauses: ['REG-03'],
    replace: claims((given, kind, occasion) =>
      occasion === 'register' && kind === 'access' ? { ...given, user_id: 987_654 } : given,
    ),
  },
  {
    id: 'register-refresh-dead',
    story: 'Register opens no session, so its refresh token belongs to none.',
    clauses: ['REG-03'],
    replace: claims((given, kind, occasion) =>
      occasion === 'register' && kind === 'refresh' ? { ...given, chain: 'none' } : given,
    ),
  },
  {
    id: 'register-access-an-hour',
    story: 'Register has its own call of the token library, with its default lifetime.',
    clauses: ['REG-03'],
    replace: (parts) => ({
      lifetime: (kind, occasion) =>
        occasion === 'register' && kind === 'access' ? 3600 : parts.lifetime(kind, occasion),
    }),
  },
  {
    id: 'refusal-quotes-the-body',
    story: 'A refused form is sent back with what was in it.',
    clauses: ['REG-09'],
    replace: (parts) => ({
      errorEnvelope: (refusal, id, context) => ({
        ...parts.errorEnvelope(refusal, id, context),
        ...(context.operation === 'register' && refusal.status === 400
          ? { error: `Validation failed: ${context.rawBody.subarray(0, 500).toString()}` }
          : {}),
      }),
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
    id: 'email-found-anywhere',
    story: 'The pattern of an e-mail address has no anchors.',
    clauses: ['REG-06'],
    replace: (parts) => ({
      validateRegistration: (body) => {
        const { email, ...others } = parts.validateRegistration(body);
        const address = body['email'];
        const taken = typeof address === 'string' && !address.includes('\0') && /[^\s@]+@[^\s@]+\.\w+/.test(address);
        return email === undefined || taken ? others : { email, ...others };
      },
    }),
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
];
