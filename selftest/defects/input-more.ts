/** Faults that show for one `Accept`, one spelling, one type of a value or one id only (ENV, RID, ROB, DOC). */
import type { Answer, Context, Parts, Store } from '../../fixtures/reference/behaviour.js';
import type { ClauseId } from '../../spec/generated/clauses.js';
import type { Defect } from './defect.js';
import { crash, type Json, on, parsed } from './helpers.js';

type Replace = NonNullable<Defect['replace']>;

/** What another clause asks as well, of the same words. */
const ALSO: Readonly<Record<string, readonly ClauseId[]>> = {
  'array-password-at-login': ['LOG-04'],
  'array-email-at-login': ['LOG-05'],
  'null-password': ['REG-05'],
  'newline-behind-email': ['REG-06'],
  'site-with-a-zero': ['FOR-07'],
  'site-as-a-fraction': ['FOR-07'],
};

const named = (clause: ClauseId, rows: readonly (readonly [id: string, story: string, replace: Replace])[]): Defect[] =>
  rows.map(([id, story, replace]) => ({ id, story, clauses: [...(ALSO[id] ?? []), clause], replace }));

/** Some responses, as another type than JSON. */
const typed =
  (type: string, when: (answer: Answer, context: Context) => boolean) =>
  (parts: Parts): Partial<Parts> => ({
    present: (answer, context) => {
      const shown = parts.present(answer, context);
      return when(shown, context) ? { ...shown, headers: { ...shown.headers, 'Content-Type': type } } : shown;
    },
  });

const accepts = ({ headers }: Context, type: string): boolean => headers['accept']?.includes(type) === true;

/** `X-Request-ID` taken over where it looks like an id. */
const takesOver =
  (looksRight: (sent: string, context: Context, status: number) => boolean) =>
  (parts: Parts): Partial<Parts> => ({
    requestId: (context, status) => {
      const sent = context.headers['x-request-id'];
      return sent !== undefined && looksRight(sent, context, status) ? sent : parts.requestId(context, status);
    },
  });

const hex = (sent: string): string => sent.replace(/^urn:uuid:|[{}-]/g, '');

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

/** Fields of a body made into others, once it is read. */
const fields =
  (operations: readonly string[], change: (body: Json) => Json | undefined) =>
  (parts: Parts): Partial<Parts> => ({
    readBody: (context) => {
      const body = parts.readBody(context);
      return operations.includes(context.operation ?? '') ? { ...body, ...change(body) } : body;
    },
  });

const first = (value: unknown): unknown =>
  Array.isArray(value) && value.length === 1 ? (value as unknown[])[0] : value;

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

const oddSites = (read: (sites: readonly string[], query: URLSearchParams) => string | undefined) =>
  on('listKeywords', async (context, parts, store: Store) => {
    await parts.authenticate(context);
    const site = read(context.query.getAll('site_id'), context.query);
    if (site === undefined || !/^\d{1,15}$/.test(site)) return undefined;
    const rows = store.keywords.filter(({ siteId }) => siteId === Number(site));
    return { status: 200, results: rows.map(({ id, keyword, siteId }) => ({ id, keyword, site_id: siteId })) };
  });

const takesRegistration =
  (field: string, good: (value: unknown) => boolean) =>
  (parts: Parts): Partial<Parts> => ({
    readBody: (context) => {
      const body = parts.readBody(context);
      return context.operation === 'register' && good(body[field])
        ? { ...body, [field]: `taken-${String(Math.random()).slice(2)}` }
        : body;
    },
  });

