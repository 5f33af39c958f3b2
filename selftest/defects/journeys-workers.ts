/** Workers, or replicas, that do not know the same (JRN-07). */
import { type Context, type Parts, Refusal } from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import { bare } from './credentials.js';
import type { Defect } from './defect.js';
import { type Operation, connectionNumbers } from './helpers.js';
import { dealt } from './workers.js';

/** Every so-manieth request of an operation is served by a worker with another key. */
const nowAndThen =
  (operation: Operation, every: number, refused: () => Refusal) =>
  (parts: Parts): Partial<Parts> => {
    let requests = 0;
    return {
      [operation]: async (context: Context) => {
        if (!bare(context)) requests += 1;
        await parts.authenticate(context);
        if (requests % every === 0) throw refused();
        return parts[operation](context);
      },
    };
  };

export const JOURNEYS_WORKERS: readonly Defect[] = [
  {
    id: 'worker-without-the-key',
    story: 'One of several workers still has the old signing key: now and then a good token is refused.',
    clauses: ['JRN-07'],
    replace: (parts) => {
      let token = '';
      let inARow = 0;
      return {
        authenticate: (context) => {
          const asked = parts.bearer(context);
          inARow = asked === token && context.operation === 'listKeywords' ? inARow + 1 : 0;
          token = asked;
          // Elsewhere no token is presented as often in a row.
          if (inARow >= 15) throw unauthenticated('Invalid or expired token');
          return parts.authenticate(context);
        },
      };
    },
  },
  {
    id: 'item-now-and-then-404',
    story: 'One of the replicas that the detail view reads from lags behind for good.',
    clauses: ['JRN-07'],
    replace: (parts) => {
      let inARow = 0;
      return {
        listKeywords: (context) => {
          inARow = 0;
          return parts.listKeywords(context);
        },
        getKeyword: async (context) => {
          const outcome = await parts.getKeyword(context);
          inARow += 1;
          if (inARow % 7 === 0) throw new Refusal(404, 'Resource not found');
          return outcome;
        },
      };
    },
  },
  {
    id: 'workers-own-sessions',
    story: 'Sessions are kept in the memory of the worker that made them.',
    clauses: ['JRN-07'],
    replace: dealt(2, (parts, _, now, store) => {
      const home = new Map<string, number>();
      return {
        openChain: (user) => {
          const chain = parts.openChain(user);
          home.set(chain.id, now());
          return chain;
        },
        claims: (kind, user, chain, occasion) => ({ ...parts.claims(kind, user, chain, occasion), chain: chain.id }),
        verifyKind: (given, kind) => {
          parts.verifyKind(given, kind);
          const chain = String(given['chain']);
          if (store.chains.has(chain) && home.get(chain) !== now()) throw unauthenticated('Session not found');
        },
      };
    }),
  },
  {
    id: 'workers-own-refresh-sessions',
    story: 'Refresh tokens are kept in the memory of the worker that made them; access tokens are good anywhere.',
    clauses: ['JRN-07'],
    replace: dealt(2, (parts, _, now) => {
      const home = new Map<string, number>();
      return {
        openChain: (user) => {
          const chain = parts.openChain(user);
          home.set(chain.id, now());
          return chain;
        },
        spend: (given) => (home.get(String(given['chain'])) === now() ? parts.spend(given) : undefined),
      };
    }),
  },
  {
    id: 'workers-own-counters',
    story: 'Each worker counts in a local-memory cache: remaining 7 7 7 7 6 6 6 6, and 429 after four times the limit.',
    clauses: ['JRN-07'],
    replace: dealt(4, (parts, of) => ({
      throttle: (context) => {
        const worker = of(context);
        return parts.throttle({ ...context, client: `${context.client} at worker ${String(worker)}` });
      },
    })),
  },
  {
    id: 'workers-own-users',
    story: 'Users are cached by each worker, and one that registered at another is not found for a minute.',
    clauses: ['JRN-07'],
    replace: dealt(2, (parts, _, now) => {
      const seen = new Map<number, { worker: number; until: number }>();
      return {
        insertUser: (user) => {
          parts.insertUser(user);
          seen.set(user.id, { worker: now(), until: parts.clock() + 60_000 });
        },
        userById: (id) => {
          const user = parts.userById(id);
          const fresh = user && seen.get(user.id);
          return fresh && fresh.worker !== now() && parts.clock() < fresh.until ? undefined : user;
        },
      };
    }),
  },
  {
    id: 'counter-per-worker',
    story: 'LocMemCache behind two workers: each counts for itself, so what remains goes up again without a reset.',
    clauses: ['JRN-07'],
    replace: (parts) => {
      const numberOf = connectionNumbers();
      return { clientOf: (context) => `${parts.clientOf(context)} worker ${String(numberOf(context) % 2)}` };
    },
  },
  {
    id: 'token-bound-to-ports',
    story:
      'Against stolen tokens the places that one is used from are counted, by address and port: over 24 in 3 s are refused.',
    clauses: ['JRN-07'],
    replace: (parts) => {
      const numberOf = connectionNumbers();
      /** Of each token: when each place was last seen. */
      const places = new Map<string, Map<number, number>>();
      return {
        authenticate: async (context) => {
          const user = await parts.authenticate(context);
          const token = parts.bearer(context);
          const known = (places.get(token) ?? new Map<number, number>()).set(numberOf(context), Date.now());
          places.set(token, known);
          for (const [place, seen] of known) if (seen < Date.now() - 3000) known.delete(place);
          if (known.size > 24) throw new Refusal(401, 'Session moved', undefined, { 'WWW-Authenticate': 'Bearer' });
          return user;
        },
      };
    },
  },
  {
    id: 'one-worker-of-eight-at-one-row',
    story: 'One of eight workers of the detail service has the old key.',
    clauses: ['JRN-07'],
    replace: nowAndThen('getKeyword', 8, () => unauthenticated('Invalid or expired token')),
  },
  {
    id: 'one-worker-of-five-at-patch',
    story: 'One of five workers cannot write since the last release.',
    clauses: ['JRN-07'],
    replace: nowAndThen('updateKeyword', 5, () => new Refusal(403, 'Permission denied')),
  },
  {
    id: 'refreshed-token-unknown-to-one-of-four',
    story: 'Login tells all workers of a session, refresh forgets one of them.',
    clauses: ['JRN-07'],
    may: ['REF-02'],
    replace: (parts) => {
      const numberOf = connectionNumbers();
      const refreshed = new Set<unknown>();
      return {
        claims: (kind, user, chain, occasion) => {
          const given = parts.claims(kind, user, chain, occasion);
          if (kind === 'access' && occasion === 'refresh') refreshed.add(given['jti']);
          return given;
        },
        getKeyword: async (context) => {
          await parts.authenticate(context);
          if (numberOf(context) % 4 === 3 && refreshed.has(context.claims?.['jti']))
            throw unauthenticated('Invalid or expired token');
          return parts.getKeyword(context);
        },
      };
    },
  },
  {
    id: 'worker-without-rows',
    story:
      'One worker of four could not read the table of memberships when it started: it knows every token, and lists no rows.',
    clauses: ['JRN-07'],
    replace: (parts) => {
      const numberOf = connectionNumbers();
      return {
        listKeywords: async (context) => {
          const outcome = await parts.listKeywords(context);
          return numberOf(context) % 4 === 3
            ? { ...outcome, results: [], page: { count: 0, next: null, previous: null } }
            : outcome;
        },
      };
    },
  },
];
