/** What the clauses about register and login stand on, and what their tables may cost. */
import { portable, replyOf } from '../../../fixtures/check/portable.js';
import { Blocked, Unverified, type Account, type Check } from '../../../fixtures/check/check.js';
import { expect, seenStatus } from '../../../fixtures/check/expect.js';
import type { Row } from '../../../fixtures/check/judging.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { readPacing } from '../../../fixtures/run/pacing.js';
import { sameAddress } from './users.js';

export type Registration = Awaited<ReturnType<Check['firstRegistration']>>;

/** The registration of this run, where a clause is about something after the success. Depends on REG-01. */
export async function registered(check: Check): Promise<Registration> {
  const made = await check.answered('REG-01', 'register', check.firstRegistration);
  if (made.reply.status !== 200 && made.reply.status !== 201) {
    throw new Blocked('REG-01', `register did not succeed: ${seenStatus(made.reply)}`, made.reply.exchange);
  }
  return made;
}

/** The first login of the account just registered: REG-04's question, and what others depend on. */
export async function firstLoginOf(check: Check): Promise<Reply> {
  const { account } = await registered(check);
  return check.memo('login of the registered', async () => {
    const sent = await check.once('login of the registered', async () => portable(await check.api.login(account)));
    return replyOf(sent);
  });
}

/** The account just registered, which logs in and is shown as itself. Depends on REG-04, LOG-01 and LOG-03. */
export async function soundAccount(check: Check): Promise<Registration['account']> {
  const { account } = await registered(check);
  const login = await firstLoginOf(check);
  if (login.status !== 200)
    throw new Blocked('REG-04', `the account just registered cannot log in: ${seenStatus(login)}`, login.exchange);
  const { email } = login.user;
  if (email === undefined) throw new Blocked('LOG-01', 'login does not show who logged in', login.exchange);
  if (!sameAddress(email, account.email))
    throw new Blocked('LOG-03', 'login returns a different user from the one registered', login.exchange);
  return account;
}

/**
 * Another password than the account's own does not log in. Depends on LOG-04: where any password does, nothing is shown by this one.
 * @param what the password, in words
 */
export async function expectNotThePassword(
  check: Check,
  { email, password }: Pick<Account, 'email' | 'password'>,
  what: string,
): Promise<void> {
  const reply = await check.api.login({ email, password });
  if (reply.status === 200) {
    const control = await check.api.login({ email, password: check.newAccount().password });
    if (control.status === 200)
      throw new Blocked('LOG-04', `any password logs in: ${seenStatus(control)}`, control.exchange);
  }
  expect(reply, what).toBeRefused();
  expect(reply).toCarryNoToken();
}

export interface Duplicate {
  readonly account: Registration['account'];
  readonly reply: Reply;
}

/** A second registration with the first one's e-mail, user name and password its own. */
export function duplicate(check: Check): Promise<Duplicate> {
  return check.memo('duplicate registration', async () => {
    const { account: first } = await registered(check);
    const account = { ...check.newAccount(), email: first.email };
    return { account, reply: await check.api.register(account) };
  });
}

/** One after the other, a duplicate e-mail is refused and changes nothing. Depends on REG-07. */
export async function dependsOnDuplicates(check: Check): Promise<void> {
  const first = await soundAccount(check);
  const { reply } = await duplicate(check);
  if (![400, 409].includes(reply.status))
    throw new Blocked('REG-07', `a duplicate e-mail gets ${seenStatus(reply)}`, reply.exchange);
  const again = await check.memo('login after the duplicate', () => check.api.login(first));
  if (again.status !== 200)
    throw new Blocked('REG-07', `after a duplicate the first account cannot log in: ${seenStatus(again)}`);
}

/** Requests a minute from which on a limit leaves room for every row of every table. */
const WIDE = 100;
/** Where it does not, each run asks one part of a table. */
const PARTS = 10;

/** Logins and registrations that the target takes in one window, as it announces it; undefined: it announces no limit. */
export async function announcedLimit(check: Check): Promise<number | undefined> {
  const { reply } = await check.answered('LOG-01', 'login', check.firstLogin);
  return readPacing('auth', reply.status, (name) => reply.header(name), reply.serverDateMs ?? Date.now()).limit;
}

/**
 * The rows of a table that cost a login or a registration each: all of them, or where the target announces a tight limit one tenth,
 * chosen by the seed, so that ten consecutive seeds ask all.
 */
