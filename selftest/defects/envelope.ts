/** Envelopes that are not as the guide has them. */
import { randomUUID } from 'node:crypto';
import { type Answer, type Context, type Parts, Refusal } from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import type { Defect } from './defect.js';
import { errorBodies, type Json, ofStatus, omit, peek, successBodies, textOf } from './helpers.js';

const shownWhere =
  (
    when: (answer: Answer, context: Context) => boolean,
    change: (answer: Answer, context: Context) => Partial<Answer>,
  ) =>
  (): Partial<Parts> => ({
    present: (answer, context) => (when(answer, context) ? { ...answer, ...change(answer, context) } : answer),
  });

const html = { body: '<!doctype html><title>Error</title><h1>Error</h1>' };

const htmlHeaders = (answer: Answer): Record<string, string> => ({
  ...answer.headers,
  'Content-Type': 'text/html; charset=utf-8',
});

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

export const ENVELOPE: readonly Defect[] = [
  {
    id: 'list-bare',
    story: 'Pagination is off, and the list goes out as a bare array.',
    clauses: ['ENV-01'],
    replace: successBodies('listKeywords', (body) => body['results']),
  },
  {
    id: 'success-as-text',
    story: 'A template writes "true" in quotes.',
    clauses: ['ENV-01'],
    replace: successBodies('listKeywords', (body) => ({ ...body, success: 'true' })),
  },
  {
    id: 'success-missing-on-create',
    story: 'The create mixin answers without the response helper.',
    clauses: ['ENV-01'],
    replace: successBodies('createKeyword', (body) => omit(body, 'success')),
  },
  {
    id: 'detail-without-success',
    story: 'One view answers by itself, and its author did not know of `success`.',
    clauses: ['ENV-01'],
    replace: successBodies('getKeyword', ({ success: _, ...envelope }) => envelope),
  },
  {
    id: 'patch-bare',
    story: 'The partial update was added later with a stock generic view, whose serializer data goes out as it is.',
    clauses: ['ENV-01', 'RID-01'],
    replace: (parts) => ({
      successEnvelope: (outcome, requestId, context) =>
        context.operation === 'updateKeyword' && 'data' in outcome
          ? (outcome.data as object)
          : parts.successEnvelope(outcome, requestId, context),
    }),
  },
  {
    id: 'data-null-on-register',
    story: 'Sign-up answers with a message and no data.',
    clauses: ['ENV-02', 'REG-02', 'REG-03'],
    replace: successBodies('register', (body) => ({ ...body, data: null })),
  },
  {
    id: 'data-list-on-register',
    story: 'Sign-up goes through the list serializer.',
    clauses: ['ENV-02', 'REG-02', 'REG-03'],
    replace: successBodies('register', (body) => ({ ...body, data: [body['data']] })),
  },
  {
    id: 'error-without-success',
    story: 'The 404 handler writes only the error.',
    clauses: ['ENV-03'],
    replace: errorBodies(ofStatus(404), (body) => omit(body, 'success')),
  },
  {
    id: 'success-null-on-415',
    story: 'The parser error is built by hand, with a null in it.',
    clauses: ['ENV-03'],
    replace: errorBodies(ofStatus(415), (body) => ({ ...body, success: null })),
  },
  {
    id: 'validation-raw',
    story: "The framework's own validation error goes out unwrapped.",
    clauses: ['ENV-03', 'RID-02', 'ENV-04'],
    replace: errorBodies(
      (refusal) => refusal.errors !== undefined && refusal.status === 400,
      (body) => body['errors'],
    ),
  },
  {
    id: 'error-list-of-one',
    story: 'An error is a JSON list with one text, as DRF writes it for non-field errors.',
    clauses: ['ENV-03'],
    replace: errorBodies(ofStatus(405), (body) => [body['error']]),
  },
  {
    id: 'error-object',
    story: '`exc.detail` of a validation error is put into `error`.',
    clauses: ['ENV-04'],
    replace: errorBodies(
      (refusal) => refusal.errors !== undefined,
      (body) => ({ ...body, error: body['errors'] }),
    ),
  },
  {
    id: 'error-empty-on-415',
    story: 'The exception has no message.',
    clauses: ['ENV-04'],
    replace: errorBodies(ofStatus(415), (body) => ({ ...body, error: '' })),
  },
  {
    id: 'error-called-detail',
    story: 'The 405 keeps the name that DRF gives it.',
    clauses: ['ENV-04', 'ENV-09'],
    replace: errorBodies(ofStatus(405), (body) => ({ ...omit(body, 'error'), detail: body['error'] })),
  },
  {
    id: 'not-found-with-200',
    story: 'A view catches DoesNotExist and forgets the status.',
    clauses: ['ENV-05'],
    replace: shownWhere(
      (answer, { operation }) => answer.status === 404 && operation === 'getKeyword',
      () => ({ status: 200 }),
    ),
  },
  {
    id: 'true-on-415',
    story: 'The success helper is used for an error.',
    clauses: ['ENV-05'],
    replace: errorBodies(ofStatus(415), (body) => ({ ...body, success: true })),
  },
  {
    id: 'false-on-201',
    story: 'A partial failure is reported inside a success.',
    clauses: ['ENV-05'],
    replace: successBodies('createKeyword', (body) => ({ ...body, success: false })),
  },
  {
    id: 'nothing-found-is-no-success',
    story: 'The list helper sets success from the truth of the rows when somebody searched: an empty list is false.',
    clauses: ['ENV-05'],
    replace: (parts) => ({
      successEnvelope: (outcome, requestId, context) => ({
        ...parts.successEnvelope(outcome, requestId, context),
        ...('results' in outcome && outcome.results.length === 0 && context.query.has('search')
          ? { success: false }
          : {}),
      }),
    }),
  },
  {
    id: 'data-in-403',
    story: 'The refused object is serialized all the same: data of another account in a 403.',
    clauses: ['ENV-06'],
    replace: (parts, store) =>
      errorBodies(
        (refusal, { operation }) => refusal.status === 403 && operation === 'getKeyword',
        (body) => ({ ...body, data: { id: store.keywords[2]?.id, keyword: store.keywords[2]?.keyword } }),
      )(parts),
  },
  {
    id: 'token-echoed-in-401',
    story: 'The validation error quotes the refused refresh token.',
    clauses: ['ENV-06'],
    replace: errorBodies(
      (refusal, { operation }) => refusal.status === 401 && operation === 'refresh',
      (body, { rawBody }) => ({
        ...body,
        errors: { refresh: [`${/"refresh":"([^"]*)"/.exec(rawBody.toString())?.[1] ?? ''} is not valid`] },
      }),
    ),
  },
  {
    id: 'error-quotes-token',
    story: 'The exception for a token of the wrong type quotes the token, a live access token, for easier debugging.',
    clauses: ['ENV-06'],
    replace: (parts) => ({
      refresh: async (context) => {
        try {
          return await parts.refresh(context);
        } catch (error) {
          if (!(error instanceof Refusal) || error.status !== 401) throw error;
          const token = textOf(parts.readBody(context)['refresh']);
          if (peek(token, 1)?.['token_type'] !== 'access') throw error;
          throw new Refusal(401, `Token '${token}' has wrong type`, undefined, error.headers);
        }
      },
    }),
  },
  {
    id: 'html-404',
    story: "Django's own 404 page comes before the API's handler.",
    clauses: ['ENV-07'],
    replace: shownWhere(
      (answer, { operation }) => answer.status === 404 && operation === undefined,
      (answer) => ({ ...html, headers: htmlHeaders(answer) }),
    ),
  },
  {
    id: 'browsable-api',
    story: '`BrowsableAPIRenderer` answers who accepts HTML.',
    clauses: ['ENV-07'],
    replace: shownWhere(
      (_, { headers }) => headers['accept']?.includes('text/html') === true,
      (answer) => ({ ...html, headers: htmlHeaders(answer) }),
    ),
  },
  {
    id: 'latin1-errors',
    story: 'Errors are declared in the encoding of the web server.',
    clauses: ['ENV-07'],
    replace: shownWhere(
      (answer) => answer.status >= 400,
      ({ headers }) => ({ headers: { ...headers, 'Content-Type': 'application/json; charset=iso-8859-1' } }),
    ),
  },
  {
    id: 'text-plain-405',
    story: 'The router answers a wrong method itself.',
    clauses: ['ENV-07'],
    replace: shownWhere(
      (answer) => answer.status === 405,
      ({ headers }) => ({ headers: { ...headers, 'Content-Type': 'text/plain; charset=utf-8' } }),
    ),
  },
  {
    id: 'broken-utf8-on-create',
    story: 'A text is cut in the middle of a character.',
    clauses: ['ENV-07'],
    replace: shownWhere(
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
    id: 'mark-before-errors',
    story: 'The file with the text of an error was saved with a byte order mark.',
    clauses: ['ENV-07'],
    replace: (parts) => ({
      present: (answer, context) => {
        const shown = parts.present(answer, context);
        return shown.status === 404 ? { ...shown, body: `\ufeff${shown.body.toString()}` } : shown;
      },
    }),
  },
  {
    id: 'latin-1-rows',
    story: 'json.dumps(ensure_ascii=False), then encoded as WSGI encodes: text that fits into Latin-1 goes out in it.',
    clauses: ['ENV-07'],
    replace: () => ({
      present: (answer, { path }) => {
        const { body } = answer;
        const fits = typeof body === 'string' && /[\x80-\xff]/.test(body) && !/[^\0-\xff]/.test(body);
        return fits && path.includes('/planner/') ? { ...answer, body: Buffer.from(body, 'latin1') } : answer;
      },
    }),
  },
  {
    id: 'error-without-accept',
    story: 'Without an `Accept`, errors fall back to plain text.',
    clauses: ['ENV-07'],
    replace: typed(
      'text/plain; charset=utf-8',
      ({ status }, { headers }) => status >= 400 && headers['accept'] === undefined,
    ),
  },
  {
    id: 'list-without-accept',
    story: 'Without an `Accept`, the list is for a browser.',
    clauses: ['ENV-07'],
    replace: typed(
      'text/html; charset=utf-8',
      ({ status }, { headers, operation }) =>
        status === 200 && operation === 'listKeywords' && headers['accept'] === undefined,
    ),
  },
  {
    id: 'xml-for-who-asks',
    story: '`XMLRenderer` is on, for one client.',
    clauses: ['ENV-07'],
    replace: typed('application/xml; charset=utf-8', (_, context) => accepts(context, 'application/xml')),
  },
  {
    id: 'refused-refresh-in-html',
    story: 'The handler of token errors looks for `text/html`.',
    clauses: ['ENV-07'],
    replace: typed(
      'text/html; charset=utf-8',
      ({ status }, context) => status === 401 && context.operation === 'refresh' && accepts(context, 'text/html'),
    ),
  },
  {
    id: 'unknown-route-for-any',
    story: 'The page of an unknown route is HTML for `*/*`.',
    clauses: ['ENV-07'],
    replace: typed(
      'text/html; charset=utf-8',
      ({ status }, { headers, operation }) => status === 404 && operation === undefined && headers['accept'] === '*/*',
    ),
  },
  {
    id: 'version-in-the-type',
    story: 'The media type repeats the vendor’s one that was asked for.',
    clauses: ['ENV-07'],
    replace: typed('application/vnd.igny8.v1+json', (_, context) => accepts(context, 'vnd.igny8')),
  },
  {
    id: 'count-as-text',
    story: 'The count comes from a cache that keeps texts.',
    clauses: ['ENV-08'],
    replace: successBodies('listKeywords', (body) => ({ ...body, count: String(body['count']) })),
  },
  {
    id: 'keyword-id-as-text',
    story: 'Ids of new rows are UUIDs since the last migration.',
    clauses: ['ENV-08'],
    replace: successBodies('createKeyword', (body) => ({ ...body, data: { ...(body['data'] as Json), id: 'a1b2' } })),
  },
  {
    id: 'next-missing',
    story: 'The paginator leaves out what is null.',
    clauses: ['ENV-08'],
    replace: successBodies('listKeywords', (body) => omit(body, 'next')),
  },
  {
    id: 'register-without-role',
    story: 'Sign-up uses another user serializer than login.',
    clauses: ['ENV-08'],
    replace: successBodies('register', (body) => ({
      ...body,
      data: { ...(body['data'] as Json), user: omit((body['data'] as { user: Json }).user, 'role') },
    })),
  },
  {
    id: 'search-without-count',
    story: 'COUNT(*) over a LIKE was slow, so a paginator without a count serves searches and says null.',
    clauses: ['ENV-08'],
    replace: (parts) => ({
      successEnvelope: (outcome, requestId, context) => ({
        ...parts.successEnvelope(outcome, requestId, context),
        ...('results' in outcome && context.query.has('search') ? { count: null } : {}),
      }),
    }),
  },
  {
    id: 'debug-member',
    story: 'A debug member was left in errors.',
    clauses: ['ENV-09'],
    replace: errorBodies(
      () => true,
      (body) => ({ ...body, debug: { took: 3 } }),
    ),
  },
  {
    id: 'logout-reason',
    story: 'Middleware tells the web client why it was logged out.',
    clauses: ['ENV-09'],
    replace: errorBodies(ofStatus(401), (body) => ({ ...body, logout_reason: 'token', logout_path: '/' })),
  },
  {
    id: 'timestamp-on-refresh',
    story: 'The token view adds when the tokens expire, beside `data`.',
    clauses: ['ENV-09'],
    replace: successBodies('refresh', (body) => ({ ...body, access_expires_in: 900 })),
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
    replace: shownWhere(
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
    id: 'second-page-bare',
    story: 'A paginator of its own puts the later pages of a list together, and leaves out `success`.',
    clauses: ['ENV-01'],
    replace: (parts) => ({
      successEnvelope: (outcome, id, context) => {
        const { success, ...rest } = parts.successEnvelope(outcome, id, context) as Json;
        return 'results' in outcome && (outcome.page?.previous ?? null) !== null ? rest : { success, ...rest };
      },
    }),
  },
  {
    id: 'forbidden-below-a-row',
    story: 'Whatever is below a row is asked for its permission first, and an unknown route has none: 403.',
    clauses: ['ENV-10'],
    replace: (parts) => ({
      present: (answer, context) =>
        parts.present(
          answer.status === 404 &&
            context.operation === undefined &&
            /\/planner\/keywords\/[^/]+\/.+/.test(context.path)
            ? { ...answer, status: 403 }
            : answer,
          context,
        ),
    }),
  },
  {
    id: 'html-404-below-a-row',
    story: 'Unknown routes at the top get the envelope; below a row the page of the framework answers.',
    clauses: ['ENV-07'],
    replace: (parts) => ({
      present: (answer, context) =>
        answer.status === 404 && context.operation === undefined && /\/planner\/keywords\/[^/]+\/.+/.test(context.path)
          ? {
              ...answer,
              headers: { ...answer.headers, 'Content-Type': 'text/html; charset=utf-8' },
              body: '<!doctype html><h1>Not Found</h1>',
            }
          : parts.present(answer, context),
    }),
  },
  {
    id: 'list-as-csv',
    story: 'The export button brought a renderer of its own: `Accept: text/csv` gets the list in it.',
    clauses: ['ENV-07'],
    replace: typed(
      'text/csv; charset=utf-8',
      ({ status }, { headers, operation }) =>
        status === 200 && operation === 'listKeywords' && headers['accept']?.includes('text/csv') === true,
    ),
  },
  {
    id: 'csrf-before-the-router',
    story: 'A write to a route that there is not wants a CSRF token before anybody looks for the route.',
    clauses: ['ENV-10'],
    replace: (parts) => ({
      unknownRoute: (context) =>
        context.method === 'GET' ? parts.unknownRoute(context) : new Refusal(403, 'CSRF verification failed'),
    }),
  },
  {
    id: 'allow-of-another-layer',
    story: '`Allow` comes from the default list of a middleware and names the very method that was refused.',
    clauses: ['ENV-11'],
    replace: () => ({
      wrongMethod: () =>
        new Refusal(405, 'Method not allowed', undefined, { Allow: 'GET, HEAD, PUT, PATCH, POST, DELETE' }),
    }),
  },
  {
    id: 'wrong-method-at-a-row-404',
    story: 'A method without a handler falls through to the handler of unknown routes; rows only were forgotten.',
    clauses: ['ENV-11'],
    replace: (parts) => ({
      wrongMethod: (context, allowed) =>
        context.method === 'POST' && /\/keywords\/[^/]+\/$/.test(context.path)
          ? new Refusal(404, 'Resource not found')
          : parts.wrongMethod(context, allowed),
    }),
  },
  {
    id: 'page-for-refused-fields',
    story: 'Refused fields come as a page for every client that does not ask for JSON.',
    clauses: ['ENV-07'],
    replace: (parts) => ({
      present: (answer, context) => {
        const shown = parts.present(answer, context);
        if (shown.status !== 400 || context.headers['accept']?.includes('text/html') !== true) return shown;
        const headers = { ...shown.headers, 'Content-Type': 'text/html; charset=utf-8' };
        return {
          ...shown,
          headers,
          body: '<!doctype html><title>Bad Request</title><p>The given data was invalid.</p>',
        };
      },
    }),
  },
  {
    id: 'auth-405-without-allow',
    story: 'The routes of login, register and refresh end in a 405 that somebody wrote by hand, without `Allow`.',
    clauses: ['ENV-11'],
    replace: (parts) => ({
      wrongMethod: (context, allowed) => {
        const { status, error, errors, headers } = parts.wrongMethod(context, allowed);
        return new Refusal(status, error, errors, context.path.includes('/auth/') ? {} : headers);
      },
    }),
  },
  {
    id: 'unknown-below-auth-401',
    story: 'All of `auth/` that no route takes ends in the library’s own view, which asks for a session.',
    clauses: ['ENV-10'],
    replace: (parts) => ({
      unknownRoute: (context) => (context.path.includes('/auth/') ? unauthenticated() : parts.unknownRoute(context)),
    }),
  },
];
