/** Values that are long, odd or foreign: in bodies, headers, ids and queries. */
import { type Context, type Parts, Refusal, type Store } from '../../fixtures/reference/behaviour.js';
import type { Defect } from './defect.js';
import { bodyOf, crash, crashesOnBody, type Json, looseBody, on, parsed, readsBody, textOf } from './helpers.js';
import { oddSites } from './rows.js';

function isJsonLike(text: string): boolean {
  return text.startsWith('{') && parsed(text) !== undefined;
}

const SUPERSCRIPT = /^(?=.*[¹²³⁰⁴-⁹])[\d¹²³⁰⁴-⁹]+$/;

const crashesOn =
  (when: (context: Context) => boolean) =>
  (parts: Parts): Partial<Parts> => ({
    authenticate: async (context) => {
      const user = await parts.authenticate(context);
      if (when(context)) throw crash;
      return user;
    },
  });

/** An id that is read in another way than the check of tenants reads it. */
const oddIds = (read: (id: string) => number | undefined) =>
  on('getKeyword', async (context, parts, store: Store) => {
    await parts.authenticate(context);
    const id = read(decodeURIComponent(context.parameters['id'] ?? ''));
    const row = store.keywords.find((one) => one.id === id);
    return row === undefined
      ? undefined
      : { status: 200, data: { id: row.id, keyword: row.keyword, site_id: row.siteId } };
  });

/** Characters: the columns of Django's user model. */
const NAME_COLUMN = 150;

const isBeyondInt4 = (digits: string): boolean => /^\d{10,15}$/.test(digits) && Number(digits) > 2 ** 31 - 1;

