/** Spent refresh tokens that come again, one by one or at the same moment. */
import { type Chain, type Claims, type Parts, Refusal } from '../../fixtures/reference/behaviour.js';
import type { Defect } from './defect.js';
import {
  bearerOf,
  chainOf,
  crash,
  looseBody,
  losersOfARace,
  on,
  pause,
  peek,
  refreshTextOf,
  textOf,
  partOf,
} from './helpers.js';

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

/** Spent tokens are known by their text, of which `clean` makes what is decoded. */
const blacklistByText =
  (clean: (token: string) => string) =>
  (parts: Parts, store: { readonly chains: ReadonlyMap<string, Chain> }): Partial<Parts> => {
    const texts = new WeakMap<Claims, string>();
    const spent = new Set<string>();
    return {
      validateRefresh: (body) => parts.validateRefresh(body),
      verifySignature: (token, kind) => {
        if (kind === 'access') return parts.verifySignature(token, kind);
        const given = { ...parts.verifySignature(clean(token), kind) };
        texts.set(given, token);
        return given;
      },
      spend: (given) => {
        const chain = store.chains.get(textOf(given['chain']));
        const presented = texts.get(given) ?? '';
        if (chain === undefined || chain.revoked) return undefined;
        if (spent.has(presented)) {
          parts.reused(chain);
          return undefined;
        }
        spent.add(presented);
        chain.current = parts.tokenId();
        return chain;
      },
    };
  };

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

