/** What an account may look like, and what a server may ask of it. */
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import { bodyOf, type Json } from '../defects/helpers.js';
import type { Variant } from './variant.js';

/** Registrations whose fields are also held to rules of the server's own: field → what it must be like, and what is said otherwise. */
const rules = (own: Readonly<Record<string, readonly [RegExp, string]>>): NonNullable<Variant['replace']> => {
  return (parts) => ({
    validateRegistration: (body) => {
      const broken = Object.entries(own).flatMap(([field, [pattern, text]]) => {
        const value = body[field];
        return typeof value === 'string' && value !== '' && !pattern.test(value)
          ? [[field, [text]] as [string, string[]]]
          : [];
      });
      return { ...Object.fromEntries(broken), ...parts.validateRegistration(body) };
    },
  });
};

export const ACCOUNTS: readonly Variant[] = [
  {
    id: 'domain-in-small-letters',
    words: 'An e-mail comes back equal up to the letter case of its domain.',
    replace: (parts) => ({
      insertUser: (user) => {
        const [local = '', domain = ''] = user.email.split('@');
        parts.insertUser({ ...user, email: `${local}@${domain.toLowerCase()}` });
      },
    }),
  },
  {
    id: 'names-may-be-missing',
    words: '`first_name` and `last_name` are always sent; a server may do without, or insist on them.',
    replace: (parts) => ({
      validateRegistration: (body) => ({
        ...parts.validateRegistration(body),
        ...(body['first_name'] === undefined ? { first_name: ['This field is required.'] } : {}),
      }),
    }),
  },
  {
    id: 'unknown-members-refused',
    words: 'REG-10: extra members take no effect; refusing the body is one way.',
    replace: (parts) => ({
      validateRegistration: (body) => ({
        ...parts.validateRegistration(body),
        ...Object.fromEntries(
          Object.keys(body)
            .filter((name) => !['email', 'username', 'password', 'first_name', 'last_name'].includes(name))
            .map((name) => [name, ['Unknown field.']]),
        ),
      }),
      validateKeyword: (body, partial) => ({
        ...parts.validateKeyword(body, partial),
        ...(Object.keys(body).some((name) => !['keyword', 'site_id'].includes(name))
          ? { body: ['Unknown field.'] }
          : {}),
      }),
    }),
  },
  {
    id: 'strict-passwords',
    words:
      'Control characters in a password may be accepted, and so refused; the documents set no upper limit, and a server may have one.',
    replace: (parts) => ({
      validateRegistration: (body) => ({
        ...parts.validateRegistration(body),
        ...(/\p{Cc}/u.test(String(body['password'])) || String(body['password']).length > 64
          ? { password: ['This password is not allowed.'] }
          : {}),
      }),
    }),
  },
  {
    id: 'latin-names-only',
    words: 'ROB-09: where such a user name is accepted, it comes back unchanged; it may be refused.',
    replace: (parts) => ({
      validateRegistration: (body) => ({
        ...parts.validateRegistration(body),
        ...(/^[\w.@+-]*$/.test(String(body['username'])) ? {} : { username: ['Enter a valid username.'] }),
      }),
    }),
  },
  {
    id: 'reserved-domain-refused',
    words:
      'REG-01: the documented body succeeds; that any domain is taken is not said, and the run may be ' +
      'told another one (IGNY8_REGISTER_EMAIL).',
    replace: rules({ email: [/@(?!example\.(com|org|net)$)/i, 'Enter an email address that can receive mail.'] }),
    target: (target) => ({ ...target, registerEmail: 'conformance-*@mail.igny8.test' }),
  },
  {
    id: 'own-domain-only',
    words: 'The same with a list of domains that are welcome, and a plus in the address.',
    replace: rules({ email: [/^[^@]+@staff\.igny8\.test$/i, 'Addresses of igny8 only.'] }),
    target: (target) => ({ ...target, registerEmail: 'qa+*@staff.igny8.test' }),
  },
  {
    id: 'names-of-20-characters',
    words: 'How long a user name may be is not said.',
    replace: rules({ username: [/^.{1,20}$/su, 'Ensure this field has no more than 20 characters.'] }),
  },
  {
    id: 'names-of-30-characters',
    words: 'How long a user name may be is not said.',
    replace: rules({ username: [/^.{1,30}$/su, 'Ensure this field has no more than 30 characters.'] }),
  },
  {
    id: 'names-of-3-characters-at-least',
    words: 'How short a user name may be is not said.',
    replace: rules({ username: [/^.{3,}$/su, 'Ensure this field has at least 3 characters.'] }),
  },
  {
    id: 'names-of-letters-and-digits',
    words: 'ROB-09: a user name may be refused for its characters.',
    replace: rules({ username: [/^[a-z][a-z0-9_]*$/i, 'Letters, digits and underscores only.'] }),
  },
  {
    id: 'names-are-no-addresses',
    words: 'REG-15: a user name equal to an e-mail does not disturb; refusing it is one way.',
    replace: rules({ username: [/^[^@]*$/, 'A user name may not contain @.'] }),
  },
  {
    id: 'names-in-any-case-are-one',
    words: 'REG-15: a user name that is taken is refused; whether letter case makes another one is not said.',
    replace: (parts, store) => ({
      taken: (body) => {
        const name = String(body['username']).toLowerCase();
        const others = store.users.some(({ username }) => username.toLowerCase() === name);
        return { ...parts.taken(body), ...(others ? { username: ['A user with that username already exists.'] } : {}) };
      },
    }),
  },
  {
    id: 'taken-names-made-different',
    words: 'REG-15: a user name that is taken is refused, or made different in a way that the answer shows.',
    replace: (parts, store) => ({
      taken: (body) => {
        const { username: _, ...others } = parts.taken(body);
        return others;
      },
      insertUser: (user) => {
        parts.insertUser(user);
      },
      createUser: (body, hash) => {
        const taken = store.users.some(({ username }) => username === body['username']);
        return parts.createUser(
          taken ? { ...body, username: `${String(body['username'])}-${String(store.users.length)}` } : body,
          hash,
        );
      },
    }),
  },
  {
    id: 'names-of-people-in-letters',
    words: '`first_name` and `last_name` are always sent; what they may hold is not said.',
    replace: rules({
      first_name: [/^\p{L}[\p{L}\p{M}' -]*$/u, 'Letters only.'],
      last_name: [/^\p{L}[\p{L}\p{M}' -]*$/u, 'Letters only.'],
    }),
  },
  {
    id: 'passwords-of-four-kinds',
    words: 'REG-11 names the shortest password; a server may ask for more, as the guide’s “strong password” does.',
    replace: rules({
      password: [/^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[^\w\s]).{12,}$/s, 'Use 12 characters of four kinds.'],
    }),
  },
  {
    id: 'passwords-of-64-bytes',
    words: 'The documents set no upper limit; a server with bcrypt has one, and says so.',
    replace: (parts) => ({
      validateRegistration: (body) => ({
        ...parts.validateRegistration(body),
        ...(Buffer.byteLength(String(body['password'])) > 64 ? { password: ['At most 64 bytes.'] } : {}),
      }),
    }),
  },
  {
    id: 'passwords-unlike-the-name',
    words: 'REG-11 is not the only rule for a password: Django also compares it with the user’s other fields.',
    replace: (parts) => ({
      validateRegistration: (body) => {
        const password = String(body['password']).toLowerCase();
        const own = ['email', 'username', 'first_name', 'last_name'].map((name) => String(body[name]).toLowerCase());
        const alike = own.some((text) => text.length > 3 && password.includes(text));
        return { ...parts.validateRegistration(body), ...(alike ? { password: ['Too similar to the user.'] } : {}) };
      },
    }),
  },
  {
    id: 'addresses-of-64-characters',
    words: 'How long an address may be is not said.',
    replace: rules({ email: [/^.{1,64}$/s, 'Ensure this field has no more than 64 characters.'] }),
  },
  {
    id: 'login-by-name-as-well',
    words: 'LOG-01 is about the e-mail; that a user name in its place is taken as well is not forbidden.',
    replace: (parts, store) => ({
      validateLogin: (body) => parts.validateLogin(body),
      findUser: (email) => parts.findUser(email) ?? store.users.find(({ username }) => username === email),
      taken: (body) => {
        const { email: _, ...others } = parts.taken(body);
        const key = parts.emailKey(String(body['email']));
        const known = store.users.some((user) => parts.emailKey(user.email) === key);
        return { ...others, ...(known ? { email: ['A user with this email already exists.'] } : {}) };
      },
    }),
  },
  {
    id: 'profile-beside-the-user',
    words: 'Extra members inside `data` are no fault: a profile with nulls, nested objects and an avatar.',
    replace: (parts) => ({
      publicUser: (user) => ({
        ...(parts.publicUser(user) as Json),
        first_name: user.firstName,
        last_name: user.lastName,
        last_login: null,
        is_active: true,
        profile: { avatar: `https://cdn.example.com/${user.username}.png`, settings: { theme: 'dark' }, teams: [] },
      }),
    }),
  },
  {
    id: 'confirmation-before-login',
    words:
      'REG-04 fails, and nothing else: tokens come from register, and a new e-mail must be confirmed before it logs in.',
    replace: (parts, store) => ({
      login: async (context) => {
        // Who has the right password, and nobody else, is told what is missing. The seeds confirmed theirs long ago.
        const outcome = await parts.login(context);
        const user = parts.findUser(String(bodyOf(context)['email']));
        if (user !== undefined && store.users.indexOf(user) > 2) throw unauthenticated('Confirm your e-mail first');
        return outcome;
      },
    }),
    fails: ['REG-04'],
  },
];
