/** Registrations that are taken or refused, and what the response says. */
import { type Parts, Refusal } from '../../fixtures/reference/behaviour.js';
import type { Defect } from './defect.js';
import {
  type Json,
  type Session,
  answeredWith,
  bodyOf,
  claims,
  data,
  refusal,
  takesRegistration,
  textOf,
} from './helpers.js';

/** Validation without what it says of one field. */
const lenient =
  (field: string, when: (value: unknown) => boolean) =>
  (parts: Parts): Partial<Parts> => ({
    validateRegistration: (body) => {
      const errors = parts.validateRegistration(body);
      return when(body[field]) ? Object.fromEntries(Object.entries(errors).filter(([name]) => name !== field)) : errors;
    },
  });

/** A password is changed on its way into the hash at register, and not at login. */
const hashedOtherwise =
  (change: (password: string) => string) =>
  (parts: Parts): Partial<Parts> => ({ hashPassword: (password) => parts.hashPassword(change(password)) });

/** An e-mail is stored otherwise than it was sent, and looked up as it is sent at login; register shows what was sent. */
const storedOtherwise =
  (change: (email: string) => string) =>
  (parts: Parts): Partial<Parts> => ({
    insertUser: (user) => {
      parts.insertUser({ ...user, email: change(user.email) });
    },
  });

export const REGISTER_REQUESTS: readonly Defect[] = [
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
    id: 'register-access-dead',
    story: 'The token of register is signed before the user is saved, and names nobody.',
    clauses: ['REG-03', 'TOK-04'],
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
    clauses: ['EXP-01'],
    replace: (parts) => ({
      lifetime: (kind, occasion) =>
        occasion === 'register' && kind === 'access' ? 3600 : parts.lifetime(kind, occasion),
    }),
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
    id: 'password-nfkc-at-register',
    story: 'The sign-up form normalises the password before hashing; login compares what was typed.',
    clauses: ['REG-04'],
    replace: hashedOtherwise((password) => password.normalize('NFKC')),
  },
  {
    id: 'password-blanks-collapsed-at-register',
    story: 'A clean-up of forms makes one blank of several, at sign-up only.',
    clauses: ['REG-04'],
    replace: hashedOtherwise((password) => password.replace(/ +/g, ' ')),
  },
  {
    id: 'password-quotes-straightened-at-register',
    story: 'The editor of the landing page straightens curly quotes and dashes.',
    clauses: ['REG-04'],
    replace: hashedOtherwise((password) => password.replace(/[“”]/g, '"').replace(/[‘’]/g, "'").replace(/—/g, '-')),
  },
  {
    id: 'password-invisible-dropped-at-register',
    story: 'SASLprep at sign-up maps soft hyphens and zero-width spaces to nothing.',
    clauses: ['REG-04'],
    replace: hashedOtherwise((password) => password.replace(/[\u00ad\u200b]/g, '')),
  },
  {
    id: 'password-plus-as-blank-at-register',
    story: 'The password goes through form decoding on its way to the identity service: + is a blank.',
    clauses: ['REG-04'],
    replace: hashedOtherwise((password) => password.replaceAll('+', ' ')),
  },
  {
    id: 'password-cut-at-128-at-register',
    story: 'The model’s field has 128 characters, the form of login has no limit.',
    clauses: ['REG-04'],
    replace: hashedOtherwise((password) => password.slice(0, 128)),
  },
  {
    id: 'email-dots-dropped-on-save',
    story:
      'Addresses are made canonical as one big provider has it: dots of the first part go on save, and login compares exactly.',
    clauses: ['REG-04'],
    replace: storedOtherwise((email) => email.replace(/^[^@]*/, (local) => local.replaceAll('.', ''))),
  },
  {
    id: 'email-apostrophe-escaped-on-save',
    story: 'Form data are escaped for HTML before they are stored.',
    clauses: ['REG-04'],
    replace: storedOtherwise((email) => email.replaceAll("'", '&#39;')),
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
    id: 'half-an-account-without-username',
    story:
      'The user is saved before the profile with the user name is validated, and no transaction takes it back after the 400.',
    clauses: ['REG-05'],
    replace: (parts, store) => ({
      register: async (context) => {
        try {
          return await parts.register(context);
        } catch (error) {
          const body = bodyOf(context);
          const email = textOf(body['email']);
          const refused = error instanceof Refusal && Object.keys(error.errors ?? {}).join() === 'username';
          if (refused && parts.findUser(email) === undefined && textOf(body['username']).trim() === '') {
            const passwordHash = await parts.hashPassword(textOf(body['password']));
            const standing = parts.standing({ ...body, username: email });
            store.users.push({ ...standing, email, username: email, firstName: '', lastName: '', passwordHash });
          }
          throw error;
        }
      },
    }),
  },
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
  {
    id: 'null-password',
    story: 'Who has no password may sign up.',
    clauses: ['REG-05', 'ROB-02'],
    replace: takesRegistration('password', (value) => value === null),
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
    id: 'dollar-before-newline',
    story: 'The pattern for e-mails ends in `$`, which in Python also matches before a last line feed.',
    clauses: ['REG-06'],
    replace: (parts) => ({
      validateRegistration: (body) =>
        parts.validateRegistration(
          typeof body['email'] === 'string' ? { ...body, email: body['email'].replace(/\n$/, '') } : body,
        ),
    }),
  },
  {
    id: 'newline-behind-email',
    story: '`$` of the pattern matches before a last newline.',
    clauses: ['REG-06'],
    replace: (parts) => ({
      validateRegistration: (body) => {
        const { email, ...others } = parts.validateRegistration(body);
        return email === undefined || /^\S+@\S+\n$/.test(String(body['email'])) ? others : { email, ...others };
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
    id: 'password-length-in-bytes',
    story: 'The length of a password is counted in bytes: four letters with accents are eight.',
    clauses: ['REG-11'],
    replace: (parts) => ({
      validateRegistration: (body) => {
        const password = textOf(body['password']);
        const short = Array.from(password).length < 8 && Buffer.byteLength(password) >= 8;
        return parts.validateRegistration(short ? { ...body, password: password.padEnd(16) } : body);
      },
    }),
  },
  {
    id: 'password-length-in-utf16',
    story: 'The length of a password is counted in UTF-16 units: an emoji is two.',
    clauses: ['REG-11'],
    replace: (parts) => ({
      validateRegistration: (body) => {
        const password = textOf(body['password']);
        const short = Array.from(password).length < 8 && password.length >= 8;
        return parts.validateRegistration(short ? { ...body, password: password.padEnd(16) } : body);
      },
    }),
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
];
