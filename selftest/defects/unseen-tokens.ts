/** Defects, written by somebody who had read the contract and none of the checks: of tokens, their times, and refresh. */
import { createHash, createSecretKey } from 'node:crypto';
import { Refusal, type Chain, type Claims, type Parts } from '../../fixtures/reference/behaviour.js';
import { sign, verifySignature } from '../../fixtures/reference/jwt.js';
import { authenticatedAtAnyTime, delay, isFurther, looseBody, peek, textOf } from './unseen-help.js';
import type { Defect } from './defect.js';

/** The secret that the debugger of jwt.io offers: public, and of the right length. */
const JWT_IO_SECRET = createSecretKey('a-string-secret-at-least-256-bits-long', 'utf8');

/** Claims that are written with another `exp` than the library would let pass. */
function withTextExp(claims: Claims): Claims {
  const written = { ...claims, exp: String(claims['exp']) };
  return { ...claims, toJSON: () => written };
}

/**
 * Rotation that knows the current token and the one before it.
 * @param older what becomes of a token from before that one
 */
function rotation(
  parts: Parts,
  chains: Map<string, Chain>,
  older: (chain: Chain) => Chain | undefined,
): Partial<Parts> {
  const before = new Map<string, string>();
  return {
    spend: (claims) => {
      const chain = chains.get(String(claims['chain']));
      if (chain === undefined || chain.revoked) return undefined;
      if (chain.current !== claims['jti'] && before.get(chain.id) !== claims['jti']) return older(chain);
      if (chain.current === claims['jti']) before.set(chain.id, chain.current);
      return parts.spend(claims);
    },
  };
}

