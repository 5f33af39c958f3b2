/** Lifetimes that are wrong, and ends of life that nobody looks at. */
import {
  type Claims,
  type Context,
  type Occasion,
  type Parts,
  Refusal,
  type TokenKind,
  type User,
} from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import { opens } from './credentials.js';
import type { Defect } from './defect.js';
import {
  HOUR,
  type Json,
  asNumber,
  authenticatedAtAnyTime,
  bodyOf,
  claims,
  crash,
  dataOf,
  isFurther,
  partOf,
  refreshed,
  refreshTextOf,
  textOf,
  times,
  tokenOf,
} from './helpers.js';

const lifetime =
  (change: (seconds: number, kind: TokenKind, occasion: Occasion) => number) =>
  (parts: Parts): Partial<Parts> => ({
    lifetime: (kind, occasion) => change(parts.lifetime(kind, occasion), kind, occasion),
  });

const nbfPassed = ({ nbf }: Claims, now: number): boolean => nbf === undefined || asNumber(nbf) <= now;

/** The end of a chain's first token of a kind is that of all that come after it. */
const endsWithTheFirst =
  (of: TokenKind) =>
  (parts: Parts): Partial<Parts> => {
    const ends = new Map<string, number>();
    return {
      claims: (kind, user, chain, occasion) => {
        const given = parts.claims(kind, user, chain, occasion);
        if (kind !== of) return given;
        const end = ends.get(chain.id) ?? asNumber(given['exp']);
        ends.set(chain.id, end);
        return { ...given, exp: end };
      },
    };
  };

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

const HALF_DAY = 12 * HOUR;

/** Chains that sign-up began: what later comes of them is made in another way. */
const chainsOfSignUp =
  (change: (given: Claims, kind: string, occasion: Occasion) => Claims) =>
  (parts: Parts): Partial<Parts> => {
    const ofSignUp = new Set<string>();
    return {
      claims: (kind, user, chain, occasion) => {
        if (occasion === 'register') ofSignUp.add(chain.id);
        const given = parts.claims(kind, user, chain, occasion);
        return ofSignUp.has(chain.id) ? change(given, kind, occasion) : given;
      },
    };
  };

/** Tokens of some requests are good for longer than their `exp` says. */
const forgiving =
  (seconds: number, when: (context: Context) => boolean) =>
  (parts: Parts): Partial<Parts> => ({
    authenticate: (context) => {
      if (!when(context)) return parts.authenticate(context);
      const given = parts.verifySignature(parts.bearer(context), 'access');
      parts.verifyKind(given, 'access');
      const { exp } = given;
      parts.verifyTimes(typeof exp === 'number' ? { ...given, exp: exp + seconds } : given, 'access');
      const user = parts.userById(given['user_id']);
      if (user === undefined) throw unauthenticated();
      context.claims = given;
      context.user = user;
      return Promise.resolve(user);
    },
  });

const REMEMBERED = [
  { id: 'remember-me', kind: 'access', clause: 'EXP-01' },
  { id: 'remember-me-to-refresh', kind: 'refresh', clause: 'EXP-02' },
] as const;

