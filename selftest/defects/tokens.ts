/** Faults of tokens, their lifetimes, and of refresh. */
import { createHmac } from 'node:crypto';
import {
  Refusal,
  type Claims,
  type Context,
  type Occasion,
  type Parts,
  type TokenKind,
} from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import { decode, encodePart } from '../../fixtures/evidence/jwt.js';
import type { Defect } from './defect.js';

const claims =
  (change: (claims: Claims, kind: TokenKind, occasion: Occasion, parts: Parts) => Claims) =>
  (parts: Parts): Partial<Parts> => ({
    claims: (kind, user, chain, occasion) => change(parts.claims(kind, user, chain, occasion), kind, occasion, parts),
  });

const lifetime =
  (change: (seconds: number, kind: TokenKind, occasion: Occasion) => number) =>
  (parts: Parts): Partial<Parts> => ({
    lifetime: (kind, occasion) => change(parts.lifetime(kind, occasion), kind, occasion),
  });

/** Another judgement of a token's times, by its claims and the server's clock in seconds. */
const times =
  (kinds: readonly TokenKind[], good: (claims: Claims, now: number) => boolean) =>
  (parts: Parts): Partial<Parts> => ({
    verifyTimes: (given, kind) => {
      if (!kinds.includes(kind)) parts.verifyTimes(given, kind);
      else if (!good(given, parts.clock() / 1000)) throw unauthenticated('Invalid or expired token');
    },
  });

const number = (value: unknown): number => (typeof value === 'number' ? value : NaN);
const nbfPassed = ({ nbf }: Claims, now: number): boolean => nbf === undefined || number(nbf) <= now;

/** For defects that sign by hand. */
const KNOWN_KEY = '6a0e-conformance-b7d2-long-enough-to-be-strong-44f1';

/** Claims of a token that nobody verified. */
const unverified = (token: string): Claims => {
  const decoded = decode(token);
  if (decoded === undefined) throw unauthenticated('Invalid or expired token');
  return decoded.claims;
};

/** Tokens of one kind that are not JWTs of ours: known by heart, and good as long as they are known. */
const remembered =
  (kind: TokenKind, write: (claims: Claims) => string) =>
  (parts: Parts): Partial<Parts> => {
    const issued = new Map<string, Claims>();
    return {
      sign: (given, of) => {
        if (of !== kind) return parts.sign(given, of);
        const token = write(given);
        issued.set(token, given);
        return token;
      },
      verifySignature: (token, of) => {
        const given = of === kind ? issued.get(token) : undefined;
        if (of === kind && given === undefined) throw unauthenticated('Invalid or expired token');
        return given ?? parts.verifySignature(token, of);
      },
    };
  };

const header =
  (members: object, key = 'x') =>
  (given: Claims) => {
    const input = `${encodePart(members)}.${encodePart(given)}`;
    return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
  };

/** What refresh answers with, changed. */
const refreshed =
  (change: (pair: { access: string; refresh: string }, context: Context, parts: Parts) => object, status = 200) =>
  (parts: Parts): Partial<Parts> => ({
    refresh: async (context) => {
      const outcome = (await parts.refresh(context)) as { data: { access: string; refresh: string } };
      return { status, data: change(outcome.data, context, parts) };
    },
  });

const refusedRefresh =
  (change: (refusal: Refusal, context: Context) => Refusal) =>
  (parts: Parts): Partial<Parts> => ({
    refresh: async (context) => {
      try {
        return await parts.refresh(context);
      } catch (error) {
        throw error instanceof Refusal ? change(error, context) : error;
      }
    },
  });