export const REFRESH_REUSE: readonly Defect[] = [
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
    id: 'spent-list-forgets',
    story: 'The list of spent tokens keeps the last one of each login.',
    clauses: ['REF-05'],
    replace: (parts, store) => {
      const last = new Map<string, unknown>();
      return {
        spend: (given) => {
          const chain = store.chains.get(String(given['chain']));
          const forgotten = chain !== undefined && ![chain.current, last.get(chain.id)].includes(given['jti']);
          if (chain !== undefined && forgotten && given['jti'] !== undefined) {
            chain.current = parts.tokenId();
            return chain;
          }
          const spent = chain?.current;
          const good = parts.spend(given);
          if (chain !== undefined && chain.current !== spent) last.set(chain.id, spent);
          return good;
        },
      };
    },
  },
  {
    id: 'spent-token-good-beside-bearer',
    story: 'Whoever brings a live access token of the same user may present a spent refresh token once more.',
    clauses: ['REF-05'],
    replace: on('refresh', async (context, parts, store) => {
      const user = await bearerOf(parts, context);
      if (user === undefined) return undefined;
      let given: Claims;
      try {
        given = parts.verifySignature(refreshTextOf(context), 'refresh');
      } catch {
        return undefined;
      }
      const chain = store.chains.get(textOf(given['chain']));
      if (given['user_id'] !== user.id || chain === undefined || chain.current === given['jti']) return undefined;
      return { status: 200, data: parts.issue(user, chain, 'refresh') };
    }),
  },
  {
    id: 'spent-tokens-forgotten-at-login',
    story: 'The list of spent tokens is per user, and a new login clears it.',
    // The race is in a session that a login began: a token of it is good twice.
    clauses: ['REF-05', 'REF-12'],
    replace: (parts, store) => {
      const cleared = new Set<string>();
      return {
        login: async (context) => {
          const outcome = await parts.login(context);
          const user = chainOf(parts, store.chains, outcome)?.userId;
          for (const chain of store.chains.values()) if (chain.userId === user) cleared.add(chain.id);
          return outcome;
        },
        spend: (given) => {
          const chain = store.chains.get(textOf(given['chain']));
          if (chain === undefined || !cleared.has(chain.id) || chain.revoked) return parts.spend(given);
          if (chain.current !== given['jti']) cleared.delete(chain.id);
          chain.current = parts.tokenId();
          return chain;
        },
      };
    },
  },
  {
    id: 'spent-tokens-by-text-padded',
    story: 'Spent tokens are known by their text; the decoder forgives padding and spare bits.',
    clauses: ['REF-05'],
    replace: blacklistByText((token) => {
      const [header = '', payload = '', signature = ''] = token.split('.');
      if (!/^[\w-]+=*$/.test(signature)) return token;
      return [header, payload, Buffer.from(signature, 'base64url').toString('base64url')].join('.');
    }),
  },
  {
    id: 'spent-tokens-by-text-trimmed',
    story: 'Spent tokens are known by their text as it came; blanks around it are cut off before it is verified.',
    clauses: ['REF-05'],
    replace: blacklistByText((token) => token.trim()),
  },
  {
    id: 'spent-tokens-by-text-bearer',
    story: 'Spent tokens are known by their text as it came; a `Bearer` in front is cut off, for clients that send it.',
    clauses: ['REF-05'],
    replace: blacklistByText((token) => token.replace(/^Bearer /, '')),
  },
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
            await pause(15);
            return await parts.refresh(context);
          } finally {
            locked.delete(jti);
          }
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
    id: 'older-reuse-goes-unnoticed',
    story: 'Reuse is noticed by a `previous` column: a token from two rotations ago is refused, and nothing follows.',
    clauses: ['REF-13'],
    replace: (parts, store) => rotation(parts, store.chains, () => undefined),
  },
  {
    id: 'losers-of-a-refresh-race-500',
    story: 'The unique index on spent tokens lets one of several through; for the others nobody catches its error.',
    clauses: ['REF-12'],
    replace: losersOfARace(crash),
  },
  {
    id: 'reuse-known-of-the-first-only',
    story: 'Reuse is looked for in the table of logins, which has the token that login gave; later ones end nothing.',
    clauses: ['REF-13'],
    replace: (parts) => {
      const first = new Map<string, unknown>();
      let presented: unknown;
      return {
        claims: (kind, user, chain, occasion) => {
          const given = parts.claims(kind, user, chain, occasion);
          if (kind === 'refresh' && !first.has(chain.id)) first.set(chain.id, given['jti']);
          return given;
        },
        spend: (given) => {
          presented = given['jti'];
          return parts.spend(given);
        },
        reused: (chain) => {
          if (first.get(chain.id) === presented) parts.reused(chain);
        },
      };
    },
  },
  {
    id: 'register-token-never-spent',
    story:
      'Sign-up makes its tokens without a row for them, and only a token with a row can be put on the list of spent ones.',
    clauses: ['REF-05'],
    replace: (parts, store) => {
      const ofRegister = new Set<unknown>();
      return {
        claims: (kind, user, chain, occasion) => {
          const given = parts.claims(kind, user, chain, occasion);
          if (kind === 'refresh' && occasion === 'register') ofRegister.add(given['jti']);
          return given;
        },
        spend: (given) => {
          const chain = store.chains.get(textOf(given['chain']));
          if (chain === undefined || chain.revoked || !ofRegister.has(given['jti'])) return parts.spend(given);
          chain.current = parts.tokenId();
          return chain;
        },
      };
    },
  },
  {
    id: 'race-for-the-first-token',
    story:
      'Only what a refresh gave stands in a row that is locked; the first token of a login is read and written in two steps.',
    clauses: ['REF-12'],
    replace: (parts) => {
      const rotated = new Set<string>();
      const { spend } = raceWindow(parts);
      return {
        spend: async (given) => {
          const id = textOf(given['chain']);
          const chain = await (rotated.has(id) ? parts.spend(given) : (spend ?? parts.spend)(given));
          rotated.add(id);
          return chain;
        },
      };
    },
  },
  {
    id: 'loser-gets-an-access-token',
    story: 'Of tabs that refresh at the same moment the later ones are served as well, with an access token alone.',
    clauses: ['REF-12'],
    replace: (parts) => {
      const busy = new Set<string>();
      return {
        refresh: async (context) => {
          const presented = refreshTextOf(context);
          if (!busy.has(presented)) {
            busy.add(presented);
            await pause(15);
            return parts.refresh(context).finally(() => busy.delete(presented));
          }
          const user = parts.userById(partOf(presented, 1)['user_id']);
          if (user === undefined) return parts.refresh(context);
          const { access } = parts.issue(user, parts.openChain(user), 'refresh');
          return { status: 200, data: { access } };
        },
      };
    },
  },
];
