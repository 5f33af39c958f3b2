import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Finding, Unverified, type Check } from '../fixtures/check/check.js';
import { seenStatus } from '../fixtures/check/expect.js';
import { readPacing } from '../fixtures/run/pacing.js';
import type { Sendable } from '../fixtures/check/sender.js';
import type { Reply } from '../fixtures/evidence/reply.js';
import { registered } from './support/accounts/accounts.js';
import { capitalDomain, otherCase } from './support/accounts/users.js';

/** Logins that are sent to find a limit, where none is announced. */
const MOST_TRIES = 120;
/** Milliseconds that this suite waits for a door to open again. */
const LONGEST_WAIT_MS = 180_000;
/** Milliseconds between two looks at a lock that does not say how long it lasts. */
const LOOK_AGAIN_MS = 30_000;
/** Times that a lock may say when it ends before that is taken for untrue. */
const WAITS_IN_A_ROW = 3;

/** Milliseconds until logins are taken again, by `Retry-After`, or at a 429 by the end of its window; undefined if it does not say. */
function announcedWaitMs(reply: Reply): number | undefined {
  // A lock may have another status; its `Retry-After` is read like that of a 429.
  if (reply.status !== 429 && reply.header('retry-after') === undefined) return undefined;
  const now = reply.serverDateMs ?? Date.now();
  const { resetInSeconds } = readPacing('auth', 429, (name) => reply.header(name), now);
  return resetInSeconds === undefined ? undefined : Math.max(resetInSeconds, 0) * 1000 + 300;
}

/** A login with a wrong password. */
function wrongLogin(check: Check, email: string, headers: Sendable['headers'] = []): Sendable {
  return check.api.request('login', { email, password: check.newAccount().password }, { headers });
}

/** A login of somebody whom nobody knows: nothing is met but the limit. */
const strangersLogin = (check: Check) => (): Sendable => wrongLogin(check, check.newAccount().email);

/** A registration that is refused for its e-mail, which is taken: nobody is made by it. Depends on REG-01. */
async function takenRegistration(check: Check): Promise<(headers?: Sendable['headers']) => Sendable> {
  const { email } = (await registered(check)).account;
  return (headers = []) =>
    check.api.request('register', check.api.registration({ ...check.newAccount(), email }), { headers });
}

interface Burst {
  /** The first response that is no longer the one to a wrong password. */
  readonly refused: Reply | undefined;
  readonly sent: number;
  readonly last: Reply;
  /** Why the limit was not passed, so that nobody need have been refused; undefined if it was, or if nothing is known of it. */
  readonly within: string | undefined;
}