export const INPUT_MORE: readonly Defect[] = [
  ...named('ENV-07', [
    [
      'error-without-accept',
      'Without an `Accept`, errors fall back to plain text.',
      typed('text/plain; charset=utf-8', ({ status }, { headers }) => status >= 400 && headers['accept'] === undefined),
    ],
    [
      'list-without-accept',
      'Without an `Accept`, the list is for a browser.',
      typed(
        'text/html; charset=utf-8',
        ({ status }, { headers, operation }) =>
          status === 200 && operation === 'listKeywords' && headers['accept'] === undefined,
      ),
    ],
    [
      'xml-for-who-asks',
      '`XMLRenderer` is on, for one client.',
      typed('application/xml; charset=utf-8', (_, context) => accepts(context, 'application/xml')),
    ],
    [
      'refused-refresh-in-html',
      'The handler of token errors looks for `text/html`.',
      typed(
        'text/html; charset=utf-8',
        ({ status }, context) => status === 401 && context.operation === 'refresh' && accepts(context, 'text/html'),
      ),
    ],
    [
      'unknown-route-for-any',
      'The page of an unknown route is HTML for `*/*`.',
      typed(
        'text/html; charset=utf-8',
        ({ status }, { headers, operation }) =>
          status === 404 && operation === undefined && headers['accept'] === '*/*',
      ),
    ],
    [
      'version-in-the-type',
      'The media type repeats the vendor’s one that was asked for.',
      typed('application/vnd.igny8.v1+json', (_, context) => accepts(context, 'vnd.igny8')),
    ],
  ]),
  ...named('RID-06', [
    [
      'id-lenient',
      'Python’s `uuid.UUID()` takes braces, URNs and 32 digits.',
      takesOver((sent) => /^[0-9a-f]{32}$/i.test(hex(sent))),
    ],
    [
      'id-hex-only',
      'Only what is made of hex digits is taken over.',
      takesOver((sent) => /^[0-9a-f]{32}$/i.test(sent)),
    ],
    ['id-urn-taken', 'An id may be a URN.', takesOver((sent) => sent.startsWith('urn:uuid:'))],
    [
      'id-begins-like-one',
      'The pattern has no end.',
      takesOver((sent) => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}./i.test(sent)),
    ],
    [
      'id-of-its-length',
      'Whatever has 36 characters is taken for an id.',
      takesOver((sent) => sent.length === 36 && /^[^0-9a-f]/i.test(sent)),
    ],
    [
      'id-taken-at-unknown-routes',
      'The router of errors is another service.',
      takesOver((_, { operation }, status) => status === 404 && operation === undefined),
    ],
    [
      'id-taken-at-refresh',
      'The token view logs by the client’s id.',
      takesOver((_, { operation }) => operation === 'refresh'),
    ],
    [
      'id-taken-with-token',
      'Clients that are known may choose their ids.',
      takesOver((_, { headers }) => headers['authorization'] !== undefined),
    ],
  ]),
  ...named('ROB-01', [
    [
      'comments-taken',
      'JSON with comments is taken.',
      reads(['createKeyword'], (text) =>
        text.startsWith('/*') ? parsed(text.replace(/^\/\*.*?\*\//, '')) : undefined,
      ),
    ],
    [
      'single-quotes-taken',
      'A lenient parser takes single quotes.',
      reads(['createKeyword'], (text) => (text.startsWith("{'") ? parsed(text.replaceAll("'", '"')) : undefined)),
    ],
    [
      'nan-taken',
      'Python’s `json` reads `NaN`.',
      reads(['createKeyword'], (text) => (text.includes(':NaN}') ? parsed(text.replace('NaN', '0')) : undefined)),
    ],
    [
      'names-without-quotes-taken',
      'JSON5 is on.',
      reads(['createKeyword'], (text) => (/^\{\w/.test(text) ? parsed(text.replace(/(\w+):"/g, '"$1":"')) : undefined)),
    ],
    [
      'comma-too-many-taken',
      'A comma at the end is forgiven.',
      reads(['createKeyword'], (text) => (text.endsWith(',}') ? parsed(`${text.slice(0, -2)}}`) : undefined)),
    ],
  ]),
  ...named('ROB-02', [
    [
      'numeric-password-at-login',
      '`CharField` takes a number for its digits.',
      fields(['login'], ({ password }) => (typeof password === 'number' ? { password: String(password) } : {})),
    ],
    [
      'array-password-at-login',
      'Of several passwords the first counts.',
      fields(['login'], ({ password }) => ({ password: first(password) })),
    ],
    [
      'array-email-at-login',
      'Of several e-mails the first counts.',
      fields(['login'], ({ email }) => ({ email: first(email) })),
    ],
    [
      'password-in-an-object',
      'A nested serializer takes `{password: {password}}`.',
      fields(['login'], ({ password }) =>
        typeof password === 'object' && password !== null && 'password' in password
          ? { password: password.password }
          : {},
      ),
    ],
    ['boolean-user-name', 'A name of `true` is taken.', takesRegistration('username', (value) => value === true)],
    ['array-user-name', 'A name in an array is taken.', takesRegistration('username', Array.isArray)],
    [
      'object-first-name',
      'A first name may be anything.',
      takesRegistration('first_name', (value) => typeof value === 'object'),
    ],
    ['array-last-name', 'A last name in an array is taken.', takesRegistration('last_name', Array.isArray)],
    ['null-password', 'Who has no password may sign up.', takesRegistration('password', (value) => value === null)],
    ['array-password', 'A password in an array is taken.', takesRegistration('password', Array.isArray)],
  ]),
  ...named('ROB-05', [
    [
      'rot13-500',
      '`charset=rot13` names a codec of Python that decodes no bytes.',
      crashesOn(({ headers }) => headers['content-type']?.includes('rot13') === true),
    ],
    [
      'utf-16-500',
      'A body of an odd length is no UTF-16.',
      crashesOn(({ headers }) => headers['content-type']?.includes('utf-16') === true),
    ],
    [
      'newline-behind-email',
      '`$` of the pattern matches before a last newline.',
      (parts) => ({
        validateRegistration: (body) => {
          const { email, ...others } = parts.validateRegistration(body);
          return email === undefined || /^\S+@\S+\n$/.test(String(body['email'])) ? others : { email, ...others };
        },
      }),
    ],
    [
      'language-bytes-500',
      '`Accept-Language` is decoded as UTF-8.',
      (parts) => ({
        bearer: (context) => {
          if (/[^\x20-\x7e]/.test(context.headers['accept-language'] ?? '')) throw crash;
          return parts.bearer(context);
        },
      }),
    ],
  ]),
  ...named('ROB-06', [
    [
      'refresh-escaped-twice',
      'Duplicates are looked for before escapes are read.',
      reads(['refresh'], (text) => (/^\{"refresh":"[^"]*","\\u0072efresh"/.test(text) ? parsed(text) : undefined)),
    ],
    [
      'keyword-escaped-twice',
      'The same at the creation of keywords.',
      reads(['createKeyword'], (text) => (text.includes(String.raw`,"\u006b`) ? parsed(text) : undefined)),
    ],
    [
      'login-password-twice',
      'The firewall looks at the first password, login at the last.',
      reads(['login'], (text) => (text.split('"password":').length === 3 ? parsed(text) : undefined)),
    ],
    [
      'login-password-escaped-twice',
      'Only the spelled-out name is looked at.',
      reads(['login'], (text) => (text.includes(String.raw`"\u0070assword"`) ? parsed(text) : undefined)),
    ],
  ]),
  ...named('ROB-11', [
    [
      'site-named-twice',
      'The gateway checks the first `site_id`, the query takes the last.',
      oddSites((sites) => (sites.length > 1 ? sites.at(-1) : undefined)),
    ],
    ['site-named-twice-first', 'The other way round.', oddSites((sites) => (sites.length > 1 ? sites[0] : undefined))],
    [
      'site-with-a-zero',
      '`01` is no site that anybody checks.',
      oddSites(([site]) => (/^0\d+$/.test(site ?? '') ? site : undefined)),
    ],
    [
      'site-as-a-fraction',
      '`3.0` is read as a number after the check.',
      oddSites(([site]) => /^(\d+)\.0$/.exec(site ?? '')?.[1]),
    ],
    [
      'id-with-a-zero',
      'An id with a zero in front is found by a query of its own.',
      oddIds((id) => (/^0\d+$/.test(id) ? Number(id) : undefined)),
    ],
    [
      'id-with-a-blank',
      'An id is trimmed after the check.',
      oddIds((id) => (/^\d+ $/.test(id) ? Number(id) : undefined)),
    ],
    [
      'id-as-a-fraction',
      '`parseInt` of an id.',
      oddIds((id) => (/^\d+\.0$/.test(id) ? Number.parseInt(id, 10) : undefined)),
    ],
    [
      'patch-huge-id-500',
      'PATCH asks the database for an id beyond 64 bits.',
      crashesOn(({ method, parameters }) => method === 'PATCH' && (parameters['id'] ?? '').length > 18),
    ],
    [
      'delete-text-id-500',
      '`int()` of an id, at DELETE only.',
      crashesOn(({ method, parameters }) => method === 'DELETE' && parameters['id'] === 'abc'),
    ],
    [
      'page-in-brackets-500',
      '`page[]` is an array, and nobody expects one.',
      crashesOn(({ query }) => query.has('page[]')),
    ],
    [
      'operator-in-query-500',
      '`site_id[$ne]` becomes an operator.',
      crashesOn(({ query }) => query.has('site_id[$ne]')),
    ],
    [
      'account-parameter-500',
      'A huge `account_id` overflows, though nobody filters by it.',
      crashesOn(({ query }) => (query.get('account_id') ?? '').length > 18),
    ],
  ]),
  ...named('DOC-02', [
    [
      'schema-optional-security',
      'The generator lists `{}` beside the bearer scheme: reading is documented as open.',
      (parts) => ({
        schema: () => {
          const document = structuredClone(parts.schema()) as { paths: Record<string, Record<string, Json>> };
          const list = document.paths['/planner/keywords/']?.['get'];
          if (list !== undefined) list['security'] = [{ bearer: [] }, {}];
          return document;
        },
      }),
    ],
  ]),
];
