/** How a clause asks for a 401 when the target answers missing credentials with something else altogether. */
import { Blocked, type Check } from '../../fixtures/check/check.js';
import { expect, seenStatus } from '../../fixtures/check/expect.js';
import type { Reply } from '../../fixtures/evidence/reply.js';

/** The answer of the protected route to a request without any credentials: UNA-01's question, asked once. */
export function withoutCredentials({ memo, api }: Check): Promise<Reply> {
  return memo('no credentials', () => api.listKeywords());
}

/** @throws Blocked by UNA-01 if missing credentials are answered with this status too, and it is not 401 */
export async function notAsWithoutCredentials(check: Check, status: number): Promise<void> {
  if (status === 401) return;
  const plain = await withoutCredentials(check);
  if (plain.status === status)
    throw new Blocked('UNA-01', `missing credentials are answered with ${seenStatus(plain)}, and so is this`);
}

/**
 * The answer is 401. Where the target has the same wrong answer for missing credentials, the fault is one and UNA-01's (a 403 is one
 * missing method in Django REST framework, a 200 is a route that is open to everybody), so the check is blocked by it.
 */
export async function expectUnauthenticated(check: Check, reply: Reply, what: string): Promise<void> {
  await notAsWithoutCredentials(check, reply.status);
  expect(reply, what).toHaveStatus(401);
}
