/** Request ids that are missing, repeated, or somebody else's. */
import { createHash } from 'node:crypto';
import type { Context, Parts } from '../../fixtures/reference/behaviour.js';
import type { Defect } from './defect.js';
import { errorBodies, isFurther, ofStatus, omit, successBodies } from './helpers.js';
import { mulberry } from './seeded-random.js';

const requestIds =
  (make: (id: string, context: Context, status: number) => unknown) =>
  (parts: Parts): Partial<Parts> => ({
    requestId: (context, code) => make(String(parts.requestId(context, code)), context, code),
  });

let counter = 0;

const chance = mulberry(7);

const PYTHON_UUID = /^[0-9a-f]{32}$/i;

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

export const REQUEST_ID: readonly Defect[] = [
  {
    id: 'id-missing-in-list',
    story: 'The paginator builds its answer itself.',
    clauses: ['RID-01'],
    replace: successBodies('listKeywords', (body) => omit(body, 'request_id')),
  },
  {
    id: 'id-missing-in-refresh',
    story: "The token view is the library's own.",
    clauses: ['RID-01'],
    replace: successBodies('refresh', (body) => omit(body, 'request_id')),
  },
  {
    id: 'detail-without-id',
    story: 'One view answers by itself, and its author did not know of `request_id`.',
    clauses: ['RID-01'],
    replace: successBodies('getKeyword', ({ request_id: _, ...envelope }) => envelope),
  },
  {
    id: 'id-missing-in-404',
    story: 'Django answers an unknown route before DRF.',
    clauses: ['RID-02'],
    replace: errorBodies(ofStatus(404), (body) => omit(body, 'request_id')),
  },
  {
    id: 'id-missing-in-405',
    story: 'The router answers a wrong method itself.',
    clauses: ['RID-02'],
    replace: errorBodies(ofStatus(405), (body) => omit(body, 'request_id')),
  },
  {
    id: 'id-missing-in-401',
    story: 'The 401 is built in middleware.',
    clauses: ['RID-02'],
    replace: errorBodies(ofStatus(401), (body) => omit(body, 'request_id')),
  },
  {
    id: 'id-null-in-415',
    story: 'The id is set behind the parser, which fails first.',
    clauses: ['RID-02'],
    replace: errorBodies(ofStatus(415), (body) => ({ ...body, request_id: null })),
  },
  {
    id: 'id-missing-now-and-then',
    story: 'One of many workers runs old code: one error of eight lacks its id.',
    clauses: ['RID-02'],
    replace: errorBodies(
      (() => {
        let n = 0;
        return () => (n += 1) % 8 === 0;
      })(),
      (body) => omit(body, 'request_id'),
    ),
  },
  {
    id: 'new-view-own-handler',
    story: 'PUT, PATCH and DELETE came with a view set that brings its own exception handler, written before the ids.',
    clauses: ['RID-02'],
    replace: (parts) => ({
      errorEnvelope: (refusal, requestId, context) => {
        const { request_id: id, ...rest } = parts.errorEnvelope(refusal, requestId, context) as { request_id: unknown };
        return isFurther(context) ? rest : { ...rest, request_id: id };
      },
    }),
  },
  {
    id: 'id-urn',
    story: '`uuid4().urn` was written.',
    clauses: ['RID-03'],
    replace: requestIds((id) => `urn:uuid:${id}`),
  },
  {
    id: 'id-hex',
    story: '`uuid4().hex` was written: no dashes.',
    clauses: ['RID-03'],
    replace: requestIds((id) => id.replaceAll('-', '')),
  },
  {
    id: 'id-braces-in-errors',
    story: 'A .NET gateway writes its ids in braces, on its own errors only.',
    clauses: ['RID-03'],
    replace: requestIds((id, _, code) => (code === 405 ? `{${id}}` : id)),
  },
  {
    id: 'id-number',
    story: 'The id is a number from a sequence.',
    clauses: ['RID-03'],
    replace: requestIds(() => (counter += 1)),
  },
  {
    id: 'id-prefixed',
    story: 'The id has the name of the service in front.',
    clauses: ['RID-03'],
    replace: requestIds((id) => `req_${id}`),
  },
  {
    id: 'id-constant',
    story: 'The id is made at import time.',
    clauses: ['RID-04'],
    replace: requestIds(() => '2f1e7c1a-8f5d-4c39-9b51-0d2c7e9a4b11'),
  },
  {
    id: 'id-of-thread',
    story: 'A thread local outlives its request: now and then an answer has the id of the one before.',
    clauses: ['RID-04'],
    replace: (() => {
      let last = '';
      return requestIds((id) => {
        const again = last !== '' && chance() < 0.03;
        return again ? last : (last = id);
      });
    })(),
  },
  {
    id: 'id-of-minute',
    story: 'The id is derived from the path and the minute.',
    clauses: ['RID-04'],
    replace: requestIds(
      (_, { path, method }) =>
        `5eed0000-0000-4000-8000-${Buffer.from(`${method}${path}`).toString('hex').padEnd(12, '0').slice(-12)}`,
    ),
  },
  {
    id: 'id-nil-in-405',
    story: 'The nil UUID stands for "none".',
    clauses: ['RID-04', 'RID-05'],
    replace: requestIds((id, _, code) => (code === 405 ? '00000000-0000-0000-0000-000000000000' : id)),
  },
  {
    id: 'id-of-the-second',
    story: 'The id is a uuid5 of client, request line and time, and the time is in whole seconds.',
    clauses: ['RID-04'],
    replace: (parts) => ({
      requestId: ({ client, method, path, query }, status) => {
        const second = Math.floor(parts.clock() / 1000);
        const name = [client, method, path, query.toString(), status, second].join(' ');
        const hex = createHash('sha1').update(name).digest('hex');
        const variant = '89ab'.charAt(parseInt(hex.charAt(16), 16) % 4);
        return [
          hex.slice(0, 8),
          hex.slice(8, 12),
          `5${hex.slice(13, 16)}`,
          `${variant}${hex.slice(17, 20)}`,
          hex.slice(20, 32),
        ].join('-');
      },
    }),
  },
  {
    id: 'id-counter',
    story: 'Look-alike: a counter in the form of a UUID.',
    clauses: ['RID-05'],
    replace: requestIds(() => `00000000-0000-0000-0000-${String((counter += 1)).padStart(12, '0')}`),
  },
  {
    id: 'id-random-hex',
    story: 'Look-alike: random hex digits with dashes put in.',
    clauses: ['RID-05'],
    replace: requestIds((id) => `${id.slice(0, 14)}f${id.slice(15, 19)}c${id.slice(20)}`),
  },
  {
    id: 'id-from-client',
    story: '`X-Request-ID` is taken over as it comes.',
    clauses: ['RID-06'],
    replace: requestIds((id, { headers }) => headers['x-request-id'] ?? id),
  },
  {
    id: 'id-dropped-for-clients',
    story: 'With an `X-Request-ID` of the client, the body has none.',
    clauses: ['RID-06', 'RID-01', 'RID-02'],
    replace: requestIds((id, { headers }) => (headers['x-request-id'] === undefined ? id : undefined)),
  },
  {
    id: 'long-id-taken-over',
    story: "An `X-Request-ID` of some length is taken for a gateway's own.",
    clauses: ['RID-06'],
    replace: (parts) => ({
      requestId: (context, status) => {
        const sent = context.headers['x-request-id'] ?? '';
        return sent.length > 36 ? sent : parts.requestId(context, status);
      },
    }),
  },
  {
    id: 'python-takes-any-spelling',
    story: "The client's id is taken when uuid.UUID() parses it, and echoed as it came: braces, urn:uuid:, no dashes.",
    clauses: ['RID-06'],
    replace: (parts) => ({
      requestId: (context, status) => {
        const sent = context.headers['x-request-id'] ?? '';
        const digits = sent
          .replace('urn:', '')
          .replace('uuid:', '')
          .replace(/^\{+|\}+$/g, '')
          .replaceAll('-', '');
        return PYTHON_UUID.test(digits) ? sent : parts.requestId(context, status);
      },
    }),
  },
  {
    id: 'id-lenient',
    story: 'Python’s `uuid.UUID()` takes braces, URNs and 32 digits.',
    clauses: ['RID-06'],
    replace: takesOver((sent) => /^[0-9a-f]{32}$/i.test(hex(sent))),
  },
  {
    id: 'id-hex-only',
    story: 'Only what is made of hex digits is taken over.',
    clauses: ['RID-06'],
    replace: takesOver((sent) => /^[0-9a-f]{32}$/i.test(sent)),
  },
  {
    id: 'id-urn-taken',
    story: 'An id may be a URN.',
    clauses: ['RID-06'],
    replace: takesOver((sent) => sent.startsWith('urn:uuid:')),
  },
  {
    id: 'id-begins-like-one',
    story: 'The pattern has no end.',
    clauses: ['RID-06'],
    replace: takesOver((sent) => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}./i.test(sent)),
  },
  {
    id: 'id-of-its-length',
    story: 'Whatever has 36 characters is taken for an id.',
    clauses: ['RID-06'],
    replace: takesOver((sent) => sent.length === 36 && /^[^0-9a-f]/i.test(sent)),
  },
  {
    id: 'id-taken-at-unknown-routes',
    story: 'The router of errors is another service.',
    clauses: ['RID-06'],
    replace: takesOver((_, { operation }, status) => status === 404 && operation === undefined),
  },
  {
    id: 'id-taken-at-refresh',
    story: 'The token view logs by the client’s id.',
    clauses: ['RID-06'],
    replace: takesOver((_, { operation }) => operation === 'refresh'),
  },
  {
    id: 'id-taken-with-token',
    story: 'Clients that are known may choose their ids.',
    clauses: ['RID-06'],
    replace: takesOver((_, { headers }) => headers['authorization'] !== undefined),
  },
  {
    id: 'nil-for-what-is-no-uuid',
    story: 'A parser gives zeros beside its error, and the error is dropped.',
    clauses: ['RID-05'],
    replace: requestIds((id, { headers }) =>
      /^[\da-f-]{36}$/i.test(headers['x-request-id'] ?? id) ? id : '00000000-0000-0000-0000-000000000000',
    ),
  },
  {
    id: 'empty-header-is-an-id',
    story: 'The default is for a header that is missing; one that is there and empty is taken over.',
    clauses: ['RID-06'],
    replace: requestIds((id, { headers }) => (headers['x-request-id'] === '' ? '' : id)),
  },
  {
    id: 'id-echoed-in-validation',
    story:
      'The helper for refused fields reads `X-Request-ID` itself; everything else has the checked one of the middleware.',
    clauses: ['RID-06'],
    replace: errorBodies(
      ({ errors }, { headers }) => errors !== undefined && headers['x-request-id'] !== undefined,
      (body, { headers }) => ({ ...body, request_id: headers['x-request-id'] }),
    ),
  },
  {
    id: 'correlation-id-believed',
    story: 'A library takes over `Correlation-ID` without a look at it, and the envelope shows what it took.',
    clauses: ['RID-06'],
    replace: requestIds((id, { headers }) => headers['correlation-id'] ?? id),
  },
];
