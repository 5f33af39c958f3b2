/**
 * Does an unknown e-mail take another time than a wrong password? Interleaved pairs, so that drift hits both alike, and the Wilcoxon
 * signed-rank test over their differences, which asks nothing of the shape of the noise.
 */
import { Blocked, Unverified, type Check } from '../../../fixtures/check/check.js';
import { expect, seenStatus } from '../../../fixtures/check/expect.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { announcedLimit } from './accounts.js';
import { isRefusedHere } from '../access/unauthenticated.js';
import { NoAnswer } from '../../../fixtures/http/transport.js';

/** Chance of a false alarm: two-sided, over both looks that are taken at the differences. */
const ALPHA = 0.001;
/** Standard normal quantile of 1 - ALPHA / 4: half of ALPHA for each look, half of that for each side. */
const Z = 3.4808;
/** Standard normal quantile of the chance, 95 %, that the planned sample is large enough. */
const Z_POWER = 1.645;
/** A difference matters from this share of a login's time on, and from so many milliseconds on however long the way is. */
const EFFECT_SHARE = 0.2;
const EFFECT_MS = 10;
const PILOT_PAIRS = 12;
const LEAST_PAIRS = 30;
const MOST_PAIRS = 120;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

export interface SignedRank {
  /** Standardised statistic, with the tie correction; large either way means a shift. */
  readonly z: number;
  /** Hodges–Lehmann estimate of the shift, and its confidence interval at 1 - ALPHA / 2. Units of the differences. */
  readonly shift: number;
  readonly low: number;
  readonly high: number;
}

/** Wilcoxon signed-rank test by the normal approximation: good from about 20 differences on. */
export function signedRank(differences: readonly number[]): SignedRank {
  const nonZero = differences.filter((difference) => difference !== 0);
  const sorted = nonZero.map((value) => ({ value, size: Math.abs(value) })).sort((a, b) => a.size - b.size);
  let positive = 0;
  let ties = 0;
  for (let start = 0; start < sorted.length;) {
    let end = start;
    while (end < sorted.length && sorted[end]?.size === sorted[start]?.size) end += 1;
    const rank = (start + 1 + end) / 2;
    for (const { value } of sorted.slice(start, end)) if (value > 0) positive += rank;
    ties += (end - start) ** 3 - (end - start);
    start = end;
  }
  const n = nonZero.length;
  const mean = (n * (n + 1)) / 4;
  const deviation = Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24 - ties / 48);
  const walsh: number[] = [];
  for (const [i, a] of differences.entries()) for (const b of differences.slice(i)) walsh.push((a + b) / 2);
  walsh.sort((a, b) => a - b);
  const all = differences.length;
  const spread = Z * Math.sqrt((all * (all + 1) * (2 * all + 1)) / 24);
  const cut = Math.max(0, Math.floor((all * (all + 1)) / 4 - spread));
  return {
    z: deviation === 0 ? 0 : (positive - mean) / deviation,
    shift: median(walsh),
    low: walsh[cut] ?? 0,
    high: walsh[walsh.length - 1 - cut] ?? 0,
  };
}

export type TimingVerdict = 'differs' | 'alike' | 'not enough evidence';

/** What a sample says of differences of `effect` and more: they are there, they are not, or it cannot tell. */
export function timingVerdict({ z, shift, low, high }: SignedRank, effect: number): TimingVerdict {
  if (Math.abs(z) > Z && Math.abs(shift) > effect) return 'differs';
  return low > -effect && high < effect ? 'alike' : 'not enough evidence';
}

/** Pairs that tell an effect from noise; all in the same unit. @param differences of a pilot */
export function pairsFor(differences: readonly number[], effect: number): number {
  const centre = median(differences);
  // By the median deviation, which a few outliers do not move; times are whole milliseconds, so less than half of one is not seen.
  const noise = Math.max(0.5, 1.4826 * median(differences.map((value) => Math.abs(value - centre))));
  return Math.ceil((1.05 * (Z + Z_POWER) ** 2 * noise ** 2) / effect ** 2);
}

/** One pair of refused logins: milliseconds for the known e-mail, and how much longer that took than the unknown one. */
export interface Pair {
  readonly known: number;
  readonly difference: number;
}

export interface Comparison extends SignedRank {
  readonly verdict: TimingVerdict;
  readonly pairs: number;
  /** Median of the known e-mail's times, and the smallest difference that matters; milliseconds. */
  readonly usual: number;
  readonly effect: number;
}

/**
 * Measures the noise first, plans the sample by it, and looks a second time where the first look could not tell.
 * @param most pairs in all
 */