export const ROBUSTNESS_VALUES: readonly Defect[] = [
  {
    id: 'long-taken',
    story: 'A text column without a limit, and no limit in front of it.',
    clauses: ['ROB-04'],
    replace: readsBody(({ operation, rawBody }, text) =>
      operation === 'createKeyword' && rawBody.length > 900_000 ? { keyword: text.slice(0, 200) } : undefined,
    ),
  },
  {
    id: 'long-500',
    story: 'The database refuses what the serializer let through.',
    clauses: ['ROB-04'],
    replace: crashesOnBody((text) => text.length > 900_000),
  },
  {
    id: 'password-of-a-megabyte',
    story: 'The limits of columns do not apply to what is hashed (CVE-2013-1443).',
    clauses: ['ROB-04'],
    replace: (parts) => ({
      readBody: (context) => {
        const body = context.rawBody.length > 900_000 && context.operation === 'register' ? bodyOf(context) : {};
        const { password } = body;
        return typeof password === 'string' && password.length > 900_000
          ? { ...body, password: password.slice(0, 100) }
          : parts.readBody(context);
      },
    }),
  },
  {
    id: 'nul-500',
    story: 'PostgreSQL refuses U+0000, and nobody asked before.',
    clauses: ['ROB-05', 'LOG-09'],
    replace: crashesOnBody((text, { operation }) => operation === 'register' && text.includes(String.raw`\u0000`)),
  },
  {
    id: 'charset-500',
    story: '`LookupError: unknown encoding` in the parser.',
    clauses: ['ROB-05'],
    replace: crashesOnBody((_, { headers }) => headers['content-type']?.includes('no-such-charset') === true),
  },
  {
    id: 'surrogate-500',
    story: 'A lone surrogate cannot be encoded when the answer quotes it.',
    clauses: ['ROB-05'],
    replace: crashesOnBody((text) => text.includes(String.raw`\ud800`)),
  },
  {
    id: 'utf8-replaced',
    story: 'Invalid bytes become replacement characters, and are stored.',
    clauses: ['ROB-05'],
    replace: readsBody(({ operation, rawBody }, text) =>
      operation === 'createKeyword' && isJsonLike(text) && !Buffer.from(text).equals(rawBody)
        ? (parsed(text) as Json)
        : undefined,
    ),
  },
  {
    id: 'control-lost',
    story: 'Control characters are stripped from a password when it is set, and not when it is compared.',
    clauses: ['ROB-05'],
    replace: (parts) => ({
      register: (context) =>
        parts.register({ ...context, rawBody: Buffer.from(context.rawBody.toString().replace(/\\u00(07|01)/g, '')) }),
    }),
  },
  {
    id: 'nul-in-a-new-address',
    story: 'The pattern of an address forbids blanks and `@`, and NUL is neither.',
    clauses: ['ROB-05'],
    replace: (parts) => ({
      validateRegistration: (body) => {
        const { email, ...others } = parts.validateRegistration(body);
        return email === undefined || String(body['email']).includes('\0') ? others : { email, ...others };
      },
    }),
  },
  {
    id: 'register-cleans-passwords',
    story: 'A sanitiser takes control characters out of all fields of the sign-up form; login does not have it.',
    clauses: ['ROB-05'],
    replace: (parts) => ({
      readBody: (context) => {
        const body = parts.readBody(context);
        const { password } = body;
        return context.operation === 'register' && typeof password === 'string'
          ? { ...body, password: password.replace(/\p{Cc}/gu, '') }
          : body;
      },
    }),
  },
  {
    id: 'rot13-500',
    story: '`charset=rot13` names a codec of Python that decodes no bytes.',
    clauses: ['ROB-05'],
    replace: crashesOn(({ headers }) => headers['content-type']?.includes('rot13') === true),
  },
  {
    id: 'utf-16-500',
    story: 'A body of an odd length is no UTF-16.',
    clauses: ['ROB-05'],
    replace: crashesOn(({ headers }) => headers['content-type']?.includes('utf-16') === true),
  },
  {
    id: 'language-bytes-500',
    story: '`Accept-Language` is decoded as UTF-8.',
    clauses: ['ROB-05'],
    replace: (parts) => ({
      bearer: (context) => {
        if (/[^\x20-\x7e]/.test(context.headers['accept-language'] ?? '')) throw crash;
        return parts.bearer(context);
      },
    }),
  },
  {
    id: 'slash-500',
    story: '`APPEND_SLASH` with `DEBUG` raises on POST.',
    clauses: ['ROB-08'],
    replace: (parts) => ({
      withoutSlash: (context) => {
        if (context.method === 'POST') throw new Error('APPEND_SLASH');
        return parts.withoutSlash(context);
      },
    }),
  },
  {
    id: 'names-composed',
    story: 'User names are normalised to NFC when they are stored.',
    clauses: ['ROB-09'],
    replace: (parts) => ({
      insertUser: (user) => {
        parts.insertUser(user);
      },
      publicUser: (user) => ({ ...parts.publicUser(user), username: user.username.normalize('NFC') }),
    }),
  },
  {
    id: 'emoji-lost-at-login',
    story: 'The cache of users keeps Latin letters only, and login reads from it.',
    clauses: ['ROB-09'],
    replace: (parts) => ({
      login: async (context) => {
        const outcome = (await parts.login(context)) as { status: number; data: { user: { username: string } } };
        return {
          ...outcome,
          data: {
            ...outcome.data,
            user: { ...outcome.data.user, username: outcome.data.user.username.replace(/[^\x20-\x7e]/g, '?') },
          },
        };
      },
    }),
  },
  {
    id: 'traceback',
    story: '`str(exception)` is put into the answer.',
    clauses: ['ROB-10'],
    replace: (parts) => ({
      errorEnvelope: (refusal, id, context) => ({
        ...parts.errorEnvelope(refusal, id, context),
        ...(refusal.status === 404
          ? { error: 'Traceback (most recent call last): File "/srv/app/views.py", line 12' }
          : {}),
      }),
    }),
  },
  {
    id: 'sql-in-error',
    story: 'The 405 comes from a view that quotes its query.',
    clauses: ['ROB-10'],
    replace: (parts) => ({
      errorEnvelope: (refusal, id, context) => ({
        ...parts.errorEnvelope(refusal, id, context),
        ...(refusal.status === 405 ? { error: 'no rows: SELECT id FROM keywords WHERE account = 1' } : {}),
      }),
    }),
  },
  {
    id: 'huge-id-500',
    story: 'The id overflows the integer of the database.',
    clauses: ['ROB-11'],
    replace: (parts) => ({
      namedKeyword: (context, user) => {
        if (/^\d{19,}$/.test(context.parameters['id'] ?? '')) throw crash;
        return parts.namedKeyword(context, user);
      },
    }),
  },
  {
    id: 'page-0-500',
    story: 'A slice with a negative start.',
    clauses: ['ROB-11'],
    replace: (parts) => ({
      paginate: (keywords, context) => {
        if (context.query.get('page') === '0') throw crash;
        return parts.paginate(keywords, context);
      },
    }),
  },
  {
    id: 'page-size-shows-all',
    story: 'A `page_size` that is not positive turns pagination off, and the filter by account with it.',
    clauses: ['ROB-11'],
    replace: (parts, store) => ({
      paginate: (keywords, context) =>
        parts.paginate(context.query.get('page_size') === '-1' ? store.keywords : keywords, {
          ...context,
          query: context.query.get('page_size') === '-1' ? new URLSearchParams() : context.query,
        }),
    }),
  },
  {
    id: 'superscript-is-a-digit',
    story: "'²'.isdigit() is true in Python, int('²') is a ValueError: ids and pages are checked by the first.",
    clauses: ['ROB-11'],
    replace: (parts) => {
      const check = (value: string | null | undefined): void => {
        if (SUPERSCRIPT.test(value ?? '')) throw new Error('invalid literal for int() with base 10');
      };
      return {
        paginate: (keywords, context) => {
          for (const name of ['page', 'page_size']) check(context.query.get(name));
          return parts.paginate(keywords, context);
        },
        namedKeyword: (context, user) => {
          check(context.parameters['id']);
          return parts.namedKeyword(context, user);
        },
      };
    },
  },
  {
    id: 'site-named-twice',
    story: 'The gateway checks the first `site_id`, the query takes the last.',
    clauses: ['ROB-11'],
    replace: oddSites((sites) => (sites.length > 1 ? sites.at(-1) : undefined)),
  },
  {
    id: 'site-named-twice-first',
    story: 'The other way round.',
    clauses: ['ROB-11'],
    replace: oddSites((sites) => (sites.length > 1 ? sites[0] : undefined)),
  },
  {
    id: 'id-with-a-zero',
    story: 'An id with a zero in front is found by a query of its own.',
    clauses: ['ROB-11'],
    replace: oddIds((id) => (/^0\d+$/.test(id) ? Number(id) : undefined)),
  },
  {
    id: 'id-with-a-blank',
    story: 'An id is trimmed after the check.',
    clauses: ['ROB-11'],
    replace: oddIds((id) => (/^\d+ $/.test(id) ? Number(id) : undefined)),
  },
  {
    id: 'id-as-a-fraction',
    story: '`parseInt` of an id.',
    clauses: ['ROB-11'],
    replace: oddIds((id) => (/^\d+\.0$/.test(id) ? Number.parseInt(id, 10) : undefined)),
  },
  {
    id: 'patch-huge-id-500',
    story: 'PATCH asks the database for an id beyond 64 bits.',
    clauses: ['ROB-11'],
    replace: crashesOn(({ method, parameters }) => method === 'PATCH' && (parameters['id'] ?? '').length > 18),
  },
  {
    id: 'delete-text-id-500',
    story: '`int()` of an id, at DELETE only.',
    clauses: ['ROB-11'],
    replace: crashesOn(({ method, parameters }) => method === 'DELETE' && parameters['id'] === 'abc'),
  },
  {
    id: 'page-in-brackets-500',
    story: '`page[]` is an array, and nobody expects one.',
    clauses: ['ROB-11'],
    replace: crashesOn(({ query }) => query.has('page[]')),
  },
  {
    id: 'operator-in-query-500',
    story: '`site_id[$ne]` becomes an operator.',
    clauses: ['ROB-11'],
    replace: crashesOn(({ query }) => query.has('site_id[$ne]')),
  },
  {
    id: 'account-parameter-500',
    story: 'A huge `account_id` overflows, though nobody filters by it.',
    clauses: ['ROB-11'],
    replace: crashesOn(({ query }) => (query.get('account_id') ?? '').length > 18),
  },
  {
    id: 'ordering-twice-500',
    story: 'A parameter that comes twice is an array, which has no `split`.',
    clauses: ['ROB-11'],
    replace: (parts) => ({
      arrange: (keywords, context) => {
        if (context.query.getAll('ordering').length > 1) throw crash;
        return parts.arrange(keywords, context);
      },
    }),
  },
  {
    id: 'search-twice-500',
    story: 'Words to look for that come twice are an array, which has no `toLowerCase`.',
    clauses: ['ROB-11'],
    replace: (parts) => ({
      arrange: (keywords, context) => {
        if (context.query.getAll('search').length > 1) throw crash;
        return parts.arrange(keywords, context);
      },
    }),
  },
  {
    id: 'empty-site-shows-all',
    story: 'With a `site_id` the list is filtered, with an empty one it is the whole table.',
    clauses: ['ROB-11'],
    replace: on('listKeywords', async (context, parts, store) => {
      if (context.query.get('site_id') !== '') return undefined;
      await parts.authenticate(context);
      return {
        status: 200,
        results: store.keywords.map(({ id, keyword, siteId }) => ({ id, keyword, site_id: siteId })),
      };
    }),
  },
  {
    id: 'surrogate-in-a-known-password',
    story:
      'The hash encodes to UTF-8, which half a surrogate pair has no place in; a stranger’s password is never hashed.',
    clauses: ['ROB-05'],
    replace: on('login', (context, parts) => {
      const { email, password } = looseBody(context);
      if (/\p{Surrogate}/u.test(textOf(password)) && parts.findUser(textOf(email)) !== undefined) throw crash;
      return undefined;
    }),
  },
  {
    id: 'first-name-a-number',
    story:
      '`CharField` takes a number for its digits; the fields with validators of their own were mended, the first name was not.',
    clauses: ['ROB-02'],
    replace: (parts) => ({
      validateRegistration: (body) =>
        parts.validateRegistration(typeof body['first_name'] === 'number' ? { ...body, first_name: '1' } : body),
    }),
  },
  {
    id: 'put-without-slash-500',
    story: 'The redirect to the address with a slash cannot keep a body, and says so by an exception.',
    clauses: ['ROB-08'],
    replace: (parts) => ({
      withoutSlash: (context) => {
        if (['PUT', 'PATCH'].includes(context.method)) throw crash;
        return parts.withoutSlash(context);
      },
    }),
  },
  {
    id: 'names-cut',
    story: 'MySQL without strict mode cuts what does not fit its column: a last name of 1 MB is taken.',
    clauses: ['ROB-04'],
    replace: readsBody(({ operation }, text) => {
      if (operation !== 'register') return undefined;
      const body = parsed(text) as Json | undefined;
      const name = textOf(body?.['last_name']);
      return name.length > NAME_COLUMN ? { ...body, last_name: name.slice(0, NAME_COLUMN) } : undefined;
    }),
  },
  ...(['first_name', 'last_name'] as const).map((field) => ({
    id: `long-${field.replace('_', '-')}`,
    story: `No serializer limits \`${field}\`, and its column has 150 characters: what is longer is a DataError.`,
    clauses: ['ROB-04'] as const,
    replace: crashesOnBody(
      (text, { operation }) =>
        operation === 'register' && textOf((parsed(text) as Json | undefined)?.[field]).length > NAME_COLUMN,
    ),
  })),
  {
    id: 'int4-site',
    story: 'The filter takes any integer that is safe, and the column has 32 bits: “integer out of range”.',
    clauses: ['ROB-11'],
    replace: crashesOn(({ query }) => isBeyondInt4(query.get('site_id') ?? '')),
  },
  {
    id: 'int4-id',
    story: 'The address takes any integer that is safe, and the key of the table has 32 bits.',
    clauses: ['ROB-11'],
    replace: crashesOn(({ parameters }) => isBeyondInt4(parameters['id'] ?? '')),
  },
  ...(['first_name', 'last_name'] as const).map((field) => ({
    id: `${field.replace('_', '-')}-as-it-comes`,
    story: `\`${field}\` goes to the database as it comes, whose driver has no place for some characters.`,
    clauses: ['ROB-05'] as const,
    replace: crashesOnBody(
      (text, { operation }) =>
        operation === 'register' && /[\0\p{Surrogate}]/u.test(textOf((parsed(text) as Json | undefined)?.[field])),
    ),
  })),
  {
    id: 'data-error-passed-on',
    story: 'A DataError is caught, and its text is passed on to whoever asks for an id that is no number.',
    clauses: ['ROB-10'],
    replace: (parts) => ({
      namedKeyword: (context, user) => {
        const id = context.parameters['id'] ?? '';
        if (/^-?\d+$/.test(id)) return parts.namedKeyword(context, user);
        throw new Refusal(400, `invalid input syntax for type bigint: "${id.slice(0, 40)}"`);
      },
    }),
  },
];