/** A number of requests as a throttle header says it. */
function counted(reply: Reply, name: 'limit' | 'remaining'): number | undefined {
  const text = reply.header(`x-throttle-${name}`) ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/**
 * By what the target says of its own count: a window that turns before it is used up refuses nobody. Two answers in a row with nothing left
 * are more than a limit allows; a count that never changes counts nothing.
 */
function withinLimit(left: readonly (number | undefined)[]): string | undefined {
  const usedUp = left.some((one, i) => one === 0 && left[i + 1] === 0);
  if (usedUp || left.includes(undefined) || new Set(left).size < 2) return undefined;
  return "Logins are too slow here to pass the limit: by the target's own count there were some left each time.";
}

/** Sends requests until one is refused for their number: by 429, or by another of `statuses`. */
async function untilRefused(check: Check, next: () => Sendable, statuses: readonly number[] = []): Promise<Burst> {
  let first: number | undefined;
  const left: (number | undefined)[] = [];
  for (let sent = 1; ; sent += 1) {
    const last = await check.raw({ ...next(), unpaced: true });
    first ??= last.status;
    // A target that answers so from the first one on says nothing about their number.
    if (last.status === 429 || (last.status !== first && statuses.includes(last.status)))
      return { refused: last, sent, last, within: undefined };
    left.push(counted(last, 'remaining'));
    const limit = counted(last, 'limit');
    // A fixed window may turn once on the way: twice its limit is past one of the two.
    const enough = limit === undefined || limit < 1 || limit > MOST_TRIES ? MOST_TRIES : 2 * limit + 5;
    if (sent >= enough) return { refused: undefined, sent, last, within: withinLimit(left) };
  }
}

/** @throws Unverified if the limit was not passed, so that nobody need have been refused */
function throwIfWithin({ sent, last, within }: Burst): void {
  const limit = counted(last, 'limit') ?? 0;
  if (limit >= sent) {
    throw new Unverified(
      `The target announces a limit of ${String(limit)}, and this check sends ${String(sent)} logins at most.`,
    );
  }
  if (within !== undefined) throw new Unverified(within);
}

/** Runs `work` with the embedded target's limits on, and off again afterwards. */
async function withLimits(check: Check, work: () => Promise<void>): Promise<void> {
  await check.run.enforceLimits(true);
  try {
    await work();
  } finally {
    await check.run.enforceLimits(false);
  }
}

/** Nobody was refused. @throws Unverified if the limit was not passed */
function unlimited(burst: Burst, what: string): Finding {
  throwIfWithin(burst);
  const { sent, last } = burst;
  return new Finding(
    `${String(sent)} ${what} in a row: expected 429 past the limit, got ${seenStatus(last)} for the last`,
    last.exchange,
  );
}

/** A refusal for the number of requests says when to come again. */
function expectRetryAfter(refused: Reply, what: string): void {
  const retryAfter = refused.header('retry-after');
  expect(refused, `${what}: \`Retry-After\``).toSatisfy(
    retryAfter !== undefined && (/^\d+$/.test(retryAfter) || !Number.isNaN(Date.parse(retryAfter))),
    'seconds, or a date',
    retryAfter === undefined ? 'none' : `“${retryAfter}”`,
  );
}

clause('THR-02', { phase: 'burst' }, async (check) => {
  let obstacle: Blocked | undefined;
  const again = check.accounts.canRegister
    ? await takenRegistration(check).catch((error: unknown) => {
        if (!(error instanceof Blocked)) throw error;
        obstacle = error;
        return undefined;
      })
    : undefined;
  await withLimits(check, async () => {
    // An e-mail each, so that nothing is met but the limit: an account's lock is THR-03's.
    const burst = await untilRefused(check, strangersLogin(check));
    const { refused, sent } = burst;
    if (refused === undefined) throw unlimited(burst, 'logins');
    check.measure('logins until 429', String(sent));
    // The two share a limit, or have one each.
    const more = again === undefined ? undefined : await untilRefused(check, again);
    if (more !== undefined && more.refused === undefined) throw unlimited(more, 'registrations');
    // Whoever comes next finds the limit open, whatever is wrong with this response.
    if (!check.target.embedded) await check.sleep(Math.min(announcedWaitMs(refused) ?? 60_000, LONGEST_WAIT_MS));
    expectRetryAfter(refused, 'login');
    if (more?.refused !== undefined) expectRetryAfter(more.refused, 'register');
  });
  if (obstacle !== undefined) throw obstacle;
});

/** Logs in as the owner of a slowed-down account until it works, no longer than `LONGEST_WAIT_MS`. */
async function getsInAgain(check: Check, refused: Reply, logIn: () => Promise<Reply>): Promise<void> {
  let answer = refused;
  let waited = 0;
  for (let announcements = 0; announcements < WAITS_IN_A_ROW;) {
    const announced = announcedWaitMs(answer);
    const wait = announced ?? LOOK_AGAIN_MS;
    if (waited + wait > LONGEST_WAIT_MS) {
      const seconds = String(Math.round((announced ?? waited) / 1000));
      const why =
        announced === undefined ? `does not say when, and it was not within ${seconds} s` : `asks to wait ${seconds} s`;
      throw new Unverified(
        `It is slowed down, but whether the owner can log in again is not known: the target ${why}, ` +
          `and this check waits ${String(LONGEST_WAIT_MS / 1000)} s at most.`,
      );
    }
    await check.sleep(wait);
    waited += wait;
    if (announced !== undefined) announcements += 1;
    answer = await logIn();
    if (answer.status === 200) {
      check.measure('seconds until the owner can log in again', `at most ${String(Math.ceil(waited / 1000))}`);
      return;
    }
  }
  expect(answer, "the account's owner, after each wait that was asked for").toHaveStatus(200);
}

/**
 * Wrong passwords for one account, until it is slowed down.
 * @param logIn as its owner
 * @returns the response that says so
 */
async function slowedDown(check: Check, email: string, logIn: () => Promise<Reply>): Promise<Reply> {
  const { refused, sent, last, within } = await untilRefused(check, () => wrongLogin(check, email), [403, 423]);
  let slowed = refused;
  if (slowed === undefined) {
    // A lock may keep silent, and refuse the right password like a wrong one.
    const own = await logIn();
    if (own.status >= 400 && own.status < 500) slowed = own;
  }
  if (slowed === undefined) {
    if (within !== undefined) throw new Unverified(within);
    throw new Finding(
      `${String(sent)} wrong passwords for one account in a row: expected to be slowed down, got ${seenStatus(last)} for the last`,
      last.exchange,
    );
  }
  check.measure('wrong passwords until slowed down', `${String(sent)}, then ${String(slowed.status)}`);
  return slowed;
}

clause('THR-03', { phase: 'burst' }, async (check) => {
  const account = await check.registerAccount();
  // The control: this account can log in before it is attacked.
  await check.expectLogin(account);
  await withLimits(check, async () => {
    const body = { email: account.email, password: account.password };
    const logIn = (): Promise<Reply> => check.raw({ ...check.api.request('login', body), unpaced: true });
    await getsInAgain(check, await slowedDown(check, account.email, logIn), logIn);
  });
  if (!check.target.embedded) return;
  // The embedded target's limits are off again: the account must be as good as before.
  const after = await check.api.login({ email: account.email, password: account.password });
  if (after.status !== 200) throw new Blocked('LOG-01', `login does not succeed: ${seenStatus(after)}`);
});

/**
 * Headers by which proxies tell a server behind them whose request it is; a client may write anything there. Some libraries pass over
 * addresses that are not public, those for documentation among them: so they are public ones. Nothing is sent to them.
 */
const FORWARDED = [
  ['x-forwarded-for', '8.8.4.7'],
  ['x-forwarded-for', '127.0.0.1'],
  ['x-forwarded-for', '8.8.4.10, 8.8.4.11, 8.8.4.12'],
  ['forwarded', 'for=8.8.4.8'],
  ['x-real-ip', '8.8.4.9'],
  ['x-client-ip', '8.8.4.13'],
  ['true-client-ip', '8.8.4.14'],
  ['cf-connecting-ip', '8.8.4.15'],
] as const;

/** Times that a limit is reached again for one row, where its window ended in the meantime. */
const WINDOWS = 3;

interface Otherwise {
  readonly name: string;
  readonly request: Sendable;
}

/** Requests past the limit, each sent in another way: they must be refused like the plain ones before and after them. */
async function staysRefused(check: Check, rows: readonly Otherwise[], plain: () => Sendable): Promise<void> {
  await check.eachRow(
    rows,
    async ({ request }) => {
      for (let window = 0; window < WINDOWS; window += 1) {
        const reply = await check.raw({ ...request, unpaced: true });
        if (reply.status === 429) return;
        const { refused, sent } = await untilRefused(check, plain);
        if (sent === 1 && refused !== undefined) expect(reply, 'past the limit').toHaveStatus(429);
      }
      throw new Unverified('Logins are too slow here: the window of the limit ends before all of it can be asked.');
    },
    { inOrder: true },
  );
}

/** The next check finds the limit open again. */
async function waitUntilOpen(check: Check, refused: Reply): Promise<void> {
  if (!check.target.embedded) await check.sleep(Math.min(announcedWaitMs(refused) ?? 60_000, LONGEST_WAIT_MS));
}

/** The limit of an address: no header takes the next request for somebody else's. */
async function judgeForwarded(check: Check): Promise<void> {
  const sent = (what: string, by: (headers: Sendable['headers']) => Sendable): Otherwise[] =>
    FORWARDED.map((header) => ({ name: `${what} with \`${header.join(': ')}\``, request: by([header]) }));
  const register = check.accounts.canRegister ? await takenRegistration(check) : undefined;
  await withLimits(check, async () => {
    const burst = await untilRefused(check, strangersLogin(check));
    if (burst.refused === undefined) {
      throwIfWithin(burst);
      throw new Blocked('THR-02', `${String(burst.sent)} logins in a row were not refused`);
    }
    const logins = sent('login', (headers) => wrongLogin(check, check.newAccount().email, headers));
    await staysRefused(check, logins, strangersLogin(check));
    // A limit of its own has to be reached first; where there is none, THR-02 says so.
    if (register !== undefined && (await untilRefused(check, register)).refused !== undefined)
      await staysRefused(check, sent('register', register), register);
    await waitUntilOpen(check, burst.refused);
  });
}

/** How many wrong passwords for a new account are taken until it is slowed down. @param spelled how its e-mail is sent each time */
async function takenUntilSlowed(check: Check, spelled: (email: string) => string): Promise<Burst> {
  const email = spelled((await check.registerAccount()).email);
  let burst: Burst | undefined;
  await withLimits(check, async () => {
    burst = await untilRefused(check, () => wrongLogin(check, email));
    if (burst.refused !== undefined) await waitUntilOpen(check, burst.refused);
  });
  if (burst?.refused === undefined) throw new Unverified('Wrong passwords for one account were not refused with 429.');
  return burst;
}

/**
 * Wrong passwords for an e-mail in capitals are counted like any others: a lock that does not know that spelling takes as many as one
 * address may send.
 */
async function judgeCapitalsAlone(check: Check): Promise<void> {
  const capitals = await takenUntilSlowed(check, (email) => email.toUpperCase());
  for (let again = 0; again < 2; again += 1) {
    const plain = await takenUntilSlowed(check, (email) => email);
    // Once may be chance: the window of a limit may have been used already.
    if (plain.sent >= capitals.sent) return;
    if (again === 1)
      throw new Finding(
        `${String(capitals.sent)} wrong passwords are taken for an e-mail in capitals, ${String(plain.sent)} as it was registered`,
        capitals.last.exchange,
      );
  }
}

/** The limit of an account: it is the same one in whatever letter case its e-mail is sent. */
async function judgeLetterCase(check: Check): Promise<void> {
  const { email } = await check.registerAccount();
  await withLimits(check, async () => {
    const wrong = (): Sendable => wrongLogin(check, email);
    const { refused } = await untilRefused(check, wrong);
    if (refused === undefined) throw new Unverified('Wrong passwords for one account were not refused with 429.');
    const rows = [
      { name: 'the e-mail in capitals', request: wrongLogin(check, email.toUpperCase()) },
      { name: 'its domain in capitals', request: wrongLogin(check, capitalDomain(email)) },
      {
        name: 'its first letter in the other case',
        request: wrongLogin(check, otherCase(email[0] ?? '') + email.slice(1)),
      },
    ];
    await staysRefused(check, rows, wrong);
    await waitUntilOpen(check, refused);
  });
  await judgeCapitalsAlone(check);
}

clause('THR-04', { phase: 'burst' }, async (check) => {
  await judgeForwarded(check);
  if (check.accounts.canRegister) await judgeLetterCase(check);
});
