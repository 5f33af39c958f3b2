import type { Check } from '../../../fixtures/check/check.js';

/** A live access token that has just opened the protected route; the check has to see that it does so after it as well. */
export async function liveToken(check: Check): Promise<string> {
  const { access } = await check.session();
  await check.expectAuthorized(access);
  return access;
}