const bodyOf = ({ rawBody }: Context): Record<string, unknown> => {
  try {
    return (JSON.parse(rawBody.toString()) ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
};

const refreshOf = (context: Context): unknown => bodyOf(context)['refresh'];

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Chains refused from their nth rotation on. */
const lastingFor =
  (rotations: number) =>
  (parts: Parts): Partial<Parts> => {
    const turns = new Map<string, number>();
    return {
      spend: (given) => {
        const id = String(given['chain']);
        const turn = (turns.get(id) ?? 0) + 1;
        turns.set(id, turn);
        return turn > rotations ? undefined : parts.spend(given);
      },
    };
  };

const refreshSignature =
  (accept: (token: string) => boolean) =>
  (parts: Parts): Partial<Parts> => ({
    verifySignature: (token, kind) =>
      kind === 'refresh' && accept(token)
        ? unverified(token.split('.').length === 2 ? `${token}.` : token)
        : parts.verifySignature(token, kind),
  });

const signedWith = (token: string, key: string | Buffer): boolean => {
  const [head = '', body = '', signature] = token.split('.');
  return createHmac('sha256', key).update(`${head}.${body}`).digest('base64url') === signature;
};

const algOf = (token: string): string => {
  try {
    return String(
      (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { alg?: unknown }).alg,
    );
  } catch {
    return '';
  }
};

export const TOKENS: readonly Defect[] = [
  {
    id: 'refresh-opaque',
    story: 'Refresh tokens are random texts since the last rewrite.',
    clauses: ['TOK-01'],
    replace: remembered('refresh', (given) => `${String(given['jti'])}${String(given['jti'])}`),
  },
  {
    id: 'refresh-unsigned',
    story: 'Refresh tokens are looked up anyway, so nobody signs them.',
    clauses: ['TOK-02', 'TOK-09'],
    replace: remembered('refresh', (given) => `${encodePart({ alg: 'none', typ: 'JWT' })}.${encodePart(given)}.`),
  },
  {
    id: 'refresh-other-alg',
    story: 'Another service issues the refresh tokens, with RS256.',
    clauses: ['TOK-03', 'TOK-09'],
    replace: remembered('refresh', header({ alg: 'RS256', typ: 'JWT' })),
  },
  {
    id: 'typ-missing',
    story: 'The header is built by hand.',
    clauses: ['TOK-03', 'TOK-09'],
    replace: remembered('refresh', header({ alg: 'HS256' })),
  },
  {
    id: 'user-id-called-sub',
    story: 'Another library, other claims: the user is in `sub`.',
    clauses: ['TOK-04'],
    replace: (parts) => ({
      ...claims(({ user_id, ...given }, kind) =>
        kind === 'access' ? { ...given, sub: user_id } : { ...given, user_id },
      )(parts),
      userById: (id) => parts.userById(id),
      verifySignature: (token, kind) => {
        const given = parts.verifySignature(token, kind);
        return given['user_id'] === undefined ? { ...given, user_id: given['sub'] } : given;
      },
    }),
  },
  {
    id: 'user-id-of-account',
    story: 'The id of the account is taken for that of the user.',
    clauses: ['TOK-04'],
    replace: (parts) => ({
      ...claims((given, kind) =>
        kind === 'access' ? { ...given, user_id: Number(given['user_id']) + 500, own: given['user_id'] } : given,
      )(parts),
      userById: (id) => parts.userById(typeof id === 'number' && id > 500 && id < 900 ? id - 500 : id),
    }),
  },
  {
    id: 'exp-in-milliseconds',
    story: '`Date.now()` was taken for seconds.',
    clauses: ['TOK-05', 'EXP-04', 'EXP-06', 'EXP-10', 'EXP-11'],
    replace: (parts) => ({
      ...claims((given) => ({ ...given, exp: number(given['exp']) * 1000 }))(parts),
      verifyTimes: () => undefined,
    }),
  },
  {
    id: 'exp-as-text',
    story: '`exp` is written as ISO text.',
    clauses: ['TOK-05'],
    options: { jwtSecret: KNOWN_KEY },
    replace: remembered('refresh', (given) =>
      header(
        { alg: 'HS256', typ: 'JWT' },
        KNOWN_KEY,
      )({ ...given, exp: new Date(number(given['exp']) * 1000).toISOString() }),
    ),
  },
  {
    id: 'iat-missing',
    story: 'The payload is made by hand, without `iat`.',
    clauses: ['TOK-06'],
    replace: claims(({ iat: _, ...given }) => given),
  },
  {
    id: 'iat-ahead',
    story: 'Local time was taken for UTC: `iat` is an hour ahead.',
    clauses: ['TOK-06', 'EXP-03'],
    replace: claims((given) => ({ ...given, iat: number(given['iat']) + 3600 })),
  },
  {
    id: 'iat-behind',
    story: 'Local time was taken for UTC: `iat` is two hours behind.',
    clauses: ['EXP-03'],
    replace: claims((given) => ({ ...given, iat: number(given['iat']) - 7200 })),
  },
  {
    id: 'hash-in-payload',
    story: 'The password hash is in the payload, to end tokens when it changes.',
    clauses: ['TOK-07'],
    replace: claims((given) => ({ ...given, pwd: 'pbkdf2_sha256$870000$c2FsdA$aGFzaA==' })),
  },
  {
    id: 'key-in-payload',
    story: 'The settings were merged into the payload.',
    clauses: ['TOK-07'],
    options: { jwtSecret: 'f3b1-conformance-9d1c-long-enough-to-be-strong-71aa' },
    replace: claims((given) => ({ ...given, cfg: 'f3b1-conformance-9d1c-long-enough-to-be-strong-71aa' })),
  },
  {
    id: 'weak-key',
    story: 'The key is `secret`, as in the tutorial.',
    clauses: ['TOK-08'],
    options: { jwtSecret: 'secret' },
  },
  {
    id: 'weak-key-of-template',
    story: "The key is the settings template's own.",
    clauses: ['TOK-08'],
    options: { jwtSecret: 'django-insecure-change-me' },
  },
  {
    id: 'weak-key-of-tutorial',
    story: "The key is one that a framework's tutorial prints.",
    clauses: ['TOK-08'],
    options: { jwtSecret: '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7' },
  },
  {
    id: 'weak-key-of-product',
    story: "The key is the product's name and what it is for.",
    clauses: ['TOK-08'],
    options: { jwtSecret: 'igny8-backend-secret-key-2025' },
  },
  {
    id: 'refresh-by-other-key',
    story: 'Refresh tokens have a key of their own, that nobody wrote down.',
    clauses: ['TOK-09'],
    replace: remembered('refresh', header({ alg: 'HS256', typ: 'JWT' })),
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
    replace: times(['access'], (given, now) => number(given['iat']) + 900 > now && nbfPassed(given, now)),
  },
  {
    id: 'access-grace-11-minutes',
    story: 'A leeway in the wrong unit.',
    clauses: ['EXP-04'],
    replace: times(['access'], (given, now) => number(given['exp']) + 660 > now && nbfPassed(given, now)),
  },
  {
    id: 'access-ends-early',
    story: 'A leeway with the wrong sign: the last minute and a half is refused.',
    clauses: ['EXP-05', 'JRN-06'],
    replace: times(['access'], (given, now) => number(given['exp']) - 90 > now && nbfPassed(given, now)),
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
    replace: times(['access'], (given, now) => number(given['exp']) + 300 > now && nbfPassed(given, now)),
  },
  {
    id: 'grace-2-minutes',
    story: 'A leeway of two minutes.',
    clauses: ['EXP-07'],
    replace: times(['access'], (given, now) => number(given['exp']) + 120 > now && nbfPassed(given, now)),
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
    replace: times(['access', 'refresh'], (given, now) => number(given['exp']) > now),
  },
  {
    id: 'nbf-ignored-on-refresh',
    story: 'Only one of the two paths looks at `nbf`.',
    clauses: ['EXP-10'],
    replace: times(['refresh'], (given, now) => number(given['exp']) > now),
  },
  {
    id: 'exp-optional',
    story: 'The library checks `exp` where it is there.',
    clauses: ['EXP-11'],
    replace: times(
      ['access'],
      (given, now) => (given['exp'] === undefined || number(given['exp']) > now) && nbfPassed(given, now),
    ),
  },
  {
    id: 'exp-optional-on-refresh',
    story: 'The same, on refresh only.',
    clauses: ['EXP-11'],
    replace: times(
      ['refresh'],
      (given, now) => (given['exp'] === undefined || number(given['exp']) > now) && nbfPassed(given, now),
    ),
  },
  {
    id: 'old-session-ends',
    story: 'The session store forgets after five minutes, whatever the token says.',
    clauses: ['JRN-06'],
    replace: (parts) =>
      times(['access'], (given, now) => {
        parts.verifyTimes(given, 'access');
        return number(given['iat']) + 300 > now || number(given['exp']) - number(given['iat']) !== 900;
      })(parts),
  },

  {
    id: 'refresh-201',
    story: 'Refresh is a create view.',
    clauses: ['REF-01'],
    replace: refreshed((pair) => pair, 201),
  },
  {
    id: 'refresh-access-only',
    story: 'Rotation was built and reverted: an access token alone comes back.',
    clauses: ['REF-01'],
    replace: refreshed(({ access }) => ({ access })),
  },
  {
    id: 'refresh-of-other-user',
    story: 'The new access token is for the next user of the table.',
    clauses: ['REF-02'],
    replace: refreshed(({ access, refresh }, _, parts) => ({
      refresh,
      access: parts.sign({ ...unverified(access), user_id: (Number(unverified(access)['user_id']) % 3) + 1 }, 'access'),
    })),
  },
  {
    id: 'refreshed-access-dead',
    story: 'The new access token carries the revoked session of the old.',
    clauses: ['REF-02'],
    replace: (parts) => ({
      ...claims((given, kind, occasion) =>
        kind === 'access' && occasion === 'refresh' ? { ...given, session: 'old' } : given,
      )(parts),
      verifyTimes: (given, kind) => {
        if (given['session'] === 'old') throw unauthenticated();
        parts.verifyTimes(given, kind);
      },
    }),
  },
  {
    id: 'refresh-same-access',
    story: 'The access token is cached until it ends.',
    clauses: ['REF-03'],
    replace: (parts) => {
      const cache = new Map<string, string>();
      return {
        issue: (user, chain, occasion) => {
          const pair = parts.issue(user, chain, occasion);
          const access = cache.get(chain.id) ?? pair.access;
          cache.set(chain.id, access);
          return { ...pair, access };
        },
      };
    },
  },
  {
    id: 'refresh-same-refresh',
    story: '`ROTATE_REFRESH_TOKENS` is off, and the token presented is given back.',
    clauses: ['REF-04', 'REF-12'],
    replace: (parts, store) => ({
      spend: (given) => store.chains.get(String(given['chain'])),
      ...refreshed(({ access }, context) => ({ access, refresh: refreshOf(context) }))({
        ...parts,
        refresh: parts.refresh,
      }),
    }),
  },
  {
    id: 'spent-accepted',
    story: '`ROTATE_REFRESH_TOKENS` without `BLACKLIST_AFTER_ROTATION`.',
    clauses: ['REF-05', 'REF-12'],
    replace: (parts, store) => ({
      spend: (given) => {
        const chain = store.chains.get(String(given['chain']));
        if (chain !== undefined) chain.current = parts.tokenId();
        return chain;
      },
    }),
  },
  {
    id: 'spent-accepted-once',
    story: 'A grace for the token before the last, for browsers with two tabs, without an end.',
    clauses: ['REF-05', 'REF-12'],
    replace: (parts, store) => {
      const before = new Map<string, unknown>();
      return {
        spend: async (given) => {
          const chain = store.chains.get(String(given['chain']));
          if (chain !== undefined && !chain.revoked && before.get(chain.id) === given['jti']) {
            chain.current = parts.tokenId();
            return chain;
          }
          const spent = await parts.spend(given);
          if (spent !== undefined) before.set(spent.id, given['jti']);
          return spent;
        },
      };
    },
  },
  {
    id: 'spent-400',
    story: 'Right refusal, wrong status.',
    clauses: ['REF-05'],
    replace: (parts) => ({
      spend: async (given) => {
        const chain = await parts.spend(given);
        if (chain === undefined) throw new Refusal(400, 'Token is blacklisted');
        return chain;
      },
    }),
  },
  {
    id: 'rotation-twice',
    story: 'The third rotation in a row is taken for abuse.',
    clauses: ['REF-06'],
    replace: lastingFor(2),
  },
  {
    id: 'refresh-reads-bearer',
    story: 'Authentication classes run on refresh, and an expired token is refused.',
    clauses: ['REF-07'],
    replace: (parts) => ({
      refresh: async (context) => {
        if (context.headers['authorization'] !== undefined) await parts.authenticate(context);
        return parts.refresh(context);
      },
    }),
  },
  {
    id: 'refresh-wants-bearer',
    story: '`IsAuthenticated` on refresh: it needs the token that has ended.',
    clauses: ['REF-01', 'ROB-03'],
    replace: (parts) => ({
      refresh: async (context) => {
        await parts.authenticate(context);
        return parts.refresh(context);
      },
    }),
  },
  {
    id: 'no-jwt-404',
    story: 'Text that is no JWT is looked up among session keys.',
    clauses: ['REF-08'],
    replace: refusedRefresh((refusal, context) =>
      refusal.status === 401 &&
      typeof refreshOf(context) === 'string' &&
      String(refreshOf(context)).split('.').length !== 3 &&
      String(refreshOf(context)).length < 200
        ? new Refusal(404, 'Resource not found')
        : refusal,
    ),
  },
  {
    id: 'access-as-refresh',
    story: 'The token type is not checked on refresh.',
    clauses: ['REF-09'],
    replace: (parts) => ({
      verifyKind: (given, kind) => {
        if (kind !== 'refresh') parts.verifyKind(given, kind);
      },
      spend: (given) => {
        const user = parts.userById(given['user_id']);
        return given['chain'] === undefined && user !== undefined ? parts.openChain(user) : parts.spend(given);
      },
    }),
  },
  {
    id: 'refresh-null-500',
    story: '`None` is handed to the decoder.',
    clauses: ['REF-10', 'ROB-02', 'ROB-07'],
    replace: refusedRefresh((refusal, context) =>
      refreshOf(context) === null ? new Refusal(500, 'Internal server error') : refusal,
    ),
  },
  {
    id: 'refresh-missing-401',
    story: 'A missing token is an invalid one.',
    clauses: ['REF-10'],
    replace: refusedRefresh((refusal, context) =>
      refusal.status === 400 && refreshOf(context) === undefined ? unauthenticated() : refusal,
    ),
  },
  {
    id: 'refresh-blank-422',
    story: 'Blanks pass the serializer and fail behind it.',
    clauses: ['REF-10'],
    replace: refusedRefresh((refusal, context) =>
      refreshOf(context) === '   ' ? new Refusal(422, refusal.error) : refusal,
    ),
  },
  {
    id: 'refresh-signature-ignored',
    story: 'The signature is checked on one path only: refresh looks up the `jti`.',
    clauses: ['REF-11'],
    replace: refreshSignature((token) => token.split('.').length === 3 && token.length > 60),
  },
  {
    id: 'refresh-none',
    story: '`alg: none` is accepted by the library of the refresh service.',
    clauses: ['REF-11'],
    replace: refreshSignature((token) => algOf(token) === 'none'),
  },
  {
    id: 'refresh-none-in-other-case',
    story: 'The deny list of the refresh service knows `none`, and not `nOnE`.',
    clauses: ['REF-11'],
    replace: refreshSignature((token) => algOf(token) !== 'none' && algOf(token).toLowerCase() === 'none'),
  },
  {
    id: 'refresh-jwk-symmetric',
    story: 'The refresh service takes the key out of the header.',
    clauses: ['REF-11'],
    replace: refreshSignature((token) => {
      const jwk = decode(token)?.header['jwk'] as { k?: unknown } | undefined;
      return typeof jwk?.k === 'string' && signedWith(token, Buffer.from(jwk.k, 'base64url'));
    }),
  },
  {
    id: 'refresh-kid-is-a-path',
    story: '`kid` names a file for the refresh service, and `/dev/null` is an empty one.',
    clauses: ['REF-11'],
    replace: refreshSignature(
      (token) => String(decode(token)?.header['kid']).endsWith('/dev/null') && signedWith(token, ''),
    ),
  },
  {
    id: 'refresh-stripped',
    story: 'Two parts are taken for an unsigned token (CVE-2020-28042).',
    clauses: ['REF-11'],
    replace: refreshSignature((token) => /^eyJ[\w-]+\.[\w-]+\.?$/.test(token) && algOf(token) === 'HS256'),
  },
  {
    id: 'refresh-race',
    story: 'Check, then insert: the blacklist is read and written in two steps.',
    clauses: ['REF-12'],
    replace: raceWindow,
  },
  {
    id: 'refresh-race-none',
    story: 'All who come at once find the row locked, and all are refused.',
    clauses: ['REF-12'],
    replace: (parts) => {
      const busy = new Map<unknown, number>();
      return {
        spend: async (given) => {
          const id = given['jti'];
          busy.set(id, (busy.get(id) ?? 0) + 1);
          await pause(25);
          const together = busy.get(id) ?? 0;
          await pause(25);
          busy.delete(id);
          return together > 1 ? undefined : parts.spend(given);
        },
      };
    },
  },
  {
    id: 'reuse-unpunished',
    story: 'The one token is on the blacklist, the family lives on.',
    clauses: ['REF-13'],
    replace: () => ({ reused: () => undefined }),
  },
  {
    id: 'reuse-punished-second-time',
    story: 'Only the second reuse ends the chain.',
    clauses: ['REF-13'],
    replace: (parts) => {
      const seen = new Set<string>();
      return {
        reused: (chain) => {
          if (seen.has(chain.id)) parts.reused(chain);
          seen.add(chain.id);
        },
      };
    },
  },
  {
    id: 'rotation-ends-others',
    story: 'Rotation blacklists all outstanding tokens of the user.',
    clauses: ['REF-14'],
    replace: (parts, store) => ({
      spend: async (given) => {
        const chain = await parts.spend(given);
        if (chain !== undefined)
          for (const other of store.chains.values())
            if (other.userId === chain.userId && other.id !== chain.id) other.revoked = true;
        return chain;
      },
    }),
  },
  {
    id: 'malformed-spends',
    story: 'A gateway extracts and spends the token before the body is parsed.',
    clauses: ['REF-15'],
    replace: (parts) => ({
      readBody: (context) => {
        try {
          return parts.readBody(context);
        } catch (error) {
          const token = /"refresh":"([^"]+)"/.exec(context.rawBody.toString())?.[1] ?? '';
          if (
            context.operation === 'refresh' &&
            token.split('.').length === 3 &&
            token.length > 100 &&
            token.length < 4000
          ) {
            try {
              void parts.spend(parts.verifySignature(token, 'refresh'));
            } catch {
              /* not a token after all */
            }
          }
          throw error;
        }
      },
    }),
  },

  {
    id: 'login-locked-after-reuse',
    story: 'Reuse locks the account, not only the chain: the user cannot log in again.',
    clauses: ['JRN-03'],
    replace: (parts) => {
      let locked = 0;
      return {
        reused: (chain) => {
          parts.reused(chain);
          locked += 1;
        },
        login: (context) => {
          if (locked > 0) {
            locked = 0;
            throw new Refusal(403, 'Account locked');
          }
          return parts.login(context);
        },
      };
    },
  },
  {
    id: 'bad-bearer-ends-session',
    story: 'A spoiled bearer token is taken for theft, and the sessions of the user named in it are ended.',
    clauses: ['JRN-04'],
    replace: (parts, store) => ({
      verifySignature: (token, kind) => {
        try {
          return parts.verifySignature(token, kind);
        } catch (error) {
          const user = kind === 'access' ? decode(token)?.claims['user_id'] : undefined;
          for (const chain of store.chains.values()) if (chain.userId === user) chain.revoked = true;
          throw error;
        }
      },
    }),
  },
  {
    id: 'expired-bearer-ends-session',
    story: 'Who comes with an expired token is logged out everywhere: weeks of random logouts.',
    clauses: ['JRN-02'],
    replace: (parts, store) => ({
      verifyTimes: (given, kind) => {
        try {
          parts.verifyTimes(given, kind);
        } catch (error) {
          if (kind === 'access')
            for (const chain of store.chains.values()) if (chain.userId === given['user_id']) chain.revoked = true;
          throw error;
        }
      },
    }),
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
    id: 'late-use-ends-session',
    story: 'A token used in its last minute closes the sliding session.',
    clauses: ['JRN-05'],
    replace: (parts, store) => ({
      authenticate: async (context) => {
        const user = await parts.authenticate(context);
        if (number(context.claims?.['exp']) - parts.clock() / 1000 < 61)
          for (const chain of store.chains.values()) if (chain.userId === user.id) chain.revoked = true;
        return user;
      },
    }),
  },
  {
    id: 'login-needs-a-plan',
    story: '403 right after login: the list asks for a plan that this account does not have.',
    clauses: ['JRN-01'],
    replace: (parts) => ({
      listKeywords: async (context) => {
        await parts.authenticate(context);
        throw new Refusal(403, 'Permission denied');
      },
    }),
  },
];

/** Between the look at the current token and its change, others get in. */
function raceWindow(parts: Parts): Partial<Parts> {
  const spent = new Set<string>();
  return {
    spend: async (given) => {
      const id = `${String(given['chain'])} ${String(given['jti'])}`;
      const seen = spent.has(id);
      await pause(15);
      const late = spent.has(id) && !seen;
      spent.add(id);
      // It looked before the winner wrote, and so it is let in as well.
      const user = late ? parts.userById(given['user_id']) : undefined;
      return user === undefined ? parts.spend(given) : parts.openChain(user);
    },
  };
}
