/** Access tokens that the target's key signed again to have expired (EXP-04). */
import type { Check } from '../../../fixtures/check/check.js';
import { provenKey } from './signing-key.js';
import { noteMethod, serverNow } from './lifetimes.js';
import { protectedRoutes, expectClosed } from '../access/token-routes.js';
import { somebody, remove } from '../access/resources.js';
import { validRequests, CHANGING } from '../access/protected-routes.js';
import { withExp } from './changed-tokens.js';
import { tokensOfEveryOrigin } from './origins.js';
import type { Sendable } from '../../../fixtures/check/sender.js';

/** Seconds past `exp` at which nobody's clock can be the excuse. */
export const LONG_PAST = 600;

/** A live access token, and the target's key, proved on it. */
export async function byKey(check: Check): Promise<{ access: string; key: string; now: number }> {
  const { access } = await check.session();
  const reply = await check.expectAuthorized(access);
  const key = await provenKey(check, access);
  noteMethod(check, 'secret');
  return { access, key, now: serverNow(reply) };
}

/** Tokens of every origin, signed again to have expired long ago, at every protected route. */
export async function judgeLongPast(check: Check): Promise<void> {
  const { access, key, now } = await byKey(check);
  const routes = await protectedRoutes(check, access);
  const [list] = routes;
  const past = Math.floor(now) - LONG_PAST;
  const who = await somebody(check);
  const changes = (await validRequests(check, who)).filter(
    ({ request, also }) => isChange(request.method) && also.length === 0,
  );
  await check.eachRow(
    [
      ...changes.map(({ name, request }) => ({
        name,
        route: { name, ask: (token?: string) => check.raw(withToken(request, token)) },
        token: () => withExp(who.access, key, past),
      })),
      ...routes.map((route) => ({ name: route.name, route, token: () => withExp(access, key, past) })),
      ...routes.slice(0, 1).map((route) => ({ name: '`exp` 0', route, token: () => withExp(access, key, 0) })),
      ...(await tokensOfEveryOrigin(check, ['access'])).flatMap(({ name, issued }) =>
        list === undefined ? [] : [{ name, route: list, token: () => withExp(issued().token, key, past) }],
      ),
    ],
    ({ route, token }) => expectClosed(check, route, token(), 'an access token ten minutes past its `exp`'),
  );
  await check.expectAuthorized(access);
  if (who.row !== undefined) await remove(check, who, who.row);
}

const isChange = (method: string): boolean => CHANGING.some((one) => one === method);

function withToken(request: Sendable, token: string | undefined): Sendable {
  if (token === undefined) return request;
  return { ...request, headers: [...(request.headers ?? []), ['authorization', `Bearer ${token}`]] };
}
