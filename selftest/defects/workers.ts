/**
 * Several workers behind one address that do not know the same: connections are dealt to them in turn, so that one live token is answered now
 * this way, now that. JRN-07 asks for it; whatever else fails on the way is blamed on the wrong thing.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context, Parts, Store } from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import { encodePart } from '../../fixtures/evidence/jwt.js';
import type { Defect } from './defect.js';
import { KNOWN, mac, partOf, signatureOf, type Operation } from './helpers.js';

const OPERATIONS: readonly Operation[] = [
  'register',
  'login',
  'refresh',
  'listKeywords',
  'createKeyword',
  'getKeyword',
  'replaceKeyword',
  'updateKeyword',
  'deleteKeyword',
];

type WorkerOf = (context: Context) => number;

/**
 * Connections dealt to `count` workers in turn.
 * @param own the parts of the workers; `now` is the one that serves the request at hand
 */
const dealt =
  (count: number, own: (parts: Parts, of: WorkerOf, now: () => number, store: Store) => Partial<Parts>) =>
  (parts: Parts, store: Store): Partial<Parts> => {
    const workers = new WeakMap<object, number>();
    let connections = 0;
    const of: WorkerOf = ({ connection }) => {
      const known = workers.get(connection) ?? connections++ % count;
      workers.set(connection, known);
      return known;
    };
    const serving = new AsyncLocalStorage<number>();
    const changed = own(parts, of, () => serving.getStore() ?? 0, store);
    const operations = OPERATIONS.map((operation) => [
      operation,
      (context: Context) => serving.run(of(context), () => (changed[operation] ?? parts[operation])(context)),
    ]);
    return { ...changed, ...(Object.fromEntries(operations) as Partial<Parts>) };
  };

/** The key of a worker: the first has the target's own. */
const keyOf = (worker: number): string => `${KNOWN.jwtSecret}-worker-${String(worker)}`;

const key = (parts: Parts, now: () => number): Partial<Parts> => ({
  sign: (given, kind) => {
    if (now() === 0) return parts.sign(given, kind);
    const input = `${encodePart({ alg: 'HS256', typ: 'JWT' })}.${encodePart(given)}`;
    return `${input}.${mac(`${input}.`, keyOf(now()), 'sha256').toString('base64url')}`;
  },
  verifySignature: (token, kind) => {
    if (now() === 0) return parts.verifySignature(token, kind);
    if (!/^[\w-]+\.[\w-]+\.[\w-]{43}$/.test(token) || !mac(token, keyOf(now()), 'sha256').equals(signatureOf(token)))
      throw unauthenticated('Invalid or expired token');
    return partOf(token, 1);
  },
});

export const WORKERS: readonly Defect[] = [
  {
    id: 'workers-own-keys',
    story: 'The signing key is made at the start of each worker, for none is set: one token is 200, 401, 200, 401.',
    clauses: ['TOK-09', 'JRN-07'],
    options: KNOWN,
    replace: dealt(2, (parts, _, now) => key(parts, now)),
  },
  {
    id: 'workers-one-with-an-old-key',
    story: 'One worker of four was not restarted when the key was changed.',
    clauses: ['TOK-09', 'JRN-07'],
    options: KNOWN,
    replace: dealt(4, (parts, _, now) => key(parts, () => (now() === 3 ? 1 : 0))),
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
];
