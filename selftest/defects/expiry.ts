/** Faults of lifetimes (EXP). */
import { type Claims, type Occasion, type Parts, Refusal, type TokenKind } from '../../fixtures/reference/behaviour.js';
import type { Defect } from './defect.js';
import { type Json, asNumber, claims, crash, times } from './helpers.js';

const lifetime =
  (change: (seconds: number, kind: TokenKind, occasion: Occasion) => number) =>
  (parts: Parts): Partial<Parts> => ({
    lifetime: (kind, occasion) => change(parts.lifetime(kind, occasion), kind, occasion),
  });

const nbfPassed = ({ nbf }: Claims, now: number): boolean => nbf === undefined || asNumber(nbf) <= now;

/** What was presented at refresh, by chain. */
const byPresented =
  (change: (given: Json, old: Json, kind: string) => Json) =>
  (parts: Parts): Partial<Parts> => {
    const old = new Map<string, Json>();
    return {
      spend: (given) => {
        old.set(String(given['chain']), given);
        return parts.spend(given);
      },
      claims: (kind, user, chain, occasion) => {
        const made = parts.claims(kind, user, chain, occasion);
        const before = old.get(chain.id);
        return occasion === 'refresh' && before !== undefined ? change(made, before, kind) : made;
      },
    };
  };

