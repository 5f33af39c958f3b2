/** The guide's client on its way: what a journey depends on, and how it is lost. */
import { type Check, type Chain, type Account, Blocked, Finding, Unverified } from '../../../fixtures/check/check.js';
import { GuideClient, LoginNeeded } from './guide-client.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { serverNow } from '../tokens/lifetimes.js';
import { BoundedTransport } from '../../../fixtures/http/raw-transport.js';
import { wayTo } from '../../../fixtures/run/target.js';
import { expect, seenStatus } from '../../../fixtures/check/expect.js';
import { aKeyword, remove } from '../access/resources.js';
import { exactPayload, idOf } from '../responses/exact.js';
import { keyIfProven, readToken } from '../tokens/signing-key.js';
import { spoiled } from '../tokens/forgeries.js';
import { resign } from '../../../fixtures/evidence/jwt.js';

/** The client over the suite's own calls, with a pair of its own. */
export async function client(check: Check, mine: Chain, account?: Account): Promise<GuideClient<Reply>> {
  const now = serverNow(await check.expectAuthorized(mine.access));
  const started = performance.now();
  const who = account ?? (await check.owner());
  const made = new GuideClient<Reply>(
    {
      login: () => check.api.login({ email: who.email, password: who.password }),
      refresh: (refresh) => check.api.refresh(refresh),
    },
    () => now + (performance.now() - started) / 1000,
    check.target.dialect.rotates,
  );
  made.use(mine);
  return made;
}

/** Refreshes in a row that show whether one chain is good at every worker. */
const WORKERS = 4;

/** @throws Blocked by JRN-07 where a chain rotates only now and then, over new connections */
async function dependsOnAlikeRefresh(check: Check): Promise<void> {
  // Of an account that this check alone has to do with: what it found may have ended the shared ones.
  const { chain: mine } = await check.expendable();
  await mine.rotate();
  for (let i = 0; i < WORKERS; i += 1) {
    const fresh = new BoundedTransport(wayTo(check.target));
    const reply = await check.sender.sendOver(check.api.refreshRequest(mine.refresh), fresh);
    if (reply.status === 200) mine.advance(reply);
    else {
      mine.invalidate();
      throw new Blocked('JRN-07', `a chain rotates only now and then: ${seenStatus(reply)}`, reply.exchange);
    }
  }
}

/** The chain rotated a moment before: that it does not any more is what the journey found. */
export async function lost(check: Check, error: unknown): Promise<never> {
  if (!(error instanceof LoginNeeded)) throw error;
  await dependsOnAlikeRefresh(check);
  const reply = error.reply as Reply | undefined;
  throw new Finding(
    `the refresh on the way: ${error.message}${reply === undefined ? '' : `, ${seenStatus(reply)}`}; ` +
      `the same chain rotated a moment before`,
    reply?.exchange,
  );
}

/** What the refreshed token is good for is REF-02's question. */
export async function restsOnSuccessor(check: Check, access: string | undefined, reply: Reply): Promise<void> {
  if (reply.status === 200 || access === undefined) return;
  const again = await check.askProtected(access);
  if (again.status !== 200)
    throw new Blocked('REF-02', `the refreshed access token does not open the route: ${seenStatus(again)}`);
}

/**
 * A write that was refused for its token, and sent again as it was with the refreshed one: it is made like any other.
 * @throws Unverified if this target does not take the suite's writes anyhow
 */
export async function judgeRepeatedWrite(check: Check, access: string, write: Reply): Promise<void> {
  if (write.status >= 300) {
    const control = await check.api.createKeyword(aKeyword(check).body, { access });
    if (control.status >= 300)
      throw new Unverified(`A write is refused in any case (${seenStatus(control)}): set IGNY8_KEYWORD_BODY.`);
  }
  expect(write, 'the rejected write, sent again after one refresh').toHaveStatus(200, 201);
  const id = idOf(exactPayload(write));
  if (id !== undefined) await remove(check, { access }, { id, path: check.api.path('getKeyword', id), text: '' });
}

export const loginOf = ({ email, password }: Account): { email: string; password: string } => ({ email, password });

/** A token that has ended: expired by the key where the run has it, else with a spoiled signature. */
export async function endedToken(check: Check, access: string): Promise<string> {
  const key = await keyIfProven(check, access);
  check.measure('rests on', key === undefined ? 'a spoiled token' : 'a token expired by the key');
  if (key === undefined) return spoiled(access);
  const now = serverNow(await check.expectAuthorized(access));
  return resign(access, key, { claims: { exp: Math.floor(now) - 600 } });
}

/** A refreshed token with a minute left by the key; without the key, as it is. */
export async function nearItsEnd(check: Check, access: string): Promise<string> {
  readToken(access);
  const opened = await check.answered('JRN-01', 'the protected route', () => check.askProtected(access));
  if (opened.status !== 200) {
    await check.expectAuthorized((await check.session()).access);
    throw new Blocked('REF-02', `the refreshed access token does not open the route: ${seenStatus(opened)}`);
  }
  const key = await keyIfProven(check, access);
  if (key === undefined) return access;
  check.measure('rests on', 'a token with a minute left, by the key');
  return resign(access, key, { claims: { exp: Math.floor(serverNow(opened)) + 60 } });
}
