/** Rotation: new pairs, one after the other, beside other logins. */
import { type Chain, type Outcome, type Parts, Refusal } from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import type { Defect } from './defect.js';
import {
  bearerOf,
  chainOf,
  claims,
  dataOf,
  partOf,
  pause,
  refreshOf,
  refreshTextOf,
  refreshed,
  textOf,
  unverified,
} from './helpers.js';

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

export const REFRESH_ROTATION: readonly Defect[] = [
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
    id: 'refreshed-token-reads-only',
    story: 'The scopes of the login are not carried over: a refreshed token may read, and not write.',
    clauses: ['REF-02'],
    replace: (parts) => ({
      ...claims((given, kind, occasion) =>
        kind === 'access' && occasion === 'refresh' ? { ...given, scope: 'read' } : given,
      )(parts),
      createKeyword: async (context) => {
        const user = await parts.authenticate(context);
        if (context.claims?.['scope'] === 'read' && parts.mayWrite(user, {}))
          throw new Refusal(403, 'Permission denied');
        return parts.createKeyword(context);
      },
    }),
  },
  {
    id: 'refreshed-token-not-for-one-row',
    story: 'The detail service has the old list of sessions, in which a refreshed token is not.',
    clauses: ['REF-02'],
    replace: (parts) => ({
      ...claims((given, kind, occasion) =>
        kind === 'access' && occasion === 'refresh' ? { ...given, renewed: true } : given,
      )(parts),
      getKeyword: async (context) => {
        await parts.authenticate(context);
        if (context.claims?.['renewed'] === true) throw unauthenticated('Invalid or expired token');
        return parts.getKeyword(context);
      },
    }),
  },
  {
    id: 'bearer-beats-refresh-token',
    story:
      'Refresh makes the access token for the user of a live Authorization header; the refresh token only has to be good.',
    clauses: ['REF-02'],
    replace: (parts, store) => ({
      refresh: async (context) => {
        const outcome = await parts.refresh(context);
        const user = await bearerOf(parts, context);
        const chain = chainOf(parts, store.chains, outcome);
        if (user === undefined || chain === undefined || user.id === chain.userId || !('data' in outcome))
          return outcome;
        const access = parts.sign(parts.claims('access', user, chain, 'refresh'), 'access');
        return { ...outcome, data: { ...dataOf(outcome), access } };
      },
    }),
  },
  {
    id: 'later-refresh-of-another-user',
    story: 'From the second rotation on the user is taken from a cache that was filled by somebody else.',
    clauses: ['REF-02'],
    replace: (parts, store) => {
      const rotations = new Map<string, number>();
      return {
        claims: (kind, user, chain, occasion) => {
          const given = parts.claims(kind, user, chain, occasion);
          if (kind !== 'access' || occasion !== 'refresh') return given;
          const count = (rotations.get(chain.id) ?? 0) + 1;
          rotations.set(chain.id, count);
          const other = store.users.find(({ id }) => id !== user.id);
          return count === 3 && other !== undefined ? { ...given, user_id: other.id } : given;
        },
      };
    },
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
    clauses: ['REF-04'],
    replace: (parts, store) => ({
      spend: (given) => store.chains.get(String(given['chain'])),
      ...refreshed(({ access }, context) => ({ access, refresh: refreshOf(context) }))({
        ...parts,
        refresh: parts.refresh,
      }),
    }),
  },
  {
    id: 'rotation-twice',
    story: 'The third rotation in a row is taken for abuse.',
    clauses: ['REF-06'],
    replace: lastingFor(2),
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
    id: 'rotation-ends-never-rotated',
    story: 'A login is known by its newest token, and one that was never rotated has none.',
    clauses: ['REF-14'],
    replace: (parts, store) => {
      const rotated = new Set<string>();
      return {
        spend: async (given) => {
          const chain = await parts.spend(given);
          if (chain !== undefined) {
            const twice = rotated.has(chain.id);
            rotated.add(chain.id);
            for (const other of store.chains.values())
              if (twice && other.userId === chain.userId && !rotated.has(other.id)) other.revoked = true;
          }
          return chain;
        },
      };
    },
  },
  {
    id: 'sign-up-session-ended-by-others',
    story: 'The session of sign-up is provisional: the first rotation of any other login of the user ends it.',
    clauses: ['REF-14'],
    replace: (parts, store) => {
      const provisional = new Set<Chain>();
      return {
        register: async (context) => {
          const outcome = await parts.register(context);
          const chain = chainOf(parts, store.chains, outcome);
          if (chain !== undefined) provisional.add(chain);
          return outcome;
        },
        spend: async (given) => {
          const chain = await parts.spend(given);
          if (chain === undefined || provisional.has(chain)) return chain;
          for (const other of provisional) if (other.userId === chain.userId) other.revoked = true;
          return chain;
        },
      };
    },
  },
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
  {
    id: 'access-cached-for-a-session',
    story: 'Access tokens of refresh are cached for their session: the second refresh gives the first one’s again.',
    clauses: ['REF-03'],
    replace: (parts) => {
      const cached = new Map<string, string>();
      return {
        issue: (user, chain, occasion) => {
          const pair = parts.issue(user, chain, occasion);
          if (occasion !== 'refresh') return pair;
          const access = cached.get(chain.id) ?? pair.access;
          cached.set(chain.id, access);
          return { ...pair, access };
        },
      };
    },
  },
  {
    id: 'rotates-once',
    story:
      'Tokens of a login are rotated, and what came of a refresh is not: from the second on the same one comes back.',
    clauses: ['REF-04'],
    replace: (parts, store) => {
      const rotated = new Set<string>();
      return {
        spend: (given) => {
          const chain = store.chains.get(textOf(given['chain']));
          const isLive = chain?.revoked === false && chain.current === given['jti'];
          if (isLive && rotated.has(chain.id)) return chain;
          if (isLive) rotated.add(chain.id);
          return parts.spend(given);
        },
        refresh: async (context) => {
          const outcome = await parts.refresh(context);
          const data = dataOf(outcome);
          const presented = refreshTextOf(context);
          const same = partOf(textOf(data['refresh']), 1)['jti'] === partOf(presented, 1)['jti'];
          return same ? { ...outcome, data: { ...data, refresh: presented } } : outcome;
        },
      };
    },
  },
  {
    id: 'sign-up-token-not-rotated',
    story: 'Sign-up makes its tokens without the row by which rotation spends them, so what it gave stays as it is.',
    clauses: ['REF-04'],
    replace: (parts, store) => {
      const signedUp = new Map<string, string>();
      return {
        claims: (kind, user, chain, occasion) => {
          if (occasion === 'register') signedUp.set(chain.id, chain.current);
          return parts.claims(kind, user, chain, occasion);
        },
        spend: (given) => {
          const id = textOf(given['chain']);
          const chain = store.chains.get(id);
          return chain?.revoked === false && signedUp.get(id) === given['jti'] ? chain : parts.spend(given);
        },
      };
    },
  },
  {
    id: 'refreshes-swapped',
    story:
      'The refresh view keeps its pair in a module variable while it is logged: of two at once both get the later.',
    clauses: ['REF-02'],
    replace: (parts) => {
      const shared: { latest?: Outcome } = {};
      return {
        refresh: async (context) => {
          const own = await parts.refresh(context);
          shared.latest = own;
          await pause(4);
          return shared.latest;
        },
      };
    },
  },
];