export const EXPIRY: readonly Defect[] = [
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
    id: 'viewers-live-longer',
    story: 'Dashboards on the wall log in as viewers, so viewers got access tokens of twelve hours.',
    clauses: ['EXP-01'],
    replace: (parts) => ({
      claims: (kind, user, chain, occasion) => {
        const given = parts.claims(kind, user, chain, occasion);
        const longer = kind === 'access' && user.role === 'viewer' && occasion !== 'refresh';
        return longer ? { ...given, exp: Number(given['iat']) + HALF_DAY } : given;
      },
    }),
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
    id: 'viewers-refresh-for-a-day',
    story: 'Guests were given refresh tokens of one day.',
    clauses: ['EXP-02'],
    replace: (parts) => ({
      claims: (kind, user, chain, occasion) => {
        const given = parts.claims(kind, user, chain, occasion);
        const shorter = kind === 'refresh' && user.role === 'viewer' && occasion !== 'refresh';
        return shorter ? { ...given, exp: Number(given['iat']) + 24 * HOUR } : given;
      },
    }),
  },
  {
    id: 'iat-behind',
    story: 'Local time was taken for UTC: `iat` is two hours behind.',
    clauses: ['EXP-03'],
    replace: claims((given) => ({ ...given, iat: asNumber(given['iat']) - 7200 })),
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
    id: 'detail-never-expires',
    story: 'One view verifies the signature and forgets the time.',
    clauses: ['EXP-04', 'EXP-10', 'EXP-11'],
    replace: opens('getKeyword', (context, parts) => {
      try {
        const given = parts.verifySignature(tokenOf(context), 'access');
        return given['token_type'] === 'access' ? given : undefined;
      } catch {
        return undefined;
      }
    }),
  },
  {
    id: 'row-writes-skip-exp',
    story: 'The new view set decodes the token by itself, with verify_exp off from the days of its tests.',
    clauses: ['EXP-04'],
    replace: (parts) => ({
      authenticate: async (context) =>
        isFurther(context) ? authenticatedAtAnyTime(parts, context) : parts.authenticate(context),
    }),
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
    id: 'first-session-never-ends',
    story:
      'Sessions of sign-up are marked, and the expiry check of refresh skips those so that nobody is lost half-way.',
    clauses: ['EXP-06'],
    replace: (parts) => ({
      ...claims((given, kind, occasion) =>
        kind === 'refresh' && occasion === 'register' ? { ...given, onboarding: true } : given,
      )(parts),
      verifyTimes: (given, kind) => {
        const skip = kind === 'refresh' && given['onboarding'] === true && typeof given['exp'] === 'number';
        parts.verifyTimes(skip ? { ...given, exp: Number.MAX_SAFE_INTEGER } : given, kind);
      },
    }),
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
    id: 'grace-of-five-minutes-for-one-row',
    story: 'The detail view is behind a gateway with a leeway of five minutes.',
    clauses: ['EXP-07'],
    replace: forgiving(300, ({ operation }) => operation === 'getKeyword'),
  },
  {
    id: 'grace-of-two-minutes-for-writes',
    story: 'Forms that take long to fill in got two minutes more.',
    clauses: ['EXP-07'],
    replace: forgiving(120, ({ operation }) => operation === 'createKeyword'),
  },
  {
    id: 'five-minutes-leeway',
    story: 'LEEWAY was raised to five minutes for drifting phones, for refresh tokens only.',
    clauses: ['EXP-07'],
    replace: (parts) => ({
      verifyTimes: (claims, kind) => {
        const { exp } = claims;
        parts.verifyTimes(kind === 'refresh' && typeof exp === 'number' ? { ...claims, exp: exp + 300 } : claims, kind);
      },
    }),
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
    id: 'refreshed-access-from-iat',
    story: 'The new access token lives from the `iat` of the refresh token on.',
    clauses: ['EXP-08'],
    replace: byPresented((given, old, kind) =>
      kind === 'access' ? { ...given, exp: Number(old['iat']) + 900 } : given,
    ),
  },
  {
    id: 'viewers-live-longer-after-refresh',
    story: 'The same rule was written into refresh only.',
    clauses: ['EXP-08'],
    replace: (parts) => ({
      claims: (kind, user, chain, occasion) => {
        const given = parts.claims(kind, user, chain, occasion);
        const longer = kind === 'access' && user.role === 'viewer' && occasion === 'refresh';
        return longer ? { ...given, exp: Number(given['iat']) + HALF_DAY } : given;
      },
    }),
  },
  {
    id: 'sign-up-refreshes-to-an-hour',
    story: 'A chain that began at sign-up is of the onboarding kind, whose access tokens last an hour once refreshed.',
    clauses: ['EXP-08'],
    replace: chainsOfSignUp((given, kind, occasion) =>
      kind === 'access' && occasion === 'refresh' ? { ...given, exp: Number(given['iat']) + HOUR } : given,
    ),
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
    id: 'rotated-keeps-exp',
    story: '`set_exp()` is forgotten when the refresh token is rotated: the new one ends when the old one would have.',
    clauses: ['EXP-09'],
    replace: byPresented((given, old, kind) => (kind === 'refresh' ? { ...given, exp: old['exp'] } : given)),
  },
  {
    id: 'sign-up-rotates-to-a-day',
    story: 'A chain that began at sign-up is rotated to refresh tokens of a day.',
    clauses: ['EXP-09'],
    replace: chainsOfSignUp((given, kind, occasion) =>
      kind === 'refresh' && occasion === 'refresh' ? { ...given, exp: Number(given['iat']) + 24 * HOUR } : given,
    ),
  },
  {
    id: 'exp-copied',
    story: 'Rotation sets a new jti and iat and forgets set_exp(): the successor ends when its first ancestor would.',
    clauses: ['EXP-09'],
    replace: (parts) => {
      const presented = new Map<string, unknown>();
      return {
        spend: (claims) => {
          presented.set(String(claims['chain']), claims['exp']);
          return parts.spend(claims);
        },
        claims: (kind, user, chain, occasion) => {
          const claims = parts.claims(kind, user, chain, occasion);
          return kind === 'refresh' && occasion === 'refresh' ? { ...claims, exp: presented.get(chain.id) } : claims;
        },
      };
    },
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
  {
    id: 'refresh-may-lack-exp',
    story: "Expiry is checked `if 'exp' in payload` at the refresh endpoint, since API tokens once had none.",
    clauses: ['EXP-11'],
    replace: (parts) => ({
      verifyTimes: (claims, kind) => {
        const lacks = kind === 'refresh' && claims['exp'] === undefined;
        parts.verifyTimes(lacks ? { ...claims, exp: Number.MAX_SAFE_INTEGER } : claims, kind);
      },
    }),
  },
  ...REMEMBERED.map(({ id, kind, clause }) => ({
    id,
    story: `\`remember_me\` in the body of a login makes the ${kind} token live for twenty days.`,
    clauses: [clause],
    replace: (parts: Parts): Partial<Parts> => ({
      login: async (context) => {
        const outcome = await parts.login(context);
        if (bodyOf(context)['remember_me'] !== true) return outcome;
        const data = dataOf(outcome);
        const given = parts.verifySignature(textOf(data[kind]), kind);
        const longer = parts.sign({ ...given, exp: asNumber(given['iat']) + 480 * HOUR }, kind);
        return { ...outcome, data: { ...data, [kind]: longer } };
      },
    }),
  })),
  {
    id: 'access-ends-with-session',
    story: 'A new access token lives no longer than the refresh token that it was got for, so the last one is short.',
    clauses: ['EXP-08'],
    replace: refreshed(({ access, refresh }, context, parts) => {
      const end = asNumber(partOf(refreshTextOf(context), 1)['exp']);
      const given = parts.verifySignature(access, 'access');
      return { access: end < asNumber(given['exp']) ? parts.sign({ ...given, exp: end }, 'access') : access, refresh };
    }),
  },
  {
    id: 'verdict-kept',
    story: 'The gateway keeps what it found out of a token for five minutes, and does not look at `exp` meanwhile.',
    clauses: ['EXP-07'],
    replace: (parts) => {
      const kept = new Map<string, { user: User; claims: Claims | undefined; until: number }>();
      return {
        authenticate: async (context) => {
          const token = tokenOf(context);
          const known = kept.get(token);
          if (token !== '' && known !== undefined && known.until > parts.clock()) {
            Object.assign(context, { user: known.user, claims: known.claims });
            return known.user;
          }
          const user = await parts.authenticate(context);
          kept.set(token, { user, claims: context.claims, until: parts.clock() + 300_000 });
          return user;
        },
      };
    },
  },
  {
    id: 'login-ends-its-tokens',
    story:
      'Rotation keeps the end that the session row was made with: all tokens of a login end when its first one does.',
    clauses: ['EXP-09'],
    replace: endsWithTheFirst('refresh'),
  },
  {
    id: 'access-counts-from-login',
    story: 'A new access token lives its fifteen minutes from the login on, as the session row remembers it.',
    clauses: ['EXP-08'],
    replace: endsWithTheFirst('access'),
  },
];
