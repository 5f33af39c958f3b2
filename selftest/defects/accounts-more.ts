/** Defects of register and login beside the obvious: another spelling, another moment, another channel, somebody who is nearly the same. */
import type { Context, Outcome, Parts, Role, Store, User } from '../../fixtures/reference/behaviour.js';
import { Refusal } from '../../fixtures/reference/behaviour.js';
import { bodyOf, json, on, pause, type Json } from './helpers.js';
import type { Defect } from './defect.js';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const dataOf = (outcome: Outcome): Json => ('data' in outcome ? (outcome.data as Json) : {});

/** The same success with other fields in `data`. */
const withData = (outcome: Outcome, fields: Json): Outcome => ({ ...outcome, data: { ...dataOf(outcome), ...fields } });

/** The same request with another body. */
const withBody = (context: Context, body: Json): Context =>
  Object.assign(context, { rawBody: Buffer.from(JSON.stringify(body)) });

/** Who a request's token belongs to; undefined if it has no good one. */
async function bearerOf(parts: Parts, context: Context): Promise<User | undefined> {
  try {
    return await parts.authenticate({ ...context });
  } catch {
    return undefined;
  }
}

/** A password is changed on its way into the hash at register, and not at login. */
const hashedOtherwise =
  (change: (password: string) => string) =>
  (parts: Parts): Partial<Parts> => ({ hashPassword: (password) => parts.hashPassword(change(password)) });

/** Register and login make the same thing of a password before they hash or compare it. */
const comparedAs =
  (change: (password: string) => string) =>
  (parts: Parts): Partial<Parts> => ({
    hashPassword: (password) => parts.hashPassword(change(password)),
    checkPassword: (password, hash) => parts.checkPassword(change(password), hash),
  });

/** An e-mail is stored otherwise than it was sent, and looked up as it is sent at login; register shows what was sent. */
const storedOtherwise =
  (change: (email: string) => string) =>
  (parts: Parts): Partial<Parts> => ({
    insertUser: (user) => {
      parts.insertUser({ ...user, email: change(user.email) });
    },
  });

/** What login says of the user comes from a cache with such a key. */
const profilesCachedBy =
  (keyOf: (email: string, user: Json) => string | undefined) =>
  (parts: Parts): Partial<Parts> => {
    const profiles = new Map<string, Json>();
    return {
      login: async (context) => {
        const outcome = await parts.login(context);
        const user = dataOf(outcome)['user'] as Json;
        const key = keyOf(text(bodyOf(context)['email']), user);
        if (key === undefined) return outcome;
        const profile = profiles.get(key) ?? user;
        profiles.set(key, profile);
        return withData(outcome, { user: profile });
      },
    };
  };

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
  ROLES.includes(text(value)) ? { role: value as Role } : undefined;

/** A password that is refused is tried again as the old system would have it. */
const orElse =
  (second: (password: string, parts: Parts, hash: string) => Promise<boolean> | boolean) =>
  (parts: Parts): Partial<Parts> => ({
    checkPassword: async (password, hash) =>
      (await parts.checkPassword(password, hash)) || (await second(password, parts, hash)),
  });

/** A wrong login succeeds all the same for some requests. */
const letsIn = (who: (context: Context, parts: Parts, store: Store) => Promise<User | undefined> | User | undefined) =>
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

