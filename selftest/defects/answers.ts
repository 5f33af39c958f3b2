/** Faults of the envelope and of `request_id`. */
import { randomUUID } from 'node:crypto';
import { Refusal, type Answer, type Context, type Parts } from '../../fixtures/reference/behaviour.js';
import { mulberry } from './seeded-random.js';
import type { Defect } from './defect.js';

type Json = Record<string, unknown>;

/** The error envelope, changed for some refusals. */
const errors =
  (when: (refusal: Refusal, context: Context) => boolean, change: (body: Json, context: Context) => unknown) =>
  (parts: Parts): Partial<Parts> => ({
    errorEnvelope: (refusal, id, context) => {
      const body = parts.errorEnvelope(refusal, id, context) as Json;
      return (when(refusal, context) ? change(body, context) : body) as object;
    },
  });

/** The success envelope, changed for one operation. */
const successes =
  (operation: string, change: (body: Json) => unknown) =>
  (parts: Parts): Partial<Parts> => ({
    successEnvelope: (outcome, id, context) => {
      const body = parts.successEnvelope(outcome, id, context) as Json;
      return (context.operation === operation ? change(body) : body) as object;
    },
  });

const presented =
  (
    when: (answer: Answer, context: Context) => boolean,
    change: (answer: Answer, context: Context) => Partial<Answer>,
  ) =>
  (): Partial<Parts> => ({
    present: (answer, context) => (when(answer, context) ? { ...answer, ...change(answer, context) } : answer),
  });

const without = (body: Json, name: string): Json =>
  Object.fromEntries(Object.entries(body).filter(([key]) => key !== name));
const status = (wanted: number) => (refusal: Refusal) => refusal.status === wanted;
const html = { body: '<!doctype html><title>Error</title><h1>Error</h1>' };
const htmlHeaders = (answer: Answer): Record<string, string> => ({
  ...answer.headers,
  'Content-Type': 'text/html; charset=utf-8',
});

const ids =
  (make: (id: string, context: Context, status: number) => unknown) =>
  (parts: Parts): Partial<Parts> => ({
    requestId: (context, code) => make(String(parts.requestId(context, code)), context, code),
  });

let counter = 0;
const chance = mulberry(7);

