/** Servers that are wrong as a whole: always the same answer, whatever is asked. No negative check may pass on them by accident. */
import fastify from 'fastify';
import type { AddressInfo } from 'node:net';
import { buildTarget } from '../../fixtures/run/target.js';
import type { ClauseId } from '../../spec/generated/clauses.js';
import type { Defect } from './defect.js';

const ERROR = { success: false, error: 'Error', request_id: '0d1f4c7e-6b2a-4f38-9c5d-7e8f9a0b1c2d' };

/** A server that answers everything with one status and one body. */
function always(status: number, body: unknown, type = 'application/json'): NonNullable<Defect['server']> {
  return async () => {
    // Long headers too are answered like everything else.
    const server = fastify({ forceCloseConnections: true, bodyLimit: 8e6, http: { maxHeaderSize: 1e6 } });
    server.removeAllContentTypeParsers();
    server.addContentTypeParser('*', (_, __, done) => {
      done(null);
    });
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    server.all('/*', async (_, reply) => reply.code(status).type(type).send(text));
    server.setErrorHandler(async (_, __, reply) => reply.code(status).type(type).send(text));
    await server.listen({ host: '127.0.0.1', port: 0 });
    const origin = `http://127.0.0.1:${String((server.server.address() as AddressInfo).port)}`;
    const account = { email: 'somebody@example.com', password: 'Cf7!absurd-password' };
    const target = buildTarget({
      baseUrl: `${origin}/api/v1/`,
      owner: account,
      viewer: { ...account, email: 'viewer@example.com' },
      foreignResource: 'planner/keywords/3/',
      deniedSite: '2',
      secret: 'not-the-key-of-anybody-in-particular',
      burst: true,
      fuzz: { seed: 1, runs: 4 },
    });
    return {
      target,
      close: async () => {
        await server.close();
      },
    };
  };
}

const USER = {
  id: 7,
  email: 'nobody@example.org',
  username: 'nobody',
  role: 'owner',
  account: { id: 3, name: 'None', slug: 'none' },
};

/** What a 200 to everything gets wrong, whatever is in it. */
const YES_TO_ALL: readonly ClauseId[] = [
  'REG-02',
  'REG-03',
  'REG-05',
  'REG-06',
  'REG-07',
  'REG-11',
  'REG-13',
  'DOC-02',
  'THR-02',
  'THR-01',
  'NET-03',
];

/** What a refusal of everything gets wrong. */
const NO_TO_ALL: readonly ClauseId[] = ['REG-01', 'LOG-01', 'THR-02', 'RID-04', 'THR-01', 'NET-03'];

/** What an error envelope with a UUID in it gets right, always the same or not. */
const ERROR_SHAPE: readonly ClauseId[] = [
  'ENV-03',
  'ENV-04',
  'ENV-05',
  'ENV-06',
  'ENV-07',
  'ENV-09',
  'RID-03',
  'RID-05',
  'ROB-10',
];

/** What a success envelope with a UUID in it gets right. */
const SUCCESS_SHAPE: readonly ClauseId[] = [
  'REG-01',
  'ENV-01',
  'ENV-05',
  'ENV-07',
  'ENV-09',
  'RID-01',
  'RID-03',
  'RID-05',
];

export const CONSTANT_SERVERS: readonly Defect[] = [
  {
    id: 'always-200-empty',
    story: 'A mock that says yes to everything.',
    clauses: [...YES_TO_ALL, 'LOG-01', 'ENV-01', 'RID-01'],
    passes: ['REG-01', 'ENV-07'],
    server: always(200, {}),
  },
  {
    id: 'always-200-success',
    story: 'A mock with an envelope that says yes to everything.',
    clauses: [...YES_TO_ALL, 'LOG-01', 'ENV-02', 'ENV-08', 'RID-04'],
    passes: [...SUCCESS_SHAPE],
    server: always(200, { success: true, data: {}, request_id: ERROR.request_id }),
  },
  {
    id: 'always-401',
    story: 'The gateway lets nobody through.',
    clauses: [...NO_TO_ALL, 'UNA-12'],
    passes: [...ERROR_SHAPE, 'ENV-08', 'RID-02'],
    server: always(401, { ...ERROR, error: 'Authentication required' }),
  },
  {
    id: 'always-403',
    story: 'A firewall.',
    clauses: [...NO_TO_ALL],
    passes: [...ERROR_SHAPE, 'ENV-08', 'RID-02'],
    server: always(403, { ...ERROR, error: 'Permission denied' }),
  },
  {
    id: 'always-404',
    story: 'The base path is wrong.',
    clauses: [...NO_TO_ALL, 'DOC-02'],
    passes: [...ERROR_SHAPE, 'RID-02'],
    server: always(404, { ...ERROR, error: 'Resource not found' }),
  },
  {
    id: 'always-500',
    story: 'The database is down.',
    clauses: [...NO_TO_ALL, 'DOC-02'],
    passes: [...ERROR_SHAPE],
    server: always(500, ERROR),
  },
  {
    id: 'always-html',
    story: 'The web application answers for the API.',
    clauses: [...YES_TO_ALL, 'LOG-01', 'ENV-07'],
    passes: ['REG-01'],
    server: always(200, '<!doctype html><title>App</title>', 'text/html; charset=utf-8'),
  },
  {
    id: 'always-somebody',
    story: 'Login answers with the same user, whoever comes.',
    clauses: [
      'ENV-10',
      'ENV-11',
      'REG-02',
      'REG-05',
      'REG-06',
      'REG-07',
      'REG-11',
      'REG-13',
      'REG-14',
      'LOG-03',
      'LOG-04',
      'LOG-05',
      'LOG-08',
      'LOG-09',
      'LOG-10',
      'LOG-13',
      'TOK-01',
      'REF-03',
      'REF-04',
      'REF-08',
      'REF-09',
      'REF-10',
      'UNA-01',
      'FOR-01',
      'FOR-04',
      'ROB-01',
      'ROB-02',
      'ROB-03',
      'ROB-04',
      'ROB-05',
      'ROB-06',
      'ROB-07',
      'DOC-02',
      'THR-02',
      'THR-03',
      'ENV-08',
      'RID-04',
      'LOG-12',
      'THR-01',
      'NET-03',
    ],
    passes: [
      'RID-06',
      ...SUCCESS_SHAPE,
      'REG-04',
      'LOG-01',
      'LOG-02',
      'REF-01',
      'REF-02',
      'REF-07',
      'UNA-13',
      'ROB-08',
      'JRN-01',
      'JRN-03',
      'JRN-08',
      'NET-02',
      'ENV-02',
    ],
    server: always(200, {
      success: true,
      data: { user: USER, access: 'a', refresh: 'r' },
      request_id: ERROR.request_id,
    }),
  },
  {
    id: 'always-empty-tokens',
    story: 'Tokens that are empty texts.',
    clauses: [...YES_TO_ALL, 'REG-14', 'LOG-01', 'RID-04'],
    passes: [...SUCCESS_SHAPE, 'ENV-02'],
    server: always(200, { success: true, data: { user: USER, access: '', refresh: '' }, request_id: ERROR.request_id }),
  },
];