export const MORE_OF_ACCOUNTS: readonly Defect[] = [
  // What register does to a text and login does not
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
    id: 'password-length-in-bytes',
    story: 'The length of a password is counted in bytes: four letters with accents are eight.',
    clauses: ['REG-11'],
    replace: (parts) => ({
      validateRegistration: (body) => {
        const password = text(body['password']);
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
        const password = text(body['password']);
        const short = Array.from(password).length < 8 && password.length >= 8;
        return parts.validateRegistration(short ? { ...body, password: password.padEnd(16) } : body);
      },
    }),
  },
  // Registrations that meet others
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
          const email = text(body['email']);
          const refused = error instanceof Refusal && Object.keys(error.errors ?? {}).join() === 'username';
          if (refused && parts.findUser(email) === undefined && text(body['username']).trim() === '') {
            const passwordHash = await parts.hashPassword(text(body['password']));
            const standing = parts.standing({ ...body, username: email });
            store.users.push({ ...standing, email, username: email, firstName: '', lastName: '', passwordHash });
          }
          throw error;
        }
      },
    }),
  },
  {
    id: 'double-submit-replayed',
    story: 'Sign-up is idempotent for the double click: the same body again gets 200 and tokens.',
    clauses: ['REG-07'],
    replace: on('register', async (context, parts) => {
      const body = bodyOf(context);
      const user = parts.findUser(text(body['email']));
      if (user === undefined || user.username !== body['username']) return undefined;
      if (!(await parts.checkPassword(text(body['password']), user.passwordHash))) return undefined;
      const tokens = parts.issue(user, parts.openChain(user), 'register');
      return { status: 200, data: { user: parts.publicUser(user), ...tokens } };
    }),
  },
  {
    id: 'unused-account-taken-over',
    story: 'An account that never logged in counts as abandoned, and its e-mail may be registered again.',
    clauses: ['REG-07', 'REG-16'],
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
          const user = parts.findUser(text(body['email']));
          // A double click within the same second is no abandoned account.
          if (user === undefined || used.has(user.id) || text(body['username']) === user.username)
            return parts.register(context);
          const errors = parts.validateRegistration(body);
          if (Object.keys(errors).length > 0 || parts.taken({ username: body['username'] })['username'] !== undefined)
            return parts.register(context);
          const passwordHash = await parts.hashPassword(text(body['password']));
          const renewed = { ...user, username: text(body['username']), passwordHash };
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
        const email = text(body['email']);
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
    id: 'email-lowered-on-look-up-only',
    story:
      'WHERE email = lower($1) over a column that holds what was typed: a capital in the first registration hides it.',
    clauses: ['REG-08'],
    replace: (parts, store) => ({
      taken: (body) => {
        const email = text(body['email']);
        const { email: _, ...others } = parts.taken(body);
        const same = store.users.some((user) => user.email === email || user.email === parts.emailKey(email));
        return same ? { ...others, email: ['A user with this email already exists.'] } : others;
      },
    }),
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
    id: 'account-by-slug-of-username',
    story: 'get_or_create(slug=slugify(username)): names that slugify alike, or to nothing, share a tenant.',
    clauses: ['REG-14'],
    replace: accountsBy(({ username }) =>
      text(username)
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, ''),
    ),
  },
  {
    id: 'account-by-email-without-tag',
    story: 'The account is found by the address without its tag, so that one company is one account.',
    clauses: ['REG-14'],
    replace: accountsBy(({ email }) => text(email).replace(/\+[^@]*/, '')),
  },
  {
    id: 'account-by-email-without-dots',
    story: 'The account is found by the address without its dots.',
    clauses: ['REG-14'],
    replace: accountsBy(({ email }) => text(email).replace(/\.(?=[^@]*@)/g, '')),
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
    id: 'email-not-unique-in-a-race',
    story: 'The unique index is on the user name; the e-mail is only looked up before the insert.',
    clauses: ['REG-16'],
    replace: (parts, store) => ({
      createUser: async (body, passwordHash) => {
        if (Object.keys(parts.taken(body)).length > 0) return parts.createUser(body, passwordHash);
        await pause(25);
        if (parts.taken(body)['username'] !== undefined || parts.taken(body)['email'] === undefined)
          return parts.createUser(body, passwordHash);
        const [email, username] = [text(body['email']), text(body['username'])];
        const user = { ...parts.standing(body), email, username, firstName: '', lastName: '', passwordHash };
        store.users.push(user);
        return user;
      },
    }),
  },
  // Somebody who is nearly the same
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
      text(username)
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
  // Wrong credentials, by channel and moment
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
    replace: letsIn(async (context, parts) => {
      const user = await bearerOf(parts, context);
      const { email, password } = bodyOf(context);
      return user !== undefined && user.email === email && text(password).trim() !== '' ? user : undefined;
    }),
  },
  {
    id: 'wrong-password-beside-basic',
    story: 'Basic authentication runs before the view of login, and what it found is logged in.',
    clauses: ['LOG-04'],
    replace: letsIn(async (context, parts) => {
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
          const fresh = parts.clock() - (last.get(text(email)) ?? -Infinity) < 2000;
          const ofStranger = context.headers['authorization'] !== undefined && text(password) !== '';
          if (user !== undefined && fresh && ofStranger)
            return {
              status: 200,
              data: { user: parts.publicUser(user), ...parts.issue(user, parts.openChain(user), 'login') },
            };
          const outcome = await parts.login(context);
          last.set(text(email), parts.clock());
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
      return parts.login(withBody(context, { ...bodyOf(context), password }));
    }),
  },
  {
    id: 'email-of-token-at-login',
    story: 'Login is also used to confirm a password: without an e-mail the user of the token is taken.',
    clauses: ['LOG-08'],
    replace: on('login', async (context, parts) => {
      const body = bodyOf(context);
      const user = body['email'] === undefined ? await bearerOf(parts, context) : undefined;
      return user === undefined ? undefined : parts.login(withBody(context, { ...body, email: user.email }));
    }),
  },
  {
    id: 'password-not-asked-beside-token',
    story: 'Login renews the session of whoever brings a live token and names himself.',
    clauses: ['LOG-08'],
    replace: letsIn(async (context, parts) => {
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
      return parts.login(withBody(context, { ...body, password: 'null' }));
    }),
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
    id: 'login-for-guests-only',
    story:
      'A middleware for guests: whoever still sends a live token of another user is logged in already, and gets 403.',
    clauses: ['LOG-11'],
    replace: on('login', async (context, parts) => {
      const user = await bearerOf(parts, context);
      const email = text(bodyOf(context)['email']);
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
];