export async function compareTimes(pair: () => Promise<Pair>, most = MOST_PAIRS): Promise<Comparison> {
  const pairs: Pair[] = [];
  const upTo = async (count: number): Promise<number[]> => {
    while (pairs.length < count) pairs.push(await pair());
    return pairs.map(({ difference }) => difference);
  };
  const pilot = await upTo(PILOT_PAIRS);
  const usual = median(pairs.map(({ known }) => known));
  const effect = Math.min(EFFECT_SHARE * usual, EFFECT_MS);
  const planned = Math.min(Math.max(pairsFor(pilot, effect), LEAST_PAIRS), most);
  let result = signedRank(await upTo(planned));
  let verdict = timingVerdict(result, effect);
  if (verdict === 'not enough evidence' && planned < most) {
    result = signedRank(await upTo(most));
    verdict = timingVerdict(result, effect);
  }
  return { ...result, verdict, pairs: pairs.length, usual, effect };
}

/** Minutes that this check may take at the limit that the target announces. */
const LONGEST_MINUTES = 5;

/** The pairs that the announced limit lets through in time. @throws Unverified if they are too few to tell anything */
async function pairsWithin(check: Check): Promise<number> {
  const limit = await announcedLimit(check);
  if (limit === undefined || check.target.embedded) return MOST_PAIRS;
  const pairs = Math.floor((limit * LONGEST_MINUTES) / 2);
  if (pairs >= LEAST_PAIRS) return Math.min(pairs, MOST_PAIRS);
  throw new Unverified(
    `At the announced limit of ${String(limit)} logins it would take more than ${String(LONGEST_MINUTES)} minutes, so it was not begun.`,
  );
}

/** LOG-07. Its own false alarms are as rare as ALPHA says; a difference too small to matter is none. */
export async function timingSideChannel(check: Check): Promise<void> {
  // So many wrong passwords may lock an account: none that the run was given.
  if (!check.accounts.canRegister)
    throw new Unverified(
      'So many wrong passwords may lock an account, and this run may register none of its own for it.',
    );
  const most = await pairsWithin(check);
  const { email, password } = await check.registerAccount();
  await check.expectLogin({ email, password });

  const login = async (address: string): Promise<Reply> => {
    const body = { email: address, password: check.newAccount().password };
    // Timed from the last byte of the request, with the connection open: neither the pace nor the way there counts.
    const [answer] = await check.sender.sendAtOnce([check.api.request('login', body)]);
    if (answer === undefined || answer instanceof NoAnswer) {
      throw new Blocked('LOG-04', `a login got no response: ${answer?.message ?? ''}`);
    }
    return answer;
  };
  let sent = 0;
  let last: Reply | undefined;
  const seen = await compareTimes(async () => {
    const unknown = check.newAccount().email;
    // Which goes first alternates: whatever the first request of a pair has to bear, both have it equally often.
    const knownFirst = sent % 2 === 0;
    const first = await login(knownFirst ? email : unknown);
    const second = await login(knownFirst ? unknown : email);
    const [wrong, stranger] = knownFirst ? [first, second] : [second, first];
    for (const [reply, by] of [
      [wrong, 'LOG-04'],
      [stranger, 'LOG-05'],
    ] as const) {
      if (isRefusedHere(check, reply)) continue;
      if (sent === 0) throw new Blocked(by, `a refused login gets ${seenStatus(reply)}`);
      throw new Unverified(
        `Not enough evidence: after ${String(sent)} pairs the target no longer answers as before (${seenStatus(reply)}).`,
      );
    }
    sent += 1;
    last = wrong;
    return { known: wrong.ms, difference: wrong.ms - stranger.ms };
  }, most);

  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  const difference = `${ms(seen.shift)} (${ms(seen.low)} to ${ms(seen.high)})`;
  check.measure('a wrong password takes longer than an unknown e-mail by', difference);
  check.measure(
    'of',
    `${ms(seen.usual)} for a login, in ${String(seen.pairs)} pairs; chance of a false alarm ${String(ALPHA)}`,
  );
  if (seen.verdict === 'not enough evidence' || last === undefined) {
    throw new Unverified(
      `Not enough evidence: after ${String(seen.pairs)} pairs, the most that this check sends, the ` +
        `difference is ${difference}, and one of ${ms(seen.effect)} would matter.`,
    );
  }
  expect(last, 'the time of a wrong password compared with that of an unknown e-mail').toSatisfy(
    seen.verdict === 'alike',
    `no difference beyond ${ms(seen.effect)}`,
    `a difference of ${difference}, by which accounts can be told from strangers`,
  );
}