export const EXPIRY: readonly Defect[] = [
  {
    id: 'iat-behind',
    story: 'Local time was taken for UTC: `iat` is two hours behind.',
    clauses: ['EXP-03'],
    replace: claims((given) => ({ ...given, iat: asNumber(given['iat']) - 7200 })),
  },
  {
    id: 'access-14-minutes',
    story: 'Off by a minute, to be on the safe side.',
    clauses: ['EXP-01'],
    replace: lifetime((seconds, kind) => (kind === 'access' ? seconds - 60 : seconds)),
  },
  {
    id: 'access-5-minutes',
    story: "The library's default was left.",
    clauses: ['EXP-01'],
    replace: lifetime((seconds, kind) => (kind === 'access' ? 300 : seconds)),
  },
  {
    id: 'access-an-hour',
    story: 'Lengthened while somebody debugged.',
    clauses: ['EXP-01'],
    replace: lifetime((seconds, kind) => (kind === 'access' ? 3600 : seconds)),
  },
  {
    id: 'refresh-30-days',
    story: '`remember_me` for everybody.',
    clauses: ['EXP-02'],
    replace: lifetime((seconds, kind) => (kind === 'refresh' ? 30 * 86_400 : seconds)),
  },
  {
    id: 'refresh-6-days',
    story: 'A week of six days.',
    clauses: ['EXP-02'],
    replace: lifetime((seconds, kind) => (kind === 'refresh' ? 6 * 86_400 : seconds)),
  },
  {
    id: 'date-skewed',
    story: 'The proxy writes `Date`, and its clock is two minutes off.',
    clauses: ['EXP-01', 'EXP-02', 'EXP-03', 'EXP-05', 'TOK-06', 'JRN-06'],
    replace: (parts) => ({
      headers: (context, code) => ({
        ...parts.headers(context, code),
        Date: new Date(parts.clock() - 120_000).toUTCString(),
      }),
    }),
  },
  {
    id: 'access-never-ends',
    story: '`verify_exp` is off for access tokens.',
    clauses: ['EXP-04', 'EXP-11'],
    replace: times(['access'], nbfPassed),
  },
  {
    id: 'access-by-age',
    story: 'Expiry is counted from `iat` with a setting of its own, whatever `exp` says.',
    clauses: ['EXP-04', 'EXP-11'],
    replace: times(['access'], (given, now) => asNumber(given['iat']) + 900 > now && nbfPassed(given, now)),
  },
  {
    id: 'access-grace-11-minutes',
    story: 'A leeway in the wrong unit.',
    clauses: ['EXP-04'],
    replace: times(['access'], (given, now) => asNumber(given['exp']) + 660 > now && nbfPassed(given, now)),
  },
  {
    id: 'access-ends-early',
    story: 'A leeway with the wrong sign: the last minute and a half is refused.',
    clauses: ['EXP-05', 'JRN-06'],
    replace: times(['access'], (given, now) => asNumber(given['exp']) - 90 > now && nbfPassed(given, now)),
  },
  {
    id: 'refresh-never-ends',
    story: 'The refresh view decodes without verifying `exp`.',
    clauses: ['EXP-06', 'EXP-11'],
    replace: times(['refresh'], nbfPassed),
  },
  {
    id: 'grace-5-minutes',
    story: 'A leeway of five minutes, for clocks that differ.',
    clauses: ['EXP-07'],
    replace: times(['access'], (given, now) => asNumber(given['exp']) + 300 > now && nbfPassed(given, now)),
  },
  {
    id: 'grace-2-minutes',
    story: 'A leeway of two minutes.',
    clauses: ['EXP-07'],
    replace: times(['access'], (given, now) => asNumber(given['exp']) + 120 > now && nbfPassed(given, now)),
  },
  {
    id: 'refreshed-access-an-hour',
    story: '15 minutes at login, an hour after refresh.',
    clauses: ['EXP-08'],
    replace: lifetime((seconds, kind, occasion) => (kind === 'access' && occasion === 'refresh' ? 3600 : seconds)),
  },
  {
    id: 'refreshed-access-rest',
    story: 'The refreshed access token gets what is left of the old one.',
    clauses: ['EXP-08'],
    replace: lifetime((seconds, kind, occasion) => (kind === 'access' && occasion === 'refresh' ? 840 : seconds)),
  },
  {
    id: 'rotated-refresh-30-days',
    story: '30 days after the first rotation.',
    clauses: ['EXP-09'],
    replace: lifetime((seconds, kind, occasion) =>
      kind === 'refresh' && occasion === 'refresh' ? 30 * 86_400 : seconds,
    ),
  },
  {
    id: 'rotated-refresh-a-day',
    story: 'Rotation gives a day more, not a week.',
    clauses: ['EXP-09'],
    replace: lifetime((seconds, kind, occasion) => (kind === 'refresh' && occasion === 'refresh' ? 86_400 : seconds)),
  },
  {
    id: 'nbf-ignored',
    story: '`verify_nbf` is off.',
    clauses: ['EXP-10'],
    replace: times(['access', 'refresh'], (given, now) => asNumber(given['exp']) > now),
  },
  {
    id: 'nbf-ignored-on-refresh',
    story: 'Only one of the two paths looks at `nbf`.',
    clauses: ['EXP-10'],
    replace: times(['refresh'], (given, now) => asNumber(given['exp']) > now),
  },
  {
    id: 'exp-optional',
    story: 'The library checks `exp` where it is there.',
    clauses: ['EXP-11'],
    replace: times(
      ['access'],
      (given, now) => (given['exp'] === undefined || asNumber(given['exp']) > now) && nbfPassed(given, now),
    ),
  },
  {
    id: 'exp-optional-on-refresh',
    story: 'The same, on refresh only.',
    clauses: ['EXP-11'],
    replace: times(
      ['refresh'],
      (given, now) => (given['exp'] === undefined || asNumber(given['exp']) > now) && nbfPassed(given, now),
    ),
  },
  {
    id: 'expired-419',
    story: 'Expired tokens are told apart by a status of their own, that no client knows.',
    clauses: ['EXP-04', 'JRN-02'],
    replace: (parts) => ({
      verifyTimes: (given, kind) => {
        try {
          parts.verifyTimes(given, kind);
        } catch (error) {
          throw kind === 'access' ? new Refusal(419, 'Token expired') : error;
        }
      },
    }),
  },
  {
    id: 'rotated-keeps-exp',
    story: '`set_exp()` is forgotten when the refresh token is rotated: the new one ends when the old one would have.',
    clauses: ['EXP-09'],
    replace: byPresented((given, old, kind) => (kind === 'refresh' ? { ...given, exp: old['exp'] } : given)),
  },
  {
    id: 'refreshed-access-from-iat',
    story: 'The new access token lives from the `iat` of the refresh token on.',
    clauses: ['EXP-08'],
    replace: byPresented((given, old, kind) =>
      kind === 'access' ? { ...given, exp: Number(old['iat']) + 900 } : given,
    ),
  },
  {
    id: 'refresh-grace-90-seconds',
    story: 'The leeway of refresh tokens is a setting of its own.',
    clauses: ['EXP-07'],
    replace: (parts) => ({
      verifyTimes: (given, kind) => {
        const { exp } = given;
        const late = kind === 'refresh' && typeof exp === 'number' ? { ...given, exp: exp + 90 } : given;
        parts.verifyTimes(late, kind);
      },
    }),
  },
  {
    id: 'exp-zero-means-none',
    story: '`if claims.exp` is false for 0.',
    clauses: ['EXP-04'],
    replace: (parts) => ({
      verifyTimes: (given, kind) => {
        if (given['exp'] !== 0) parts.verifyTimes(given, kind);
      },
    }),
  },
  {
    id: 'exp-null-on-refresh',
    story: '`None` is no end, says the refresh service.',
    clauses: ['EXP-11'],
    replace: (parts) => ({
      verifyTimes: (given, kind) => {
        if (kind !== 'refresh' || given['exp'] !== null) parts.verifyTimes(given, kind);
      },
    }),
  },
  {
    id: 'exp-text-500',
    story: '`int(exp)` raises on a word, and nobody catches `ValueError`.',
    clauses: ['EXP-11', 'ROB-06'],
    replace: (parts) => ({
      verifyTimes: (given, kind) => {
        if (typeof given['exp'] === 'string') throw crash;
        parts.verifyTimes(given, kind);
      },
    }),
  },
];
