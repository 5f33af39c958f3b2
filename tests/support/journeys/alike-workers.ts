/** The same request at each of several workers: they respond alike (JRN-07). */
import { BoundedTransport } from '../../../fixtures/http/raw-transport.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import type { ClauseId } from '../../../spec/generated/clauses.js';
import { type Check, Blocked, Unverified } from '../../../fixtures/check/check.js';
import { wayTo } from '../../../fixtures/run/target.js';
import { keepingAgent } from '../../../fixtures/http/way.js';
import type { Sendable } from '../../../fixtures/check/sender.js';
import { jsonRequest } from '../../../fixtures/check/api.js';
import { dependsOnRotations } from '../refresh/rotation.js';
import { somebody, aKeyword, remove } from '../access/resources.js';
import { exactRows, idOf } from '../responses/exact.js';
import { seenStatus, expect } from '../../../fixtures/check/expect.js';

/** Requests in a row: enough to reach each of several workers. */
export const IN_A_ROW = { list: 16, item: 12, write: 8, refused: 2, refresh: 8, newcomer: 4, control: 24 };

type Ask = (fresh: BoundedTransport, i: number) => Promise<Reply>;

/** The same request again and again, over a connection each: over a kept one all would go to the same worker. */
export async function alike(check: Check, times: number, ask: Ask, status = 200): Promise<readonly Reply[]> {
  const replies: Reply[] = [];
  for (let i = 0; i < times; i += 1) {
    const reply = await ask(new BoundedTransport(wayTo(check.target)), i);
    expect(reply, `request ${String(i + 1)} of ${String(times)}`).toHaveStatus(status);
    replies.push(reply);
  }
  return replies;
}

/** How often `X-Throttle-Remaining` is not lower than in the response before, and in how many pairs of responses. */
function notLower(replies: readonly Reply[]): { readonly times: number; readonly of: number } {
  const seen = replies.map((reply) => Number(reply.header('x-throttle-remaining') ?? NaN));
  const steps = seen.slice(1).map((next, i) => next - (seen[i] ?? NaN));
  // Used up, it stays at 0.
  const comparable = steps.filter((step, i) => !Number.isNaN(step) && seen[i + 1] !== 0);
  return { times: comparable.filter((step) => step >= 0).length, of: comparable.length };
}

/** True if a list shows a row, or is no list: what it is then, ENV-08 says. */
export function hasRows(reply: Reply): boolean {
  return exactRows(reply)?.length !== 0;
}

/**
 * The id of a row that one of these lists shows.
 * @throws Unverified if there is none
 */
export function firstIdOf(lists: readonly Reply[]): string {
  const id = idOf(lists.flatMap((reply) => exactRows(reply) ?? [])[0]);
  if (id === undefined) throw new Unverified('There is no row to ask for: no list shows one.');
  return id;
}

/** Counters of one client: those of several workers count each for itself (7 7 6 6), those of one go down at each request. */
export async function judgeCounters(check: Check, access: string, replies: readonly Reply[]): Promise<void> {
  const fresh = notLower(replies);
  if (fresh.times * 5 < fresh.of || fresh.of < IN_A_ROW.list / 2) return;
  // The control: over one connection, and so at one worker, they go down. Where they do not, it is how this target counts.
  const agent = keepingAgent(wayTo(check.target), { maxSockets: 1 });
  try {
    const kept = new BoundedTransport(wayTo(check.target), agent);
    const request = jsonRequest('GET', check.api.path('listKeywords'), undefined, { access });
    const control: Reply[] = [];
    for (let i = 0; i < IN_A_ROW.list / 2; i += 1) control.push(await check.sender.sendOver(request, kept));
    if (notLower(control).times > 0) return;
  } finally {
    agent.destroy();
  }
  const [last] = replies.slice(-1);
  if (last !== undefined)
    expect(last, '`X-Throttle-Remaining` over new connections').toSatisfy(
      false,
      'lower at each request, as over one connection',
      `not lower in ${String(fresh.times)} of ${String(fresh.of)}`,
    );
}

/**
 * @returns the response of the first worker that opens this to the token
 * @throws Blocked where none of several does: the token is dead, and not known to some of them only
 */
