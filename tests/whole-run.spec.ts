/**
 * What holds for every response, judged when all of them are seen. Playwright runs files in the order of their names, and this is the last:
 * its checks wait for all others. Each clause owns one layer, and judges a response only where the layers below it hold: an HTML page
 * is ENV-07's alone, JSON that is not an envelope ENV-01's or ENV-03's, a wrong value in an envelope that of the clause about this value.
 */
import { createHash } from 'node:crypto';
import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Unverified } from '../fixtures/check/check.js';
import type { Observation } from '../fixtures/evidence/observation.js';
import { passwordTrace } from '../fixtures/evidence/secrets.js';
import { registered } from './support/accounts/accounts.js';
import { registerWith } from './support/accounts/register-tables.js';
import { firstSession } from './support/tokens/lifetimes.js';
import {
  CANONICAL,
  envelopes,
  envelopesAmong,
  errors,
  ids,
  isJson,
  noEnvelope,
  some,
  successes,
} from './support/responses/observed.js';
import { everyAnswer, UNKNOWN_ROUTE } from './support/responses/sample-answers.js';
import { dependsOnOwners, documentedAnswers, schemaFaultsOf } from './support/responses/schemas.js';
import { sameAddress } from './support/accounts/users.js';

const phase = 'every-response';

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
    ({ requestId, echoesRequestId }) => CANONICAL.test(requestId ?? '') && !echoesRequestId,
  );
  check.eachAnswer(canonical, ({ requestId }) => {
    const id = requestId ?? '';
    if (/^[0-]+$/.test(id) || /^[f-]+$/i.test(id)) return `“${id}” is the ${id.startsWith('0') ? 'nil' : 'max'} UUID`;
    if (!/[1-8]/.test(id[14] ?? '')) return `“${id}” has version ${id[14] ?? ''}`;
    return /[89ab]/i.test(id[19] ?? '') ? undefined : `“${id}” is not of the RFC 9562 variant`;
  });
});

clause('LOG-12', { phase }, async (check) => {
  await firstSession(check);
  if (check.accounts.canRegister) await registered(check);
  const carrying = (await everyAnswer(check)).filter(({ status, tokens }) => tokens && status < 300);
  if (carrying.length === 0) throw new Unverified('No response with tokens was seen.');
  check.eachAnswer(carrying, ({ cacheControl }) =>
    /\bno-store\b/i.test(cacheControl ?? '')
      ? undefined
      : `tokens with ${cacheControl === undefined ? 'no Cache-Control' : `Cache-Control “${cacheControl}”`} instead of no-store`,
  );
});

clause('LOG-14', { phase }, async (check) => {
  const { account, user, reply } = await firstSession(check);
  if (user['email'] !== undefined && !sameAddress(user['email'], account.email)) {
    throw new Blocked('LOG-03', 'login returns a different user from the one who logged in');
  }
  const said = `${reply.text}\n${reply.wire.headers.map(([, value]) => value).join('\n')}`;
  const trace = passwordTrace(said, account.password);
  expect(reply, 'the password or its hash').toSatisfy(
    trace === undefined,
    'not to be returned anywhere',
    `found: ${trace ?? ''}`,
  );
  // A refusal that quotes the request quotes the password. What register says is REG-09's.
  const others = (await check.observations()).filter(({ operationId }) => operationId !== 'register');
  check.eachAnswer(others, ({ password }) => (password === undefined ? undefined : `${password} is in it`));
});

clause('REG-09', { phase }, async (check) => {
  const { account, reply } = await registered(check);
  if (Object.keys(reply.payload ?? {}).length === 0)
    throw new Blocked('REG-02', 'the response says nothing about the account that was registered');
  const shown = reply.user['email'];
  if (shown !== undefined && !sameAddress(shown, account.email))
    throw new Blocked('REG-02', 'the response is not about the account that was registered');
  // A password that is refused is one too: whoever mistypes theirs sends most of it.
  const short = check.newAccount().password.slice(-7);
  const refused = (await registerWith(check, { password: short })).reply;
  expect(refused, 'a password of seven characters: the response').toSatisfy(
    !refused.text.includes(short),
    'nothing of the password',
    'the password is in it',
  );
  // Refusals too: a form that is sent back with what was in it has the password in it.
  const answers = (await check.observations()).filter(({ operationId }) => operationId === 'register');
  check.eachAnswer(answers, ({ password }) => (password === undefined ? undefined : `${password} is in it`));
});

clause('UNA-12', { phase }, async (check) => {
  const unauthenticated = (await everyAnswer(check)).filter(({ status }) => status === 401);
  if (unauthenticated.length === 0) throw new Unverified('No 401 was seen in this run.');
  check.eachAnswer(unauthenticated, ({ wwwAuthenticate }) =>
    /(^|,)\s*Bearer\b/i.test(wwwAuthenticate ?? '')
      ? undefined
      : wwwAuthenticate === undefined
        ? 'no `WWW-Authenticate`'
        : `\`WWW-Authenticate\` is “${wwwAuthenticate}”`,
  );
});

/** Seconds that the end of a window may lie behind the response's `Date`, both being whole seconds, and the most it may lie ahead. */
const BEHIND = 3;
const AHEAD = 86_400;

clause('THR-01', { phase }, async (check) => {
  const seen = await everyAnswer(check);
  if (seen.length === 0) throw new Unverified('No response was seen in this run.');
  check.eachAnswer(seen, ({ throttle, serverDateMs }) => {
    const missing = (['limit', 'remaining', 'reset'] as const).filter((name) => throttle[name] === undefined);
    if (missing.length > 0)
      return `no ${missing.map((name) => `X-Throttle-${name[0]?.toUpperCase() ?? ''}${name.slice(1)}`).join(', ')}`;
    const [limit, remaining, reset] = [throttle.limit, throttle.remaining, throttle.reset].map((text) =>
      /^\d+$/.test(text ?? '') ? Number(text) : NaN,
    );
    if (limit === undefined || remaining === undefined || reset === undefined) return undefined;
    if ([limit, remaining, reset].some(Number.isNaN)) return 'an `X-Throttle-*` that is not a whole number';
    if (limit < 1 || remaining > limit) return `${String(remaining)} remaining of ${String(limit)}`;
    if (serverDateMs === undefined) return undefined;
    const ahead = reset - serverDateMs / 1000;
    return ahead < -BEHIND || ahead > AHEAD ? '`X-Throttle-Reset` is not a Unix time in the near future' : undefined;
  });
});

clause('ROB-10', { phase }, async (check) => {
  await check.raw({ method: 'GET', path: `${UNKNOWN_ROUTE}%00'"<` });
  const errors = (await everyAnswer(check)).filter(({ status }) => status >= 400);
  if (errors.length === 0) throw new Unverified('No error was seen in this run.');
  check.eachAnswer(errors, ({ internals }) => (internals === undefined ? undefined : `${internals} is in it`));
});

clause('NET-03', { phase }, async (check) => {
  check.eachAnswer(await everyAnswer(check), ({ nosniff }) =>
    nosniff ? undefined : 'no `X-Content-Type-Options: nosniff`',
  );
});
