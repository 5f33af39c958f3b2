/** Protected routes as a token meets them: the list, an item of it, and a write. */
import { spoiled } from '../tokens/forgeries.js';
import { Blocked, type Check } from '../../../fixtures/check/check.js';
import { expect, seenStatus } from '../../../fixtures/check/expect.js';
import { encodePart } from '../../../fixtures/evidence/jwt.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { aKeyword } from './resources.js';
import { expectUnauthenticated, isRefusedHere } from './unauthenticated.js';

export interface ProtectedRoute {
  /** E.g. `GET planner/keywords/`. */
  readonly name: string;
  /** @param access undefined: without credentials */
  readonly ask: (access?: string) => Promise<Reply>;
}

/** The list, one of its rows where it has any, and the creation of a keyword where the run may write. */
export async function protectedRoutes(check: Check, access: string): Promise<readonly ProtectedRoute[]> {
  const { api } = check;
  const bearer = (token: string | undefined): { access?: string } => (token === undefined ? {} : { access: token });
  const [row] = (await check.expectAuthorized(access)).rows ?? [];
  const { id } = (row ?? {}) as { id?: unknown };
  const routes: ProtectedRoute[] = [
    { name: `GET ${api.path('listKeywords')}`, ask: (token) => api.listKeywords(bearer(token)) },
  ];
  if (typeof id === 'number' || typeof id === 'string') {
    const path = api.path('getKeyword', String(id));
    routes.push({ name: `GET ${api.path('getKeyword')}`, ask: (token) => api.getResource(path, bearer(token)) });
  }
  if (check.target.write)
    routes.push({
      name: `POST ${api.path('createKeyword')}`,
      ask: (token) => api.createKeyword(aKeyword(check).body, bearer(token)),
    });
  return routes;
}

/** A token that nobody issued: it opens a route that looks at no token. */
const NOBODYS = `${encodePart({ alg: 'HS256', typ: 'JWT' })}.${encodePart({ user_id: 0 })}.${Buffer.alloc(32).toString('base64url')}`;

/** @throws Blocked if what was let in is let in without any token too, or with one that nobody issued */
async function dependsOnAuthentication({ ask, name }: ProtectedRoute, reply: Reply, token: string): Promise<void> {
  if (reply.status >= 300) return;
  const plain = await ask();
  if (plain.status < 300) throw new Blocked('UNA-14', `${name} needs no token: ${seenStatus(plain)}`, plain.exchange);
  const nobodys = await ask(NOBODYS);
  if (nobodys.status < 300)
    throw new Blocked(
      'UNA-08',
      `${name} opens to a token that nobody signed: ${seenStatus(nobodys)}`,
      nobodys.exchange,
    );
  const unsigned = await ask(spoiled(token));
  if (unsigned.status < 300)
    throw new Blocked('UNA-14', `${name} opens whatever the signature is: ${seenStatus(unsigned)}`, unsigned.exchange);
}

/** This token is refused at this route with 401, or as this target refuses a request without credentials. */
export async function expectClosed(check: Check, route: ProtectedRoute, token: string, what: string): Promise<void> {
  const reply = await route.ask(token);
  await dependsOnAuthentication(route, reply, token);
  await expectUnauthenticated(check, reply, what);
}

/** This token is refused at this route, with any 4xx. */
export async function expectRefusal(check: Check, route: ProtectedRoute, token: string, what: string): Promise<void> {
  const reply = await route.ask(token);
  await dependsOnAuthentication(route, reply, token);
  if (!isRefusedHere(check, reply)) expect(reply, what).toBeRefused();
}
