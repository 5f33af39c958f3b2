/** How a clause asks for a 401 of a target that answers missing credentials with something else. */
import { Blocked, type Check } from '../../../fixtures/check/check.js';
import { expect, seenStatus } from '../../../fixtures/check/expect.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';

/** The response of the protected route to a request without any credentials: UNA-01's question, asked once. */
export function withoutCredentials({ memo, api }: Check): Promise<Reply> {
  return memo('no credentials', () => api.listKeywords());
}

/** @throws Blocked by UNA-01 if the protected route needs no token: then nothing is shown by its opening */
export async function notOpenToEverybody(check: Check, status: number): Promise<void> {
  if (status >= 300) return;
  const plain = await withoutCredentials(check);
  if (plain.status === status)
    throw new Blocked(
      'UNA-01',
      `a request without credentials got ${seenStatus(plain)}, and so did this one`,
      plain.exchange,
    );
}

/**
 * The request was refused: with 401, or as this target refuses a request without credentials. That this is not a 401, UNA-01 says; every
 * other clause judges whether the request was let in.
 * @param also statuses that the clause names besides 401
 */
export async function expectUnauthenticated(
  check: Check,
  reply: Reply,
  what: string,
  ...also: number[]
): Promise<void> {
  await notOpenToEverybody(check, reply.status);
  if (isRefusedHere(check, reply) && ![401, ...also].includes(reply.status)) {
    check.note(`refused, with ${String(reply.status)}: UNA-01`);
    return;
  }
  expect(reply, what).toHaveStatus(401, ...also);
}

/** Refused with 401, or with the status with which this target refuses a request without credentials. */
export function isRefusedHere({ target }: Check, { status }: Reply): boolean {
  return status === 401 || status === target.dialect.missingCredentials;
}

/** @throws Blocked by UNA-01 where missing credentials do not get the 401 that the guide's client waits for */
export async function dependsOn401(check: Check): Promise<void> {
  const plain = await withoutCredentials(check);
  if (plain.status !== 401)
    throw new Blocked('UNA-01', `a request without credentials got ${seenStatus(plain)}`, plain.exchange);
}

/** The protected route, the list, asked with an `Authorization` header as it stands. */
export function askedWith(check: Check, authorization: string, path = check.api.path('listKeywords')): Promise<Reply> {
  return check.raw({ method: 'GET', path, headers: [['authorization', authorization]] });
}
