/** Bodies that are not what the API takes. */
import type { Context, Parts } from '../../fixtures/reference/behaviour.js';
import type { Defect } from './defect.js';
import {
  type Json,
  crash,
  crashesOnBody,
  fields,
  json,
  parsed,
  readsBody,
  takesRegistration,
  type Operation,
} from './helpers.js';

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

/** Texts of JSON, and what Python reads as a number beside them. */
const PYTHON_NUMBERS = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g;

/** A body that the target's own reader refuses, read in another way at some operations. */
const reads =
  (operations: readonly string[], read: (text: string, context: Context) => unknown) =>
  (parts: Parts): Partial<Parts> => ({
    readBody: (context) => {
      const ours = operations.includes(context.operation ?? '') && context.rawBody.length < 100_000;
      const own = ours ? read(context.rawBody.toString(), context) : undefined;
      return typeof own === 'object' && own !== null && !Array.isArray(own) ? (own as Json) : parts.readBody(context);
    },
  });

/** One operation reads forms as well as JSON. */
const takesForms = (of: Operation): ReturnType<typeof readsBody> =>
  readsBody(({ headers, operation }, text) =>
    operation === of && headers['content-type']?.includes('urlencoded') === true
      ? Object.fromEntries(new URLSearchParams(text))
      : undefined,
  );

