/** One live refresh token, used several times at the same moment (REF-12). */
import { Blocked, Finding, type Check } from '../../../fixtures/check/check.js';
import { expect, seenStatus } from '../../../fixtures/check/expect.js';
import { Reply } from '../../../fixtures/evidence/reply.js';
import { spend } from './rotation.js';

/** Requests of one race. */
export const RACERS = 5;
/** Races in a row, each for a token that came from somewhere else: login, a refresh, and register where it gives any. */
export const RACES = ['login', 'refresh', 'register'] as const;

/** One token of the two is enough: whoever gets an access token alone was not refused. */
function gotTokens(answer: unknown): answer is Reply {
  return (
    answer instanceof Reply &&
    answer.status === 200 &&
    (answer.token('refresh') ?? answer.token('access')) !== undefined
  );
}

/**
 * One race, in which the losers are refused.
 * @returns how many uses returned tokens
 * @throws Finding unless one was
 */
export async function race(check: Check, origin: (typeof RACES)[number]): Promise<number> {
  const { chain: mine } = await check.expendable(origin === 'register' ? 'a newcomer' : undefined);
  if (origin === 'refresh') await spend(check, mine);
  const request = check.api.refreshRequest(mine.refresh);
  const answers = await check.sender.sendAtOnce(Array.from({ length: RACERS }, () => request));
  mine.invalidate();
  const winners = answers.filter(gotTokens);
  // Where nothing rotates, there is nothing that one of them could have spent.
  if (winners.length !== 1 && origin !== 'refresh') await spend(check, (await check.expendable()).chain);
  // Who comes too late is refused; that the server falls over is no refusal.
  for (const answer of answers) {
    if (!(answer instanceof Reply)) throw answer;
    if (!winners.includes(answer)) expect(answer, 'the loser of a race').toBeNoServerError();
  }
  if (winners.length !== 1 && origin === 'register') await dependsOnRegister(check);
  if (winners.length === 0)
    throw new Finding(
      `none of ${String(RACERS)} simultaneous uses of one live refresh token got tokens: a well-behaved client with two tabs is logged out`,
      answers.find((answer) => answer instanceof Reply)?.exchange,
    );
  const [second] = winners.slice(1);
  if (second?.token('refresh') === mine.refresh)
    throw new Blocked('REF-04', 'refresh returns the refresh token that was presented', second.exchange);
  if (winners.length > 1) throw await tooMany(check, winners);
  return winners.length;
}

/** @throws Blocked by REG-03 if the refresh token that register gives is refused by itself, by REF-05 if it is good again */
async function dependsOnRegister(check: Check): Promise<void> {
  const { chain: mine } = await check.expendable('a newcomer');
  mine.invalidate();
  const reply = await check.api.refresh(mine.refresh);
  if (reply.status >= 400)
    throw new Blocked('REG-03', `the refresh token of register is refused: ${seenStatus(reply)}`, reply.exchange);
  const again = await check.api.refresh(mine.refresh);
  if (again.status < 400)
    throw new Blocked('REF-05', `the spent refresh token of register is good: ${seenStatus(again)}`, again.exchange);
}

/** Says of the winners how many got an access token that works. */
async function tooMany(check: Check, winners: readonly Reply[]): Promise<Finding> {
  let working = 0;
  for (const winner of winners)
    working += (await check.askProtected(winner.token('access') ?? '')).status === 200 ? 1 : 0;
  return new Finding(
    `${String(winners.length)} of ${String(RACERS)} simultaneous uses of one refresh token got ` +
      `tokens, expected 1; ${String(working)} of these access tokens work`,
    winners[1]?.exchange,
  );
}
