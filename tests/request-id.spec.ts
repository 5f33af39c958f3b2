import { createHash, randomUUID } from 'node:crypto';
import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Unverified, type Check } from '../fixtures/check/check.js';
import type { Observation } from '../fixtures/evidence/observation.js';
import { jsonRequest } from '../fixtures/check/api.js';
import { withHeaders } from './support/protected-routes.js';
import { everyAnswer, UNKNOWN_ROUTE } from './support/sample-answers.js';
import type { Sendable } from '../fixtures/check/sender.js';

const phase = 'every-response';

/** Envelopes: what is not a JSON object has no place for an id, and ENV judges that. */
function envelopes(
  seen: readonly Observation[],
  what: string,
  of: (answer: Observation) => boolean,
): readonly Observation[] {
  const found = seen.filter((answer) => answer.hasBody && answer.json === 'object' && of(answer));
  if (found.length === 0) throw new Unverified(`No ${what} was seen in this run.`);
  return found;
}

/** Responses with an id that can be judged. @throws Blocked by the clause that says that there is none */
function ids(seen: readonly Observation[], what: string, of: (answer: Observation) => boolean): readonly Observation[] {
  const some = seen.filter((answer) => answer.hasBody && answer.json === 'object' && of(answer));
  if (some.length > 0) return some;
  const all = envelopes(seen, 'response in a JSON object', () => true);
  const has = all.find(({ hasRequestId }) => hasRequestId);
  if (has !== undefined) throw new Blocked('RID-03', `no ${what} was seen`, has.exchange);
  const success = all.find(({ status }) => status < 300);
  throw new Blocked(success === undefined ? 'RID-02' : 'RID-01', 'no response has a `request_id`', success?.exchange);
}

const missing = ({ hasRequestId }: Observation): string | undefined =>
  hasRequestId ? undefined : '`request_id` is missing';

clause('RID-01', { phase }, async (check) => {
  check.eachAnswer(
    envelopes(await everyAnswer(check), 'success', ({ status }) => status < 300),
    missing,
  );
});

clause('RID-02', { phase }, async (check) => {
  const errors = envelopes(await everyAnswer(check), 'error', ({ status }) => status >= 400 && status < 500);
  check.eachAnswer(errors, missing);
  const statuses = [...new Set(errors.map(({ status }) => status))].sort((a, b) => a - b);
  check.measure('statuses seen', statuses.join(', '));
});

const CANONICAL = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

clause('RID-03', { phase }, async (check) => {
  const withId = ids(
    await everyAnswer(check),
    'request_id',
    ({ hasRequestId, sentRequestId }) => hasRequestId && !sentRequestId,
  );
  check.eachAnswer(withId, ({ requestId }) =>
    requestId === undefined
      ? '`request_id` is not a string'
      : CANONICAL.test(requestId)
        ? undefined
        : `\`request_id\` is “${requestId.slice(0, 60)}”`,
  );
});

clause('RID-04', { phase }, async (check) => {
  const own = ids(
    await everyAnswer(check),
    'request_id',
    ({ requestId, sentRequestId }) => requestId !== undefined && requestId !== '' && !sentRequestId,
  );
  const first = new Map<string, Observation>();
  const again = new Map<Observation, Observation>();
  for (const answer of own) {
    const id = (answer.requestId ?? '').toLowerCase();
    const before = first.get(id);
    if (before === undefined) first.set(id, answer);
    else again.set(answer, before);
  }
  check.requestIdHashes.push(
    ...[...first.keys()].map((id) => createHash('sha256').update(id).digest('hex').slice(0, 12)),
  );
  check.measure('different ids', `${String(first.size)} in ${String(own.length)} responses`);
  check.eachAnswer(own, (answer) => {
    const before = again.get(answer);
    return before === undefined
      ? undefined
      : `the \`request_id\` of an earlier response (${before.exchange.request.method} ${before.exchange.request.path}) comes again`;
  });
});

clause('RID-05', { phase }, async (check) => {
  const canonical = ids(
    await everyAnswer(check),
    'request_id that is a UUID',
    ({ requestId, sentRequestId }) => CANONICAL.test(requestId ?? '') && !sentRequestId,
  );
  check.eachAnswer(canonical, ({ requestId }) => {
    const id = requestId ?? '';
    if (/^[0-]+$/.test(id) || /^[f-]+$/i.test(id)) return `“${id}” is the ${id.startsWith('0') ? 'nil' : 'max'} UUID`;
    if (!/[1-8]/.test(id[14] ?? '')) return `“${id}” has version ${id[14] ?? ''}`;
    return /[89ab]/i.test(id[19] ?? '') ? undefined : `“${id}” is not of the RFC 9562 variant`;
  });
});

/** Ids that are no UUID, by how they come close to one; the last is too long for the column where ids are kept. */
function noUuids(): { readonly name: string; readonly sent: string }[] {
  const id = randomUUID();
  return [
    { name: 'a text', sent: 'not-a-uuid <1>' },
    { name: 'a UUID in braces', sent: `{${id}}` },
    { name: 'a UUID as URN', sent: `urn:uuid:${id}` },
    { name: 'a UUID without dashes', sent: id.replaceAll('-', '') },
    { name: 'a UUID with dashes elsewhere', sent: id.replaceAll('-', '').replace(/.{4}(?=.)/g, '$&-') },
    { name: 'a UUID in quotes', sent: `"${id}"` },
    { name: 'a UUID and more', sent: `${id}-1` },
    { name: 'two UUIDs', sent: `${id}, ${randomUUID()}` },
    { name: 'a UUID with a letter that is not a hex digit', sent: `g${id.slice(1)}` },
    { name: 'a number', sent: '1' },
    { name: '64 letters', sent: 'a'.repeat(64) },
  ];
}

/** The response to a request with a bad id has an id of the server's own. */
async function judgeOddId(
  { raw }: Check,
  { sent, request }: { readonly sent: string; readonly request: Sendable },
): Promise<void> {
  const reply = await raw(withHeaders(request, ['x-request-id', sent]));
  if (reply.object === undefined) throw new Blocked('ENV-07', `no JSON: ${String(reply.status)}`, reply.exchange);
  const echoed = reply.object['request_id'];
  if (echoed === undefined && (await raw(request)).object?.['request_id'] === undefined) {
    const owner = reply.status < 300 ? 'RID-01' : 'RID-02';
    throw new Blocked(owner, 'without the header there is no `request_id` either', reply.exchange);
  }
  expect(reply, '`request_id` after an `X-Request-ID` that is not a UUID').toSatisfy(
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
  ];
  const rows = noUuids();
  await check.eachRow(
    [
      ...rows.map(({ name, sent }) => ({ name, sent, request: refused })),
      ...elsewhere.map(({ name, request }) => ({ name: `a text, at ${name}`, sent: 'not-a-uuid <1>', request })),
    ],
    (row) => judgeOddId(check, row),
  );
});