export const UNSEEN_TOKENS: readonly Defect[] = [
  // TOK-05: "`exp` is a NumericDate: a number of seconds, not milliseconds, not text"
  {
    id: 'exp-from-redis',
    story: 'Rotation takes the times of the new refresh token from Redis, where each value is text.',
    clauses: ['TOK-05', 'EXP-11'],
    replace: (parts) => ({
      claims: (kind, user, chain, occasion) => {
        const claims = parts.claims(kind, user, chain, occasion);
        return kind === 'refresh' && occasion === 'refresh' ? withTextExp(claims) : claims;
      },
      verifyTimes: (claims, kind) => {
        const { exp } = claims;
        parts.verifyTimes(
          typeof exp === 'string' && kind === 'refresh' ? { ...claims, exp: Number(exp) } : claims,
          kind,
        );
      },
    }),
  },
  // TOK-06: "`iat` is there and not in the future"
  {
    id: 'iat-in-local-time',
    story: 'datetime.utcnow().timestamp() on a host in New York: in refreshed tokens `iat` is five hours ahead.',
    clauses: ['TOK-06'],
    replace: (parts) => ({
      claims: (kind, user, chain, occasion) => {
        const claims = parts.claims(kind, user, chain, occasion);
        return occasion === 'refresh' ? { ...claims, iat: Number(claims['iat']) + 5 * 3600 } : claims;
      },
    }),
  },
  // TOK-07: "no password, hash or key in a payload"
  {
    id: 'simplejwt-hash-password',
    story: "simplejwt's CHECK_REVOKE_TOKEN: the refresh token carries `hash_password`, an MD5 of the stored password.",
    clauses: ['TOK-07'],
    replace: (parts) => ({
      claims: (kind, user, chain, occasion) => ({
        ...parts.claims(kind, user, chain, occasion),
        ...(kind === 'refresh'
          ? { hash_password: createHash('md5').update(user.passwordHash).digest('hex').toUpperCase() }
          : {}),
      }),
    }),
  },
  // TOK-08: "the HS256 key is not on a list of well-known weak keys"; TOK-09: "both tokens verify with it"
  {
    id: 'refresh-key-of-the-tutorial',
    story:
      'Refresh tokens have a key of their own, and its setting was never given: the default of the tutorial signs.',
    clauses: ['TOK-08', 'TOK-09'],
    replace: (parts) => ({
      sign: (claims, kind) => (kind === 'refresh' ? sign(claims, JWT_IO_SECRET) : parts.sign(claims, kind)),
      verifySignature: (token, kind) =>
        kind === 'refresh' ? verifySignature(token, JWT_IO_SECRET) : parts.verifySignature(token, kind),
    }),
  },

  // EXP-04: "an access token ten minutes past its `exp` … is refused with 401"
  {
    id: 'row-writes-skip-exp',
    story: 'The new view set decodes the token by itself, with verify_exp off from the days of its tests.',
    clauses: ['EXP-04'],
    replace: (parts) => ({
      authenticate: async (context) =>
        isFurther(context) ? authenticatedAtAnyTime(parts, context) : parts.authenticate(context),
    }),
  },
  // EXP-07: "the grace after `exp` is at most 60 s"
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
  // EXP-09: "a rotated refresh token has a full new life of 7 days"
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
  // EXP-11: "a token without `exp` is refused"
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

  // REF-05: "the spent refresh token is refused with 401"
  {
    id: 'remembers-one-spent-token',
    story: 'Only the token before the current one is kept as spent: what is older is in no list, and good again.',
    clauses: ['REF-05'],
    replace: (parts, store) =>
      rotation(parts, store.chains, (chain) => {
        chain.current = parts.tokenId();
        return chain;
      }),
  },
  // REF-13: "reuse of a spent token revokes the whole chain: the newest token is refused too"
  {
    id: 'older-reuse-goes-unnoticed',
    story: 'Reuse is noticed by a `previous` column: a token from two rotations ago is refused, and nothing follows.',
    clauses: ['REF-13'],
    replace: (parts, store) => rotation(parts, store.chains, () => undefined),
  },
  // REF-12: "exactly one is answered with tokens, and the others with a 4xx"
  {
    id: 'losers-get-500',
    story: 'SELECT … FOR UPDATE NOWAIT on the token row: whoever comes second gets an OperationalError nobody catches.',
    clauses: ['REF-12'],
    replace: (parts) => {
      const locked = new Set<unknown>();
      return {
        refresh: async (context) => {
          const jti = peek(textOf(looseBody(context)['refresh']), 1)?.['jti'];
          if (jti === undefined) return parts.refresh(context);
          if (locked.has(jti)) throw new Error('could not obtain lock on row in relation "token_outstanding"');
          locked.add(jti);
          try {
            await delay(15);
            return await parts.refresh(context);
          } finally {
            locked.delete(jti);
          }
        },
      };
    },
  },
  // REF-14: "rotating one login leaves the user's other logins alone"
  {
    id: 'sign-up-session-ends',
    story:
      'The session of the sign-up counts as provisional, and ends when another login of the user is first refreshed.',
    clauses: ['REF-14'],
    replace: (parts) => {
      const first = new Map<number, Chain>();
      return {
        issue: (user, chain, occasion) => {
          const signUp = first.get(user.id);
          if (occasion === 'register') first.set(user.id, chain);
          else if (occasion === 'refresh' && signUp !== undefined && signUp.id !== chain.id) signUp.revoked = true;
          return parts.issue(user, chain, occasion);
        },
      };
    },
  },
  // REF-15: "a request refused before rotation … does not spend the token"
  {
    id: '415-after-rotation',
    story: 'A middleware rotates by whatever body it can read; the view then refuses the content type.',
    clauses: ['REF-15'],
    replace: (parts) => ({
      refresh: async (context) => {
        try {
          return await parts.refresh(context);
        } catch (error) {
          if (error instanceof Refusal && error.status === 415) {
            const token = textOf(looseBody(context)['refresh']);
            try {
              const claims = parts.verifySignature(token, 'refresh');
              parts.verifyKind(claims, 'refresh');
              await parts.spend(claims);
            } catch {
              // Not good in the first place.
            }
          }
          throw error;
        }
      },
    }),
  },
  // REF-10: "a missing, null or non-text `refresh`: 400"
  {
    id: 'list-of-one-token',
    story: 'Form data and JSON share a reader that unwraps a list of one value: `["eyJ…"]` is as good as the token.',
    clauses: ['REF-10'],
    replace: (parts) => ({
      readBody: (context) => {
        const body = parts.readBody(context);
        const { refresh } = body;
        const [only, ...more] = Array.isArray(refresh) ? (refresh as unknown[]) : [];
        return context.operation === 'refresh' && more.length === 0 && textOf(only).split('.').length === 3
          ? { ...body, refresh: only }
          : body;
      },
    }),
  },
];
