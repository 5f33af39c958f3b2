/** Where a target does not rotate, some questions have no meaning; the token is presented again all the same. */
import { Blocked, type Chain, type Check } from '../../fixtures/check/check.js';
import { seenStatus } from '../../fixtures/check/expect.js';

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
  const why = by === 'REF-01' ? 'refresh gives no new refresh token' : 'refresh gives the same refresh token back';
  throw new Blocked(by, why, reply.exchange);
}