export async function dependsOnSome(
  check: Check,
  { access, path, by }: { readonly access: string; readonly path: string; readonly by: ClauseId },
): Promise<Reply> {
  const request = jsonRequest('GET', path, undefined, { access });
  for (let i = 1; ; i += 1) {
    const reply = await check.sender.sendOver(request, new BoundedTransport(wayTo(check.target)));
    if (reply.status === 200) return reply;
    if (i === IN_A_ROW.newcomer)
      throw new Blocked(by, `the token does not open ${path}: ${seenStatus(reply)}`, reply.exchange);
  }
}

/** @throws Blocked by JRN-07 where the same request does not have the same status over each of several new connections */
export function dependsOnAlike(check: Check, request: Sendable): Promise<void> {
  // Once for all rows that ask: those of two rows in turn would each go to a worker of its own.
  return check.memo(`alike: ${JSON.stringify(request)}`, () => isAlike(check, request));
}

async function isAlike(check: Check, request: Sendable): Promise<void> {
  const statuses = new Set<number>();
  // Where something has failed, and one worker of a dozen may have been it.
  for (let i = 0; i < IN_A_ROW.control && statuses.size < 2; i += 1) {
    const reply = await check.sender.sendOver(request, new BoundedTransport(wayTo(check.target)));
    statuses.add(reply.status);
    if (statuses.size > 1)
      throw new Blocked(
        'JRN-07',
        `the same request is answered now with ${[...statuses].join(' and now with ')}`,
        reply.exchange,
      );
  }
}

/** A live token is refused: is it so at each of several workers? @throws Blocked by JRN-07 if not */
export async function dependsOnAlikeToken(check: Check, access: string, reply: Reply): Promise<void> {
  if (reply.status === 401)
    await dependsOnAlike(check, jsonRequest('GET', check.api.path('listKeywords'), undefined, { access }));
}

/** Milliseconds that a replica may lag behind a registration, and between two looks. */
const SETTLING_MS = 3000;

const LOOK_AGAIN_MS = 500;

/** Somebody who registered a moment ago is known to every worker. */
export async function judgeNewcomer(check: Check): Promise<void> {
  const { access } = await check.registerAndLogin();
  const list = jsonRequest('GET', check.api.path('listKeywords'), undefined, { access });
  const ask: Ask = (fresh) => check.sender.sendOver(list, fresh);
  for (let waited = 0; ; waited += LOOK_AGAIN_MS) {
    try {
      await alike(check, IN_A_ROW.newcomer, ask);
      return;
    } catch (error) {
      if (waited >= SETTLING_MS) throw error;
      await check.sleep(LOOK_AGAIN_MS);
    }
  }
}

/** Writes with one live token, to a row that the run made in an account that it made. */
export async function judgeWrites(check: Check): Promise<void> {
  const who = await somebody(check);
  const { row } = who;
  try {
    const requests = [
      // Refused for its body, so that it leaves nothing behind: it is refused alike each time.
      jsonRequest('POST', check.api.path('createKeyword'), {}, who),
      // A letter that Latin-1 has as well: a server that encodes by what fits sends it as a byte that is no UTF-8 (ENV-07).
      ...(row === undefined ? [] : [jsonRequest('PATCH', row.path, aKeyword(check, ' é').body, who)]),
    ];
    for (const request of requests) {
      const first = await check.raw(request);
      if (first.status === 401) throw new Blocked('UNA-14', `${request.method} returned ${seenStatus(first)}`);
      const times = first.status < 300 ? IN_A_ROW.write : IN_A_ROW.refused;
      await alike(check, times, (fresh) => check.sender.sendOver(request, fresh), first.status);
    }
  } finally {
    if (row !== undefined) await remove(check, who, row);
  }
}

/** Rotations in a row that REF-06 judges: whether more of them are good, it does not ask. */
const OF_REF_06 = 3;

/** One chain, rotated again and again over new connections. */
export async function judgeRotations(check: Check): Promise<void> {
  const mine = await check.provenChain();
  try {
    await alike(check, IN_A_ROW.refresh, async (fresh) => {
      const reply = await check.sender.sendOver(check.api.refreshRequest(mine.refresh), fresh);
      if (reply.status === 200) mine.advance(reply);
      else mine.invalidate();
      return reply;
    });
  } catch (error) {
    await dependsOnRotations(check, OF_REF_06);
    throw error;
  }
}
