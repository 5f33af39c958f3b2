/** Channels that are none: whoever sends credentials by them is not let in, at any protected route. */
import { Blocked, type Check } from '../../../fixtures/check/check.js';
import { seenStatus } from '../../../fixtures/check/expect.js';
import type { Row } from '../../../fixtures/check/judging.js';
import type { Sendable } from '../../../fixtures/check/sender.js';
import type { ClauseId } from '../../../spec/generated/clauses.js';
import { flipped } from '../tokens/forgeries.js';
import { validRequests, withHeaders, type ProtectedRequest } from './protected-routes.js';
import { remove, somebody, type Somebody } from './resources.js';
import { readToken } from '../tokens/signing-key.js';
import { expectUnauthenticated, isRefusedHere } from './unauthenticated.js';

/** A request that must not be let in. */
export interface Shut extends Row {
  readonly request: Sendable;
  /** The same request without the channel in question, and the clause that says that it is refused. */
  readonly bare: Sendable;
  readonly owner: ClauseId;
  /** Statuses besides 401 that are right. */
  readonly also: readonly number[];
  /** Where the request carries several channels at once: one each, to find out which of them let it in. */
  readonly each?: readonly Shut[];
}

/** The request is refused. @throws Blocked if the same request without the channel in question is not refused either */
export async function expectShut(check: Check, row: Shut, what: string): Promise<void> {
  const reply = await check.raw(row.request);
  try {
    await expectUnauthenticated(check, reply, what, ...row.also);
  } catch (error) {
    if (error instanceof Blocked) throw error;
    const bare = await check.raw(row.bare);
    if (isRefusedHere(check, bare)) {
      for (const one of row.each ?? []) await expectShut(check, one, `${one.name}, ${what}`);
      throw error;
    }
    throw new Blocked(row.owner, `the request got ${seenStatus(bare)} without it as well`, bare.exchange);
  }
}

/** A route with a change to its request. */
export function shut(route: ProtectedRequest, name: string, request: Sendable): Shut {
  const isList = route.request.method === 'GET' && !route.name.includes('{');
  return { name, request, bare: route.request, owner: isList ? 'UNA-01' : 'UNA-14', also: route.also };
}

/** The same route with a token whose signature is spoiled: no channel makes up for it. */
export function besideBadToken(
  route: ProtectedRequest,
  access: string,
): ProtectedRequest & { readonly owner: ClauseId } {
  const { parts } = readToken(access);
  const spoiled = `${parts[0]}.${parts[1]}.${flipped(parts[2], 'first')}`;
  const { owner } = shut(route, '', route.request);
  return {
    ...route,
    name: `${route.name}, together with a bad token`,
    owner: owner === 'UNA-01' ? 'UNA-06' : owner,
    request: withHeaders(route.request, ['authorization', `Bearer ${spoiled}`]),
  };
}

/** Characters that several channels at once may fill: servers refuse a line of 8 KB. */
const ROOM = 4000;

/**
 * A route by several channels at once, as few requests as they fit into: each is refused alone, so they are refused together.
 * @param length characters that one of them takes
 */
export function atOnce<T extends Row>(
  route: ProtectedRequest & { readonly owner?: ClauseId },
  name: string,
  channels: readonly T[],
  length: number,
  apply: (request: Sendable, channels: readonly T[]) => Sendable,
): Shut[] {
  const owned = (row: Shut): Shut => (route.owner === undefined ? row : { ...row, owner: route.owner });
  const size = Math.max(1, Math.floor(ROOM / length));
  const parts = Array.from({ length: Math.ceil(channels.length / size) }, (_, i) =>
    channels.slice(i * size, (i + 1) * size),
  );
  return parts.map((part, i) => ({
    ...owned(
      shut(route, `${route.name}, ${name}${parts.length > 1 ? ` (${String(i + 1)})` : ''}`, apply(route.request, part)),
    ),
    ...(part.length > 1 ? { each: part.map((one) => owned(shut(route, one.name, apply(route.request, [one])))) } : {}),
  }));
}

/** The list by all spellings of a channel, and each other route by some of them. */
export function spread<T extends Row>(
  [list, ...others]: readonly ProtectedRequest[],
  spellings: readonly T[],
  elsewhere: readonly T[],
  apply: (request: Sendable, spelling: T) => Sendable,
): Shut[] {
  return [
    ...(list === undefined ? [] : spellings.map((one) => shut(list, one.name, apply(list.request, one)))),
    ...others.flatMap((route) =>
      elsewhere.map((one) => shut(route, `${route.name}, ${one.name}`, apply(route.request, one))),
    ),
  ];
}

/** Asks every protected route, for reading and for writing, by a channel that is none; between two controls of the token. */
export async function judgeChannel(
  check: Check,
  what: string,
  rowsOf: (who: Somebody, routes: readonly ProtectedRequest[]) => readonly Shut[],
): Promise<void> {
  const who = await somebody(check);
  try {
    const rows = rowsOf(who, await validRequests(check, who));
    await check.eachRow(rows, (row) => expectShut(check, row, what));
    await check.expectAuthorized(who.access);
  } finally {
    if (who.row !== undefined) await remove(check, who, who.row);
  }
}
