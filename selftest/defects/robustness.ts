/** Faults of bad input (ROB). */
import type { Context, Parts } from '../../fixtures/reference/behaviour.js';
import type { Defect } from './defect.js';
import { bodyOf, crash, json, parsed, type Json } from './helpers.js';

/** The body read in another way, where `read` has something to say. */
const reads =
  (read: (context: Context, text: string) => Json | undefined) =>
  (parts: Parts): Partial<Parts> => ({
    readBody: (context) => read(context, context.rawBody.toString()) ?? parts.readBody(context),
  });

const crashesOn = (when: (text: string, context: Context) => boolean) =>
  reads((context, text) => {
    if (when(text, context)) throw crash;
    return undefined;
  });

const isJson = ({ headers }: Context): boolean => headers['content-type']?.startsWith('application/json') === true;

const keywordRules =
  (change: (errors: Record<string, string[]>, body: Json) => Record<string, string[]>) =>
  (parts: Parts): Partial<Parts> => ({
    validateKeyword: (body, partial) => change(parts.validateKeyword(body, partial), body),
  });

/** The members of an own member `__proto__` of the body. */
const protoOf = ({ rawBody }: Context): Json => {
  const body = parsed(rawBody.toString());
  const own = typeof body === 'object' && body !== null && Object.hasOwn(body, '__proto__');
  return own ? (Object.getOwnPropertyDescriptor(body, '__proto__')?.value as Json) : {};
};

function isJsonLike(text: string): boolean {
  return text.startsWith('{') && parsed(text) !== undefined;
}