export const ANSWERS: readonly Defect[] = [
  {
    id: 'list-bare',
    story: 'Pagination is off, and the list goes out as a bare array.',
    clauses: ['ENV-01'],
    replace: successes('listKeywords', (body) => body['results']),
  },
  {
    id: 'success-as-text',
    story: 'A template writes "true" in quotes.',
    clauses: ['ENV-01'],
    replace: successes('listKeywords', (body) => ({ ...body, success: 'true' })),
  },
  {
    id: 'success-missing-on-create',
    story: 'The create mixin answers without the response helper.',
    clauses: ['ENV-01'],
    replace: successes('createKeyword', (body) => without(body, 'success')),
  },
  {
    id: 'data-null-on-register',
    story: 'Sign-up answers with a message and no data.',
    clauses: ['ENV-02', 'REG-02', 'REG-03'],
    replace: successes('register', (body) => ({ ...body, data: null })),
  },
  {
    id: 'data-list-on-register',
    story: 'Sign-up goes through the list serializer.',
    clauses: ['ENV-02', 'REG-02', 'REG-03'],
    replace: successes('register', (body) => ({ ...body, data: [body['data']] })),
  },
  {
    id: 'error-without-success',
    story: 'The 404 handler writes only the error.',
    clauses: ['ENV-03'],
    replace: errors(status(404), (body) => without(body, 'success')),
  },
  {
    id: 'success-null-on-415',
    story: 'The parser error is built by hand, with a null in it.',
    clauses: ['ENV-03'],
    replace: errors(status(415), (body) => ({ ...body, success: null })),
  },
  {
    id: 'validation-raw',
    story: "The framework's own validation error goes out unwrapped.",
    clauses: ['ENV-03', 'RID-02', 'REG-12', 'ENV-04'],
    replace: errors(
      (refusal) => refusal.errors !== undefined && refusal.status === 400,
      (body) => body['errors'],
    ),
  },
  {
    id: 'error-list-of-one',
    story: 'An error is a JSON list with one text, as DRF writes it for non-field errors.',
    clauses: ['ENV-03'],
    replace: errors(status(405), (body) => [body['error']]),
  },
  {
    id: 'error-object',
    story: '`exc.detail` of a validation error is put into `error`.',
    clauses: ['ENV-04'],
    replace: errors(
      (refusal) => refusal.errors !== undefined,
      (body) => ({ ...body, error: body['errors'] }),
    ),
  },
  {
    id: 'error-empty-on-415',
    story: 'The exception has no message.',
    clauses: ['ENV-04'],
    replace: errors(status(415), (body) => ({ ...body, error: '' })),
  },
  {
    id: 'error-called-detail',
    story: 'The 405 keeps the name that DRF gives it.',
    clauses: ['ENV-04', 'ENV-09'],
    replace: errors(status(405), (body) => ({ ...without(body, 'error'), detail: body['error'] })),
  },
  {
    id: 'not-found-with-200',
    story: 'A view catches DoesNotExist and forgets the status.',
    clauses: ['ENV-05'],
    replace: presented(
      (answer, { operation }) => answer.status === 404 && operation === 'getKeyword',
      () => ({ status: 200 }),
    ),
  },
  {
    id: 'true-on-415',
    story: 'The success helper is used for an error.',
    clauses: ['ENV-05'],
    replace: errors(status(415), (body) => ({ ...body, success: true })),
  },
  {
    id: 'false-on-201',
    story: 'A partial failure is reported inside a success.',
    clauses: ['ENV-05'],
    replace: successes('createKeyword', (body) => ({ ...body, success: false })),
  },
  {
    id: 'data-in-403',
    story: 'The refused object is serialized all the same: data of another account in a 403.',
    clauses: ['ENV-06'],
    replace: (parts, store) =>
      errors(
        (refusal, { operation }) => refusal.status === 403 && operation === 'getKeyword',
        (body) => ({ ...body, data: { id: store.keywords[2]?.id, keyword: store.keywords[2]?.keyword } }),
      )(parts),
  },
  {
    id: 'token-echoed-in-401',
    story: 'The validation error quotes the refused refresh token.',
    clauses: ['ENV-06'],
    replace: errors(
      (refusal, { operation }) => refusal.status === 401 && operation === 'refresh',
      (body, { rawBody }) => ({
        ...body,
        errors: { refresh: [`${/"refresh":"([^"]*)"/.exec(rawBody.toString())?.[1] ?? ''} is not valid`] },
      }),
    ),
  },
  {
    id: 'html-404',
    story: "Django's own 404 page comes before the API's handler.",
    clauses: ['ENV-07'],
    replace: presented(
      (answer, { operation }) => answer.status === 404 && operation === undefined,
      (answer) => ({ ...html, headers: htmlHeaders(answer) }),
    ),
  },
  {
    id: 'browsable-api',
    story: '`BrowsableAPIRenderer` answers who accepts HTML.',
    clauses: ['ENV-07'],
    replace: presented(
      (_, { headers }) => headers['accept']?.includes('text/html') === true,
      (answer) => ({ ...html, headers: htmlHeaders(answer) }),
    ),
  },
  {
    id: 'latin1-errors',
    story: 'Errors are declared in the encoding of the web server.',
    clauses: ['ENV-07'],
    replace: presented(
      (answer) => answer.status >= 400,
      ({ headers }) => ({ headers: { ...headers, 'Content-Type': 'application/json; charset=iso-8859-1' } }),
    ),
  },
  {
    id: 'text-plain-405',
    story: 'The router answers a wrong method itself.',
    clauses: ['ENV-07'],
    replace: presented(
      (answer) => answer.status === 405,
      ({ headers }) => ({ headers: { ...headers, 'Content-Type': 'text/plain; charset=utf-8' } }),
    ),
  },
  {
    id: 'broken-utf8-on-create',
    story: 'A text is cut in the middle of a character.',
    clauses: ['ENV-07'],
    replace: presented(
      (answer, { operation }) => answer.status === 201 && operation === 'createKeyword',
      ({ body }) => ({
        body: Buffer.concat([
          Buffer.from(body.toString().slice(0, -1) + ',"message":"'),
          Buffer.from([0xc3]),
          Buffer.from('"}'),
        ]),
      }),
    ),
  },
  {
    id: 'count-as-text',
    story: 'The count comes from a cache that keeps texts.',
    clauses: ['ENV-08'],
    replace: successes('listKeywords', (body) => ({ ...body, count: String(body['count']) })),
  },
  {
    id: 'keyword-id-as-text',
    story: 'Ids of new rows are UUIDs since the last migration.',
    clauses: ['ENV-08'],
    replace: successes('createKeyword', (body) => ({ ...body, data: { ...(body['data'] as Json), id: 'a1b2' } })),
  },
  {
    id: 'next-missing',
    story: 'The paginator leaves out what is null.',
    clauses: ['ENV-08'],
    replace: successes('listKeywords', (body) => without(body, 'next')),
  },
  {
    id: 'register-without-role',
    story: 'Sign-up uses another user serializer than login.',
    clauses: ['ENV-08'],
    replace: successes('register', (body) => ({
      ...body,
      data: { ...(body['data'] as Json), user: without((body['data'] as { user: Json }).user, 'role') },
    })),
  },
  {
    id: 'debug-member',
    story: 'A debug member was left in errors.',
    clauses: ['ENV-09'],
    replace: errors(
      () => true,
      (body) => ({ ...body, debug: { took: 3 } }),
    ),
  },
  {
    id: 'logout-reason',
    story: 'Middleware tells the web client why it was logged out.',
    clauses: ['ENV-09'],
    replace: errors(status(401), (body) => ({ ...body, logout_reason: 'token', logout_path: '/' })),
  },
  {
    id: 'timestamp-on-refresh',
    story: 'The token view adds when the tokens expire, beside `data`.',
    clauses: ['ENV-09'],
    replace: successes('refresh', (body) => ({ ...body, access_expires_in: 900 })),
  },
  {
    id: 'unknown-route-403',
    story: 'Default-deny in front of the router.',
    clauses: ['ENV-10'],
    replace: () => ({ unknownRoute: () => new Refusal(403, 'Permission denied') }),
  },
  {
    id: 'single-page-fallback',
    story: 'Unknown routes fall through to the web application.',
    clauses: ['ENV-10'],
    replace: presented(
      (answer, { operation }) => answer.status === 404 && operation === undefined,
      () => ({
        status: 200,
        body: JSON.stringify({ success: true, data: {}, request_id: randomUUID() }),
      }),
    ),
  },
  {
    id: 'wrong-method-404',
    story: 'The router knows the pair of path and method only.',
    clauses: ['ENV-11'],
    replace: () => ({ wrongMethod: () => new Refusal(404, 'Resource not found') }),
  },
  {
    id: 'wrong-method-401',
    story: 'A 405 that was really failed authentication: the handler of it authenticates by session.',
    clauses: ['ENV-11'],
    replace: () => ({
      wrongMethod: () => new Refusal(401, 'Authentication required', undefined, { 'WWW-Authenticate': 'Bearer' }),
    }),
  },
  {
    id: 'allow-missing',
    story: 'A proxy drops `Allow`.',
    clauses: ['ENV-11'],
    replace: () => ({ wrongMethod: () => new Refusal(405, 'Method not allowed') }),
  },

  {
    id: 'id-missing-in-list',
    story: 'The paginator builds its answer itself.',
    clauses: ['RID-01'],
    replace: successes('listKeywords', (body) => without(body, 'request_id')),
  },
  {
    id: 'id-missing-in-refresh',
    story: "The token view is the library's own.",
    clauses: ['RID-01'],
    replace: successes('refresh', (body) => without(body, 'request_id')),
  },
  {
    id: 'id-missing-in-404',
    story: 'Django answers an unknown route before DRF.',
    clauses: ['RID-02'],
    replace: errors(status(404), (body) => without(body, 'request_id')),
  },
  {
    id: 'id-missing-in-405',
    story: 'The router answers a wrong method itself.',
    clauses: ['RID-02'],
    replace: errors(status(405), (body) => without(body, 'request_id')),
  },
  {
    id: 'id-missing-in-401',
    story: 'The 401 is built in middleware.',
    clauses: ['RID-02'],
    replace: errors(status(401), (body) => without(body, 'request_id')),
  },
  {
    id: 'id-null-in-415',
    story: 'The id is set behind the parser, which fails first.',
    clauses: ['RID-02'],
    replace: errors(status(415), (body) => ({ ...body, request_id: null })),
  },
  {
    id: 'id-missing-now-and-then',
    story: 'One of many workers runs old code: one error of eight lacks its id.',
    clauses: ['RID-02'],
    replace: errors(
      (() => {
        let n = 0;
        return () => (n += 1) % 8 === 0;
      })(),
      (body) => without(body, 'request_id'),
    ),
  },
  { id: 'id-urn', story: '`uuid4().urn` was written.', clauses: ['RID-03'], replace: ids((id) => `urn:uuid:${id}`) },
  {
    id: 'id-hex',
    story: '`uuid4().hex` was written: no dashes.',
    clauses: ['RID-03'],
    replace: ids((id) => id.replaceAll('-', '')),
  },
  {
    id: 'id-braces-in-errors',
    story: 'A .NET gateway writes its ids in braces, on its own errors only.',
    clauses: ['RID-03'],
    replace: ids((id, _, code) => (code === 405 ? `{${id}}` : id)),
  },
  {
    id: 'id-number',
    story: 'The id is a number from a sequence.',
    clauses: ['RID-03'],
    replace: ids(() => (counter += 1)),
  },
  {
    id: 'id-prefixed',
    story: 'The id has the name of the service in front.',
    clauses: ['RID-03'],
    replace: ids((id) => `req_${id}`),
  },
  {
    id: 'id-constant',
    story: 'The id is made at import time.',
    clauses: ['RID-04'],
    replace: ids(() => '2f1e7c1a-8f5d-4c39-9b51-0d2c7e9a4b11'),
  },
  {
    id: 'id-of-thread',
    story: 'A thread local outlives its request: now and then an answer has the id of the one before.',
    clauses: ['RID-04'],
    replace: (() => {
      let last = '';
      return ids((id) => {
        const again = last !== '' && chance() < 0.03;
        return again ? last : (last = id);
      });
    })(),
  },
  {
    id: 'id-of-minute',
    story: 'The id is derived from the path and the minute.',
    clauses: ['RID-04'],
    replace: ids(
      (_, { path, method }) =>
        `5eed0000-0000-4000-8000-${Buffer.from(`${method}${path}`).toString('hex').padEnd(12, '0').slice(-12)}`,
    ),
  },
  {
    id: 'id-counter',
    story: 'Look-alike: a counter in the form of a UUID.',
    clauses: ['RID-05'],
    replace: ids(() => `00000000-0000-0000-0000-${String((counter += 1)).padStart(12, '0')}`),
  },
  {
    id: 'id-random-hex',
    story: 'Look-alike: random hex digits with dashes put in.',
    clauses: ['RID-05'],
    replace: ids((id) => `${id.slice(0, 14)}f${id.slice(15, 19)}c${id.slice(20)}`),
  },
  {
    id: 'id-nil-in-405',
    story: 'The nil UUID stands for "none".',
    clauses: ['RID-04', 'RID-05'],
    replace: ids((id, _, code) => (code === 405 ? '00000000-0000-0000-0000-000000000000' : id)),
  },
  {
    id: 'id-from-client',
    story: '`X-Request-ID` is taken over as it comes.',
    clauses: ['RID-06'],
    replace: ids((id, { headers }) => headers['x-request-id'] ?? id),
  },
  {
    id: 'id-dropped-for-clients',
    story: 'With an `X-Request-ID` of the client, the body has none.',
    clauses: ['RID-06', 'RID-02'],
    replace: ids((id, { headers }) => (headers['x-request-id'] === undefined ? id : undefined)),
  },
];
