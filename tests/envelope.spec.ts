/**
 * What holds for every response. Each clause owns one layer, and judges a response only where the layers below it hold: an HTML page
 * is ENV-07's alone, JSON that is not an envelope ENV-01's or ENV-03's, a wrong value in an envelope that of the clause about this value.
 */
import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Unverified } from '../fixtures/check/check.js';
import type { Observation } from '../fixtures/evidence/observation.js';
import { dependsOnOwners, documentedAnswers, schemaFaultsOf } from './support/schemas.js';
import { everyAnswer, UNKNOWN_ROUTE } from './support/sample-answers.js';

const phase = 'every-response';

function isJson({ contentType }: Observation): boolean {
  return /^application\/json\s*(;|$)/i.test(contentType ?? '');
}

function some(observations: readonly Observation[], what: string): readonly Observation[] {
  if (observations.length === 0) throw new Unverified(`No ${what} was seen in this run.`);
  return observations;
}

const successes = (seen: readonly Observation[]): readonly Observation[] =>
  some(
    seen.filter((answer) => answer.hasBody && answer.status >= 200 && answer.status < 300 && isJson(answer)),
    'success with a body in JSON',
  );

const errors = (seen: readonly Observation[]): readonly Observation[] =>
  some(
    seen.filter((answer) => answer.hasBody && answer.status >= 400 && isJson(answer)),
    'error with a body in JSON',
  );

/** @throws Blocked by the clause that says why no envelope was seen */
function envelopesAmong(seen: readonly Observation[], of: (answer: Observation) => boolean): readonly Observation[] {
  const found = seen.filter((answer) => answer.hasBody && of(answer));
  if (found.length > 0) return found;
  const inJson = some(
    seen.filter((answer) => answer.hasBody && isJson(answer)),
    'response with a body in JSON',
  );
  const contrary = inJson.find(({ success }) => typeof success === 'boolean');
  const success = inJson.find(({ status }) => status < 300);
  const by = contrary !== undefined ? 'ENV-05' : success !== undefined ? 'ENV-01' : 'ENV-03';
  throw new Blocked(by, 'no response is an envelope of the guide', (contrary ?? success ?? inJson[0])?.exchange);
}

function noEnvelope({ json, success }: Observation): string | undefined {
  if (json === 'none') return 'the body is not JSON';
  if (json === 'other') return 'the body is JSON, but not an object';
  if (success === 'absent') return '`success` is missing';
  return success === 'not a boolean' ? '`success` is not a boolean' : undefined;
}

clause('ENV-01', { phase }, async (check) => {
  check.eachAnswer(successes(await everyAnswer(check)), noEnvelope);
});

clause('ENV-02', { phase }, async (check) => {
  const auth = some(
    successes(await everyAnswer(check)).filter(({ operationId = '' }) =>
      ['login', 'register', 'refresh'].includes(operationId),
    ),
    'success of login, register or refresh',
  );
  const envelopes = auth.filter(({ json, success }) => json === 'object' && success === true);
  if (envelopes.length === 0)
    throw new Blocked('ENV-01', 'no success of login, register or refresh is an envelope', auth[0]?.exchange);
  check.eachAnswer(envelopes, ({ data }) =>
    data === 'object' ? undefined : data === 'absent' ? '`data` is missing' : '`data` is not an object with content',
  );
});

clause('ENV-03', { phase }, async (check) => {
  check.eachAnswer(errors(await everyAnswer(check)), noEnvelope);
});

clause('ENV-04', { phase }, async (check) => {
  const envelopes = errors(await everyAnswer(check)).filter(({ json }) => json === 'object');
  check.eachAnswer(some(envelopes, 'error with a JSON object'), ({ error }) =>
    error === 'text'
      ? undefined
      : error === 'absent'
        ? '`error` is missing'
        : error === 'empty'
          ? '`error` is empty'
          : '`error` is not a string',
  );
});

clause('ENV-05', { phase }, async (check) => {
  const seen = await everyAnswer(check);
  const envelopes = envelopesAmong(seen, ({ success }) => typeof success === 'boolean');
  check.eachAnswer(envelopes, ({ status, success }) =>
    status < 400 === success ? undefined : `\`success\` is ${String(success)}`,
  );
});

clause('ENV-06', { phase }, async (check) => {
  check.eachAnswer(errors(await everyAnswer(check)), ({ tokens, data }) =>
    tokens ? 'a token is in it' : data === 'object' || data === 'other' ? '`data` with content is in it' : undefined,
  );
});

clause('ENV-07', { phase }, async (check) => {
  const seen = some(
    (await everyAnswer(check)).filter(({ hasBody }) => hasBody),
    'response with a body',
  );
  check.eachAnswer(seen, (answer) => {
    if (!isJson(answer))
      return `Content-Type is ${answer.contentType === undefined ? 'missing' : `“${answer.contentType}”`}`;
    if (/charset=(?!"?utf-?8"?\s*(;|$))/i.test(answer.contentType ?? ''))
      return `Content-Type is “${answer.contentType ?? ''}”`;
    if (answer.bom) return 'the body begins with a byte order mark';
    return answer.utf8 ? undefined : 'the body is not valid UTF-8';
  });
});

clause('ENV-08', { phase }, async (check) => {
  const documented = some(documentedAnswers(await everyAnswer(check)), 'documented response');
  check.eachAnswer(documented, schemaFaultsOf(check, documented));
  dependsOnOwners(check, documented);
});

const SUCCESS_MEMBERS = ['success', 'data', 'message', 'request_id', 'count', 'next', 'previous', 'results'];
const ERROR_MEMBERS = ['success', 'error', 'errors', 'request_id'];

clause('ENV-09', { phase }, async (check) => {
  const seen = envelopesAmong(
    await everyAnswer(check),
    ({ json, status, success }) => json === 'object' && success === status < 400,
  );
  check.eachAnswer(seen, ({ status, topMembers, data }) => {
    // `data` in an error is ENV-06's where it has content, and harmless where it has none.
    const known = status < 400 ? SUCCESS_MEMBERS : [...ERROR_MEMBERS, ...(data === 'absent' ? [] : ['data'])];
    const strange = topMembers.filter((name) => !known.includes(name));
    return strange.length === 0 ? undefined : `undocumented: ${strange.map((name) => `\`${name}\``).join(', ')}`;
  });
});

clause('ENV-10', async ({ raw, session, expectAuthorized }) => {
  const { access } = await session();
  await expectAuthorized(access);
  const reply = await raw({ method: 'GET', path: UNKNOWN_ROUTE, headers: [['authorization', `Bearer ${access}`]] });
  expect(reply, 'an unknown route, with a good token').toHaveStatus(404);
  // What an envelope is, ENV-03 to ENV-07 say of every answer; this clause is about the layer that answers here.
});

clause('ENV-11', async ({ api, raw, session, expectAuthorized }) => {
  const { access } = await session();
  await expectAuthorized(access);
  const reply = await raw({
    // Not DELETE: a server that takes it would delete the row.
    method: 'PUT',
    path: api.path('listKeywords'),
    headers: [['authorization', `Bearer ${access}`]],
  });
  expect(reply, 'PUT planner/keywords/, with a good token').toHaveStatus(405);
  const allow = reply.header('allow');
  expect(reply, '`Allow`').toSatisfy(
    allow !== undefined && /\bGET\b/.test(allow),
    'the methods of the route, GET among them',
    allow === undefined ? 'none' : `“${allow}”`,
  );
});