export const ROBUSTNESS: readonly Defect[] = [
  {
    id: 'malformed-500',
    story: 'The parse error is caught nowhere.',
    clauses: ['ROB-01'],
    replace: crashesOn(
      (text, context) => isJson(context) && text !== '' && text.length < 300 && parsed(text) === undefined,
    ),
  },
  {
    id: 'list-500',
    story: '`.get` is called on a list.',
    clauses: ['ROB-01'],
    replace: crashesOn((text) => Array.isArray(parsed(text))),
  },
  {
    id: 'text-is-object',
    story: 'Any JSON is handed on; a text has no members, and all of them are missing, says the view with 200.',
    clauses: ['ROB-01'],
    replace: (parts) => ({
      createKeyword: async (context) => {
        const user = await parts.authenticate(context);
        return typeof parsed(context.rawBody.toString()) === 'string'
          ? { status: 200, data: { id: user.id } }
          : parts.createKeyword(context);
      },
    }),
  },
  {
    id: 'number-is-text',
    story: '`CharField` takes a number as text.',
    clauses: ['ROB-02', 'ROB-07'],
    replace: keywordRules((errors, body) => (typeof body['keyword'] === 'number' ? {} : errors)),
  },
  {
    id: 'object-500',
    story: 'A NoSQL operator in the password reaches the query.',
    clauses: ['ROB-02'],
    replace: crashesOn((text) => {
      const password = (parsed(text) as Json | undefined)?.['password'];
      return typeof password === 'object' && password !== null && '$ne' in password;
    }),
  },
  {
    id: 'login-number-500',
    story: 'A string method is called on what the client sent.',
    clauses: ['ROB-02'],
    replace: crashesOn(
      (text, { operation }) =>
        operation === 'login' && typeof (parsed(text) as Json | undefined)?.['password'] === 'number',
    ),
  },
  {
    id: 'form-taken',
    story: '`FormParser` is on by default.',
    clauses: ['ROB-03'],
    replace: reads(({ headers, operation }, text) =>
      operation === 'createKeyword' && headers['content-type']?.includes('urlencoded') === true
        ? Object.fromEntries(new URLSearchParams(text))
        : undefined,
    ),
  },
  {
    id: 'any-type-is-json',
    story: 'The body is parsed as JSON whatever it says it is.',
    clauses: ['ROB-03'],
    replace: reads(({ operation, headers }, text) =>
      operation === 'createKeyword' && headers['content-type'] === 'text/plain' ? (parsed(text) as Json) : undefined,
    ),
  },
  {
    id: 'no-type-500',
    story: 'The content type is split before anybody looks whether there is one.',
    clauses: ['ROB-03'],
    replace: crashesOn((_, { headers, rawBody }) => headers['content-type'] === undefined && rawBody.length > 0),
  },
  {
    id: 'long-taken',
    story: 'A text column without a limit, and no limit in front of it.',
    clauses: ['ROB-04'],
    replace: reads(({ operation, rawBody }, text) =>
      operation === 'createKeyword' && rawBody.length > 900_000 ? { keyword: text.slice(0, 200) } : undefined,
    ),
  },
  {
    id: 'long-500',
    story: 'The database refuses what the serializer let through.',
    clauses: ['ROB-04'],
    replace: crashesOn((text) => text.length > 900_000),
  },
  {
    id: 'nul-500',
    story: 'PostgreSQL refuses U+0000, and nobody asked before.',
    clauses: ['ROB-05'],
    replace: crashesOn((text, { operation }) => operation === 'register' && text.includes(String.raw`\u0000`)),
  },
  {
    id: 'charset-500',
    story: '`LookupError: unknown encoding` in the parser.',
    clauses: ['ROB-05'],
    replace: crashesOn((_, { headers }) => headers['content-type']?.includes('no-such-charset') === true),
  },
  {
    id: 'surrogate-500',
    story: 'A lone surrogate cannot be encoded when the answer quotes it.',
    clauses: ['ROB-05'],
    replace: crashesOn((text) => text.includes(String.raw`\ud800`)),
  },
  {
    id: 'utf8-replaced',
    story: 'Invalid bytes become replacement characters, and are stored.',
    clauses: ['ROB-05'],
    replace: reads(({ operation, rawBody }, text) =>
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
    id: 'deep-500',
    story: 'The JSON parser recurses.',
    clauses: ['ROB-06'],
    replace: crashesOn((text) => text.includes('['.repeat(2000)) || text.includes('{"a":'.repeat(2000))),
  },
  {
    id: 'deep-token-500',
    story: 'The header of a token is parsed before it is verified, and the parser recurses.',
    clauses: ['ROB-06'],
    replace: (parts) => ({
      verifySignature: (token, kind) => {
        const nests = (part: string): boolean => Buffer.from(part, 'base64url').toString().startsWith('['.repeat(1000));
        if (token.split('.').some(nests)) throw new Error('maximum recursion depth exceeded');
        return parts.verifySignature(token, kind);
      },
    }),
  },
  {
    id: 'proto-merged',
    story: 'The body is merged into an object, `__proto__` too.',
    clauses: ['ROB-06'],
    replace: reads(({ operation }, text) =>
      operation === 'refresh' && text.includes('__proto__')
        ? (() => {
            throw crash;
          })()
        : undefined,
    ),
  },
  {
    id: 'proto-into-defaults',
    story: 'What `__proto__` holds gets into the defaults of every row (CVE-2019-10744).',
    clauses: ['ROB-06'],
    replace: (parts) => {
      const defaults: Json = {};
      return {
        createKeyword: (context) => {
          Object.assign(defaults, protoOf(context));
          return parts.createKeyword(context);
        },
        listKeywords: async (context) => {
          const outcome = (await parts.listKeywords(context)) as { status: number; results: Json[] };
          return { ...outcome, results: outcome.results.map((row) => ({ ...defaults, ...row })) };
        },
      };
    },
  },
  {
    id: 'proto-is-a-member',
    story: 'Members are looked up through the prototype, and the body brought its own.',
    clauses: ['ROB-06'],
    replace: (parts) => ({
      createKeyword: async (context) => {
        const outcome = (await parts.createKeyword(context)) as { status: number; data: Json };
        return { ...outcome, data: { ...outcome.data, ...protoOf(context) } };
      },
    }),
  },
  {
    id: 'member-twice-last-wins',
    story: '`json.loads` takes the last of two members of one name, the firewall in front of it the first.',
    clauses: ['ROB-06'],
    replace: reads(({ operation }, text) =>
      operation === 'createKeyword' && /"keyword":.*"keyword":/.test(text) ? (parsed(text) as Json) : undefined,
    ),
  },
  {
    id: 'refresh-twice-first-wins',
    story: 'A hand-written parser stops at the first member that it looks for.',
    clauses: ['ROB-06'],
    replace: reads(({ operation }, text) => {
      const first = /^\{"refresh":"([^"]*)","refresh":"[^"]*"\}$/.exec(text)?.[1];
      return operation === 'refresh' && first !== undefined ? { refresh: first } : undefined;
    }),
  },
  {
    id: 'empty-keyword',
    story: 'A missing keyword is stored as an empty one.',
    clauses: ['ROB-07'],
    replace: keywordRules((errors, body) => (body['keyword'] === undefined || body['keyword'] === '' ? {} : errors)),
  },
  {
    id: 'emoji-500',
    story: 'The column is `utf8` with three bytes.',
    clauses: ['ROB-07'],
    replace: crashesOn((text, { operation }) => operation === 'createKeyword' && /[\u{10000}-\u{10ffff}]/u.test(text)),
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
    id: 'refresh-without-jti-500',
    story: 'The blacklist asks for `token["jti"]`.',
    clauses: ['ROB-06'],
    replace: (parts) => ({
      spend: (given) => {
        if (given['jti'] === undefined) throw crash;
        return parts.spend(given);
      },
    }),
  },
  {
    id: 'number-as-password',
    story: '`CharField` makes a text of a number.',
    clauses: ['ROB-02'],
    replace: (parts) => ({
      readBody: (context) => {
        const body = parts.readBody(context);
        const { password } = body;
        return context.operation === 'register' && typeof password === 'number' && password > 1e7
          ? { ...body, password: String(password) }
          : body;
      },
    }),
  },
  {
    id: 'form-at-refresh',
    story: 'The refresh view takes forms as well, as the library had it.',
    clauses: ['ROB-03'],
    replace: (parts) => ({
      readBody: (context) =>
        context.operation === 'refresh' && context.headers['content-type']?.includes('urlencoded') === true
          ? Object.fromEntries(new URLSearchParams(context.rawBody.toString()))
          : parts.readBody(context),
    }),
  },
  {
    id: 'text-behind-json',
    story: '`raw_decode` stops at the end of the first value.',
    clauses: ['ROB-01'],
    replace: (parts) => ({
      readBody: (context) => {
        const text = context.rawBody.toString();
        return context.operation === 'createKeyword' && text.endsWith('} x')
          ? json(text.slice(0, -2))
          : parts.readBody(context);
      },
    }),
  },
  {
    id: 'control-character-taken',
    story: '`strict=False` lets raw control characters into texts.',
    clauses: ['ROB-01'],
    replace: (parts) => ({
      readBody: (context) => {
        const text = context.rawBody.toString();
        return context.operation === 'createKeyword' && text.includes('\u0001')
          ? json(text.replaceAll('\u0001', String.raw`\u0001`))
          : parts.readBody(context);
      },
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
];
