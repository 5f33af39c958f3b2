import { randomUUID } from 'node:crypto';
import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, type Check } from '../fixtures/check/check.js';
import { jsonRequest } from '../fixtures/check/api.js';
import { withHeaders } from './support/access/protected-routes.js';
import { CANONICAL } from './support/responses/observed.js';
import { UNKNOWN_ROUTE } from './support/responses/sample-answers.js';
import type { Sendable } from '../fixtures/check/sender.js';

/** Ids that are no UUID, by how they come close to one; the last is too long for the column where ids are kept. */
function noUuids(): { readonly name: string; readonly sent: string }[] {
  const id = randomUUID();
  return [
    { name: 'a text', sent: 'not-a-uuid <1>' },
    { name: 'a UUID in braces', sent: `{${id}}` },
    { name: 'a UUID as URN', sent: `urn:uuid:${id}` },
    { name: 'a UUID without dashes', sent: id.replaceAll('-', '') },
    { name: 'a UUID and more', sent: `${id}-1` },
    { name: 'two UUIDs', sent: `${id}, ${randomUUID()}` },
    { name: 'a UUID with a letter that is not a hex digit', sent: `g${id.slice(1)}` },
    { name: 'a number', sent: '1' },
    { name: '64 letters', sent: 'a'.repeat(64) },
    { name: 'an empty one', sent: '' },
  ];
}

const REQUEST_ID = ['x-request-id'];

/** Other names of the same header, with libraries that read it. */
const ALIASES = [
  'correlation-id',
  'x-correlation-id',
  'request-id',
  'x-trace-id',
  'x-amzn-trace-id',
  'x-transaction-id',
];

/** The response to a request with a bad id has an id of the server's own. */
async function judgeOddId(
  { raw }: Check,
  {
    sent,
    request,
    as = REQUEST_ID,
  }: { readonly sent: string; readonly request: Sendable; readonly as?: readonly string[] },
): Promise<void> {
  const odd = withHeaders(request, ...as.map((name) => [name, sent] as const));
  const reply = await raw(odd);
  if (reply.object === undefined) throw new Blocked('ENV-07', `no JSON: ${String(reply.status)}`, reply.exchange);
  const echoed = reply.object['request_id'];
  if (typeof echoed !== 'string' || !CANONICAL.test(echoed)) {
    const plain = (await raw(request)).object?.['request_id'];
    const owner = plain !== undefined ? 'RID-03' : reply.status < 300 ? 'RID-01' : 'RID-02';
    if (typeof plain !== 'string' || !CANONICAL.test(plain))
      throw new Blocked(owner, 'without the header the `request_id` is no UUID either', reply.exchange);
    // One that is missing now and then is no matter of the header.
    if (echoed === undefined && (await raw(odd)).object?.['request_id'] !== undefined)
      throw new Blocked(
        reply.status < 300 ? 'RID-01' : 'RID-02',
        'now and then there is no `request_id`',
        reply.exchange,
      );
  }
  const after = as === REQUEST_ID ? 'an `X-Request-ID` that is not a UUID' : 'headers with ids that are no UUIDs';
  expect(reply, `\`request_id\` after ${after}`).toSatisfy(
    typeof echoed === 'string' && CANONICAL.test(echoed),
    'a UUID all the same',
    typeof echoed === 'string' ? `“${echoed.slice(0, 60)}”` : 'none',
  );
}

clause('RID-06', async (check) => {
  const { raw, api } = check;
  // Refresh answers with a body of its own where a protected route may redirect to a login page.
  const refused = api.refreshRequest('not-a-token');
  const plain = await raw(refused);
  const id = plain.object?.['request_id'];
  if (id === undefined) throw new Blocked('RID-02', '`request_id` is missing');
  if (typeof id !== 'string' || !CANONICAL.test(id))
    throw new Blocked('RID-03', '`request_id` is not a canonical UUID');
  const { access } = await check.session();
  const list = api.path('listKeywords');
  // Elsewhere one of them is enough: who checks it at one route, and not at another, takes it there as it comes.
  const elsewhere = [
    { name: 'the list, with a token', request: jsonRequest('GET', list, undefined, { access }) },
    { name: 'the list, without one', request: jsonRequest('GET', list) },
    { name: 'an unknown route', request: { method: 'GET', path: UNKNOWN_ROUTE } },
    { name: 'a wrong method', request: { method: 'PUT', path: api.path('refresh') } },
    { name: 'a refresh without a token', request: api.request('refresh', {}) },
  ];
  const rows = noUuids();
  await check.eachRow(
    [
      ...rows.map(({ name, sent }) => ({ name, sent, request: refused })),
      ...elsewhere.map(({ name, request }) => ({ name: `a text, at ${name}`, sent: 'not-a-uuid <1>', request })),
      {
        name: `a text in ${ALIASES.map((name) => `\`${name}\``).join(', ')}`,
        sent: 'not-a-uuid',
        request: refused,
        as: ALIASES,
      },
    ],
    (row) => judgeOddId(check, row),
  );
});