export const ROBUSTNESS_BODIES: readonly Defect[] = [
  {
    id: 'malformed-500',
    story: 'The parse error is caught nowhere.',
    clauses: ['ROB-01'],
    replace: crashesOnBody(
      (text, context) => isJson(context) && text !== '' && text.length < 300 && parsed(text) === undefined,
    ),
  },
  {
    id: 'list-500',
    story: '`.get` is called on a list.',
    clauses: ['ROB-01'],
    replace: crashesOnBody((text) => Array.isArray(parsed(text))),
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
    id: 'nan-is-no-json',
    story: "Python's json.loads takes NaN and Infinity, and DRF with STRICT_JSON off lets it.",
    clauses: ['ROB-01'],
    replace: (parts) => ({
      readBody: (context) => {
        const sent = context.rawBody.toString('latin1');
        const read = sent.replace(PYTHON_NUMBERS, (part) => (part.startsWith('"') ? part : '0.5'));
        return parts.readBody(read === sent ? context : { ...context, rawBody: Buffer.from(read, 'latin1') });
      },
    }),
  },
  {
    id: 'comments-taken',
    story: 'JSON with comments is taken.',
    clauses: ['ROB-01'],
    replace: reads(['createKeyword'], (text) =>
      text.startsWith('/*') ? parsed(text.replace(/^\/\*.*?\*\//, '')) : undefined,
    ),
  },
  {
    id: 'single-quotes-taken',
    story: 'A lenient parser takes single quotes.',
    clauses: ['ROB-01'],
    replace: reads(['createKeyword'], (text) =>
      text.startsWith("{'") ? parsed(text.replaceAll("'", '"')) : undefined,
    ),
  },
  {
    id: 'nan-taken',
    story: 'Python’s `json` reads `NaN`.',
    clauses: ['ROB-01'],
    replace: reads(['createKeyword'], (text) =>
      text.includes(':NaN}') ? parsed(text.replace('NaN', '0')) : undefined,
    ),
  },
  {
    id: 'names-without-quotes-taken',
    story: 'JSON5 is on.',
    clauses: ['ROB-01'],
    replace: reads(['createKeyword'], (text) =>
      /^\{\w/.test(text) ? parsed(text.replace(/(\w+):"/g, '"$1":"')) : undefined,
    ),
  },
  {
    id: 'comma-too-many-taken',
    story: 'A comma at the end is forgiven.',
    clauses: ['ROB-01'],
    replace: reads(['createKeyword'], (text) => (text.endsWith(',}') ? parsed(`${text.slice(0, -2)}}`) : undefined)),
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
    clauses: ['ROB-02', 'LOG-04'],
    replace: crashesOnBody((text) => {
      const password = (parsed(text) as Json | undefined)?.['password'];
      return typeof password === 'object' && password !== null && '$ne' in password;
    }),
  },
  {
    id: 'login-number-500',
    story: 'A string method is called on what the client sent.',
    clauses: ['ROB-02'],
    replace: crashesOnBody(
      (text, { operation }) =>
        operation === 'login' && typeof (parsed(text) as Json | undefined)?.['password'] === 'number',
    ),
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
    id: 'a-bool-is-an-int',
    story: 'isinstance(False, int) is true, and then `if not site_id` takes the default site.',
    clauses: ['ROB-02'],
    replace: (parts) => ({
      readBody: (context) => {
        const body = parts.readBody(context);
        const { site_id: site, ...rest } = body;
        if (site === false) return rest;
        return site === true ? { ...rest, site_id: 1 } : body;
      },
    }),
  },
  {
    id: 'numeric-password-at-login',
    story: '`CharField` takes a number for its digits.',
    clauses: ['ROB-02'],
    replace: fields(['login'], ({ password }) => (typeof password === 'number' ? { password: String(password) } : {})),
  },
  {
    id: 'password-in-an-object',
    story: 'A nested serializer takes `{password: {password}}`.',
    clauses: ['ROB-02'],
    replace: fields(['login'], ({ password }) =>
      typeof password === 'object' && password !== null && 'password' in password
        ? { password: password.password }
        : {},
    ),
  },
  {
    id: 'boolean-user-name',
    story: 'A name of `true` is taken.',
    clauses: ['ROB-02'],
    replace: takesRegistration('username', (value) => value === true),
  },
  {
    id: 'array-user-name',
    story: 'A name in an array is taken.',
    clauses: ['ROB-02'],
    replace: takesRegistration('username', Array.isArray),
  },
  {
    id: 'object-first-name',
    story: 'A first name may be anything.',
    clauses: ['ROB-02'],
    replace: takesRegistration('first_name', (value) => typeof value === 'object'),
  },
  {
    id: 'array-last-name',
    story: 'A last name in an array is taken.',
    clauses: ['ROB-02'],
    replace: takesRegistration('last_name', Array.isArray),
  },
  {
    id: 'array-password',
    story: 'A password in an array is taken.',
    clauses: ['ROB-02'],
    replace: takesRegistration('password', Array.isArray),
  },
  {
    id: 'form-taken',
    story: '`FormParser` is on by default.',
    clauses: ['ROB-03'],
    replace: takesForms('createKeyword'),
  },
  {
    id: 'any-type-is-json',
    story: 'The body is parsed as JSON whatever it says it is.',
    clauses: ['ROB-03'],
    replace: readsBody(({ operation, headers }, text) =>
      operation === 'createKeyword' && headers['content-type'] === 'text/plain' ? (parsed(text) as Json) : undefined,
    ),
  },
  {
    id: 'no-type-500',
    story: 'The content type is split before anybody looks whether there is one.',
    clauses: ['ROB-03'],
    replace: crashesOnBody((_, { headers, rawBody }) => headers['content-type'] === undefined && rawBody.length > 0),
  },
  {
    id: 'form-at-refresh',
    story: 'The refresh view takes forms as well, as the library had it.',
    clauses: ['ROB-03'],
    replace: takesForms('refresh'),
  },
  {
    id: 'form-at-login',
    story: 'Login takes a form, as the password grant of OAuth 2 does.',
    clauses: ['ROB-03'],
    replace: takesForms('login'),
  },
  {
    id: 'multipart-at-login',
    story: '`MultiPartParser` was left among the parsers of the login view.',
    clauses: ['ROB-03'],
    replace: readsBody(({ headers, operation }, text) =>
      operation === 'login' && headers['content-type']?.startsWith('multipart/form-data') === true
        ? Object.fromEntries(
            Array.from(
              text.matchAll(/name="([^"]+)"\r\n\r\n(.*)\r\n/g),
              ([, name = '', value = '']): [string, string] => [name, value],
            ),
          )
        : undefined,
    ),
  },
  {
    id: 'deep-500',
    story: 'The JSON parser recurses.',
    clauses: ['ROB-06'],
    replace: crashesOnBody((text) => text.includes('['.repeat(2000)) || text.includes('{"a":'.repeat(2000))),
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
    replace: readsBody(({ operation }, text) =>
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
    replace: readsBody(({ operation }, text) =>
      operation === 'createKeyword' && /"keyword":.*"keyword":/.test(text) ? (parsed(text) as Json) : undefined,
    ),
  },
  {
    id: 'refresh-twice-first-wins',
    story: 'A hand-written parser stops at the first member that it looks for.',
    clauses: ['ROB-06'],
    replace: readsBody(({ operation }, text) => {
      const first = /^\{"refresh":"([^"]*)","refresh":"[^"]*"\}$/.exec(text)?.[1];
      return operation === 'refresh' && first !== undefined ? { refresh: first } : undefined;
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
    id: 'copied-into-the-prototype',
    story: 'A helper copies the body member by member with `copy[key] = value`: `__proto__` becomes the prototype.',
    clauses: ['ROB-06'],
    replace: (parts) => ({
      readBody: (context) => {
        const copy: Record<string, unknown> = {};
        for (const [key, value] of Object.entries(parts.readBody(context))) copy[key] = value;
        return copy;
      },
    }),
  },
  {
    id: 'refresh-escaped-twice',
    story: 'Duplicates are looked for before escapes are read.',
    clauses: ['ROB-06'],
    replace: reads(['refresh'], (text) =>
      /^\{"refresh":"[^"]*","\\u0072efresh"/.test(text) ? parsed(text) : undefined,
    ),
  },
  {
    id: 'keyword-escaped-twice',
    story: 'The same at the creation of keywords.',
    clauses: ['ROB-06'],
    replace: reads(['createKeyword'], (text) => (text.includes(String.raw`,"\u006b`) ? parsed(text) : undefined)),
  },
  {
    id: 'login-password-twice',
    story: 'The firewall looks at the first password, login at the last.',
    clauses: ['ROB-06'],
    replace: reads(['login'], (text) => (text.split('"password":').length === 3 ? parsed(text) : undefined)),
  },
  {
    id: 'login-password-escaped-twice',
    story: 'Only the spelled-out name is looked at.',
    clauses: ['ROB-06'],
    replace: reads(['login'], (text) => (text.includes(String.raw`"\u0070assword"`) ? parsed(text) : undefined)),
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
    replace: crashesOnBody(
      (text, { operation }) => operation === 'createKeyword' && /[\u{10000}-\u{10ffff}]/u.test(text),
    ),
  },
  {
    id: 'login-decodes-one-value',
    story: "Go's `json.NewDecoder(body).Decode(&login)` reads one value, and nobody looks at what follows it.",
    clauses: ['ROB-01'],
    replace: readsBody(({ operation }, text) => {
      const end = text.lastIndexOf('}') + 1;
      return operation === 'login' && end > 0 && end < text.length ? (parsed(text.slice(0, end)) as Json) : undefined;
    }),
  },
];
