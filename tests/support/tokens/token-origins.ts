/** Live tokens of every origin: what a clause says of a token, it says of those of register and of refresh as well. */
import { Blocked, Unverified, type Check } from '../../../fixtures/check/check.js';
import { NoAnswer } from '../../../fixtures/http/transport.js';
import type { Row } from '../../../fixtures/check/judging.js';

export interface Origin extends Row {
  readonly access: string;
  readonly refresh: string;
}

interface Made {
  readonly origins: readonly Origin[];
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** @returns undefined where this target, or this run, has no such token: the clause about its origin says why */
async function ifThere(make: () => Promise<Origin>): Promise<Origin | undefined> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof Blocked || error instanceof Unverified || error instanceof NoAnswer) return undefined;
    throw error;
  }
}

async function ofRegister(check: Check): Promise<Origin> {
  const { reply } = await check.firstRegistration();
  const [access, refresh] = [reply.token('access'), reply.token('refresh')];
  if (access === undefined || refresh === undefined) throw new Blocked('REG-03', 'register returned no tokens');
  return { name: 'register', access, refresh };
}

async function ofRefresh(check: Check, name: string, times: number): Promise<Origin> {
  // A login of its own: a borrowed chain has been refreshed nobody knows how often.
  const login = await check.login();
  let pair = { access: login.access, refresh: login.refresh };
  for (let i = 0; i < times; i += 1) {
    const reply = await check.api.refresh(pair.refresh);
    const access = reply.token('access');
    if (access === undefined) throw new Blocked('REF-01', 'refresh returned no access token');
    pair = { access, refresh: reply.token('refresh') ?? pair.refresh };
  }
  return { name, ...pair };
}

/** Refreshes of a token that is called later: a third one, so that neither a first nor a second is special. */
const LATER = 3;

async function make(check: Check): Promise<Made> {
  const since = Date.now();
  const made = [
    check.accounts.canRegister ? await ifThere(() => ofRegister(check)) : undefined,
    await ifThere(() => ofRefresh(check, 'the first refresh', 1)),
    await ifThere(() => ofRefresh(check, 'a later refresh', LATER)),
  ];
  const origins: Origin[] = [];
  for (const origin of made) {
    // A token that is refused as it is shows nothing; that it is, REG-03 and REF-02 say.
    if (origin !== undefined && (await check.askProtected(origin.access)).status === 200) origins.push(origin);
  }
  return { origins, since };
}

/** Live pairs that register, the first refresh and a later one gave, made once per run; those of login each check has already. */
export async function otherOrigins(check: Check): Promise<readonly Origin[]> {
  for (let generation = 0; ; generation += 1) {
    const mine = { fresh: false };
    const { origins, since } = await check.once<Made>(`tokens of every origin:${String(generation)}`, async () => {
      mine.fresh = true;
      return make(check);
    });
    // Good for half of their life, so that they outlive the check that asked.
    if (mine.fresh || Date.now() - since < check.target.accessTtlSeconds * 500) return origins;
  }
}

/** The closing control: what was refused was made of tokens that are still live. Says so where one is not. */
export async function stillLive(check: Check, origins: readonly Origin[]): Promise<void> {
  for (const { name, access } of origins) {
    const { status } = await check.askProtected(access);
    if (status !== 200) check.measure(`the token of ${name} itself`, `ended meanwhile (${String(status)})`);
  }
}
