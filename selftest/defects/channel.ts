/** Channels: https, CORS, cookies. */
import type { Context } from '../../fixtures/reference/behaviour.js';
import type { Defect } from './defect.js';
import { headersFor, headersWith } from './helpers.js';

const reflected = ({ headers }: Context): Record<string, string> => ({
  'Access-Control-Allow-Origin': headers['origin'] ?? '',
  'Access-Control-Allow-Credentials': 'true',
});

export const CHANNEL: readonly Defect[] = [
  {
    id: 'cors-reflects',
    story: '`CORS_ALLOW_ALL_ORIGINS` with `CORS_ALLOW_CREDENTIALS`.',
    clauses: ['NET-02'],
    replace: headersWith((headers, context) => {
      const { origin } = context.headers;
      if (origin !== undefined)
        Object.assign(headers, { 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true' });
    }),
  },
  {
    id: 'cors-null',
    story: '`null` is on the list of origins, for files opened from disk.',
    clauses: ['NET-02'],
    replace: headersWith((headers, context) => {
      if (context.headers['origin'] === 'null')
        Object.assign(headers, { 'Access-Control-Allow-Origin': 'null', 'Access-Control-Allow-Credentials': 'true' });
    }),
  },
  {
    id: 'cors-on-refusals',
    story: 'The handler of errors adds its own headers, and reflects the origin in them.',
    clauses: ['NET-02'],
    replace: headersFor((context, status) => (status === 401 ? reflected(context) : {})),
  },
  {
    id: 'cors-at-login',
    story: 'Login is open to every origin, cookies and all.',
    clauses: ['NET-02'],
    replace: headersFor((context) => (context.path.endsWith('/auth/login/') ? reflected(context) : {})),
  },
  {
    id: 'cors-by-beginning',
    story: 'An origin is ours if it begins with the address of the application.',
    clauses: ['NET-02'],
    replace: headersFor((context) =>
      context.headers['origin']?.startsWith('https://app.igny8.com') === true ? reflected(context) : {},
    ),
  },
  {
    id: 'preflight-reflects',
    story:
      'The load balancer answers preflights with whatever origin asks, credentials and all; the API itself has no CORS.',
    clauses: ['NET-02'],
    replace: (parts) => ({
      options: (context, allowed) => {
        const answer = parts.options(context, allowed);
        const { origin, 'access-control-request-method': asked } = context.headers;
        if (origin === undefined || asked === undefined) return answer;
        const cors = {
          'Access-Control-Allow-Origin': origin,
          'Access-Control-Allow-Credentials': 'true',
          'Access-Control-Allow-Methods': allowed.join(', '),
          'Access-Control-Allow-Headers': 'authorization, content-type',
          Vary: 'Origin',
        };
        return { ...answer, headers: { ...answer.headers, ...cors } };
      },
    }),
  },
  {
    id: 'sniffable',
    story: '`SecurityMiddleware` is missing.',
    clauses: ['NET-03'],
    replace: headersWith((headers) => {
      delete headers['X-Content-Type-Options'];
    }),
  },
];
