/** What tokens may look like, and how long they and their chains may live. */
import { createHash, randomUUID } from 'node:crypto';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import { claims, type Json } from '../defects/helpers.js';
import type { Variant } from './variant.js';

const YEAR_MS = 365 * 86_400_000;

export const TOKENS: readonly Variant[] = [
  {
    id: 'user-id-as-text',
    words: "TOK-04: the user's `id`, as a number or as text.",
    replace: claims((given) => ({ ...given, user_id: String(given['user_id']) })),
  },
  {
    id: 'more-claims',
    words: 'What else is in a payload is not said.',
    replace: claims((given) => ({
      ...given,
      iss: 'igny8',
      aud: ['api'],
      sub: String(given['user_id']),
      nbf: Number(given['iat']),
    })),
  },
  {
    id: 'old-iat-after-refresh',
    words: "Lifetimes are judged against the server's own `Date`: libraries copy an old `iat` into refreshed tokens.",
    replace: claims((given, _, occasion) =>
      occasion === 'refresh' ? { ...given, iat: Number(given['iat']) - 3000 } : given,
    ),
  },
  {
    id: 'exp-in-fractions',
    words: 'A NumericDate is a number of seconds; non-integer values can be represented (RFC 7519 §2).',
    replace: claims((given) => ({ ...given, exp: Number(given['exp']) + 0.25, iat: Number(given['iat']) + 0.25 })),
  },
  {
    id: 'remembers-what-it-issued',
    words: 'Servers rightly refuse tokens that they never issued; the clause is unverified.',
    replace: (parts) => {
      const issued = new Set<string>();
      const hash = (token: string): string => createHash('sha256').update(token).digest('hex');
      let genuine = true;
      return {
        sign: (given, kind) => {
          // Each with something in it that a second signing would not have.
          const token = parts.sign({ ...given, nonce: randomUUID() }, kind);
          issued.add(hash(token));
          return token;
        },
        verifySignature: (token, kind) => {
          const verified = parts.verifySignature(token, kind);
          genuine = issued.has(hash(token));
          if (!genuine) throw unauthenticated('Invalid or expired token');
          return verified;
        },
      };
    },
    // Signed again unchanged, a token is the same text: only one that is not is refused, and with it whatever the key would show.
    unverified: ['EXP-04', 'EXP-05', 'EXP-06', 'EXP-07', 'EXP-10', 'EXP-11', 'UNA-16', 'UNA-17', 'FOR-09'],
  },
  {
    id: 'access-ends-with-rotation',
    words: 'Whether access tokens of a revoked or rotated chain live on is not judged.',
    replace: (parts) => {
      const newest = new Map<unknown, unknown>();
      const checked = (given: Json): Json => {
        if (given['token_type'] === 'access' && newest.get(given['login']) !== given['jti'])
          throw unauthenticated('Invalid or expired token');
        return given;
      };
      return {
        claims: (kind, user, chain, occasion) => {
          const given = { ...parts.claims(kind, user, chain, occasion), login: chain.id };
          if (kind === 'access') newest.set(chain.id, (given as Json)['jti']);
          return given;
        },
        verifySignature: (token, kind) => checked(parts.verifySignature(token, kind)),
      };
    },
  },
  {
    id: 'access-ends-with-its-chain',
    words: 'Whether access tokens of a revoked or rotated chain live on is not judged.',
    replace: (parts, store) => ({
      claims: (kind, user, chain, occasion) => ({ ...parts.claims(kind, user, chain, occasion), chain: chain.id }),
      verifyKind: (given, kind) => {
        parts.verifyKind(given, kind);
        if (kind === 'access' && store.chains.get(String(given['chain']))?.revoked === true)
          throw unauthenticated('Invalid or expired token');
      },
    }),
  },
  {
    id: 'grace-of-30-seconds',
    words: 'EXP-07: a grace after `exp` of at most 60 s.',
    replace: (parts) => ({
      verifyTimes: (given, kind) => {
        parts.verifyTimes(typeof given['exp'] === 'number' ? { ...given, exp: given['exp'] + 30 } : given, kind);
      },
    }),
  },
  {
    id: 'two-years-ahead',
    words: "Lifetimes are judged against the server's own `Date`.",
    options: { clock: () => Date.now() + 2 * YEAR_MS },
  },
  {
    id: 'two-years-behind',
    words: "Lifetimes are judged against the server's own `Date`.",
    options: { clock: () => Date.now() - 2 * YEAR_MS },
  },
  {
    id: 'reuse-ends-all-logins',
    words: 'REF-13: reuse of a spent token revokes the whole chain. That it ends more than the chain is not forbidden.',
    replace: (parts, store) => ({
      reused: (chain) => {
        for (const other of store.chains.values()) if (other.userId === chain.userId) other.revoked = true;
      },
      claims: (kind, user, chain, occasion) => ({ ...parts.claims(kind, user, chain, occasion), chain: chain.id }),
      verifyKind: (given, kind) => {
        parts.verifyKind(given, kind);
        if (kind === 'access' && store.chains.get(String(given['chain']))?.revoked === true)
          throw unauthenticated('Invalid or expired token');
      },
    }),
  },
  {
    id: 'tokens-of-three-kilobytes',
    words: 'What else is in a payload is not said: permissions by the hundred, and the header line still below 7 KB.',
    replace: claims((given, kind) =>
      kind === 'access'
        ? { ...given, permissions: Array.from({ length: 100 }, (_, n) => `planner.keyword.${String(n)}`) }
        : given,
    ),
  },
  {
    id: 'claims-nested',
    words: 'What else is in a payload is not said.',
    replace: claims((given) => ({ ...given, context: { tenant: { id: 1, plan: null }, flags: [true, [1, 2]] } })),
  },
  {
    id: 'jti-a-number',
    words: '`jti` is not in the contract; chains are told by it inside the server only.',
    replace: (parts) => {
      let last = 1_700_000_000;
      return { tokenId: () => String((last += 1)), claims: parts.claims };
    },
  },
  {
    id: 'exp-half-a-second-late',
    words: 'EXP-01: within 5 s plus the round trip.',
    replace: claims((given) => ({ ...given, exp: Number(given['exp']) + 1 })),
  },
  {
    id: 'iat-a-second-early',
    words: 'EXP-03: `iat` is in step with the server’s own `Date`, within 5 s.',
    replace: claims((given) => ({ ...given, iat: Number(given['iat']) - 1 })),
  },
  {
    id: 'date-of-a-proxy',
    words: 'Lifetimes are judged against the server’s own `Date`: a proxy keeps one text of it for a second.',
    replace: (parts) => {
      let kept = { at: 0, text: '' };
      return {
        headers: (context, status) => {
          const now = parts.clock();
          if (now < kept.at || now >= kept.at + 1000) kept = { at: now, text: new Date(now).toUTCString() };
          return { ...parts.headers(context, status), Date: kept.text };
        },
      };
    },
  },
  {
    id: 'a-day-ahead',
    words: 'Lifetimes are judged against the server’s own `Date`: one that is in another time zone by mistake.',
    options: { clock: () => Date.now() + 86_400_000 },
  },
];
