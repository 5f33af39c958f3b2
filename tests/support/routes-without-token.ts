/** Every protected route, asked without a token, with a bad one, and with one in its body (UNA-14). */
import type { Check } from '../../fixtures/check/check.js';
import { type ProtectedRequest, withHeaders } from './protected-routes.js';
import type { Reply } from '../../fixtures/evidence/reply.js';
import { expectUnauthenticated, isRefusedHere, askedWith } from './unauthenticated.js';
import { badCredentials, TOKEN_PARAMETERS } from './channels.js';
import { type Shut, atOnce, shut } from './shut.js';
import { named } from '../../fixtures/check/judging.js';
import type { Sendable } from '../../fixtures/check/sender.js';
import { expect } from '../../fixtures/check/expect.js';

/** A request without a token: refused, and with the same text as elsewhere. */
export async function judgeWithoutToken(
  check: Check,
  { request, also }: ProtectedRequest,
  plain: Reply,
): Promise<void> {
  const reply = await check.raw(request);
  await expectUnauthenticated(check, reply, 'the request', ...also);
  if (reply.status !== plain.status || request.method === 'HEAD') return;
  expect(reply, 'its `error`').toSatisfy(
    reply.error === plain.error,
    'the one of the other routes',
    reply.error === undefined ? 'no text' : `“${reply.error}”`,
  );
}

/** The routes beside the list, each with bad credentials of each kind. What is wrong at the list too is the other clause's. */
export async function withBadCredentials(
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
export function bodyRows(access: string, routes: readonly ProtectedRequest[]): Shut[] {
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
    ...writes.map((route) => shut(route, `${route.name}, the token in a form`, asForm(route.request))),
  ];
}
