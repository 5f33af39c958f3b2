import { clause, expect } from '../fixtures/clause.js';
import { Blocked, Finding, Unverified, type Check } from '../fixtures/check.js';
import { oddJson } from '../fixtures/api.js';
import { seenStatus } from '../fixtures/expect.js';
import { readPacing } from '../fixtures/pacing.js';
import type { Reply } from '../fixtures/reply.js';
import { everyAnswer } from '../fixtures/tour.js';

/** Seconds that the end of a window may lie behind the answer's `Date`, both being whole seconds, and the most it may lie ahead. */
const BEHIND = 3;
const AHEAD = 86_400;

clause('THR-01', { phase: 'every-response' }, async (check) => {
  const seen = await everyAnswer(check);
  if (seen.length === 0) throw new Unverified('No answer was seen in this run.');
  check.every(seen, ({ throttle, serverDateMs }) => {
    const missing = (['limit', 'remaining', 'reset'] as const).filter((name) => throttle[name] === undefined);
    if (missing.length > 0)
      return `no ${missing.map((name) => `X-Throttle-${name[0]?.toUpperCase() ?? ''}${name.slice(1)}`).join(', ')}`;
    const [limit, remaining, reset] = [throttle.limit, throttle.remaining, throttle.reset].map((text) =>
      /^\d+$/.test(text ?? '') ? Number(text) : NaN,
    );
    if (limit === undefined || remaining === undefined || reset === undefined) return undefined;
    if ([limit, remaining, reset].some(Number.isNaN)) return 'an `X-Throttle-*` that is no whole number';
    if (limit < 1 || remaining > limit) return `${String(remaining)} remaining of ${String(limit)}`;
    if (serverDateMs === undefined) return undefined;
    const ahead = reset - serverDateMs / 1000;
    return ahead < -BEHIND || ahead > AHEAD ? '`X-Throttle-Reset` is no Unix time shortly ahead' : undefined;
  });
});

/** Logins that are sent to find a limit, where none is announced. */
const MOST_TRIES = 120;
/** Milliseconds that a target may keep its door shut afterwards. */
const LONGEST_WAIT_MS = 180_000;

function retryAfterMs(reply: Reply): number {
  const { resetInSeconds } = readPacing(
    'auth',
    reply.status,
    (name) => reply.header(name),
    reply.serverDateMs ?? Date.now(),
  );
  return Math.min((resetInSeconds ?? 60) * 1000 + 300, LONGEST_WAIT_MS);
}

/** Sends logins until one is refused for their number. */
async function untilRefused(
  check: Check,
  email: string,
): Promise<{ refused: Reply | undefined; sent: number; last: Reply }> {
  let last: Reply | undefined;
  for (let sent = 1; ; sent += 1) {
    const body = { email, password: check.newAccount().password };
    last = await check.raw({ ...oddJson('POST', 'auth/login/', body), unpaced: true });
    if (last.status === 429 || last.status === 423) return { refused: last, sent, last };
    const announced = Number(last.header('x-throttle-limit'));
    const most = Number.isInteger(announced) && announced > 0 && announced < MOST_TRIES ? announced + 5 : MOST_TRIES;
    if (sent >= most) return { refused: undefined, sent, last };
  }
}

/** Runs `work` with the embedded target's limits on, and leaves the target as it was: its limit open again. */
async function withLimits(check: Check, work: () => Promise<Reply | undefined>): Promise<void> {
  await check.run.enforceLimits(true);
  try {
    const refused = await work();
    if (refused !== undefined) await check.sleep(retryAfterMs(refused));
  } finally {
    await check.run.enforceLimits(false);
  }
}

clause('THR-02', { phase: 'burst' }, async (check) => {
  await withLimits(check, async () => {
    const { refused, sent, last } = await untilRefused(check, check.newAccount().email);
    if (refused === undefined) {
      throw new Finding(
        `${String(sent)} logins in a row: expected 429 past the limit, got ${seenStatus(last)} for the last`,
        last.exchange,
      );
    }
    check.measure('logins until 429', String(sent));
    try {
      expect(refused, 'the login past the limit').toHaveStatus(429);
      const retryAfter = refused.header('retry-after');
      expect(refused, '`Retry-After`').toSatisfy(
        retryAfter !== undefined && (/^\d+$/.test(retryAfter) || !Number.isNaN(Date.parse(retryAfter))),
        'seconds, or a date',
        retryAfter === undefined ? 'none' : `“${retryAfter}”`,
      );
    } catch (error) {
      await check.sleep(retryAfterMs(refused));
      throw error;
    }
    return refused;
  });
});

clause('THR-03', { phase: 'burst' }, async (check) => {
  const account = await check.newcomer();
  // The control: this account can log in before it is attacked.
  await check.logsIn(account);
  await withLimits(check, async () => {
    const { refused, sent, last } = await untilRefused(check, account.email);
    if (refused === undefined) {
      throw new Finding(
        `${String(sent)} wrong passwords for one account in a row: expected to be slowed down, got ${seenStatus(last)} for the last`,
        last.exchange,
      );
    }
    check.measure('wrong passwords until slowed down', String(sent));
    await check.sleep(retryAfterMs(refused));
    const body = { email: account.email, password: account.password };
    const own = await check.raw({ ...oddJson('POST', 'auth/login/', body), unpaced: true });
    expect(own, "the account's owner, after the wait that was asked for").toHaveStatus(200);
    return undefined;
  });
  if (!check.target.embedded) return;
  // The embedded target's limits are off again: the account must be as good as before.
  const after = await check.api.login({ email: account.email, password: account.password });
  if (after.status !== 200) throw new Blocked('LOG-01', `login does not succeed: ${seenStatus(after)}`);
});
