/** Every protected route, asked without a token, with a bad one, and with one in its body (UNA-14). */
import type { Check } from '../../../fixtures/check/check.js';
import { type ProtectedRequest, withHeaders, validRequests, faultyRequests } from './protected-routes.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { expectUnauthenticated, isRefusedHere, askedWith } from './unauthenticated.js';
import { badCredentials, TOKEN_PARAMETERS } from './channels.js';
import { type Shut, atOnce, shut, besideBadToken, expectShut } from './shut.js';
import { named } from '../../../fixtures/check/judging.js';
import type { Sendable } from '../../../fixtures/check/sender.js';
import { expect } from '../../../fixtures/check/expect.js';
import type { Somebody } from './resources.js';
import type { Judged } from '../accounts/accounts.js';

/** A request without a token: refused, and with the same text as elsewhere. */
async function judgeWithoutToken(check: Check, { request, also }: ProtectedRequest, plain: Reply): Promise<void> {
  const reply = await check.raw(request);
  await expectUnauthenticated(check, reply, 'the request', ...also);
  if (reply.status !== plain.status || request.method === 'HEAD') return;
  expect(reply, 'its `error`').toSatisfy(
    reply.error === plain.error,
    'the one of the other routes',
    reply.error === undefined ? 'no text' : `“${reply.error}”`,
  );
}

/** The routes other than the list, each with bad credentials of each kind. What is wrong at the list too is the other clause's. */
async function withBadCredentials(
  check: Check,
  access: string,
  routes: readonly ProtectedRequest[],
): Promise<ProtectedRequest[]> {
  const rows: ProtectedRequest[] = [];
  for (const { name: bad, authorization } of await badCredentials(check, access)) {
    if (!isRefusedHere(check, await askedWith(check, authorization))) continue;
    for (const { name, request, also } of routes)
      rows.push({
        name: `${name}, with ${bad}`,
        also,
        request: withHeaders(request, ['authorization', authorization]),
      });
  }
  return rows;
}

/** Requests that bring the token in their body: as a field of JSON, and as a form (RFC 6750 §2.2). */
function bodyRows(access: string, routes: readonly ProtectedRequest[]): Shut[] {
  const names = named(TOKEN_PARAMETERS, (name) => `\`${name}\` in the body`);
  const withFields = (request: Sendable, fields: readonly { readonly value: string }[]): Sendable => ({
    ...request,
    body: JSON.stringify({
      ...(JSON.parse(String(request.body)) as Record<string, unknown>),
      ...Object.fromEntries(fields.map(({ value }) => [value, access])),
    }),
  });
  const asForm = ({ method, path }: Sendable): Sendable => ({
    method,
    path,
    headers: [['content-type', 'application/x-www-form-urlencoded']],
    body: `access_token=${access}`,
  });
  const writes = routes.filter(({ request }) => request.body !== undefined);
  return [
    ...writes.flatMap((route) => atOnce(route, 'the token in its body', names, 1, withFields)),
    ...writes.slice(0, 1).map((route) => shut(route, `${route.name}, the token in a form`, asForm(route.request))),
  ];
}

/** Every protected route without a good token in its header. @param plain how the list refuses a request without credentials */
export async function rowsWithoutToken(check: Check, who: Somebody, plain: Reply): Promise<Judged[]> {
  const valid = await validRequests(check, who);
  const faulty = await faultyRequests(check, who);
  const bad = await withBadCredentials(check, who.access, valid.slice(1));
  const spoiled = faulty.filter(({ malformed }) => malformed).map((row) => besideBadToken(row, who.access));
  return [
    ...[...valid, ...faulty].map((row) => ({
      name: `${row.name}, without a token`,
      judge: () => judgeWithoutToken(check, row, plain),
    })),
    ...[...bad, ...spoiled].map(({ name, request, also }) => ({
      name,
      judge: async () => expectUnauthenticated(check, await check.raw(request), 'the request', ...also),
    })),
    ...bodyRows(who.access, valid).map((row) => ({
      name: row.name,
      judge: () => expectShut(check, row, 'the request'),
    })),
  ];
}
