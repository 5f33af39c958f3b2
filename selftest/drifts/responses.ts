/** Drifts of what a response looks like: the envelope, where tokens and the user stand, lists, errors. */
import type { Answer, Context, Outcome, Parts } from '../../fixtures/reference/behaviour.js';
import { json, type Json } from '../defects/helpers.js';
import type { Drift } from './drift.js';

const SESSIONS = ['register', 'login', 'refresh'];

/** The body of each response in another form. @param change undefined: as it is */
const bodies =
  (change: (body: Json, context: Context, answer: Answer) => unknown) =>
  (parts: Parts): Partial<Parts> => ({
    present: (answer, context) => {
      const shown = parts.present(answer, context);
      const body = json(shown.body.toString());
      const other = Object.keys(body).length === 0 ? undefined : change(body, context, shown);
      return other === undefined ? shown : { ...shown, body: JSON.stringify(other) };
    },
  });

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What register, login and refresh give, in another form. */
const sessions = (change: (data: Json, operation: string) => Json, operations: readonly string[] = SESSIONS) =>
  bodies((body, { operation = '' }) =>
    operations.includes(operation) && isObject(body['data'])
      ? { ...body, data: change(body['data'], operation) }
      : undefined,
  );

const renamed = (data: Json, names: Readonly<Record<string, string>>): Json =>
  Object.fromEntries(Object.entries(data).map(([name, value]) => [names[name] ?? name, value]));

/** Tokens in an object of their own, where there are any. */
const nested = ({ access, refresh, ...others }: Json): Json =>
  access === undefined && refresh === undefined
    ? others
    : {
        ...others,
        tokens: { ...(access === undefined ? {} : { access }), ...(refresh === undefined ? {} : { refresh }) },
      };

/** The data of a success alone, rows as an array, errors as Django REST framework writes them. */
const bare = (body: Json): unknown => {
  if (body['success'] === true) return body['results'] ?? body['data'];
  if (body['success'] !== false) return undefined;
  return isObject(body['errors']) ? body['errors'] : { detail: body['error'] };
};

const listed = (outcome: Outcome): outcome is Extract<Outcome, { results: unknown[] }> => 'results' in outcome;

/** A list in another envelope. */
const lists =
  (form: (rows: unknown[], id: unknown) => object) =>
  (parts: Parts): Partial<Parts> => ({
    successEnvelope: (outcome, id, context) => {
      const body = parts.successEnvelope(outcome, id, context) as Json;
      return listed(outcome) && Array.isArray(body['results']) ? form(body['results'], body['request_id']) : body;
    },
  });

const html = (status: number): string =>
  `<!doctype html>\n<html lang="en"><head><title>Error</title></head><body><h1>Error (${String(status)})</h1></body></html>\n`;

export const RESPONSE_DRIFTS: readonly Drift[] = [
  {
    id: 'token-names',
    story: 'Tokens are called `access_token` and `refresh_token`, as the help centre has them.',
    fails: ['REG-03', 'LOG-01', 'REF-01'],
    mostBlocked: 2,
    replace: sessions((data) => renamed(data, { access: 'access_token', refresh: 'refresh_token' })),
  },
  {
    id: 'token-names-in-camels',
    story: 'Tokens are called `accessToken` and `refreshToken`: a renderer turns all names.',
    fails: ['REG-03', 'LOG-01', 'REF-01'],
    mostBlocked: 2,
    replace: sessions((data) => renamed(data, { access: 'accessToken', refresh: 'refreshToken' })),
  },
  {
    id: 'tokens-nested',
    story: 'Tokens stand in `data.tokens`.',
    fails: ['REG-03', 'LOG-01', 'REF-01'],
    mostBlocked: 2,
    replace: sessions(nested),
  },
  {
    id: 'tokens-nested-at-register',
    story: 'Register gives `data.tokens`, login and refresh what the guide says.',
    fails: ['REG-03'],
    mostBlocked: 2,
    replace: sessions(nested, ['register']),
  },
  {
    id: 'user-flat',
    story: 'The fields of the user stand in `data` itself, beside the tokens.',
    fails: ['LOG-02'],
    mostBlocked: 2,
    replace: sessions(({ user, ...others }) => ({ ...(isObject(user) ? user : {}), ...others })),
  },
  {
    id: 'user-as-profile',
    story: 'The user is called `profile`.',
    fails: ['LOG-02'],
    mostBlocked: 2,
    replace: sessions((data) => renamed(data, { user: 'profile' })),
  },
  {
    id: 'no-envelope',
    story: 'A stock Django REST framework: the data alone, arrays for lists, `detail` and field errors on top.',
    fails: ['REG-03', 'LOG-01', 'LOG-02', 'REF-01', 'ENV-01', 'ENV-03', 'ENV-04', 'RID-01', 'RID-02'],
    mostBlocked: 14,
    hides: {
      'not-found-with-200': 'without an envelope nothing says that a 200 is a failure',
      'next-missing': 'a list is an array, and has no `next` to be missing',
      'id-urn': 'without an envelope nobody writes an id',
      'id-of-minute': 'without an envelope nobody writes an id',
    },
    replace: bodies(bare),
  },
  {
    id: 'lists-as-arrays',
    story: 'A list is an array, without an envelope around it.',
    fails: ['ENV-01'],
    mostBlocked: 3,
    hides: {
      'next-missing': 'a list is an array, and has no `next` to be missing',
      'id-missing-in-list': 'a list is an array, and has no place for an id',
    },
    replace: lists((rows) => rows),
  },
  {
    id: 'lists-as-items',
    story: 'The rows of a list are in `items`.',
    fails: ['ENV-08', 'ENV-09'],
    mostBlocked: 3,
    replace: lists((rows, id) => ({ success: true, items: rows, total: rows.length, request_id: id })),
  },
  {
    id: 'no-request-id',
    story: 'Nobody writes a `request_id`.',
    fails: ['RID-01', 'RID-02'],
    mostBlocked: 5,
    hides: { 'id-urn': 'nobody writes an id', 'id-of-minute': 'nobody writes an id' },
    replace: bodies(({ request_id: _, ...body }) => body),
  },
  {
    id: 'error-as-object',
    story: '`error` is an object with `code` and `message`.',
    fails: ['ENV-04'],
    mostBlocked: 2,
    replace: bodies((body) =>
      typeof body['error'] === 'string'
        ? { ...body, error: { code: body['error'].toUpperCase().replace(/\W+/g, '_'), message: body['error'] } }
        : undefined,
    ),
  },
  {
    id: 'errors-in-html',
    story:
      'Unknown routes and wrong methods are the framework’s HTML pages, for they never come to the API’s own handler.',
    fails: ['ENV-07'],
    mostBlocked: 2,
    replace: (parts) => ({
      present: (answer, context) => {
        const shown = parts.present(answer, context);
        if (context.operation !== undefined || shown.status < 400) return shown;
        const headers = { ...shown.headers, 'Content-Type': 'text/html; charset=utf-8' };
        return { ...shown, headers, body: html(shown.status) };
      },
    }),
  },
];
