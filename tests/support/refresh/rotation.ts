/** Where a target does not rotate, some questions have no meaning; the token is presented again all the same. */
import { Blocked, type Chain, type Check } from '../../../fixtures/check/check.js';
import { expect, seenStatus } from '../../../fixtures/check/expect.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { isRefusedHere } from '../access/unauthenticated.js';

/**
 * Rotates a chain whose refresh token is about to be called spent.
 * @returns the refresh token that was presented
 * @throws Blocked by REF-01 or REF-04 if refresh gave no other one: then nothing is spent
 */
export async function spend(check: Check, mine: Chain): Promise<string> {
  const spent = mine.refresh;
  const reply = await mine.rotate();
  if (mine.refresh !== spent) return spent;
  const again = await check.api.refresh(spent);
  check.measure('the same refresh token, presented a second time', seenStatus(again));
  const by = reply.token('refresh') === undefined ? 'REF-01' : 'REF-04';
  const why = by === 'REF-01' ? 'refresh returns no new refresh token' : 'refresh returns the same refresh token';
  throw new Blocked(by, why, reply.exchange);
}

/**
 * Refresh refused this token: with 401, or as this target refuses a request without credentials. Whether protected routes are open to
 * everybody says nothing here: refresh asks for no credentials but its token.
 * @param also statuses that the clause names besides 401
 */
export function expectRefreshRefused(check: Check, reply: Reply, what: string, ...also: number[]): void {
  if (isRefusedHere(check, reply) && reply.status !== 401) check.note(`refused, with ${String(reply.status)}: UNA-01`);
  else expect(reply, what).toHaveStatus(401, ...also);
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The same token with other spare bits in the last character of its signature: it decodes to the same bytes (RFC 4648 §3.5). */
export function withSpareBits(token: string): string {
  const signature = token.slice(token.lastIndexOf('.') + 1);
  // 256 bits are 42 characters and two thirds: the last one has two bits to spare.
  if (signature.length % 4 !== 3) return token;
  const last = ALPHABET.indexOf(token.slice(-1));
  return token.slice(0, -1) + (ALPHABET[last ^ 1] ?? '');
}

/** Refreshes in a row that REF-07 and REF-15 may need of one chain. */
const TURNS = 6;

/** @throws Blocked by REF-06 if a chain does not last as long as that, whatever comes with its token */
export async function dependsOnRotations(check: Check, turns = TURNS): Promise<void> {
  const lasts = await check.memo(`${String(turns)} rotations`, async () => {
    let { refresh } = await check.login();
    for (let turn = 0; turn < turns; turn += 1) {
      const reply = await check.api.refresh(refresh);
      if (reply.status !== 200) return reply;
      refresh = reply.token('refresh') ?? refresh;
    }
    return undefined;
  });
  if (lasts !== undefined)
    throw new Blocked('REF-06', `a chain is refused when it is rotated often: ${seenStatus(lasts)}`, lasts.exchange);
}