export async function costly<T>(check: Check, rows: readonly T[]): Promise<readonly T[]> {
  const limit = await announcedLimit(check);
  if (limit === undefined || limit >= WIDE) return rows;
  const { seed } = check.target.fuzz;
  const count = Math.ceil(rows.length / PARTS);
  const first = (seed % PARTS) * count;
  const chosen = new Set(Array.from({ length: count }, (_, i) => (first + i) % rows.length));
  check.judging.leftOut(rows.length - chosen.size, seed);
  return rows.filter((_, i) => chosen.has(i));
}

/** The same for a table that begins with what the clause is about in the first place: that row is asked in each run. */
export async function firstAndCostly<T>(check: Check, [first, ...rows]: readonly T[]): Promise<readonly T[]> {
  return [...(first === undefined ? [] : [first]), ...(await costly(check, rows))];
}

/** Wrong passwords of one account in a row: many servers lock it from the third on. */
const IN_A_ROW = 2;

/** What a row sends in place of the right credentials. */
export type Credentials = Readonly<Record<string, unknown>>;

/**
 * Hands out accounts for wrong passwords: one of the suite's own for each two, so that none is ever locked; where registration is off the
 * given one, with a good login after each two. After the first sign of a lock it hands out nothing more.
 */
export class Victims {
  private account: Promise<Account> | undefined;
  private used = 0;
  private lock: string | undefined;
  private seen401 = false;
  /** Why no new account logs in here: then none of the table is asked. */
  private shut: Blocked | undefined;

  constructor(private readonly check: Check) {}

  /** @throws Unverified where there are signs of a lock: the rest of a table is then not asked */
  readonly next = async (): Promise<Account> => {
    this.throwIfLocked();
    const { accounts } = this.check;
    if (this.used % IN_A_ROW === 0) {
      if (accounts.canRegister) this.account = this.newVictim();
      else await this.finish();
    }
    this.used += 1;
    return (this.account ??= accounts.owner());
  };

  /**
   * The control of what is refused next: with the right password a new account logs in, the first one of a table (for the last one, see
   * `finish`). Many servers then count failures from zero.
   */
  private readonly newVictim = async (): Promise<Account> => {
    if (this.shut !== undefined) throw this.shut;
    const first = this.used === 0;
    const account = await this.check.registerAccount();
    if (!first) return account;
    const reply = await this.check.api.login(account);
    if ([423, 429].includes(reply.status)) this.locked(reply);
    if (reply.status !== 200) {
      const why = `an account just registered cannot log in: ${seenStatus(reply)}`;
      throw (this.shut = new Blocked('REG-04', why, reply.exchange));
    }
    return account;
  };

  /** Sends one wrong login, as `wrong` makes it of the right credentials. */
  readonly attempt = async (
    wrong: (right: Account) => Credentials,
  ): Promise<{ readonly account: Account; readonly reply: Reply }> => {
    const account = await this.next();
    return { account, reply: await this.refusal(wrong(account)) };
  };

  /** Sends credentials that are wrong. @throws Unverified if the response is a lock's */
  readonly refusal = async (credentials: Credentials): Promise<Reply> => {
    const { check } = this;
    const reply = await check.raw({ ...check.api.request('login', credentials), mayLock: true });
    if ([423, 429].includes(reply.status) || (reply.status === 403 && this.seen401)) this.locked(reply);
    if (reply.status === 401) this.seen401 = true;
    return reply;
  };

  /** The positive control of the last account: its right password works still. @throws Unverified if it does not */
  readonly finish = async (): Promise<void> => {
    if (this.account === undefined || this.lock !== undefined || this.shut !== undefined) return;
    await this.control(await this.account);
  };

  /** The positive control: the right password still works. @throws Unverified if it does not */
  readonly control = async ({ email, password }: Account): Promise<void> => {
    const { check } = this;
    this.throwIfLocked();
    const reply = await check.raw({ ...check.api.request('login', { email, password }), mayLock: true });
    if (reply.status !== 200) this.locked(reply);
  };

  private throwIfLocked(): void {
    if (this.lock !== undefined) throw new Unverified(this.lock);
  }

  private locked(reply: Reply): never {
    this.lock = `The target locks accounts or senders after wrong passwords (${seenStatus(reply)}), so no more of them were sent.`;
    throw new Unverified(this.lock);
  }
}

/** A row that is judged by a function of its own. */
export interface Judged extends Row {
  readonly judge: () => Promise<void>;
}
