/** The same request at each of several workers: they respond alike (JRN-07). */
import { BoundedTransport } from '../../../fixtures/http/raw-transport.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { type Check, Blocked } from '../../../fixtures/check/check.js';
import { wayTo } from '../../../fixtures/run/target.js';
import { keepingAgent } from '../../../fixtures/http/way.js';
import { jsonRequest } from '../../../fixtures/check/api.js';
import { somebody, aKeyword, remove } from '../access/resources.js';
import { seenStatus, expect } from '../../../fixtures/check/expect.js';

/** Requests in a row: enough to reach each of several workers. */
export const IN_A_ROW = { list: 16, item: 12, write: 8, refused: 2, refresh: 8, newcomer: 4 };

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

/** @throws Blocked by REF-02 where a refreshed access token is good at none of several workers */
export async function dependsOnSuccessor(check: Check, access: string): Promise<void> {
  const list = jsonRequest('GET', check.api.path('listKeywords'), undefined, { access });
  let last: Reply | undefined;
  for (let i = 0; i < IN_A_ROW.newcomer; i += 1) {
    last = await check.sender.sendOver(list, new BoundedTransport(wayTo(check.target)));
    if (last.status === 200) return;
  }
  if (last !== undefined)
    throw new Blocked('REF-02', `a refreshed access token does not open the list: ${seenStatus(last)}`, last.exchange);
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

/** One chain, rotated again and again over new connections. */
export async function judgeRotations(check: Check): Promise<void> {
  const mine = await check.provenChain();
  await alike(check, IN_A_ROW.refresh, async (fresh) => {
    const reply = await check.sender.sendOver(check.api.refreshRequest(mine.refresh), fresh);
    if (reply.status === 200) mine.advance(reply);
    else mine.invalidate();
    return reply;
  });
}
